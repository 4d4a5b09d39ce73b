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

// Disk is how much room the broker's disk has.
type Disk struct {
	Size    uint64 // bytes in all
	Free    uint64 // bytes free for the broker
	Reserve uint64 // bytes below which nothing new is accepted from outside
}

// space is the disk as of the last measure.
type space struct{ size, free, reserve atomic.Uint64 }

func (s *space) now() Disk {
	return Disk{Size: s.size.Load(), Free: s.free.Load(), Reserve: s.reserve.Load()}
}

// Disk is the disk that holds the streams, as of the last sweep.
func (f *Flusher) Disk() Disk { return f.space.now() }

// Room returns the bytes that are free for us on a folder's disk.
func Room(dir string) (uint64, error) {
	free, _, err := diskSpace(dir)
	return free, err
}

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
	s.size.Store(total)
	s.free.Store(free)
	s.reserve.Store(reserve)
	return nil
}
