package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// fileName is what a reference to a file has, wherever it stands: a value may hold no
// more than that of it.
var fileName = regexp.MustCompile(`\b` + filePrefix + `[A-Z2-7]{26}\b`)

// Renew puts the files again that values refer to, durably, unless they have most of
// their time before them. One that is gone is passed over: who needs it says so.
func (s *Store) Renew(ctx context.Context, values []*v1.Value) error {
	names := map[string]bool{}
	for _, v := range values {
		for _, name := range fileName.FindAllString(string(v.GetJson()), -1) {
			names[name] = true
		}
	}
	if len(names) == 0 {
		return nil
	}
	mark, any := s.gate.Mark(), false
	now, err := s.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("renewing files: %w", err)
	}
	for name := range names {
		renewed, err := s.renew(ctx, name, now.TimeStamp.Add(-now.Config.MaxAge/young))
		if err != nil {
			return fmt.Errorf("renewing the file %s: %w", name, err)
		}
		any = any || renewed
	}
	if !any {
		return nil
	}
	return s.gate.Pass(ctx, wire.Objects(wire.Blobs), mark)
}

// young is the part of its time after which a file is put again. A run that is open
// renews at half of it, so what is younger now lives until then.
const young = 4

// renew puts a file again unless it came after a time.
func (s *Store) renew(ctx context.Context, name string, after time.Time) (renewed bool, err error) {
	info, err := s.objects.GetInfo(ctx, name)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if info.ModTime.After(after) {
		return false, nil
	}
	return s.again(ctx, info)
}

// readWithin is how long it takes to see that bytes do not come any more.
const readWithin = 5 * time.Minute

// again puts a file again. The bytes that had the name stay for who reads them, and
// age away. Bytes that cannot be read are as good as gone.
func (s *Store) again(ctx context.Context, info *jetstream.ObjectInfo) (renewed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	bytes, err := s.objects.Get(ctx, info.Name)
	if err != nil {
		return false, err
	}
	defer bytes.Close()
	from := &noted{Reader: bytes}
	o, err := s.bucket().Put(ctx, info.Name, from, int64(info.Size))
	if err != nil {
		if err = errors.Join(err, s.remove(ctx, o.ID)); from.failed {
			return false, nil
		}
	}
	return err == nil, err
}

// noted knows whether reading failed.
type noted struct {
	io.Reader
	failed bool
}

func (n *noted) Read(p []byte) (int, error) {
	got, err := n.Reader.Read(p)
	n.failed = n.failed || err != nil && !errors.Is(err, io.EOF)
	return got, err
}
