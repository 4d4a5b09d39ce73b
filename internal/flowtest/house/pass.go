package house

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/engine/history"
	"zflow/proto"
)

const (
	// blink lets everybody who can go on do so: a consumer hears of a message after
	// who published it.
	blink  = time.Millisecond
	glance = 100 * time.Millisecond // between looks while something goes on
	doze   = time.Second            // while nothing does
	// nap is from when on the worker is stopped until something is due; it is there
	// again for a while before.
	nap  = 20 * time.Second
	wake = 5 * time.Second
	// hibernate is from when on the broker is stopped too.
	hibernate = 20 * time.Minute
	// longest is how long a test may last in virtual time.
	longest = 3 * 366 * 24 * time.Hour
)

// ErrExpired says that a test took too long, in real time.
var ErrExpired = errors.New("the test takes too long")

// look is what a look at the streams has seen.
type look struct {
	runs uint64 // the last append
	all  map[string]*seen
}

// seen is a run that has been seen.
type seen struct {
	sequence uint64
	run      *engine.Run
	history  *history.History
}

// Pass lets time pass until a time; zero: until nothing is due any more. What has
// crashed is started again.
func (h *House) Pass(ctx context.Context, until time.Time) error {
	for {
		switch {
		case h.Expired != nil && h.Expired():
			return ErrExpired
		case time.Since(h.begun) > longest:
			return errors.New("the test lasts longer than three years")
		}
		if err := h.revive(ctx); err != nil {
			return err
		}
		now := time.Now()
		if !until.IsZero() && !now.Before(until) {
			return nil
		}
		quiet, d, err := h.look(ctx)
		if quiet && err == nil && h.Quiet != nil {
			acted, failed := h.Quiet(ctx)
			quiet, err = !acted, h.unlessDead(failed)
		}
		if err != nil {
			return err
		}
		switch {
		case !quiet || !d.next.IsZero() && !d.next.After(now):
			h.sleep(glance, until)
		case until.IsZero() && !d.live:
			return nil
		default:
			if err := h.idle(ctx, sooner(until, d.next)); err != nil {
				return err
			}
		}
	}
}

