package operator

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"zflow/engine"
	"zflow/engine/history"
	"zflow/internal/sealed"
	v1 "zflow/proto/zflow/v1"
)

// Detail is all of a run.
type Detail struct {
	Run
	Replay *Replay         `json:"replay_of,omitempty"` // nil: it began by itself
	Event  Trigger         `json:"event"`
	Output json.RawMessage `json:"output"`
	Steps  []Step          `json:"steps"`
	Waits  []Wait          `json:"waits"` // what it waits for, while it is open
	Facts  []Fact          `json:"facts"`
}

// Replay is the run that another goes on from.
type Replay struct {
	Run  string `json:"id"`
	From string `json:"from"` // the first step that was done anew
	By   string `json:"by"`
}

// Trigger is the event that started a run.
type Trigger struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Source   string          `json:"source"`
	Account  string          `json:"account"`
	Origin   string          `json:"origin"`
	Sequence uint64          `json:"seq"`
	Body     json.RawMessage `json:"body"`
}

// Step is where one step of a run stands.
type Step struct {
	ID       string          `json:"id"`
	Uses     string          `json:"uses"`
	Status   string          `json:"status"`
	Outcome  *string         `json:"outcome"` // of a step that waits; null for others
	Attempts int             `json:"attempts"`
	Output   json.RawMessage `json:"output"`
	Error    *StepError      `json:"error"`

	Input json.RawMessage `json:"-"`
	Tries []Try           `json:"-"` // what happened, in order
	Wake  time.Time       `json:"-"` // of a sleep: when it ends
}

// StepError is why a step's last attempt failed.
type StepError struct {
	Message string `json:"message"`
	Code    string `json:"code"`
	Status  int    `json:"status"`
}

// Try is one thing that happened to a step.
type Try struct {
	At   time.Time
	Text string
	Log  []string
}

// Wait is one thing that an open run waits for.
type Wait struct {
	Step  string     `json:"step"`
	For   string     `json:"for"`            // sleep, retry, probe, person, approval, event, run, attempt, deadline
	Until *time.Time `json:"until"`          // null: it has no end
	What  string     `json:"what,omitempty"` // of an approval its choices, of an event which, of a run its id
}

// Statuses of steps beside those that the engine has.
const (
	stepCanceled   = "canceled"    // it was under way when its run ended
	stepPending    = "pending"     // it may be yet
	stepNotReached = "not_reached" // the run has ended
)

// Show loads a run. It may be named by a unique beginning of its id.
func (o *Operator) Show(ctx context.Context, id string) (*Detail, error) {
	head, err := o.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	h, r, err := o.Load(ctx, head)
	if err != nil {
		return nil, err
	}
	def, err := o.Catalog.Workflow(ctx, r.Start.Workflow, r.Start.Version)
	if err != nil {
		def = &engine.Workflow{} // the history alone tells most of it
	}
	s := &shown{detail: &Detail{Run: runOf(head), Event: triggerOf(r.Start.Event), Output: json.RawMessage("null"), Waits: []Wait{}}, byPath: map[string]int{}}
	if p := r.Start.Replay; p != nil {
		s.detail.Replay = &Replay{Run: p.Run, From: p.From, By: oneLine(p.By)}
	}
	for _, step := range def.Steps {
		if u, ok := step.Do.(*engine.Uses); ok {
			s.step(step.Path).Uses = u.Action
		}
	}
	for _, a := range h.Appends {
		s.facts(a.Facts)
	}
	s.fold(r)
	return s.detail, nil
}

// Load reads a run's history and folds it.
func (o *Operator) Load(ctx context.Context, head history.Head) (*history.History, *engine.Run, error) {
	h, err := o.History.Load(ctx, head.Workflow, head.Run)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range h.Appends {
		o.fetch(ctx, a.Facts)
	}
	r := engine.NewRun(head.Run)
	if err := r.Replay(h.Appends); err != nil {
		return nil, nil, err
	}
	if r.Start == nil {
		return nil, nil, noRun(head.Run)
	}
	return h, r, nil
}

// fetch brings values from BLOBS; one that is not there any more is shown as
// what it was called.
func (o *Operator) fetch(ctx context.Context, facts []*v1.Fact) {
	for _, v := range history.Values(facts) {
		if v.Blob == "" {
			continue
		}
		if data, err := o.Blobs.Get(ctx, v.Blob); err == nil {
			v.Json = data
		}
	}
}

func triggerOf(e *v1.Event) Trigger {
	return Trigger{ID: e.GetId(), Type: e.GetType(), Source: e.GetSource(), Account: e.GetAccount(), Origin: e.GetOrigin(),
		Sequence: e.GetSequence(), Body: valueJSON(e.GetBody())}
}

