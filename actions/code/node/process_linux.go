package node

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"zflow/internal/child"
)

// attributes are those of every child; isolate gives it a network with nobody in it.
func attributes(isolate bool) *syscall.SysProcAttr {
	a := child.Attributes()
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

// memory is how much a process has, and how much it has mapped for writing; 0 where
// that cannot be told.
func memory(pid int) (resident, writable int64) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := bytes.Fields(raw)
	if err != nil || len(fields) < 6 {
		return 0, 0
	}
	pages := func(field []byte) int64 {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0
		}
		return n * int64(os.Getpagesize())
	}
	return pages(fields[1]), pages(fields[5])
}
