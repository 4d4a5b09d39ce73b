package workflow

import (
	"time"

	"zflow/engine/expr"
	"zflow/proto"
)

// SourcePoll is the source of the events that polls make; their type is the name of
// the workflow that polls.
const SourcePoll = proto.SourcePoll

// Ticks are the times at which a trigger makes events, or looks for what has
// happened.
type Ticks struct {
	Plan string                          // in words, such as every 15m; ticks of another plan are not its own
	Next func(after time.Time) time.Time // the first tick after a time
}

// Every are the ticks that lie so far apart. They are on one grid, whenever the
// workflow was deployed: ticks of 15m are at full quarters of an hour, those of a day
// at midnight, in UTC.
func Every(apart time.Duration) *Ticks {
	return &Ticks{
		Plan: "every " + apart.String(),
		Next: func(after time.Time) time.Time { return after.UTC().Truncate(apart).Add(apart) },
	}
}

// Poll reads a list again and again; each item that is new in it, or changed, is an
// event.
type Poll struct {
	Uses    *Uses          // what reads the list; its input sees vars and secrets
	List    string         // which list it is: another input, say, is another list
	Items   *expr.Template // the list, of output
	Key     string         // the field by which an item is known
	Fields  []string       // in which it can change; none: all
	All     bool           // what the first poll finds are events too
	Removed bool           // an item that is there no more is an event
	Most    int64          // a call brings at most so many items, if asked by its limit; 0: it has no limit
	Pages   bool           // a call takes the next_page_token of the one before
}
