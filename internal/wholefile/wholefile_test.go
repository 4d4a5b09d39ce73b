package wholefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"zflow/internal/wholefile"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := wholefile.Create(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := wholefile.Create(path, []byte("two")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over one that is there: %v", err)
	}
	wantFile(t, path, "one", 0o600)
	if err := wholefile.Replace(path, []byte("three"), 0o644); err != nil {
		t.Error(err)
	}
	wantFile(t, path, "three", 0o644)
	if err := wholefile.Replace(filepath.Join(dir, "no", "key"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in no folder: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func wantFile(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != text {
		t.Errorf("it says %q, %v", got, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
