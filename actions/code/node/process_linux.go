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
