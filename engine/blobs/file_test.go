package blobs_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"zflow/engine/blobs"
	"zflow/proto"
)

func readAll(t *testing.T, s *blobs.Store, f blobs.FileInfo) ([]byte, error) {
	t.Helper()
	r, err := s.OpenFile(t.Context(), f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestFileComesBack(t *testing.T) {
	s, _ := open(t)
	for _, size := range []int{0, 1, 128 << 10, 1<<20 + 7} {
		data := bytes.Repeat([]byte("ab\x00"), size/3+1)[:size]
		f, err := s.PutFile(t.Context(), bytes.NewReader(data), int64(size))
		if err != nil || f.Size != int64(size) {
			t.Fatalf("%d bytes: %+v, %v", size, f, err)
		}
		if got, err := readAll(t, s, f); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes came back as %d, %v", size, len(got), err)
		}
	}
}

func TestFileIsStoredWholeOrNotAtAll(t *testing.T) {
	s, server := open(t)
	data := bytes.Repeat([]byte("x"), 300<<10)
	if _, err := s.PutFile(t.Context(), bytes.NewReader(data), int64(len(data))-1); !errors.Is(err, blobs.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	broken := io.MultiReader(bytes.NewReader(data), badReader{})
	if _, err := s.PutFile(t.Context(), broken, 1<<20); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("broken: %v", err)
	}
	objects, err := server.JetStream(t).ObjectStore(t.Context(), proto.Blobs)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := objects.List(t.Context()); err == nil {
		t.Errorf("%d files are left", len(left))
	}
}

type badReader struct{}

func (badReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// A reference that somebody changed, or bytes that did, never pass for the file.
func TestFileIsChecked(t *testing.T) {
	s, server := open(t)
	f, err := s.PutFile(t.Context(), bytes.NewReader([]byte("hello")), 10)
	if err != nil {
		t.Fatal(err)
	}
	for what, wrong := range map[string]blobs.FileInfo{
		"size":  {ID: f.ID, Size: 4, SHA256: f.SHA256},
		"hash":  {ID: f.ID, Size: 5, SHA256: "00"},
		"place": {ID: "file-none", Size: 5, SHA256: f.SHA256},
	} {
		if got, err := readAll(t, s, wrong); !errors.Is(err, blobs.ErrMissing) {
			t.Errorf("another %s: %q, %v", what, got, err)
		}
	}
	objects, err := server.JetStream(t).ObjectStore(t.Context(), proto.Blobs)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := objects.PutBytes(t.Context(), f.ID, []byte("jello")); err != nil {
		t.Fatal(err)
	}
	if got, err := readAll(t, s, f); !errors.Is(err, blobs.ErrMissing) {
		t.Errorf("another content: %q, %v", got, err)
	}
}
