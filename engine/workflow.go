package engine

import (
	"strings"
	"time"

	"zflow/engine/expr"
)

// Workflow is a checked definition, ready to run. It is not changed once made.
type Workflow struct {
	Name        string
	Version     string // content hash
	Description string
	Triggers    []Trigger
	Timeout     time.Duration // of the whole run; 0: none
	Vars        map[string]any
	Steps       []*Step
	Output      *expr.Template // nil: none
}

// Trigger says which events start a run.
type Trigger struct {
	Source string        // zoom
	Types  []string      // event types; "*" as a token stands for one, at the end for one or more
	If     *expr.Program // nil: always
}

// Step is one step. Exactly one of Uses and Sleep is set.
type Step struct {
	ID         string // empty: cannot be referenced
	Path       string // unique in the workflow: the id, or a name such as log#2
	Name       string // for people
	If         *expr.Program
	Uses       string // the action
	With       *expr.Template
	Connection string
	Sleep      *expr.Template // of a duration in text, or of a number of seconds
	Retry      Retry
	Timeout    time.Duration // of one attempt; 0: 5 minutes
	OnUnknown  Policy        // empty: by the action's effect
	// Reads and Repeatable tell by the resolved input whether a call changes
	// nothing, and whether it may safely happen twice; Probes whether the action
	// can find out what an unknown attempt did.
	Reads      func(input map[string]any) bool
	Repeatable func(input map[string]any) bool
	Probes     bool
}

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

// Takes says whether an event of this kind of source and type may start a run.
func (t *Trigger) Takes(source, eventType string) bool {
	if source != t.Source {
		return false
	}
	for _, pattern := range t.Types {
		if matches(pattern, eventType) {
			return true
		}
	}
	return false
}

// matches compares token by token: "*" stands for one, as the last for one or more.
func matches(pattern, text string) bool {
	for {
		p, morePattern, more := strings.Cut(pattern, ".")
		t, moreText, left := strings.Cut(text, ".")
		switch {
		case p == "*" && !more:
			return t != ""
		case p != "*" && p != t || more != left:
			return false
		case !more:
			return true
		}
		pattern, text = morePattern, moreText
	}
}
