package load

import (
	"slices"
	"strconv"
	"time"
)

// Outcome is what became of a load.
type Outcome struct {
	Sent     int            `json:"sent"`
	Accepted int            `json:"accepted"`          // answered 2xx
	Refused  map[string]int `json:"refused,omitempty"` // by status, or "no answer"
	Complete int            `json:"complete"`          // accepted, and all steps called

	Lost       int `json:"lost"`         // accepted, and not complete
	Repeated   int `json:"repeated"`     // calls beyond the first of their step
	OutOfOrder int `json:"out_of_order"` // calls before their predecessor's
	Unasked    int `json:"unasked"`      // runs that were called for though no webhook of theirs was accepted

	Seconds     float64 `json:"seconds"` // from the first webhook to the last completion
	AcceptedPer float64 `json:"accepted_per_s"`
	CompletePer float64 `json:"complete_per_s"`
	Ack         Spread  `json:"ack"`        // from due to answered
	EndToEnd    Spread  `json:"end_to_end"` // from due to the third call
}

// Spread sums up durations, in milliseconds.
type Spread struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

// Sound says whether nothing was refused, lost, repeated or out of order.
func (o *Outcome) Sound() bool {
	return o.Accepted == o.Sent && o.Lost == 0 && o.Repeated == 0 && o.OutOfOrder == 0 && o.Unasked == 0
}

// account compares what was sent with what was called.
func account(sent map[string]*sending, l *ledger, start time.Time) *Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := &Outcome{Sent: len(sent), Refused: map[string]int{}}
	var acks, ends []time.Duration
	lastAck, lastEnd := start, start
	for run, s := range sent {
		if !s.accepted() {
			o.Refused[s.reason()]++
			continue
		}
		o.Accepted++
		acks = append(acks, s.took)
		lastAck = later(lastAck, s.due.Add(s.took))
		t := l.traces[run]
		if t == nil || t.done.IsZero() {
			o.Lost++
			continue
		}
		ends = append(ends, t.done.Sub(s.due))
		lastEnd = later(lastEnd, t.done)
	}
	for run, t := range l.traces {
		o.Repeated += t.repeated()
		o.OutOfOrder += t.disorder
		if s := sent[run]; t.calls() > 0 && (s == nil || !s.accepted()) {
			o.Unasked++
		}
	}
	o.Complete = len(ends)
	o.Seconds = lastEnd.Sub(start).Seconds()
	o.AcceptedPer, o.CompletePer = Per(o.Accepted, lastAck.Sub(start)), Per(o.Complete, lastEnd.Sub(start))
	o.Ack, o.EndToEnd = SpreadOf(acks), SpreadOf(ends)
	return o
}

func (s *sending) reason() string {
	if s.status == 0 {
		return "no answer"
	}
	return strconv.Itoa(s.status)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Per is how many a second.
func Per(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

// SpreadOf sums up.
func SpreadOf(all []time.Duration) Spread {
	if len(all) == 0 {
		return Spread{}
	}
	slices.Sort(all)
	at := func(share float64) float64 {
		return float64(all[int(share*float64(len(all)-1)+.5)].Microseconds()) / 1000
	}
	return Spread{P50: at(.5), P99: at(.99), Max: at(1)}
}
