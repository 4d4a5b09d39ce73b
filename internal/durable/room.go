package durable

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// roomAge is how long the last word about the disk is believed.
const roomAge = time.Second

// room remembers how much of the broker's disk was free.
type room struct {
	mu      sync.Mutex
	seen    time.Time
	free    uint64
	reserve uint64
}

func (r *room) note(a answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen, r.free, r.reserve = time.Now(), a.Free, a.Reserve
}

func (r *room) fresh() (enough, fresh bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.free >= r.reserve, !r.seen.IsZero() && time.Since(r.seen) < roomAge
}

// Room returns ErrNoRoom while the broker's disk is filled to its reserve: then
// nothing new may be accepted from outside. What is known is at most a second
// old. Outside group mode nothing can be known, and Room is always nil.
func (g *Gate) Room(ctx context.Context) error {
	if g.mode != Group {
		return nil
	}
	enough, fresh := g.room.fresh()
	if !fresh {
		d, err := g.Disk(ctx)
		if err != nil {
			return err
		}
		enough = d.Free >= d.Reserve
	}
	if !enough {
		return ErrNoRoom
	}
	return nil
}

// Disk asks the broker for its disk, in group mode; else it is all zeros.
func (g *Gate) Disk(ctx context.Context) (Disk, error) {
	if g.mode != Group {
		return Disk{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, g.wait)
	defer cancel()
	a, err := ask(ctx, g.nc, infoSubject)
	if err != nil {
		return Disk{}, fmt.Errorf("asking the broker for its free space: %w", err)
	}
	g.room.note(a)
	return Disk{Size: a.Size, Free: a.Free, Reserve: a.Reserve}, nil
}
