package house

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"
)

// When says on which side of what happens a point lies.
type When string

// Sides.
const (
	Before When = "before"
	After  When = "after"
)

// What is what happens at a point.
type What string

// What happens.
const (
	Append What = "append"
	Call   What = "call"
)

// Point is a place where a crash can be.
type Point struct {
	When When
	What What
	Of   string // the facts, or the step and its action
}

func (p Point) String() string { return fmt.Sprintf("%s %s of %s", p.When, p.What, p.Of) }

// Mode says what crashes.
type Mode string

// Modes.
const (
	Worker  Mode = "worker"  // its process; the broker goes on
	Machine Mode = "machine" // worker and broker; both start from a copy of the store
)

// Crash says where to crash: at the nth point, counted from 1.
type Crash struct {
	Point int
	Mode  Mode
}

// at notes a point that a worker has come to, and tells whether it is dead now.
func (h *House) at(one *hand, p Point) (dead bool) {
	if one.dead.Load() {
		return true
	}
	h.mu.Lock()
	h.points = append(h.points, p)
	here := h.Crash != nil && !h.crashed && len(h.points) == h.Crash.Point
	h.crashed = h.crashed || here
	h.mu.Unlock()
	if !here {
		return false
	}
	h.crash(one, h.Crash.Mode)
	return true
}

// crash kills the worker, and with it the broker; Pass starts them again.
func (h *House) crash(one *hand, m Mode) {
	image := ""
	if m == Machine {
		var err error
		if image, err = h.broker.image(); err != nil {
			h.world.problem("the machine could not be crashed: %v", err)
		}
	}
	one.kill()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.image = image
}

// CrashNow crashes the machine.
func (h *House) CrashNow(ctx context.Context) error {
	one := h.holder()
	if one == nil { // everything sleeps: only the broker is there to crash
		image, err := h.broker.image()
		if err != nil {
			return err
		}
		h.mu.Lock()
		h.image = image
		h.mu.Unlock()
		return h.restart(ctx)
	}
	h.crash(one, Machine)
	return h.revive(ctx)
}

// revive starts again what a crash has ended.
func (h *House) revive(ctx context.Context) error {
	one := h.holder()
	if one == nil || !one.dead.Load() {
		return nil
	}
	<-one.done
	if err := h.restart(ctx); err != nil {
		return err
	}
	return h.startWorker(ctx)
}

// restart starts the broker from the image of it, if there is one.
func (h *House) restart(ctx context.Context) error {
	h.mu.Lock()
	image := h.image
	h.image = ""
	h.mu.Unlock()
	if image == "" {
		return nil
	}
	if err := h.broker.down(); err != nil {
		return err
	}
	if err := h.broker.up(image); err != nil {
		return errors.Join(err, os.RemoveAll(image))
	}
	for begun := time.Now(); h.client.NC.Status() != nats.CONNECTED; time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > time.Minute || ctx.Err() != nil {
			return errors.New("connecting after the crash: the server does not answer")
		}
	}
	h.now = look{}
	return nil
}

// Points are those that were come to so far.
func (h *House) Points() []Point {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.points
}
