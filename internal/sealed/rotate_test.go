package sealed_test

import (
	"path/filepath"
	"testing"

	"zflow/internal/sealed"
)

// Who has a file's keys opens what is sealed to one that was put there later.
func TestRotate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sealing.keys")
	before, err := sealed.LoadOrCreateKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	old := before.Public().Seal("old")
	if err := sealed.Rotate(path); err != nil {
		t.Fatal(err)
	}
	after, err := sealed.LoadKeys(path)
	if err != nil || after.Public().ID() == before.Public().ID() {
		t.Fatal("no new key", err)
	}
	fresh := after.Public().Seal("new")
	for _, k := range []*sealed.Keys{before, after} {
		for marker, want := range map[string]string{old: "old", fresh: "new"} {
			if got, err := k.OpenText(marker); err != nil || got != want {
				t.Errorf("%q, %v", got, err)
			}
		}
	}
	if sealed.Rotate(path+"x") == nil {
		t.Error("rotated what is not there")
	}
}
