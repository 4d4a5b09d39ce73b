package record

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func content(t testing.TB, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestFilesAreWrittenAllOrNone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	out := folder{dir: dir}
	out.add("a.yaml", []byte("a"))
	out.add("fixtures/b.json", []byte("b"))
	paths, err := out.write()
	if err != nil || len(paths) != 2 || content(t, paths[1]) != "b" {
		t.Fatal(paths, err)
	}
	if _, err := out.write(); err != nil { // they are there, the same
		t.Error(err)
	}
	other := folder{dir: dir}
	other.add("c.yaml", []byte("c"))
	other.add("a.yaml", []byte("different"))
	if _, err := other.write(); err == nil || !strings.Contains(err.Error(), "--force replaces it") {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "c.yaml")); err == nil || content(t, paths[0]) != "a" {
		t.Error("something was written")
	}
	other.force = true
	if _, err := other.write(); err != nil || content(t, paths[0]) != "different" {
		t.Error(err)
	}
}

// What cannot be written leaves nothing behind.
func TestFilesThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fixtures"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "d.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fixtures/b.json", "d.yaml"} {
		out := folder{dir: dir, force: true}
		out.add("a.yaml", []byte("a"))
		out.add(name, []byte("b"))
		if _, err := out.write(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "a.yaml")); err == nil {
			t.Errorf("%s: a file is left", name)
		}
	}
}
