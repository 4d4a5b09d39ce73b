package actions

import (
	"context"
	"time"
)

// Effect says what calling an action twice would do.
type Effect string

// Effects.
const (
	Read       Effect = "read"       // changes nothing
	Idempotent Effect = "idempotent" // twice is as once
	Write      Effect = "write"      // twice is two
)

// Action is what a step uses.
type Action struct {
	Spec Spec
	// Do performs the call. Its errors are *Error, or plain errors, which are final.
	Do func(context.Context, Call) (Result, error)
	// Probe, where not nil, finds out whether an attempt of unknown outcome has
	// happened; it only reads. Result.Output is what Do would have returned.
	Probe func(context.Context, Call) (found bool, r Result, err error)
	// EffectOf, where not nil, tells the effect by the input (http.request's method).
	EffectOf func(input map[string]any) Effect
}

// Effect returns the effect of the action with this input.
func (a *Action) Effect(input map[string]any) Effect {
	if a.EffectOf != nil {
		return a.EffectOf(input)
	}
	return a.Spec.Effect
}

// Spec describes an action; reference, schema and checks are made from it.
type Spec struct {
	Name      string   // zoom.create_meeting
	Summary   string   // one sentence
	Input     Schema   // an object
	Output    Schema   // what steps.<id>.output is
	Scopes    []string // any one of these Zoom scopes suffices
	RateLabel string   // LIGHT, MEDIUM, HEAVY, RESOURCE-INTENSIVE
	Effect    Effect
	Secret    []string  // output paths whose strings are credentials: "start_url", "meetings[].start_url"
	Connects  string    // kind of connection it needs: "zoom"; empty for none
	Sealed    bool      // credentials in its input stay sealed: it keeps what it gets
	Errors    []Known   // worth knowing when a step's retry.if is written
	Examples  []Example // executed as tests
}

// Known is an error that is known to come.
type Known struct {
	If    string // a condition over error, as retry.if has it
	Doc   string // when it comes
	Again bool   // it may pass: a step may want to try again
}

// Example is a documented use.
type Example struct {
	Title  string
	Input  map[string]any
	Output any // what the simulator answers, or nil if it varies
}

// Call is one attempt of a step.
type Call struct {
	Input      map[string]any // JSON values; ints are int64; credentials opened
	Key        string         // of the step, the same over attempts: an idempotency key
	Workflow   string         // whose step it is
	Connection string         // the step's, by name; empty: that of the event's account
	Account    string         // of the event
	Event      string         // id of the event that started the run
	Host       func() string  // whom that event is about: payload.object.host_id; empty, or nil: nobody, or not known
	Unknown    bool           // an earlier attempt of this step ended unknown
	Started    time.Time      // when the attempt (for a probe: the unknown one) began
	Log        func(line string)
	Code       *Code // of the action code; nil for all others
}

// Code is what a code step runs, and what that sees.
type Code struct {
	Bundle   string            // its name
	Workflow string            // with its version: code of others never shares a process with it
	Scope    map[string][]byte // by names of expressions, in JSON; credentials masked
	Secrets  []string          // that stand opened in the input
	Limit    time.Duration     // how long it may take once it runs
}

// Result is what a call brought.
type Result struct {
	Output any // a JSON value
}
