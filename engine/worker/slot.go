package worker

import (
	"context"
	"time"
)

// slotFor is how long a run may go from attempt to attempt in one slot while
// others wait for theirs.
const slotFor = time.Second

// slots are the places for attempts that a run has, but for those of calls in flight.
type slots struct {
	idle     int
	reserved int       // for attempts that a decision began
	since    time.Time // the idle ones are kept
}

// slot takes a place for an attempt that is about to begin, if one is free: before
// the append that records its start.
func (w *Worker) slot(o *owned) bool {
	s := &o.slots
	if s.idle > 0 && time.Since(s.since) < slotFor {
		s.idle--
		s.reserved++
		return true
	}
	w.leaveIdle(o)
	select {
	case w.slots <- struct{}{}:
		s.reserved++
		s.since = time.Now()
		return true
	default:
		return false
	}
}

// takeSlot makes sure that a place is reserved: for probes, and for attempts that
// began before. Where none is free at once, what is pending is appended first, so
// that waiting does not keep it back; and the place of a call of this run that has
// landed meanwhile will do: else runs that began several could wait for each other.
func (w *Worker) takeSlot(ctx context.Context, o *owned) error {
	if o.slots.reserved > 0 || w.slot(o) {
		return nil
	}
	if err := w.flushBut(ctx, o, starts(o.pending)); err != nil {
		return err
	}
	for {
		select {
		case w.slots <- struct{}{}:
			o.slots.reserved++
			o.slots.since = time.Now()
			return nil
		case <-o.landed:
			if o.collect(); w.slot(o) {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// landedSlot keeps the place of a call that ended for the next.
func (o *owned) landedSlot() { o.slots.idle++ }

// leaveIdle gives the places that no attempt has to whoever waits.
func (w *Worker) leaveIdle(o *owned) {
	for ; o.slots.idle > 0; o.slots.idle-- {
		<-w.slots
	}
}

// leaveSlots gives back the reserved places too.
func (w *Worker) leaveSlots(o *owned) {
	o.slots.idle, o.slots.reserved = o.slots.idle+o.slots.reserved, 0
	w.leaveIdle(o)
}
