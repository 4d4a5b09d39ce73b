package node

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"unsafe"
)

// attributes make a process the head of a group of its own that dies with us; isolate
// gives it a network with nobody in it.
func attributes(isolate bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if isolate {
		a.Cloneflags = syscall.CLONE_NEWNET
		if os.Geteuid() != 0 {
			a.Cloneflags |= syscall.CLONE_NEWUSER
			a.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
			a.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
		}
	}
	return a
}

// canIsolate says that attributes knows how to take the network away.
const canIsolate = true

func killGroup(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended
}

// base is what Node.js maps writable before it runs any code: most of it is never used.
const base = 192 << 20

// limitMemory has the kernel refuse more, whatever it is for; so many files, and no core.
func limitMemory(pid int, memory int64) {
	limit := func(what int, n uint64) {
		both := syscall.Rlimit{Cur: n, Max: n}
		_, _, _ = syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(what), uintptr(unsafe.Pointer(&both)), 0, 0, 0)
	}
	limit(syscall.RLIMIT_DATA, uint64(memory+base))
	limit(syscall.RLIMIT_NOFILE, 256)
	limit(syscall.RLIMIT_CORE, 0)
	limit(syscall.RLIMIT_FSIZE, 0)
}

// resident is how much memory a process has; 0 where it cannot be told.
func resident(pid int) int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := bytes.Fields(raw)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
