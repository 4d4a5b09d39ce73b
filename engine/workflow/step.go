package workflow

import (
	"errors"
	"maps"
	"math"
	"time"

	"zflow/engine/expr"
)

// Step is one step, with those below it.
type Step struct {
	ID              string // empty: cannot be referenced
	Token           string // its part of a path: the id, or a name such as log#2
	Path            string // unique in the workflow, such as both.left.log#2; in loops the runs have an index more: each[3].log
	Name            string // for people
	If              *expr.Program
	Loop            *Loop         // nil: once
	Timeout         time.Duration // of the whole step, a loop too; 0: none. An attempt has its own, in Uses
	ContinueOnError bool          // of each iteration in a loop
	Undo            *Uses         // nil: nothing to be undone
	Do              Work
}

// Loop makes a step run once for each item of a list.
type Loop struct {
	Over   *expr.Template
	As     string        // name of the item; item where the file says nothing
	AtOnce int           // at least 1; 1 with Until
	Until  *expr.Program // after an iteration: nil: to the end
}

// Work is what a step does: *Uses, *Set, *Sleep, *Wait, *Ask, *Call, *Stop or *Block.
type Work interface{ work() }

// Uses calls an action. emit and respond are actions too.
type Uses struct {
	Action     string
	Own        any // the action itself, an *actions.Action, where the workflow describes it; else nil
	With       *expr.Template
	Connection string
	Retry      Retry
	Timeout    time.Duration // of one attempt; 0: 5 minutes
	OnUnknown  Policy        // empty: by the action's effect
	// Reads and Repeatable tell by the resolved input whether a call changes
	// nothing, and whether it may safely happen twice; Probes whether the action
	// can find out what an unknown attempt did.
	Reads      func(input map[string]any) bool
	Repeatable func(input map[string]any) bool
	Probes     bool
	Code       *Code // what the action code runs; nil: it is another action
}

// Code is what a code step runs.
type Code struct {
	Bundle string // its name: the hash of
	Data   []byte // the bundle as it is stored; nil: the catalog has it
}

// Set computes a value once, and records it.
type Set struct{ Value *expr.Template }

// Sleep waits. Exactly one of For and Until is set, or Schedule.
type Sleep struct {
	For      *expr.Template // a duration in text, or a number of seconds
	Until    *expr.Template // a time
	Schedule string         // cron: until its next time
	Timezone string
	Next     func(after time.Time) time.Time // of the schedule
}

// Wait waits for the first of several things.
type Wait struct {
	Of        []*Arrival
	LookBack  time.Duration // how far before the wait events count; 0: from the trigger's receipt on
	Timeout   time.Duration // 0: none
	OnTimeout OnTimeout
}

// Arrival is an event, or a signal.
type Arrival struct {
	Name   string // empty where it is the only one
	Source string
	Types  []string
	Match  []Match
	If     *expr.Program // over arrived
	Signal string
}

// Match is a field of an event and the value that it must have, as text.
type Match struct {
	Path  string
	Value *expr.Template
}

// OnTimeout says what a wait does that has lasted too long.
type OnTimeout string

// What it does.
const (
	TimeoutFail     OnTimeout = "fail"
	TimeoutContinue OnTimeout = "continue"
)

// Ask asks a person.
type Ask struct {
	To, Message *expr.Template // To may be nil
	Choices     []string       // approved and rejected where the file says nothing
	Fields      map[string]Field
	Timeout     time.Duration
	Remind      time.Duration // 0: never
	OnTimeout   OnTimeout
}

// Field is a typed answer.
type Field struct {
	Type     string `json:"type"` // text, number, boolean, date
	Required bool   `json:"required,omitempty"`
	Label    string `json:"label,omitempty"`
}

// Call runs another workflow.
type Call struct {
	Workflow string
	With     *expr.Template
	Wait     bool
}

// Stop ends the run.
type Stop struct {
	Status  State
	Message *expr.Template // nil: none
}

// Block is a step that is made of others.
type Block struct {
	Mode     Mode
	Branches []*Branch
}

