package app

import (
	"context"
	"time"

	"zflow/internal/app/routes"
)

// addressWithin is how long a worker may take to say where others reach ingest.
const addressWithin = 2 * time.Second

// Address makes addresses of the paths of HTTP triggers, where a worker knows what
// they begin with.
func (c *Client) Address(ctx context.Context, paths []string) {
	if len(paths) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, addressWithin)
	defer cancel()
	base, err := routes.Base(ctx, c.NC)
	if err != nil {
		return // the path alone is right too
	}
	for i := range paths {
		paths[i] = base + paths[i]
	}
}
