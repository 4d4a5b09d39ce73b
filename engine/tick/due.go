package tick

import (
	"slices"
	"time"

	"zflow/engine"
	"zflow/engine/workflow"
)

const (
	mostCaughtUp = 1000        // ticks of a schedule that passed and still become events
	missedAfter  = time.Minute // a tick handled later than this was missed
)

// due are the ticks of a trigger that are to be handled.
type due struct {
	at     []time.Time // oldest first; none: those that passed are left out
	newest time.Time   // of those that passed
	missed int         // how many of these are left out, mostCaughtUp for that many or more
}

// dueOf returns what a trigger's plan asks for at a time. Polls look once for all
// that happened; of schedules their catch-up decides.
func dueOf(t *engine.Trigger, p Plan, now time.Time) due {
	if t.Poll != nil {
		return due{at: []time.Time{p.Next}, newest: p.Next}
	}
	all := passed(t.Ticks, p.Next, now)
	d := due{newest: all[len(all)-1], missed: len(all) - 1}
	switch {
	case t.Ticks.CatchUp == workflow.CatchUpAll:
		d.missed = max(0, len(all)-mostCaughtUp)
		d.at = all[d.missed:]
	case t.Ticks.CatchUp == workflow.CatchUpNone && now.Sub(d.newest) > missedAfter:
		d.missed = len(all)
	default:
		d.at = all[len(all)-1:]
	}
	d.missed = min(d.missed, mostCaughtUp)
	return d
}

// passed returns the ticks from one on until now, the newest if they are more than
// mostCaughtUp.
func passed(t *workflow.Ticks, first, now time.Time) []time.Time {
	for span := time.Hour; ; span *= 2 {
		from := now.Add(-span)
		whole := !from.After(first)
		all := []time.Time(nil)
		if whole {
			from, all = first, []time.Time{first}
		}
		for next := t.Next(from); !next.IsZero() && !next.After(now); next = t.Next(next) {
			all = append(all, next)
		}
		if whole || len(all) > mostCaughtUp {
			return slices.Clone(all[max(0, len(all)-mostCaughtUp-1):])
		}
	}
}
