// Package wholefile writes files whole or not at all: a key that a crash could halve
// would make unreadable what it sealed.
package wholefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace writes a file in place of the one that is there, if one is; flushed.
func Replace(path string, text []byte, mode fs.FileMode) error {
	return write(path, text, mode, os.Rename)
}

// Create makes a file for its owner only, flushed. One that is there is left as it is,
// which is an fs.ErrExist.
func Create(path string, text []byte) error { return write(path, text, 0o600, os.Link) }

func write(path string, text []byte, mode fs.FileMode, place func(from, to string) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // it is not there where it was renamed
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := place(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
