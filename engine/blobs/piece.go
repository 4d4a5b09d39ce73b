package blobs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	wire "zflow/proto"
)

// Place is how far a file was read; zero: not yet.
type Place struct {
	Object   string `json:"object,omitempty"`
	Sequence uint64 `json:"seq,omitempty"`
	Left     uint32 `json:"left,omitempty"` // pieces
}

// Piece returns the next piece of a file and the place behind it. Last: nothing
// follows. It keeps nothing open, so that another process can ask for the next.
func (s *Store) Piece(ctx context.Context, name string, from Place) (piece []byte, next Place, last bool, err error) {
	if !strings.HasPrefix(name, filePrefix) { // a value is not for everybody who knows its name
		return nil, from, false, missing(name)
	}
	if from.Object == "" {
		info, err := s.objects.GetInfo(ctx, name)
		switch {
		case errors.Is(err, jetstream.ErrObjectNotFound):
			return nil, from, false, missing(name)
		case err != nil:
			return nil, from, false, fmt.Errorf("reading the file %s: %w", name, err)
		case info.Chunks == 0:
			return nil, from, true, nil
		}
		from = Place{Object: info.NUID, Left: info.Chunks}
	}
	m, err := s.stream.GetMsg(ctx, from.Sequence+1, jetstream.WithGetMsgSubject(s.bucket().Chunks(from.Object)))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, from, false, missing(name)
	}
	if err != nil {
		return nil, from, false, fmt.Errorf("reading the file %s: %w", name, err)
	}
	next = Place{Object: from.Object, Sequence: m.Sequence, Left: from.Left - 1}
	return m.Data, next, next.Left == 0, nil
}

func missing(name string) error {
	return fmt.Errorf("reading the file %s: it is not in %s any more: %w", name, wire.Blobs, ErrMissing)
}
