package house

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStoresLieInMemoryWhereThereIsRoom(t *testing.T) {
	t.Setenv("TMPDIR", "")
	want := os.TempDir()
	if inMemory() {
		want = memory
	}
	made(t, want)
}

func TestAPlaceForWhatIsTemporaryIsKeptTo(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	made(t, dir)
}

// made checks where a folder is made.
func made(t *testing.T, want string) {
	t.Helper()
	dir, err := newFolder()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir); err != nil {
		t.Error(err)
	}
	if got := filepath.Dir(dir); got != want {
		t.Errorf("a store lies in %s, not in %s", got, want)
	}
}
