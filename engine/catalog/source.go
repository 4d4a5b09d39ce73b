package catalog

import (
	"context"
	"fmt"
)

// Source returns the text of a version of a workflow, or ErrNoVersion.
func (c *Catalog) Source(ctx context.Context, name, v string) (string, error) {
	there, err := c.loadVersion(ctx, name, v)
	if err != nil {
		return "", fmt.Errorf("reading workflow %s, version %s: %w", name, v, err)
	}
	return there.Source, nil
}
