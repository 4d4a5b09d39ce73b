package connections

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func ring(t testing.TB, seeds ...byte) *Keyring {
	t.Helper()
	var keys [][]byte
	for _, seed := range seeds {
		keys = append(keys, bytes.Repeat([]byte{seed}, 32))
	}
	k, err := NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealAndOpen(t *testing.T) {
	k := ring(t, 1)
	sealed := k.seal("school", 42, []byte("hello"))
	number, plain, err := k.open("school", sealed)
	if err != nil || number != 42 || string(plain) != "hello" {
		t.Errorf("%d, %q, %v", number, plain, err)
	}
	if bytes.Contains(sealed, []byte("hello")) {
		t.Error("readable")
	}
	if bytes.Equal(sealed, k.seal("school", 42, []byte("hello"))) {
		t.Error("sealing twice gives the same")
	}
}

// Every bit counts, and so does whose record it is.
func TestAlteredRecordDoesNotOpen(t *testing.T) {
	k := ring(t, 1)
	sealed := k.seal("school", 42, []byte("hello"))
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		if _, _, err := k.open("school", altered); err == nil {
			t.Errorf("opened with byte %d altered", i)
		}
	}
	for n := range sealed {
		if _, _, err := k.open("school", sealed[:n]); err == nil {
			t.Errorf("opened when cut to %d bytes", n)
		}
	}
	if _, _, err := k.open("office", sealed); err == nil {
		t.Error("opened as another connection's")
	}
}

func TestRotation(t *testing.T) {
	old := ring(t, 1).seal("school", 1, []byte("x"))
	both := ring(t, 2, 1)
	if _, _, err := both.open("school", old); err != nil {
		t.Error(err)
	}
	fresh := both.seal("school", 2, []byte("x"))
	if _, _, err := ring(t, 2).open("school", fresh); err != nil {
		t.Errorf("the first key does not seal: %v", err)
	}
	if _, _, err := ring(t, 2).open("school", old); err == nil {
		t.Error("opened without its key")
	}
}

func TestBadKeys(t *testing.T) {
	if _, err := NewKeyring(); err == nil {
		t.Error("no keys: accepted")
	}
	if _, err := NewKeyring(make([]byte, 16)); err == nil {
		t.Error("a short key: accepted")
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "connections.key")
	k, err := LoadOrCreateKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	again, err := LoadOrCreateKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := again.open("a", k.seal("a", 1, nil)); err != nil {
		t.Error(err)
	}
	text, _ := os.ReadFile(path)
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"readable by others": {string(text), 0o644},
		"empty":              {"", 0o600},
		"not a key":          {"zflow-grant-abc\n", 0o600},
		"no prefix":          {strings.TrimPrefix(string(text), keyPrefix), 0o600},
		"one good, one bad":  {string(text) + "zflow-grant-\n", 0o600},
	} {
		bad := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(bad, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := LoadOrCreateKeyring(bad)
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), strings.TrimSpace(strings.TrimPrefix(string(text), keyPrefix))) {
			t.Errorf("%s: the error shows the key", name)
		}
	}
}

// Processes that start at once agree on one key.
func TestKeyFileRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	rings := make([]*Keyring, 16)
	var all sync.WaitGroup
	for i := range rings {
		all.Go(func() {
			k, err := LoadOrCreateKeyring(path)
			if err != nil {
				t.Error(err)
			}
			rings[i] = k
		})
	}
	all.Wait()
	for _, k := range rings {
		if k == nil || k.keys[0].id != rings[0].keys[0].id {
			t.Error("two keys")
		}
	}
}
