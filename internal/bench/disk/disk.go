// Package disk measures the flush of a disk.
package disk

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Flushes writes a little and flushes it, again and again: what one caller alone
// gets out of the disk.
func Flushes(ctx context.Context, dir string, length time.Duration) (all []time.Duration, err error) {
	f, err := os.CreateTemp(dir, "flush-")
	if err != nil {
		return nil, fmt.Errorf("measuring the disk: %w", err)
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it goes with its folder at the latest
	defer f.Close()
	block := make([]byte, 512)
	for begun := time.Now(); time.Since(begun) < length && ctx.Err() == nil; {
		before := time.Now()
		if _, err := f.Write(block); err != nil {
			return nil, fmt.Errorf("measuring the disk: %w", err)
		}
		if err := flush(f); err != nil {
			return nil, fmt.Errorf("measuring the disk: %w", err)
		}
		all = append(all, time.Since(before))
	}
	return all, ctx.Err()
}
