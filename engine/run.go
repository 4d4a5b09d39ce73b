package engine

import (
	"maps"
	"slices"
	"time"

	"zflow/engine/steppath"
	v1 "zflow/proto/zflow/v1"
)

// Run is the state of a run: the fold of its history.
type Run struct {
	Start   *v1.RunStarted
	State   State
	Started time.Time
	At      time.Time // of the last fact: the run's clock
	Facts   uint64    // number of the last one
	Steps   map[string]*StepState
	Timers  map[uint64]*Timer // set and neither fired nor overtaken; at the end: those that stood
	Parked  bool              // it was, once
	Hold
	Finish
	id string
	given
	index
	history history
	seen    seen
}

// Hold is what a run has to have to go on.
type Hold struct {
	Claim *v1.Claim // the last; nil before the first
	Gate  *Gate     // nil: it needs none
}

// given is what people gave a run that it has not used.
type given struct {
	signals []*v1.SignalReceived // that no wait has taken
	fixes   map[string]*v1.Value // inputs that a retry corrects, by path
}

// index is what else could be looked for in Steps and Timers.
type index struct {
	live     map[string]*StepState // those that have begun and not ended
	open     []string              // those of live that have an open attempt, sorted
	broken   map[string]bool       // those that failed, in blocks and loops that have not ended
	timersOf map[string][]uint64   // the numbers of Timers, by step
}

func newIndex() index {
	return index{live: map[string]*StepState{}, broken: map[string]bool{}, timersOf: map[string][]uint64{}}
}

// Finish is how a run comes to its end.
type Finish struct {
	Cancel *v1.CancelRequested
	Ending *v1.RunEnding // the steps are over, undo, on_failure and finally are not
	End    *v1.Fact      // run_completed, run_failed or run_canceled
}

// seen is what expressions see and no fact changes, made when first asked for.
type seen struct {
	body         decoded // of the event
	trigger, run map[string]any
}

// decoded is a JSON value that is decoded once, when it is asked for.
type decoded struct {
	value any
	done  bool
}

// history is what a run remembers of the messages that moved it, and the facts
// that a new generation would keep.
type history struct {
	carriers   map[carrier]bool // every message that ever was one
	commands   map[string]bool  // ids
	asked      map[string]bool  // steps of which a person said what an attempt did
	kept       []*v1.Fact
	generation uint64
	lost       int       // claims that lost an open attempt, since the last outcome
	begun      time.Time // of this generation; zero: of the run
	from       uint64    // number of the fact that began it
}

type carrier struct {
	stream   string
	sequence uint64
}

// Timer is a timer_set that stands.
type Timer struct {
	Due    time.Time
	Step   string
	Reason string
}

// Status is where a step stands.
type Status string

// Statuses of a step. The empty one: not reached.
const (
	StepOpen      Status = "running"  // an attempt was started
	StepInside    Status = "inside"   // a block or a loop: its steps stand by themselves
	StepWaiting   Status = "waiting"  // for an event, a signal, a person or a called run
	StepSleeping  Status = "sleeping" // a sleep
	StepRetrying  Status = "retrying" // another attempt follows at NextAt
	StepProbing   Status = "probing"  // a probe follows at NextAt
	StepAsking    Status = "asking"   // a person decides what the unknown attempt did
	StepCompleted Status = "completed"
	StepFailed    Status = "failed"
	StepSkipped   Status = "skipped"
	StepCanceled  Status = "canceled" // what it stands in failed, or the run ended
)

// Ended says that nothing happens to the step any more.
func (s Status) Ended() bool {
	return s == StepCompleted || s == StepFailed || s == StepSkipped || s == StepCanceled
}

// StepState is where one step of a run stands.
type StepState struct {
	Status  Status
	Ended   time.Time
	Outcome string // of a wait or an approval that ended
	Output  *v1.Value
	Error   *v1.Error
	Tries
	Inside
	done   uint64 // number of the fact that completed it
	undo   *bool  // whether it can be undone; nil: not asked yet
	reused bool   // its last fact says what another run did
	output decoded
}

