package child

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// Limited says that limits are kept on this system.
const Limited = true

// Attributes make a process the head of a group of its own that dies with us. The
// kernel ties that to the thread that starts the child; the runtime's threads live as
// long as the process, as long as nobody ends one by locking a goroutine to it.
func Attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// keepOurs makes every descriptor that we have end with an exec. Ours do already;
// those that we were started with may not.
func keepOurs() {
	const closeRange, onExec = 436, 4 // SYS_CLOSE_RANGE, CLOSE_RANGE_CLOEXEC; an older kernel refuses
	_, _, _ = syscall.RawSyscall(closeRange, 3, 1<<31-1, onExec)
}

const rlimitMemory, rlimitFiles, rlimitCore = syscall.RLIMIT_DATA, syscall.RLIMIT_NOFILE, syscall.RLIMIT_CORE

// Limit sets the limits of a process, which its descendants inherit, and that it leaves
// no core; the number of processes is not among them.
func Limit(pid int, l Limits) error {
	all := map[int]uint64{rlimitCore: 0}
	if l.Memory > 0 {
		all[rlimitMemory] = uint64(l.Memory)
	}
	if l.OpenFiles > 0 {
		all[rlimitFiles] = uint64(l.OpenFiles)
	}
	if l.FileSize != 0 {
		all[syscall.RLIMIT_FSIZE] = uint64(max(l.FileSize, 0))
	}
	if l.CPU > 0 {
		all[syscall.RLIMIT_CPU] = uint64((l.CPU + time.Second - 1) / time.Second)
	}
	for resource, most := range all {
		r := syscall.Rlimit{Cur: most, Max: most}
		_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(resource), uintptr(unsafe.Pointer(&r)), 0, 0, 0)
		if errno != 0 && errno != syscall.ESRCH { // it has ended: nothing to limit
			return os.NewSyscallError("prlimit", errno)
		}
	}
	return nil
}

// awaitExit returns once a child of ours has ended, and leaves it uncollected, or
// false where that cannot be awaited.
func awaitExit(pid int) bool {
	const byPID, exited, leave = 1, 4, 0x01000000 // P_PID, WEXITED, WNOWAIT
	var info [128]byte
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, byPID, uintptr(pid), uintptr(unsafe.Pointer(&info)), exited|leave, 0, 0)
		if errno != syscall.EINTR {
			return errno == 0
		}
	}
}

// KillGroup ends a process that heads a group, and all in that, at once. Where it has
// been collected, its number may be another's.
func KillGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

// inGroup counts the processes of a group that have not ended.
func inGroup(group int) (n int) {
	for _, pid := range processes() {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			continue
		}
		// pid (name) state parent group …; a name may hold spaces and parentheses
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(fields) > 2 && string(fields[2]) == strconv.Itoa(group) && fields[0][0] != 'Z' {
			n++
		}
	}
	return n
}

// killMarked ends descendants that left the group: those that still have our mark
// in their environment.
func killMarked(mark string) {
	self := strconv.Itoa(os.Getpid())
	for _, pid := range processes() {
		env, err := os.ReadFile("/proc/" + pid + "/environ")
		if err != nil || pid == self || !bytes.Contains(env, []byte(mark)) {
			continue
		}
		if n, err := strconv.Atoi(pid); err == nil {
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	}
}

// processes are the names of all processes in /proc.
func processes() (pids []string) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		if name[0] >= '1' && name[0] <= '9' {
			pids = append(pids, name)
		}
	}
	return pids
}

func ended(s *os.ProcessState) End {
	if s == nil {
		return End{Code: -1, Signal: "lost"}
	}
	if status, ok := s.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return End{Code: -1, Signal: status.Signal().String()}
	}
	return End{Code: s.ExitCode()}
}
