package record

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// folder is where files go, all of them or none.
type folder struct {
	dir   string
	force bool // what is there may be replaced
	files []file

	hidden hidden
}

type file struct {
	name string // within the folder
	data []byte
}

func (f *folder) add(name string, data []byte) { f.files = append(f.files, file{name, data}) }

func (f *folder) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// check says what stands in the way of a file.
func (f *folder) check(one file) error {
	at := f.path(one.name)
	there, err := os.ReadFile(at)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("writing %s: %w", at, err)
	case !f.force && !bytes.Equal(there, one.data):
		return fmt.Errorf("writing %s: there is another such file: --force replaces it, --to names another folder", at)
	}
	return nil
}

// write writes the files and returns their paths. One that is there already, the
// same, is left as it is.
func (f *folder) write() (paths []string, err error) {
	for _, one := range f.files {
		if err := f.check(one); err != nil {
			return nil, err
		}
	}
	var made []string
	for _, one := range f.files {
		isNew, err := f.put(one)
		if isNew {
			made = append(made, f.path(one.name))
		}
		if err != nil {
			for _, path := range made {
				err = errors.Join(err, os.Remove(path))
			}
			return nil, err
		}
		paths = append(paths, f.path(one.name))
	}
	return paths, nil
}

// put writes one file, and says whether there was none before.
func (f *folder) put(one file) (isNew bool, err error) {
	at := f.path(one.name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return false, fmt.Errorf("writing %s: %w", at, err)
	}
	out, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return false, f.replace(at, one.data)
	}
	if err == nil {
		_, err = out.Write(one.data)
		err = errors.Join(err, out.Close())
		isNew = true
	}
	if err != nil {
		return isNew, fmt.Errorf("writing %s: %w", at, err)
	}
	return true, nil
}

// replace puts a file in the place of another, whole or not at all.
func (f *folder) replace(at string, data []byte) error {
	there, err := os.ReadFile(at)
	if err == nil && bytes.Equal(there, data) {
		return nil
	}
	if err == nil && !f.force {
		err = fs.ErrExist // it came meanwhile
	}
	if err == nil {
		err = errors.Join(os.WriteFile(at+".new", data, 0o644), os.Rename(at+".new", at))
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", at, err)
	}
	return nil
}
