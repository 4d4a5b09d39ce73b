package connections

import (
	"path/filepath"
	"testing"
	"time"

	"zflow/internal/connections/oauth"
	"zflow/internal/natstest"
	"zflow/internal/zoomapi"
)

// A rotation reaches workers that run: they open what is sealed with the new key,
// and seal what there is anew; the old key opens still.
func TestRotationReachesWorkers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "connection.keys")
	js, kv := newBucket(t)
	start := func(k *Keyring) *Store {
		s, err := Open(t.Context(), js, Options{Keys: k, Gate: natstest.Gate(t, js.Conn()), Server: "http://127.0.0.1:1"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	load := func() *Keyring {
		k, err := LoadOrCreateKeyring(path)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	old := load()
	first := start(old)
	w := Wanted{Name: "lina", Kind: zoomapi.KindUser, ClientID: "c", Secret: "s3cret"}
	if _, err := first.save(t.Context(), w, who{Account: "a"}, oauth.Grant{Access: "acc3ss", Refresh: "r3fresh", Asked: time.Now(), Life: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if err := Rotate(path); err != nil {
		t.Fatal(err)
	}
	second := start(load())
	for deadline := time.Now().Add(30 * time.Second); ; {
		second.mu.RLock()
		r := second.byName["lina"].stored
		second.mu.RUnlock()
		if !second.keys.stale(r.Grant) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("not sealed anew")
		}
		second.reseal(t.Context())
	}
	e, err := kv.Get(t.Context(), "connection.lina")
	if err != nil {
		t.Fatal(err)
	}
	r, err := readRecord(e.Value())
	if err != nil {
		t.Fatal(err)
	}
	if p, err := first.reveal(r); err != nil || p.Refresh != "r3fresh" {
		t.Errorf("a worker from before the rotation: %v", err)
	}
	fixed := ring(t, 3)
	if _, _, err := fixed.open("lina", r.Grant); err == nil {
		t.Error("opened with another key")
	}
	if tok, err := first.Token(t.Context(), "lina", ""); err != nil || tok.Access != "acc3ss" {
		t.Errorf("%v", err)
	}
}
