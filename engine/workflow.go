package engine

import (
	"time"

	"zflow/engine/workflow"
)

// A workflow and its parts, as package workflow has them.
type (
	Workflow    = workflow.Workflow    // a checked definition
	Limits      = workflow.Limits      // its quotas
	Trigger     = workflow.Trigger     // which events start a run
	Once        = workflow.Once        // of the events with one key, the first
	Ticks       = workflow.Ticks       // when a trigger makes events itself
	Poll        = workflow.Poll        // what is read again and again for them
	HTTP        = workflow.HTTP        // the requests that start a run
	Concurrency = workflow.Concurrency // how many runs of one key go at a time
	Busy        = workflow.Busy        // what becomes of the others
	Step        = workflow.Step        // one step, with those below it
	Loop        = workflow.Loop        // makes a step run once for each item
	Work        = workflow.Work        // what a step does
	Uses        = workflow.Uses        // calls an action
	Code        = workflow.Code        // what a code step runs
	Set         = workflow.Set         // computes a value
	Sleep       = workflow.Sleep       // waits for a time
	Wait        = workflow.Wait        // waits for events or signals
	Arrival     = workflow.Arrival     // one of them
	Match       = workflow.Match       // a field of an event
	OnTimeout   = workflow.OnTimeout   // what a wait does that lasted too long
	Ask         = workflow.Ask         // asks a person
	Field       = workflow.Field       // a typed answer
	Call        = workflow.Call        // runs another workflow
	Stop        = workflow.Stop        // ends the run
	Block       = workflow.Block       // is made of other steps
	Mode        = workflow.Mode        // which branches of a block are taken
	Branch      = workflow.Branch      // steps that go one after another
	Policy      = workflow.Policy      // what follows an attempt of unknown outcome
	Retry       = workflow.Retry       // how often a failed attempt is made again
	State       = workflow.State       // what a run is doing
)

// Their values.
const (
	Running   = workflow.Running
	Waiting   = workflow.Waiting
	Completed = workflow.Completed
	Failed    = workflow.Failed
	Canceled  = workflow.Canceled

	Group    = workflow.Group
	Parallel = workflow.Parallel
	Switch   = workflow.Switch

	PolicyRetry = workflow.PolicyRetry
	PolicyProbe = workflow.PolicyProbe
	PolicyAsk   = workflow.PolicyAsk
	PolicyFail  = workflow.PolicyFail

	BusyQueue   = workflow.BusyQueue
	BusySkip    = workflow.BusySkip
	BusyReplace = workflow.BusyReplace

	TimeoutFail     = workflow.TimeoutFail
	TimeoutContinue = workflow.TimeoutContinue

	SourceCall     = workflow.SourceCall
	SourcePoll     = workflow.SourcePoll
	DefaultTimeout = workflow.DefaultTimeout
)

// DefaultRetry is what a workflow has that says nothing.
var DefaultRetry = workflow.DefaultRetry

// Every are ticks that lie so far apart, on one grid.
func Every(apart time.Duration) *Ticks { return workflow.Every(apart) }

// MatchesAny says whether one of the patterns stands for the event type.
func MatchesAny(patterns []string, eventType string) bool {
	return workflow.MatchesAny(patterns, eventType)
}
