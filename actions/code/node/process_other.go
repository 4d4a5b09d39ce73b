//go:build !linux

package node

import (
	"syscall"

	"zflow/internal/child"
)

func attributes(bool) *syscall.SysProcAttr { return child.Attributes() }

// canIsolate says that attributes knows how to take the network away.
const canIsolate = false

// memory is how much a process has, and how much it has mapped for writing; 0 where
// that cannot be told.
func memory(int) (resident, writable int64) { return 0, 0 }
