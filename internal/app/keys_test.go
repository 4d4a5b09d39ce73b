package app_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zflow/internal/app"
	"zflow/internal/connections"
	"zflow/internal/sealed"
)

func TestCreateKeys(t *testing.T) {
	dir := t.TempDir()
	private, public := filepath.Join(dir, "private", "sealing.keys"), filepath.Join(dir, "public", "sealing.pub")
	first, err := app.CreateKeys(private, public)
	if err != nil || !first.Made || !first.PublicSaved {
		t.Fatalf("the first time: %+v, %v", first, err)
	}
	for file, want := range map[string]fs.FileMode{private: 0o600, first.Connections: 0o600, public: 0o644, filepath.Dir(private): 0o700} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want mode %o", file, info.Mode(), err, want)
		}
	}
	keys, err := sealed.LoadKeys(private)
	if err != nil {
		t.Fatal(err)
	}
	ingest, err := sealed.ParsePublicKey(read(t, public))
	if err != nil || first.PublicKey+"\n" != read(t, public) {
		t.Fatalf("the public key %q, %q, %v", read(t, public), first.PublicKey, err)
	}
	if text, err := keys.OpenText(ingest.Seal("hello")); text != "hello" || err != nil {
		t.Errorf("sealed by ingest, opened by a worker: %q, %v", text, err)
	}
	if filepath.Dir(first.Connections) != filepath.Dir(private) {
		t.Errorf("the keys of connections are in %s", first.Connections)
	}
	if _, err := connections.LoadOrCreateKeyring(first.Connections); err != nil {
		t.Error(err)
	}

	before := read(t, private) + read(t, first.Connections)
	again, err := app.CreateKeys(private, public)
	if err != nil || again.Made || again.PublicSaved || again.PublicKey != first.PublicKey {
		t.Errorf("the second time: %+v, %v", again, err)
	}
	if read(t, private)+read(t, first.Connections) != before {
		t.Error("the private keys were changed")
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestCreateKeysAfterRotation: the public key follows the first private one.
func TestCreateKeysAfterRotation(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	old, err := app.CreateKeys(at("a/sealing.keys"), at("sealing.pub"))
	if err != nil {
		t.Fatal(err)
	}
	next, err := app.CreateKeys(at("b/sealing.keys"), at("other.pub"))
	if err != nil {
		t.Fatal(err)
	}
	both := read(t, next.Private) + read(t, old.Private)
	if err := os.WriteFile(old.Private, []byte(both), 0o600); err != nil {
		t.Fatal(err)
	}
	rotated, err := app.CreateKeys(old.Private, old.Public)
	if err != nil || rotated.Made || !rotated.PublicSaved || rotated.PublicKey != next.PublicKey || read(t, old.Private) != both {
		t.Errorf("after rotation: %+v, %v", rotated, err)
	}
}

func TestCreateKeysRefuses(t *testing.T) {
	dir := t.TempDir()
	at := func(name, text string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	public := filepath.Join(dir, "sealing.pub")
	for name, c := range map[string]struct{ private, public, want string }{
		"no keys":           {at("broken.keys", "rubbish-of-mine\n", 0o600), public, "a key begins with"},
		"an empty file":     {at("empty.keys", "", 0o600), public, "there is none"},
		"open to all":       {at("open.keys", "x", 0o604), public, "others may read"},
		"one file for both": {filepath.Join(dir, "both"), dir + "/./both", "a file of its own"},
		"over connections":  {filepath.Join(dir, "both"), filepath.Join(dir, "connection.keys"), "a file of its own"},
	} {
		before, _ := os.ReadFile(c.private)
		_, err := app.CreateKeys(c.private, c.public)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "rubbish") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if after, _ := os.ReadFile(c.private); !bytes.Equal(before, after) {
			t.Errorf("%s: the file was changed", name)
		}
		if _, err := os.Stat(public); err == nil {
			t.Errorf("%s: a public key was written", name)
		}
	}
}