// Mode says which branches of a block are taken.
type Mode string

// Modes.
const (
	Group    Mode = "steps"    // its only one
	Parallel Mode = "parallel" // all at once
	Switch   Mode = "switch"   // the first whose If holds
)

// Branch is a list of steps that go one after another.
type Branch struct {
	Name  string        // of a parallel one; case1, case2 …, else of a switch; empty in a group
	If    *expr.Program // of a switch; nil: else
	Steps []*Step
}

func (*Uses) work()  {}
func (*Set) work()   {}
func (*Sleep) work() {}
func (*Wait) work()  {}
func (*Ask) work()   {}
func (*Call) work()  {}
func (*Stop) work()  {}
func (*Block) work() {}

// Policy says what follows an attempt of unknown outcome.
type Policy string

// Policies.
const (
	PolicyRetry Policy = "retry"
	PolicyProbe Policy = "probe"
	PolicyAsk   Policy = "ask"
	PolicyFail  Policy = "fail"
)

// Retry says how often, and when, a failed attempt is made again.
type Retry struct {
	Attempts int           // in all, the first included; at least 1
	Delay    time.Duration // before the second
	Backoff  float64       // factor from one delay to the next
	MaxDelay time.Duration
	If       *expr.Program // over error; nil: whatever is retryable
}

// DefaultRetry is what a workflow has that says nothing.
var DefaultRetry = Retry{Attempts: 5, Delay: 2 * time.Second, Backoff: 2, MaxDelay: 5 * time.Minute}

// DefaultTimeout is that of an attempt whose step says nothing.
const DefaultTimeout = 5 * time.Minute

// After returns how long to wait after so many attempts, with a jitter of a tenth
// that chance, from 0 to 1, decides.
func (r Retry) After(attempts int, chance float64) time.Duration {
	delay := float64(r.Delay) * math.Pow(max(r.Backoff, 1), float64(attempts-1))
	if limit := float64(r.MaxDelay); limit > 0 && delay > limit {
		delay = limit
	}
	return time.Duration(delay * (0.9 + 0.2*chance))
}

// AfterUnknown returns what follows an attempt of unknown outcome. By default, what
// may happen twice is retried, what can be found out is probed, the rest a person
// decides.
func (u *Uses) AfterUnknown(input map[string]any) Policy {
	switch {
	case u.OnUnknown != "":
		return u.OnUnknown
	case u.Repeatable(input):
		return PolicyRetry
	case u.Probes:
		return PolicyProbe
	}
	return PolicyAsk
}

// FailsLate tells whether a wait that lasted too long fails its step: it is the
// step's own time that is up, or the wait does not say continue.
func (s *Step) FailsLate() bool {
	own, on := time.Duration(0), TimeoutFail
	switch do := s.Do.(type) {
	case *Wait:
		own, on = do.Timeout, do.OnTimeout
	case *Ask:
		own, on = do.Timeout, do.OnTimeout
	}
	return on != TimeoutContinue || s.Timeout > 0 && (own == 0 || s.Timeout < own)
}

// Prefix begins the paths of the branch's steps, in a block with this path.
func (b *Branch) Prefix(block string) string {
	if b.Name == "" {
		return block + "."
	}
	return block + "." + b.Name + "."
}

// AllFields are the typed answers, as a JSON value.
func (a *Ask) AllFields() map[string]any {
	all := make(map[string]any, len(a.Fields))
	for name, f := range a.Fields {
		all[name] = map[string]any{"type": f.Type, "required": f.Required, "label": f.Label}
	}
	return all
}

// Correct returns an input with those of its fields replaced that the object in
// JSON has.
func Correct(input any, with []byte) (any, error) {
	by, err := expr.DecodeJSON(with)
	if err != nil {
		return nil, err
	}
	object, ok := input.(map[string]any)
	over, also := by.(map[string]any)
	if !ok || !also {
		return nil, errors.New("what corrects it is no object")
	}
	object = maps.Clone(object)
	maps.Copy(object, over)
	return object, nil
}
