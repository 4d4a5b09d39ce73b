//go:build unix

package e2e

import "syscall"

// procAttr lets a process die with its parent.
func procAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
