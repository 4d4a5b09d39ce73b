package connections

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/natstest"
	"zflow/proto"
)

// tokens gives out token-1, token-2 and so on.
func tokens(t *testing.T) (url string, given *atomic.Int64) {
	given = &atomic.Int64{}
	zoom := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"token-%d","expires_in":3600}`, given.Add(1))
	}))
	t.Cleanup(zoom.Close)
	return zoom.URL, given
}

func start(t *testing.T, js jetstream.JetStream, url string, k *Keyring, app App) *Store {
	t.Helper()
	s, err := Open(t.Context(), js, Options{Apps: []App{app}, Keys: k, Gate: natstest.Gate(t, js.Conn()), Server: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// What is in the bucket is used only if it is this app's, can be opened, and is
// not older than what was seen; else it is replaced.
func TestRecordsThatCountAsNone(t *testing.T) {
	app := App{Name: "school", AccountID: "acc", ClientID: "client", ClientSecret: "s"}
	other := app
	other.ClientID = "another"
	for name, change := range map[string]func(t *testing.T, kv jetstream.KeyValue, owner string) (*Keyring, App){
		"untouched": func(*testing.T, jetstream.KeyValue, string) (*Keyring, App) { return ring(t, 1), app },
		"garbage": func(t *testing.T, kv jetstream.KeyValue, owner string) (*Keyring, App) {
			put(t, kv, owner, []byte("garbage"))
			return ring(t, 1), app
		},
		"empty": func(t *testing.T, kv jetstream.KeyValue, owner string) (*Keyring, App) {
			put(t, kv, owner, nil)
			return ring(t, 1), app
		},
		"unknown key": func(*testing.T, jetstream.KeyValue, string) (*Keyring, App) { return ring(t, 9), app },
		"rotated key": func(*testing.T, jetstream.KeyValue, string) (*Keyring, App) { return ring(t, 9, 1), app },
		"another app": func(*testing.T, jetstream.KeyValue, string) (*Keyring, App) { return ring(t, 1), other },
		"sealed, junk": func(t *testing.T, kv jetstream.KeyValue, owner string) (*Keyring, App) {
			put(t, kv, owner, ring(t, 1).seal(owner, 5, []byte("{")))
			return ring(t, 1), app
		},
		"deleted": func(t *testing.T, kv jetstream.KeyValue, owner string) (*Keyring, App) {
			if err := kv.Delete(t.Context(), "token."+owner); err != nil {
				t.Fatal(err)
			}
			return ring(t, 1), app
		},
	} {
		t.Run(name, func(t *testing.T) {
			js, kv := newBucket(t)
			url, given := tokens(t)
			if _, err := start(t, js, url, ring(t, 1), app).Token(t.Context(), "school", ""); err != nil {
				t.Fatal(err)
			}
			owner := AppOwner("acc", "client", url)
			if _, err := kv.Get(t.Context(), "token."+owner); err != nil {
				t.Fatal(err)
			}
			k, a := change(t, kv, owner)
			tok, err := start(t, js, url, k, a).Token(t.Context(), "school", "")
			want := int64(2)
			if name == "untouched" || name == "rotated key" {
				want = 1
			}
			if err != nil || tok.Access != fmt.Sprintf("token-%d", want) || given.Load() != want {
				t.Errorf("%v, %d fetches", err, given.Load())
			}
		})
	}
}

// An old record put back, by a restored backup or by hand, is not believed by a
// process that has seen a newer one, and its token is not used again.
func TestOlderRecordIsNotBelieved(t *testing.T) {
	app := App{Name: "school", AccountID: "acc", ClientID: "client", ClientSecret: "s"}
	js, kv := newBucket(t)
	url, _ := tokens(t)
	s := server{start(t, js, url, ring(t, 1), app)}
	c := s.byName["school"]
	if _, err := s.Token(t.Context(), "school", ""); err != nil {
		t.Fatal(err)
	}
	first, err := kv.Get(t.Context(), "token."+c.owner.key)
	if err != nil {
		t.Fatal(err)
	}
	old, err := s.load(t.Context(), c)
	if err != nil || old.number != 1 {
		t.Fatalf("number %d, %v", old.number, err)
	}
	next := old
	next.Access = "token-new"
	if stored, err := s.store(t.Context(), c, old, next); err != nil || !stored {
		t.Fatal(stored, err)
	}
	put(t, kv, c.owner.key, first.Value())
	if r, err := s.load(t.Context(), c); err != nil || r.Access != "" || r.revision == 0 {
		t.Errorf("believed %+v, %v", r, err)
	}
}

// Who was overtaken between reading and storing does not overwrite.
func TestStoreIsCompareAndSwap(t *testing.T) {
	app := App{Name: "school", AccountID: "acc", ClientID: "client", ClientSecret: "s"}
	js, _ := newBucket(t)
	url, _ := tokens(t)
	s := server{start(t, js, url, ring(t, 1), app)}
	c := s.byName["school"]
	for range 2 { // without and with a record that is there
		old, err := s.load(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		r := cached{Access: "x", App: c.id()}
		if stored, err := s.store(t.Context(), c, old, r); err != nil || !stored {
			t.Fatal(stored, err)
		}
		if stored, err := s.store(t.Context(), c, old, r); err != nil || stored {
			t.Errorf("overwrote: %t, %v", stored, err)
		}
	}
}

func TestLeaseIsOfOne(t *testing.T) {
	js, _ := newBucket(t)
	s := start(t, js, "http://127.0.0.1:1", ring(t, 1), App{Name: "a.b c", AccountID: "1", ClientID: "2", ClientSecret: "3"})
	c := s.byName["a.b c"]
	for range 3 {
		release, err := s.lease(t.Context(), c.owner.key)
		if err != nil || release == nil {
			t.Fatalf("not free, %v", err)
		}
		if second, err := s.lease(t.Context(), c.owner.key); err != nil || second != nil {
			t.Fatalf("taken twice, %v", err)
		}
		release()
	}
}

func newBucket(t *testing.T) (jetstream.JetStream, jetstream.KeyValue) {
	t.Helper()
	js := natstest.Start(t).JetStream(t)
	if err := Create(t.Context(), js, 1); err != nil {
		t.Fatal(err)
	}
	kv, err := js.KeyValue(t.Context(), proto.Connections)
	if err != nil {
		t.Fatal(err)
	}
	return js, kv
}

func put(t *testing.T, kv jetstream.KeyValue, owner string, value []byte) {
	t.Helper()
	if _, err := kv.Put(t.Context(), "token."+owner, value); err != nil {
		t.Fatal(err)
	}
}
