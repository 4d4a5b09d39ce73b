//go:build unix && !(solaris || illumos || netbsd || openbsd)

package durable

import "syscall"

// diskSpace returns the bytes free for us, and all bytes, of a folder's disk.
func diskSpace(dir string) (free, total uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), uint64(s.Blocks) * uint64(s.Bsize), nil
}
