// Package workflow is what a checked definition consists of: the tree of steps that
// the engine walks, with its expressions compiled. It decides nothing.
package workflow

import (
	"time"

	"zflow/engine/expr"
	"zflow/proto"
)

// Workflow is a checked definition, ready to run. It is not changed once made.
type Workflow struct {
	Name        string
	Version     string // content hash
	Description string
	Triggers    []Trigger
	Concurrency *Concurrency  // nil: as many at a time as come
	Timeout     time.Duration // of the whole run; 0: none
	Vars        map[string]any
	Steps       []*Step
	OnFailure   []*Step        // their paths begin with on_failure.
	Finally     []*Step        // their paths begin with finally.
	Output      *expr.Template // nil: none
	Limits      Limits
	Runs        string // the address of its runs' pages, which a run's id follows; empty: there are none
}

// Limits are a workflow's quotas; 0: the default.
type Limits struct {
	RunsPerMinute int
	FanOut        int // iterations of one loop
	Facts         int // of a run before it continues as a new generation
}

// Trigger says which events start a run.
type Trigger struct {
	Source      string        // zoom, app, call
	Types       []string      // event types; "*" as a token stands for one, at the end for one or more
	Connections []string      // accounts by the name of their connection; none: any
	If          *expr.Program // nil: always
	Once        *Once
	Inputs      map[string]string // of call: name to type
	Ticks       *Ticks            // of what makes its events at times; nil: they come from outside
	Poll        *Poll             // what is done at each tick; nil: no more than an event
	HTTP        *HTTP             // the requests that start a run; nil: none do
	Email       *Email            // the mails that start a run; nil: none do
}

// Once says that of the events with one key only the first in a while starts a run.
type Once struct {
	Key *expr.Template
	Per time.Duration
}

// Concurrency says how many runs of one key go at a time.
type Concurrency struct {
	Key   *expr.Template // nil: all runs have one
	Name  string         // of the gate; empty: the workflow's own
	Limit int
	Busy  Busy
}

// Busy says what becomes of a run that finds its gate full.
type Busy string

// What becomes of it.
const (
	BusyQueue   Busy = "queue"
	BusySkip    Busy = "skip"
	BusyReplace Busy = "replace"
)

// SourceCall is the source of the events by which one run starts another.
const SourceCall = "call"

// Takes says whether an event of this kind of source and type may start a run.
func (t *Trigger) Takes(source, eventType string) bool {
	return source == t.Source && (source == SourceCall || MatchesAny(t.Types, eventType))
}

// MatchesAny says whether one of the patterns stands for the event type.
func MatchesAny(patterns []string, eventType string) bool {
	for _, pattern := range patterns {
		if proto.MatchesType(pattern, eventType) {
			return true
		}
	}
	return false
}

// State is what a run is doing; it ends the subject of each append.
type State string

// States.
const (
	Running   State = "running" // a worker owns it
	Waiting   State = "waiting" // parked: nobody does
	Completed State = "completed"
	Failed    State = "failed"
	Canceled  State = "canceled"
)

// Ended says that nothing follows but a retry.
func (s State) Ended() bool { return s == Completed || s == Failed || s == Canceled }
