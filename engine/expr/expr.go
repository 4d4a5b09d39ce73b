package expr

import "time"

// Env is what an expression sees, by root name: event, trigger, steps, vars,
// secrets, run, step, error. Values are normalised JSON: nil, bool, int64,
// float64, string, []any, map[string]any.
type Env map[string]any

// Clock gives an evaluation what may differ from one to the next, from the
// run's facts: Now is the run's time; Seed makes random() and uuid().
type Clock struct {
	Now  time.Time
	Seed string
}

// Program is a compiled bare expression.
type Program struct{}

// Template is a tree of YAML values in whose texts ${{ }} stand.
type Template struct{}
