package routes

import (
	"context"

	"zflow/engine/blobs"
)

// Piece asks for the next piece of a file.
type Piece struct {
	File string      `json:"file"`
	From blobs.Place `json:"from"`
}

// Pieced is one.
type Pieced struct {
	Data []byte      `json:"data"`
	Next blobs.Place `json:"next"`
	Last bool        `json:"last"`
}

// onFile gives a file that a run answered with, a piece at a time. Only who knows
// its name, which is chance, gets it; values have other names.
func (d *Desk) onFile(ctx context.Context, q Piece) (any, error) {
	data, next, last, err := d.Blobs.Piece(ctx, q.File, q.From)
	if err != nil {
		return nil, err
	}
	return Pieced{data, next, last}, nil
}
