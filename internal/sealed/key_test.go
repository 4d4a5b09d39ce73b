package sealed

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestPublicKeyText(t *testing.T) {
	k := newKeys(t)
	p, err := ParsePublicKey(" " + k.Public().String() + "\n")
	if err != nil || p != k.Public() {
		t.Fatalf("the key came back as %v, %v", p, err)
	}
	if got, err := k.OpenText(p.Seal("x")); err != nil || got != "x" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestBadKeysAreRefusedAndNotRepeated(t *testing.T) {
	weak := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	for name, text := range map[string]string{
		"empty": "", "other text": "hunter2hunter2", "short": publicText + "aGVsbG8", "no base64": publicText + "hunter2!!",
		"weak": publicText + weak, "private for public": privateText + weak,
	} {
		_, err := ParsePublicKey(text)
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), weak) {
			t.Errorf("%s: the error repeats the key: %v", name, err)
		}
	}
	for name, text := range map[string]string{"none": "# a comment\n\n", "bad line": privateText + "hunter2", "public": newKeys(t).Public().String()} {
		_, err := ParseKeys(text)
		if err == nil {
			t.Errorf("keyring with %s: accepted", name)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error repeats the key: %v", name, err)
		}
	}
}

func TestZeroKeySealsNothingReadable(t *testing.T) {
	var p PublicKey
	if got := p.Seal("secret"); got != Masked {
		t.Errorf("Seal = %q", got)
	}
	if out, err := p.SealJSON([]byte(`{"a":"secret"}`), At("a")); err == nil || out != nil {
		t.Errorf("SealJSON = %s, %v", out, err)
	}
}

func TestRotation(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	old, err := LoadOrCreateKeys(first)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := LoadOrCreateKeys(second)
	if err != nil {
		t.Fatal(err)
	}
	before := old.Public().Seal("old secret")
	a, _ := os.ReadFile(first)
	b, _ := os.ReadFile(second)
	both, err := ParseKeys("# new\n" + string(b) + "# old\n" + string(a))
	if err != nil {
		t.Fatal(err)
	}
	if both.Public() != fresh.Public() {
		t.Error("the first key is not the primary one")
	}
	got, err := both.OpenText(before + " and " + fresh.Public().Seal("new secret"))
	if err != nil || got != "old secret and new secret" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err = fresh.OpenText("x " + before); err == nil || got != "" || !strings.Contains(err.Error(), old.Public().ID()) {
		t.Errorf("without the old key: %q, %v; want an error that names the key", got, err)
	}
}

func TestCreatedKeyIsPrivateAndStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	var wg sync.WaitGroup
	publics := make([]PublicKey, 8)
	for i := range publics {
		wg.Go(func() {
			k, err := LoadOrCreateKeys(path)
			if err != nil {
				t.Error(err)
				return
			}
			publics[i] = k.Public()
		})
	}
	wg.Wait()
	for _, p := range publics {
		if p != publics[0] {
			t.Fatal("two processes made two keys")
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".sealing-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreateKeys(path); err == nil {
		t.Error("a damaged keyring was taken or replaced")
	}
	if _, err := LoadOrCreateKeys(filepath.Join(path, "no", "folder")); err == nil {
		t.Error("a keyring in no folder")
	}
}
