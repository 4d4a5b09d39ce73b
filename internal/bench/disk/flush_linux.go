package disk

import (
	"os"
	"syscall"
)

func flush(f *os.File) error { return os.NewSyscallError("fdatasync", syscall.Fdatasync(int(f.Fd()))) }
