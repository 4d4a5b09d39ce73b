package engine

import (
	"google.golang.org/protobuf/proto"

	v1 "zflow/proto/zflow/v1"
)

// Gate is where a run stands at the gate of its concurrency key.
type Gate struct {
	*v1.GateQueued
	Place   uint64 // 0: not known, since the append that queues it has no sequence yet
	Entered bool
}

// Queued says that the run waits at its gate: none of its steps begins.
func (r *Run) Queued() bool { return r.Gate != nil && !r.Gate.Entered }

// QueuedAt tells a run its place, unless it knows it: the sequence in RUNS of the
// last append that queued it.
func (r *Run) QueuedAt(place uint64) {
	if r.Gate != nil && r.Gate.Place == 0 {
		r.Gate.Place = place
	}
}

func (r *Run) gateEntered(f *v1.Fact, k *v1.GateEntered) error {
	if !r.Queued() {
		return r.illegal(f, "the run does not wait at a gate")
	}
	r.Gate.Entered, r.Gate.Place = true, k.Place
	return nil
}

// queued decides for a run that waits at its gate: whatever ends it does so at
// once, since nothing of it may begin.
func (d *decider) queued() error {
	switch {
	case d.run.Cancel != nil:
		return d.canceled(cancelReason(d.run.Cancel))
	case d.late():
		return d.fail(reasonTimeout, "", d.lateError())
	}
	d.waiting = true
	return nil
}

// placed returns the fact as a new generation keeps it: the append that queued the
// run, whose sequence is its place, may age away.
func (r *Run) placed(f *v1.Fact) *v1.Fact {
	if r.Gate == nil || f.GetGateQueued() != r.Gate.GateQueued || r.Gate.Place == 0 {
		return f
	}
	f = proto.CloneOf(f)
	f.GetGateQueued().Place = r.Gate.Place
	return f
}
