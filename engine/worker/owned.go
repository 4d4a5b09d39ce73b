package worker

import (
	"sync"
	"time"

	"zflow/engine"
	"zflow/engine/history"
	v1 "zflow/proto/zflow/v1"
)

// owned is a run in a worker's memory. Its carry alone touches it, but for what
// is shared.
type owned struct {
	run     *engine.Run
	def     *engine.Workflow
	cursor  history.Cursor
	epoch   uint64
	pending []*v1.Fact    // applied, not appended
	passed  bool          // what the cursor stands behind is durable
	news    chan struct{} // a token: look at the history
	claimed func()        // lets other messages about the run in
	born    bool          // the claim is in the history
	slots   slots
	flying  int    // calls in flight beside each other
	told    uint64 // number of the last fact whose needs others were told
	calls
	shared
}

// calls is what the carry remembers of calls, whatever the history says.
type calls struct {
	called   map[engine.AttemptID]bool
	inputs   map[engine.AttemptID]*v1.Value // with which they were, or are about to be
	outcomes map[engine.AttemptID]*engine.Outcome
}

// shared is what others than the carry touch.
type shared struct {
	mu      sync.Mutex
	m       *message                             // the carrier
	kept    time.Time                            // when its last in-progress was sent, or its pull
	cancels map[engine.AttemptID]func()          // end the calls in flight
	done    map[engine.AttemptID]*engine.Outcome // of calls that landed
	landed  chan struct{}                        // a token: some have
}

func newOwned(m *message, run *engine.Run, def *engine.Workflow, pending []*v1.Fact) *owned {
	return &owned{
		run: run, def: def, epoch: run.Epoch(), pending: pending,
		shared: shared{m: m, kept: m.asked, cancels: map[engine.AttemptID]func(){}, done: map[engine.AttemptID]*engine.Outcome{}, landed: make(chan struct{}, 1)},
		calls:  calls{called: map[engine.AttemptID]bool{}, inputs: map[engine.AttemptID]*v1.Value{}, outcomes: map[engine.AttemptID]*engine.Outcome{}},
		news:   make(chan struct{}, 1),
	}
}

// owns says whether the last claim of a loaded run is this one: worker, epoch and
// carrier, since a power failure may give an epoch again.
func (o *owned) owns(r *engine.Run, worker string) bool {
	m, _ := o.carrier()
	return r.OwnedBy(worker, o.epoch) && r.CarriedBy(m.stream, m.sequence)
}

// stored notes that the claim is in the history.
func (o *owned) stored() {
	o.born = true
	o.claimed()
}

// carrier returns the message and since when it is kept.
func (o *owned) carrier() (*message, time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.m, o.kept
}

// renewed takes a later delivery of the carrier in place of the one before it.
func (o *owned) renewed(m *message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.m, o.kept = m, m.asked
}

func (o *owned) keptAt(m *message, at time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.m == m {
		o.kept = at
	}
}

// calling notes how to end a call that begins now, unless there is news to be
// looked at first.
func (o *owned) calling(id engine.AttemptID, cancel func()) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case <-o.news:
		return false
	default:
		o.cancels[id] = cancel
		return true
	}
}

// ended notes that a call is in flight no more.
func (o *owned) ended(id engine.AttemptID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.cancels, id)
}

// land keeps what a call brought for the carry.
func (o *owned) land(id engine.AttemptID, out *engine.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.done[id] = out
	token(o.landed)
}

// collect takes what has landed.
func (o *owned) collect() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, out := range o.done {
		o.outcomes[id] = out
		o.flying--
		o.landedSlot()
	}
	clear(o.done)
}

// look tells the carry that the history has news, and ends the calls in flight if
// they are of no use any more.
func (o *owned) look(end bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	token(o.news)
	if !end {
		return
	}
	for _, cancel := range o.cancels {
		cancel()
	}
}

// token leaves one, unless one is there.
func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// hold puts a run into the worker's memory.
func (w *Worker) hold(o *owned) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.owned[o.run.ID()] = o
}

// holding returns the run in memory, or nil.
func (w *Worker) holding(run string) *owned {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.owned[run]
}

// drop forgets this holding of a run.
func (w *Worker) drop(run string, o *owned) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.owned[run] == o {
		delete(w.owned, run)
	}
}
