//go:build !unix || solaris || illumos

package broker

import "os"

// lockFile has no lock to take on this system.
func lockFile(*os.File) error { return nil }
