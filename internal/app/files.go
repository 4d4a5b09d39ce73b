package app

import (
	"context"
	"errors"
	"fmt"
	"io"

	"zflow/actions"
	"zflow/engine/blobs"
)

// FilesIn keeps the files of actions in a store of blobs.
func FilesIn(s *blobs.Store) actions.Files {
	return actions.Files{
		Put: func(ctx context.Context, r io.Reader, f actions.File, most int64) (actions.File, error) {
			kept, err := s.PutFile(ctx, r, most)
			if errors.Is(err, blobs.ErrTooLarge) {
				err = fmt.Errorf("%w (%d bytes)", actions.ErrFileTooLarge, most)
			}
			f.ID, f.Size, f.SHA256 = kept.ID, kept.Size, kept.SHA256
			return f, err
		},
		Open: func(ctx context.Context, f actions.File) (io.ReadCloser, error) {
			return s.OpenFile(ctx, blobs.FileInfo{ID: f.ID, Size: f.Size, SHA256: f.SHA256})
		},
	}
}
