package blobs_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"zflow/engine/blobs"
	"zflow/proto"
)

// A file that is streamed in is read in a stream, or piece by piece.
func TestWriter(t *testing.T) {
	s, server := open(t)
	w := blobs.NewWriter(server.JetStream(t), server.Gate(t))
	for _, size := range []int{0, 1, 128 << 10, 300_000} {
		data := make([]byte, size)
		_, _ = rand.Read(data) // it never fails
		mark := w.Mark()
		f, err := w.Write(t.Context(), iotest.HalfReader(bytes.NewReader(data)), int64(size))
		if err != nil || f.Size != int64(size) {
			t.Fatalf("%d bytes: %+v, %v", size, f, err)
		}
		if err := w.Pass(t.Context(), mark); err != nil {
			t.Fatal(err)
		}
		r, err := s.OpenFile(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes streamed back as %d, %v", size, len(got), err)
		}
		_ = r.Close()
		if got := pieces(t, s, f.ID); !bytes.Equal(got, data) {
			t.Errorf("%d bytes came back in pieces as %d", size, len(got))
		}
	}
}

func pieces(t *testing.T, s *blobs.Store, name string) (all []byte) {
	t.Helper()
	for place := (blobs.Place{}); ; {
		piece, next, last, err := s.Piece(t.Context(), name, place)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, piece...); last {
			return all
		}
		place = next
	}
}

// What is too long, or breaks off, has no name; and values are no files.
func TestHalfAFile(t *testing.T) {
	s, server := open(t)
	w := blobs.NewWriter(server.JetStream(t), server.Gate(t))
	if _, err := w.Write(t.Context(), bytes.NewReader(make([]byte, 200_000)), 199_999); !errors.Is(err, blobs.ErrTooLarge) {
		t.Errorf("too long: %v", err)
	}
	broken := io.MultiReader(bytes.NewReader(make([]byte, 200_000)), iotest.ErrReader(io.ErrClosedPipe))
	if _, err := w.Write(t.Context(), broken, 1<<20); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("broken off: %v", err)
	}
	objects, err := server.JetStream(t).ObjectStore(t.Context(), proto.Blobs)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := objects.List(t.Context()); err == nil {
		t.Errorf("%d have a name", len(all))
	}
	value, err := s.Put(t.Context(), []byte("a value"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file-0a", value} {
		if _, _, _, err := s.Piece(t.Context(), name, blobs.Place{}); !errors.Is(err, blobs.ErrMissing) {
			t.Errorf("a piece of %s: %v", name, err)
		}
	}
}