// Tries are the attempts of a step that uses an action. A sleep has a beginning
// and an end too.
type Tries struct {
	Attempt  uint32    // the last, from 1
	Probes   uint32    // begun or due, of what unknown attempts did
	Begun    time.Time // the last attempt
	Deadline time.Time
	NextAt   time.Time
	Timer    uint64 // of a sleep: number of its timer_set
	Start    *v1.StepStarted
	Input    *v1.Value // of all attempts
	Unknown  bool      // an attempt ended unknown
	reads    *bool     // by the input; nil: not asked yet
	before   uint32    // attempts before the run was retried
	epoch    uint64
}

// Inside is what a step has that calls nothing itself.
type Inside struct {
	Limit  time.Time // of the whole step; zero: none
	Block  bool      // it is made of others, and began
	Branch string    // of a switch
	Loop   *LoopState
	Wait   *WaitState
	Call   *v1.CallStarted
}

// LoopState is where a loop stands.
type LoopState struct {
	Items *v1.Value
	Count int
	floor int // iterations before it have ended
	items decoded
	paths []string // of the iterations that were looked at
}

// WaitState is a wait under way.
type WaitState struct {
	Fact uint64 // number of its wait_started
	*v1.WaitStarted
}

// NewRun returns a run without history.
func NewRun(id string) *Run {
	return &Run{
		id: id, Steps: map[string]*StepState{}, index: newIndex(), Timers: map[uint64]*Timer{},
		history: history{carriers: map[carrier]bool{}, commands: map[string]bool{}, asked: map[string]bool{}},
	}
}

// ID returns the run's id.
func (r *Run) ID() string { return r.id }

// Epoch returns that of the last claim, 0 before the first.
func (r *Run) Epoch() uint64 { return r.Claim.GetEpoch() }

// OwnedBy says whether the last claim is this one.
func (r *Run) OwnedBy(worker string, epoch uint64) bool {
	return r.Claim != nil && r.Claim.Worker == worker && r.Claim.Epoch == epoch
}

// CarriedBy says whether the last claim names this message.
func (r *Run) CarriedBy(stream string, sequence uint64) bool {
	return r.Claim != nil && r.Claim.Stream == stream && r.Claim.Sequence == sequence
}

// WasCarriedBy says whether any claim named this message.
func (r *Run) WasCarriedBy(stream string, sequence uint64) bool {
	return r.history.carriers[carrier{stream, sequence}]
}

// Knows says whether the history holds this command.
func (r *Run) Knows(command string) bool { return r.history.commands[command] }

// Step returns where a step stands; one that was not reached has no status.
func (r *Run) Step(path string) *StepState {
	s := r.Steps[path]
	if s == nil {
		s = &StepState{}
		r.Steps[path] = s
	}
	return s
}

// Open returns the paths of the steps that have an open attempt, sorted.
func (r *Run) Open() []string { return slices.Clone(r.open) }

// track keeps live what a fact has changed.
func (r *Run) track(path string) {
	s := r.Steps[path]
	if at, there := slices.BinarySearch(r.open, path); there != (s != nil && s.Status == StepOpen) {
		if there {
			r.open = slices.Delete(r.open, at, at+1)
		} else {
			r.open = slices.Insert(r.open, at, path)
		}
	}
	switch {
	case s == nil || s.Status == "":
		delete(r.live, path)
	case !s.Status.Ended():
		r.live[path] = s
	default:
		delete(r.live, path)
		if s.Block || s.Loop != nil {
			maps.DeleteFunc(r.broken, func(p string, _ bool) bool { return steppath.Within(p, path) })
		}
		if s.Status == StepFailed {
			r.broken[path] = true
		}
	}
}

// brokenBelow says whether a step failed below a path that has not ended.
func (r *Run) brokenBelow(path string) bool {
	for p := range r.broken {
		if steppath.Within(p, path) {
			return true
		}
	}
	return false
}
