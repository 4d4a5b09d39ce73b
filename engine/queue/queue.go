// Package queue keeps runs in line at the gates of their concurrency keys (DESIGN
// section 4, rule 9): what a worker does about the gate of a run that waits there,
// or that has ended. GATES is an index; a run's history decides.
//
// Obligations of who calls it:
//
//  1. Ensure is called for a run whose history says that it is queued, and knows its
//     place, once that append is durable: at each delivery about the run.
//  2. Leave is called for a run that had a place, once its end is durable.
//  3. gate_entered is appended in the handling in which Ensure said that the run is
//     inside, expecting the history that it was given.
//
// What it does is right to do again, and by any number of workers at a time.
package queue

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go"

	"zflow/engine"
	"zflow/engine/gates"
	"zflow/engine/history"
	"zflow/engine/wakes"
	"zflow/internal/durable"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// headerGate of an append in RUNS says where its run stands at its gate: queued or
// inside, and its place, 0 for the place of this very append.
const headerGate = "zflow-gate"

const (
	standsQueued = "queued"
	standsInside = "inside"
)

// Note says in an append's headers where the run stands at its gate, so that others
// need to read no more than them.
func Note(h nats.Header, r *engine.Run) {
	if r.Gate == nil {
		return
	}
	stands := standsInside
	if !r.Gate.Entered {
		stands = standsQueued
	}
	h[headerGate] = []string{stands + " " + strconv.FormatUint(r.Gate.Place, 10)}
}

// Queue keeps runs in line.
type Queue struct {
	Gates   *gates.Store
	History *history.Store
	Wakes   *wakes.Store
	Gate    *durable.Gate
}

// placeOf is where a run stands.
func placeOf(r *engine.Run) gates.Place {
	return gates.Place{Sequence: r.Gate.Place, Workflow: r.Start.Workflow, Run: r.ID()}
}

// Ensure puts a queued run in line, lets in whom there is room for, and wakes those
// that are inside and do not know it, but for this one. A run that replaces others
// cancels them. inside says that the run may enter.
func (q *Queue) Ensure(ctx context.Context, r *engine.Run) (inside bool, err error) {
	own := placeOf(r)
	if own.Sequence == 0 {
		return false, fmt.Errorf("queuing run %s: its place is not known", r.ID())
	}
	if err := q.Gates.Queue(ctx, r.Gate.Gate, own); err != nil {
		return false, err
	}
	if inside, err = q.admit(ctx, r, own); err != nil || inside {
		return inside, err
	}
	if engine.Busy(r.Gate.WhenBusy) == engine.BusyReplace {
		err = q.replace(ctx, r, own)
	}
	return false, err
}

// Leave takes an ended run out of its gate and its queue, and lets in who is next.
func (q *Queue) Leave(ctx context.Context, r *engine.Run) error {
	own := placeOf(r)
	if err := q.Gates.Leave(ctx, r.Gate.Gate, own); err != nil {
		return err
	}
	_, err := q.admit(ctx, r, own)
	return err
}

// admit lets in whom there is room for, and says whether a run is inside.
func (q *Queue) admit(ctx context.Context, r *engine.Run, own gates.Place) (inside bool, err error) {
	look := &look{Queue: q, queued: map[gates.Place]bool{}}
	holders, err := q.Gates.Admit(ctx, r.Gate.Gate, max(int(r.Gate.Limit), 1), look.over)
	if err != nil {
		return false, err
	}
	for _, h := range holders {
		if h == own || !look.queued[h] {
			continue
		}
		if err := q.Wakes.Wake(ctx, h.Workflow, h.Run, &v1.Wake{Reason: "gate"}); err != nil {
			return false, err
		}
	}
	return slices.Contains(holders, own), nil
}

// replace cancels those that came before a run.
func (q *Queue) replace(ctx context.Context, r *engine.Run, own gates.Place) error {
	ahead, err := q.Gates.Ahead(ctx, r.Gate.Gate, own.Sequence)
	if err != nil {
		return err
	}
	for _, p := range ahead {
		if p.Run == own.Run { // at a place that it had before
			continue
		}
		c := &v1.Command{Id: fmt.Sprintf("%s.%d.replaces.%d", own.Run, own.Sequence, p.Sequence), Kind: "cancel",
			By: "run " + own.Run, Reason: "run " + own.Run + " replaces it"}
		if err := q.Wakes.Command(ctx, p.Workflow, p.Run, c); err != nil {
			return err
		}
	}
	return nil
}

// look reads what the histories of those at a gate say of them.
type look struct {
	*Queue
	queued map[gates.Place]bool // they have a place and did not enter
}

// over says whether a run no longer needs a place: it has ended, has another place,
// or was never there. What it says is durable.
func (l *look) over(ctx context.Context, p gates.Place) (bool, error) {
	mark := l.Gate.Mark()
	head, err := l.History.Head(ctx, p.Workflow, p.Run)
	if err != nil {
		return false, err
	}
	place, queued, err := standing(head)
	if err != nil {
		return false, err
	}
	if place == p.Sequence && !engine.State(head.State).Ended() {
		l.queued[p] = queued
		return false, nil
	}
	return true, l.Gate.Pass(ctx, proto.Runs, mark)
}

// standing reads where a run stands at its gate from its last append: no place if
// at none.
func standing(h history.Head) (place uint64, queued bool, err error) {
	text := h.Header.Get(headerGate)
	if h.Sequence == 0 || text == "" {
		return 0, false, nil
	}
	var stands string
	if _, err := fmt.Sscan(text, &stands, &place); err != nil {
		return 0, false, fmt.Errorf("reading where run %s stands at its gate, %q: %w", h.Run, text, err)
	}
	if place == 0 {
		place = h.Sequence
	}
	return place, stands == standsQueued, nil
}
