//go:build !linux

package durable

import "os"

// syncFile flushes a file, or a folder's names.
func syncFile(f *os.File) error { return f.Sync() }
