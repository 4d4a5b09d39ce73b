package objects_test

import (
	"bytes"
	"errors"
	"io"
	"runtime/pprof"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/natstest"
	"zflow/internal/objects"
)

const bucket = "THINGS"

func open(t *testing.T) (objects.Bucket, jetstream.ObjectStore) {
	t.Helper()
	js := natstest.Start(t).JetStream(t)
	kept, err := js.CreateObjectStore(t.Context(), jetstream.ObjectStoreConfig{Bucket: bucket})
	if err != nil {
		t.Fatal(err)
	}
	return objects.Bucket{JS: js, Name: bucket}, kept
}

// What is put is what JetStream's client reads, whatever the portions it came in.
func TestTheClientReadsIt(t *testing.T) {
	things, kept := open(t)
	for _, size := range []int{0, 1, 128 << 10, 300_000} {
		data := bytes.Repeat([]byte("ab\x00"), size/3+1)[:size]
		o, err := things.Put(t.Context(), "a name", iotest.OneByteReader(bytes.NewReader(data)), int64(size))
		if err != nil || o.Size != int64(size) {
			t.Fatalf("%d bytes: %+v, %v", size, o, err)
		}
		if got, err := kept.GetBytes(t.Context(), "a name"); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes came back as %d, %v", size, len(got), err)
		}
	}
}

// A sender that goes away is no end: net/http says io.ErrUnexpectedEOF then.
func TestHalfHasNoName(t *testing.T) {
	things, kept := open(t)
	half := bytes.Repeat([]byte("x"), 200_000)
	for _, broken := range []error{io.ErrUnexpectedEOF, io.ErrClosedPipe} {
		o, err := things.Put(t.Context(), "half", io.MultiReader(bytes.NewReader(half), iotest.ErrReader(broken)), 1<<20)
		if !errors.Is(err, broken) {
			t.Errorf("broken off by %v: %v", broken, err)
		}
		if err := things.Remove(t.Context(), o.ID); err != nil {
			t.Error(err)
		}
	}
	if _, err := things.Put(t.Context(), "half", bytes.NewReader(half), 199_999); !errors.Is(err, objects.ErrTooLarge) {
		t.Errorf("too long: %v", err)
	}
	if _, err := kept.GetInfo(t.Context(), "half"); !errors.Is(err, jetstream.ErrObjectNotFound) {
		t.Errorf("a name: %v", err)
	}
	s, err := things.JS.Stream(t.Context(), "OBJ_"+bucket)
	if err != nil {
		t.Fatal(err)
	}
	if left := s.CachedInfo().State.Msgs; left != 1 { // of what was too long
		t.Errorf("%d chunks are left", left)
	}
}

// The client's own Put leaves goroutines behind.
func TestNothingStaysBehind(t *testing.T) {
	things, _ := open(t)
	for range 50 {
		if _, err := things.Put(t.Context(), "a", strings.NewReader("small"), 10); err != nil {
			t.Fatal(err)
		}
	}
	var all strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(all.String(), "resetPendingAcksOnReconnect") {
		t.Error("goroutines of the client are left behind")
	}
}
