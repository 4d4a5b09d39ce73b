package blobs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"zflow/engine/blobs"
	"zflow/internal/natstest"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// Files that values refer to live on; others, and pieces of what broke off, age away.
func TestRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		s, server := open(t) // an hour
		left := func() uint64 {
			stream, err := server.JetStream(t).Stream(t.Context(), proto.Objects(proto.Blobs))
			if err != nil {
				t.Fatal(err)
			}
			return stream.CachedInfo().State.Msgs
		}
		broken := io.MultiReader(bytes.NewReader(make([]byte, 300_000)), iotest.ErrReader(io.ErrClosedPipe))
		if _, err := blobs.NewWriter(server.JetStream(t), server.Gate(t)).Write(t.Context(), broken, 1<<20); !errors.Is(err, io.ErrClosedPipe) || left() == 0 {
			t.Fatalf("%v, %d pieces", err, left())
		}
		var files []blobs.FileInfo
		for i := range 4 {
			f, err := s.PutFile(t.Context(), bytes.NewReader(bytes.Repeat([]byte{byte(i)}, 300_000*i)), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		values := []*v1.Value{
			{Json: fmt.Appendf(nil, `{"doc":{"file":%q,"size":0},"all":[{"file" : "%s"}]}`, files[0].ID, files[1].ID)}, {},
			{Json: fmt.Appendf(nil, `"the text names %s, and file-%s."`, files[2].ID, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")}, nil,
		}
		before := left()
		for range 5 {
			if err := s.Renew(t.Context(), values); err != nil { // what is young stays as it is
				t.Fatal(err)
			}
		}
		if left() != before {
			t.Errorf("young files were put again")
		}
		for range 5 { // two and a half hours
			time.Sleep(30 * time.Minute)
			if err := s.Renew(t.Context(), values); err != nil {
				t.Fatal(err)
			}
		}
		for i, f := range files {
			got, err := readAll(t, s, f)
			if i == 3 && !errors.Is(err, blobs.ErrMissing) || i < 3 && (err != nil || int64(len(got)) != f.Size) {
				t.Errorf("file %d: %d bytes, %v", i, len(got), err)
			}
		}
		time.Sleep(2 * time.Hour)
		if n := left(); n != 0 {
			t.Errorf("%d messages are left", n)
		}
	})
}
