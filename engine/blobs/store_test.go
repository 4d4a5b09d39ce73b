package blobs_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"zflow/engine/blobs"
	"zflow/internal/natstest"
	"zflow/proto"
)

func open(t testing.TB) (*blobs.Store, *natstest.Server) {
	t.Helper()
	s := natstest.Start(t)
	if err := blobs.Create(context.Background(), s.JetStream(t), time.Hour, 1); err != nil {
		t.Fatal(err)
	}
	store, err := blobs.Open(context.Background(), s.JetStream(t), s.Gate(t))
	if err != nil {
		t.Fatal(err)
	}
	return store, s
}

func TestPutAndGet(t *testing.T) {
	s, _ := open(t)
	for _, size := range []int{1, blobs.Large, blobs.Large + 1, 3 << 20} {
		data := bytes.Repeat([]byte{byte(size), 'x', 0}, size/3+1)[:size]
		name, err := s.Put(t.Context(), data)
		if err != nil || len(name) != 64 {
			t.Fatalf("%d bytes: %q, %v", size, name, err)
		}
		again, err := s.Put(t.Context(), data) // a run that renews itself
		if err != nil || again != name {
			t.Fatalf("%d bytes again: %q, %v", size, again, err)
		}
		got, err := s.Get(t.Context(), name)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes came back as %d, %v", size, len(got), err)
		}
	}
}

func TestGone(t *testing.T) {
	s, _ := open(t)
	if _, err := s.Get(t.Context(), "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"); !errors.Is(err, blobs.ErrMissing) {
		t.Errorf("a value that was never there: %v", err)
	}
}

// Bytes under another's name are not taken for its own.
func TestAltered(t *testing.T) {
	s, server := open(t)
	name, err := s.Put(t.Context(), []byte("the value"))
	if err != nil {
		t.Fatal(err)
	}
	objects, err := server.JetStream(t).ObjectStore(t.Context(), proto.Blobs)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := objects.PutBytes(t.Context(), name, []byte("another value")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), name); !errors.Is(err, blobs.ErrMissing) {
		t.Errorf("another value: %v", err)
	}
}

func BenchmarkPut(b *testing.B) {
	s, _ := open(b)
	data := bytes.Repeat([]byte("0123456789abcdef"), blobs.Large/16+1)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := s.Put(context.Background(), data); err != nil {
			b.Fatal(err)
		}
	}
}