func (h *House) sleep(d time.Duration, until time.Time) {
	if left := time.Until(until); !until.IsZero() && left < d {
		d = left
	}
	time.Sleep(d)
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// idle sleeps until a time at which something is to be done; without the worker
// where that is a while.
func (h *House) idle(ctx context.Context, until time.Time) error {
	left := time.Until(until)
	if left < nap {
		h.sleep(doze, until)
		return nil
	}
	one := h.holder()
	one.stop()
	if one.err != nil {
		return fmt.Errorf("running the worker: %w", one.err)
	}
	h.mu.Lock()
	h.hand = nil
	h.mu.Unlock()
	switch left = time.Until(until) - wake; {
	case left > hibernate:
		if err := h.hibernate(ctx, left); err != nil {
			return err
		}
	case left > 0:
		h.Clock.Leap(left)
	}
	return h.startWorker(ctx)
}

// hibernate sleeps with all stopped: an idle server has its own affairs, which take
// some seconds a day.
func (h *House) hibernate(ctx context.Context, d time.Duration) error {
	h.client.Close()
	dir := h.broker.rest()
	h.Clock.Leap(d)
	if err := h.broker.up(dir); err != nil {
		return err
	}
	return h.watch(ctx)
}

// due is what open runs are due for.
type due struct {
	next time.Time // zero: nothing
	live bool      // something but reminders is due
}

// look tells whether nothing goes on, and what is due then.
func (h *House) look(ctx context.Context) (quiet bool, d due, err error) {
	changed, err := h.see(ctx)
	if err != nil {
		return false, d, h.unlessDead(err)
	}
	for _, s := range h.now.all {
		switch s.run.State {
		case engine.Running:
			return false, d, nil
		case engine.Waiting:
			d.add(s.run)
		}
	}
	if changed {
		return false, d, nil
	}
	time.Sleep(blink)
	idle, err := h.drained(ctx)
	if idle && err == nil { // a run may have come and gone since the histories were looked at
		changed, err = h.see(ctx)
	}
	return idle && !changed && err == nil, d, h.unlessDead(err)
}

// unlessDead forgets an error that a crash explains.
func (h *House) unlessDead(err error) error {
	if one := h.holder(); one != nil && one.dead.Load() {
		return nil
	}
	return err
}

func (d *due) add(r *engine.Run) {
	for _, t := range r.Timers {
		d.next = sooner(d.next, t.Due)
		d.live = d.live || t.Reason != "remind"
	}
	if end := r.Start.Deadline; end != 0 {
		d.next, d.live = sooner(d.next, time.Unix(0, end)), true
	}
}

// see looks for what the histories have new.
func (h *House) see(ctx context.Context) (changed bool, err error) {
	stream, err := h.client.JS.Stream(ctx, proto.Runs)
	if err != nil {
		return false, err
	}
	last := stream.CachedInfo().State.LastSeq
	if h.now.all != nil && last == h.now.runs {
		return false, nil
	}
	if h.now.all == nil {
		h.now.all = map[string]*seen{}
	}
	var heads []history.Head
	err = h.client.History.Heads(ctx, "", nil, func(head history.Head) error { heads = append(heads, head); return nil })
	if err != nil {
		return false, err
	}
	for _, head := range heads {
		if s := h.now.all[head.Run]; s != nil && s.sequence == head.Sequence {
			continue
		}
		if err := h.reload(ctx, head.Workflow, head.Run); err != nil {
			return false, err
		}
	}
	h.now.runs = last
	return true, nil
}

func (h *House) reload(ctx context.Context, workflow, id string) error {
	all, err := h.client.History.Load(ctx, workflow, id)
	if err != nil {
		return err
	}
	for _, a := range all.Appends {
		for _, v := range history.Values(a.Facts) {
			if v.Blob == "" {
				continue
			}
			if v.Json, err = h.client.Blobs.Get(ctx, v.Blob); err != nil {
				return err
			}
		}
	}
	run := engine.NewRun(id)
	if err := run.Replay(all.Appends); err != nil {
		return err
	}
	h.now.all[id] = &seen{all.Cursor.Sequence, run, all}
	return nil
}

// drained tells whether no consumer has anything to be done.
func (h *House) drained(ctx context.Context) (bool, error) {
	for _, name := range []string{proto.Events, proto.Wakes} {
		stream, err := h.client.JS.Stream(ctx, name)
		if err != nil {
			return false, err
		}
		list := stream.ListConsumers(ctx)
		for info := range list.Info() {
			if info.Config.AckPolicy == jetstream.AckNonePolicy {
				continue // of a look back, that its reader has left: it ends by itself, and until then all that comes is ahead of it
			}
			if info.NumPending > 0 || info.NumAckPending > 0 {
				return false, drain(list)
			}
		}
		if err := list.Err(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// drain reads what is left of a list, so that who lists it can end.
func drain(list jetstream.ConsumerInfoLister) error {
	for range list.Info() {
		continue
	}
	return list.Err()
}

// Settle waits until all runs are at a stage, or nothing goes on, for at most so long.
func (h *House) Settle(ctx context.Context, stage string, most time.Duration) error {
	for begun := time.Now(); time.Since(begun) < most; time.Sleep(glance) {
		if err := h.revive(ctx); err != nil {
			return err
		}
		if now, err := h.Stage(ctx); now == stage || err != nil {
			return err
		}
		if quiet, _, err := h.look(ctx); quiet || err != nil {
			return err
		}
	}
	return nil
}

// Stage says how far all runs are; the same text is the same stage.
func (h *House) Stage(ctx context.Context) (string, error) {
	if _, err := h.see(ctx); err != nil {
		return "", h.unlessDead(err)
	}
	lines := []string{}
	for id, s := range h.now.all {
		lines = append(lines, fmt.Sprint(id, " has ended: ", s.run.State.Ended()))
		for path, step := range s.run.Steps {
			lines = append(lines, fmt.Sprint(id, " ", path, " ", step.Status))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n"), nil
}
