package workflow

import (
	"time"

	"zflow/proto"
)

// SourceSchedule is the source of the events of schedules; their type is the name of
// the workflow.
const SourceSchedule = proto.SourceSchedule

// Ticks are the times at which a trigger makes events, or looks for what has
// happened.
type Ticks struct {
	Plan    string                          // in words, such as every 15m; ticks of another plan are not its own
	Text    string                          // as a schedule is written
	Next    func(after time.Time) time.Time // the first tick after a time
	Zone    *time.Location                  // whose clocks count; nil: UTC
	CatchUp CatchUp                         // of schedules
}

// CatchUp says what becomes of a schedule's ticks that passed while nobody could
// handle them.
type CatchUp string

// What becomes of them.
const (
	CatchUpOne  CatchUp = "one" // the last of them is an event
	CatchUpAll  CatchUp = "all" // each is, but for very many
	CatchUpNone CatchUp = "none"
)

// Every are the ticks that lie so far apart. They are on one grid, whenever the
// workflow was deployed: ticks of 15m are at full quarters of an hour, those of a day
// at midnight, in UTC.
func Every(apart time.Duration) *Ticks {
	return &Ticks{
		Plan: "every " + apart.String(),
		Next: func(after time.Time) time.Time { return after.UTC().Truncate(apart).Add(apart) },
	}
}

// At says whether one of the ticks is at this time.
func (t *Ticks) At(when time.Time) bool { return t.Next(when.Add(-time.Nanosecond)).Equal(when) }

// Due says which of a workflow's triggers a schedule's event of this time comes from:
// more than one where schedules coincide, nil where none has a tick then, as after a
// deployment with other times.
func Due(triggers []Trigger, when time.Time) map[int]bool {
	due := map[int]bool{}
	for i := range triggers {
		if t := &triggers[i]; t.Source == SourceSchedule && t.Ticks.At(when) {
			due[i] = true
		}
	}
	if len(due) == 0 {
		return nil
	}
	return due
}
