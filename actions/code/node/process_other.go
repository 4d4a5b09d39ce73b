//go:build !linux

package node

import (
	"syscall"

	"zflow/internal/child"
)

func attributes(bool) *syscall.SysProcAttr { return child.Attributes() }

// canIsolate says that attributes knows how to take the network away.
const canIsolate = false

// resident is how much memory a process has; 0 where it cannot be told.
func resident(int) int64 { return 0 }
