package durable

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
)

const (
	largestReserve = 512 << 20
	reserveShare   = 20 // one part in
)

// space is what is free on the disk, as of the last measure.
type space struct{ free, reserve atomic.Uint64 }

func (s *space) now() (free, reserve uint64) { return s.free.Load(), s.reserve.Load() }

// measure asks the file system that holds the streams.
func (s *space) measure(streams string, reserve uint64) error {
	dir := streams
	for _, err := os.Stat(dir); os.IsNotExist(err); _, err = os.Stat(dir) {
		dir = filepath.Dir(dir) // made with the first stream
	}
	free, total, err := diskSpace(dir)
	if err != nil {
		return fmt.Errorf("measuring the disk: %w", err)
	}
	if reserve == 0 {
		reserve = min(largestReserve, total/reserveShare)
	}
	s.free.Store(free)
	s.reserve.Store(reserve)
	return nil
}
