package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"zflow/actions"
	"zflow/engine/blobs"
	"zflow/internal/app/routes"
	"zflow/internal/ask"
	"zflow/sources/http"
)

// begin begins to store the files of a request.
func (v *web) begin() (http.Put, http.Settle, error) {
	s := v.in.store.Load()
	if s == nil {
		return nil, nil, errNotOpened
	}
	mark := s.Mark()
	put := func(ctx context.Context, r io.Reader, f actions.File, most int64) (actions.File, error) {
		kept, err := s.Write(ctx, r, most)
		if errors.Is(err, blobs.ErrTooLarge) {
			err = actions.ErrFileTooLarge
		}
		f.ID, f.Size, f.SHA256 = kept.ID, kept.Size, kept.SHA256
		return f, err
	}
	return put, func(ctx context.Context) error { return s.Pass(ctx, mark) }, nil
}

// errAltered says that a file is not what it was.
var errAltered = errors.New("its bytes are not those that were stored")

// copy writes a file, which workers read for ingest a piece at a time.
func (v *web) copy(ctx context.Context, to io.Writer, f actions.File) error {
	sum, size := sha256.New(), int64(0)
	for from := (blobs.Place{}); ; {
		p, err := ask.Call[routes.Pieced](ctx, v.in.nc, routes.Verbs+"file", routes.Piece{File: f.ID, From: from})
		if err != nil {
			return err
		}
		sum.Write(p.Data)
		size += int64(len(p.Data))
		if size > f.Size || p.Last && (size != f.Size || hex.EncodeToString(sum.Sum(nil)) != f.SHA256) {
			return fmt.Errorf("reading the file %s: %w", f.ID, errAltered)
		}
		if _, err := to.Write(p.Data); err != nil || p.Last {
			return err
		}
		from = p.Next
	}
}