// shown is a Detail in the making.
type shown struct {
	detail *Detail
	byPath map[string]int
}

func (s *shown) step(path string) *Step {
	i, there := s.byPath[path]
	if !there {
		i = len(s.detail.Steps)
		s.byPath[path] = i
		s.detail.Steps = append(s.detail.Steps, Step{ID: path, Output: json.RawMessage("null"), Input: json.RawMessage("null")})
	}
	return &s.detail.Steps[i]
}

// facts adds what happened. A new generation repeats what was before it.
func (s *shown) facts(facts []*v1.Fact) {
	for _, f := range facts {
		if c := f.GetRunContinued(); c != nil && len(s.detail.Facts) == 0 {
			s.facts(c.Facts)
		}
		fact := factOf(f)
		s.detail.Facts = append(s.detail.Facts, fact)
		if f.Step != "" {
			s.happened(f, fact)
		}
	}
}

func (s *shown) happened(f *v1.Fact, fact Fact) {
	step := s.step(f.Step)
	try := Try{At: fact.At, Text: fact.Text}
	switch k := f.Kind.(type) {
	case *v1.Fact_StepStarted:
		step.Uses = k.StepStarted.Uses
	case *v1.Fact_StepCompleted:
		try.Log = k.StepCompleted.Log
	case *v1.Fact_StepFailed:
		try.Log = k.StepFailed.Log
	}
	for i, line := range try.Log {
		try.Log[i] = oneLine(sealed.Mask(line))
	}
	step.Tries = append(step.Tries, try)
}

// fold adds where the run and its steps stand.
func (s *shown) fold(r *engine.Run) {
	d := s.detail
	if end := r.End.GetRunCompleted(); end != nil {
		d.Output = valueJSON(end.Output)
	}
	for path, state := range r.Steps {
		if state.Status != "" {
			s.stands(s.step(path), state)
		}
	}
	for i := range d.Steps {
		step := &d.Steps[i]
		switch {
		case step.Status == "" && r.State.Ended():
			step.Status = stepNotReached
		case step.Status == "":
			step.Status = stepPending
		case r.State.Ended():
			step.Status = ended(engine.Status(step.Status))
		default:
			d.Waits = append(d.Waits, waitOf(step.ID, r.Steps[step.ID])...)
		}
	}
	if end := r.Start.Deadline; end != 0 && !r.State.Ended() {
		at := instant(end)
		d.Waits = append(d.Waits, Wait{For: "deadline", Until: &at})
	}
}

// ended is what a step's status is once its run has ended: what was under way
// was canceled with it.
func ended(s engine.Status) string {
	switch s {
	case engine.StepCompleted, engine.StepFailed, engine.StepSkipped:
		return string(s)
	}
	return stepCanceled
}

func (s *shown) stands(step *Step, state *engine.StepState) {
	step.Status, step.Attempts = string(state.Status), int(state.Attempt)
	step.Output, step.Input = valueJSON(state.Output), valueJSON(state.Input)
	if e := state.Error; e != nil {
		step.Error = &StepError{Message: sealed.Mask(e.Message), Code: e.Code, Status: int(e.Status)}
	}
	if state.Timer != 0 {
		step.Wake = state.NextAt
	}
}

// waitOf is what a step waits for, nothing where it does not.
func waitOf(path string, s *engine.StepState) []Wait {
	until := func(what string, at time.Time) []Wait { return []Wait{{Step: path, For: what, Until: &at}} }
	switch s.Status {
	case engine.StepSleeping:
		return until("sleep", s.NextAt)
	case engine.StepRetrying:
		return until("retry", s.NextAt)
	case engine.StepProbing:
		return until("probe", s.NextAt)
	case engine.StepOpen:
		return until("attempt", s.Deadline)
	case engine.StepAsking:
		return []Wait{{Step: path, For: "person"}}
	case engine.StepWaiting:
		return []Wait{arrivalOf(path, s)}
	}
	return nil
}

// arrivalOf is what a step waits for from outside.
func arrivalOf(path string, s *engine.StepState) Wait {
	w := Wait{Step: path, For: "run", What: s.Call.GetRun()}
	deadline := s.Call.GetDeadline()
	if s.Wait != nil {
		w.For, w.What, deadline = "event", awaited(s.Wait.WaitStarted), s.Wait.Deadline
		if a := s.Wait.Approval; a != nil {
			w.For, w.What = "approval", oneLine(strings.Join(a.Choices, "|"))
		}
	}
	if deadline != 0 {
		at := instant(deadline)
		w.Until = &at
	}
	return w
}
