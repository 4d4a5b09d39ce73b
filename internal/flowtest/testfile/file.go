// Package testfile reads x_test.yaml files: what happens to a workflow, what its
// actions answer, and what is expected of it. Like a workflow's, every mistake is
// reported at once with file, line and column.
package testfile

import (
	"encoding/json"
	"time"

	"zflow/engine/definition/document"
)

// File is a file of tests of one workflow.
type File struct {
	Path     string
	Workflow string // the workflow's file, as the test file names it: beside it
	Tests    []*Test
	Node     *document.Node // of the whole file, for --update
}

// Test is one run of the workflow, with the file's defaults in it.
type Test struct {
	Name   string
	Line   int
	Start  time.Time
	Event  Event
	Then   []Action
	Steps  map[string][]Outcome // by id, path or action; one of them for each attempt, the last for all that follow
	Expect Expect
	Code   bool // code of steps whose outcome is not stated is run
	// Secrets are values by name; what a workflow names beside them is made up.
	Secrets map[string]string
}

// Event is one that comes from outside.
type Event struct {
	Type       string
	Source     string          // zoom, app, call, poll, schedule or email; empty: by the type
	At         time.Time       // of a schedule: when it was to be; zero: when it comes
	Body       json.RawMessage // nil: File's, else the built-in sample
	File       string          // with a body; relative to the test file
	Set        []Setting
	Connection string   // whose account it is of; empty: of none that has a name
	HTTP       *Request // it is a request; nil: it is not
	Line       int
}

// Request is what a request to an HTTP trigger has beside its body. What is empty is
// as the workflow's first HTTP trigger has it.
type Request struct {
	Method, Path string
	Query        map[string]any // texts, and lists of them
	Headers      map[string]string
	Auth         *Caller // nil: it is not asked who calls
}

// Caller is who sends a request. Neither: whoever the request's headers tell of.
type Caller struct {
	Known  bool   // by the trigger's own secret
	Secret string // by this one
}

// Setting puts a value at a path of an event's body.
type Setting struct {
	Path  []string
	Value any
}

// Action is something that happens at a time after the test's event.
type Action struct {
	After     time.Duration
	Crash     bool // the machine with broker and worker, which starts again at once
	Redeliver bool // the test's event comes again
	Event     *Event
	Signal    *Signal
	Approve   *Approve
	Cancel    *Cancel
	Line      int
}

// Signal is data for a run that waits for it by name.
type Signal struct {
	Name string
	Data json.RawMessage
}

// Approve is a person's answer.
type Approve struct {
	Step, Choice, Comment string
	Fields                json.RawMessage
}

// Cancel ends the run; Now: without undo and finally.
type Cancel struct{ Now bool }

// Outcome is what an attempt brings.
type Outcome struct {
	Output   any
	Error    *Error
	Unknown  bool // it was sent, and nobody knows what came of it
	Happened bool // what a probe finds then
	Takes    time.Duration
	Line     int
	Place    *document.Node // of the output; nil: none is given
}

// Error is what an attempt fails with.
type Error struct {
	Message    string
	Code       string
	Status     int
	Retryable  bool
	RetryAfter time.Duration // 0: the step's policy decides
}

// Expect is what must be true in the end. Zero values expect nothing.
type Expect struct {
	Status string
	Error  string // a part of the failed run's message
	Took   Span
	Steps  map[string]Step
	Calls  []Call // in order; nil: not looked at
	Check  []Check
	Output *Value
	Line   int
}

// Span is how long something may take; a Most of 0 has no end.
type Span struct{ Least, Most time.Duration }

// Step is what is expected of a step.
type Step struct {
	Status, Outcome string
	Attempts        *int
	Output          *Value
	Line            int
}

// Call is an expected call of an action, or of a step by its path.
type Call struct {
	Of   string
	With any // a part of the input; nil: any
	Line int
}

// Check is an expression that must be true.
type Check struct {
	Source string
	Line   int
}

// Value is a JSON value that the real one must contain, and its place in the file.
type Value struct {
	JSON  any
	Place *document.Node
}

// NotStarted is the status of a run that the event did not start.
const NotStarted = "not_started"

// Refused is the status of a run whose request was not taken.
const Refused = "refused"

// Statuses are those that a test may expect.
var Statuses = []string{"completed", "failed", "canceled", "waiting", NotStarted, Refused}
