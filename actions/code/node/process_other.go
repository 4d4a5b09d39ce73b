//go:build !linux

package node

import (
	"os/exec"
	"syscall"
)

func attributes(bool) *syscall.SysProcAttr { return nil }

// canIsolate says that attributes knows how to take the network away.
const canIsolate = false

func killGroup(cmd *exec.Cmd) {
	_ = cmd.Process.Kill() // it may have ended
}

// limitMemory is left to the flag of V8's heap.
func limitMemory(int, int64) {}

// resident is how much memory a process has; 0 where it cannot be told.
func resident(int) int64 { return 0 }
