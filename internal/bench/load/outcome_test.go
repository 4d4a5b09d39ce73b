package load

import (
	"testing"
	"time"
)

// play makes an outcome of a story: webhooks as they were answered, and calls.
func play(sent map[string]*sending, calls ...Call) *Outcome {
	start := time.Unix(1000, 0)
	l := newLedger()
	for run := range sent {
		l.expect(run)
	}
	for i, c := range calls {
		l.note(c, start.Add(time.Duration(i+1)*time.Second))
	}
	for _, s := range sent {
		s.due, s.took = start, time.Millisecond
	}
	return account(sent, l, start)
}

func accepted() *sending { return &sending{status: 204} }

func TestAccount(t *testing.T) {
	whole := func(run string) []Call { return []Call{{run, 1}, {run, 2}, {run, 3}} }
	for _, c := range []struct {
		name  string
		sent  map[string]*sending
		calls []Call
		want  Outcome
	}{
		{"all is well", map[string]*sending{"a": accepted(), "b": accepted()}, append(whole("a"), whole("b")...),
			Outcome{Sent: 2, Accepted: 2, Complete: 2}},
		{"no call ever came", map[string]*sending{"a": accepted()}, nil,
			Outcome{Sent: 1, Accepted: 1, Lost: 1}},
		{"the last call is missing", map[string]*sending{"a": accepted()}, whole("a")[:2],
			Outcome{Sent: 1, Accepted: 1, Lost: 1}},
		{"a call in the middle is missing", map[string]*sending{"a": accepted()}, []Call{{"a", 1}, {"a", 3}},
			Outcome{Sent: 1, Accepted: 1, Lost: 1, OutOfOrder: 1}},
		{"a step is called twice", map[string]*sending{"a": accepted()}, []Call{{"a", 1}, {"a", 2}, {"a", 2}, {"a", 3}},
			Outcome{Sent: 1, Accepted: 1, Complete: 1, Repeated: 1}},
		{"a step is called again after the end", map[string]*sending{"a": accepted()}, append(whole("a"), Call{"a", 3}, Call{"a", 3}),
			Outcome{Sent: 1, Accepted: 1, Complete: 1, Repeated: 2}},
		{"steps are called the wrong way round", map[string]*sending{"a": accepted()}, []Call{{"a", 2}, {"a", 1}, {"a", 3}},
			Outcome{Sent: 1, Accepted: 1, Complete: 1, OutOfOrder: 1}},
		{"what was refused runs all the same", map[string]*sending{"a": {status: 503}}, whole("a"),
			Outcome{Sent: 1, Unasked: 1}},
		{"what nobody answered runs all the same", map[string]*sending{"a": {}}, whole("a")[:1],
			Outcome{Sent: 1, Unasked: 1}},
		{"a run that nobody sent", map[string]*sending{"a": accepted()}, append(whole("a"), Call{"x", 1}),
			Outcome{Sent: 1, Accepted: 1, Complete: 1, Unasked: 1}},
		{"what was refused does not run", map[string]*sending{"a": {status: 401}}, nil, Outcome{Sent: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := play(c.sent, c.calls...)
			counts := Outcome{Sent: got.Sent, Accepted: got.Accepted, Complete: got.Complete, Lost: got.Lost,
				Repeated: got.Repeated, OutOfOrder: got.OutOfOrder, Unasked: got.Unasked}
			if !same(counts, c.want) {
				t.Errorf("got %+v, want %+v", counts, c.want)
			}
			if sound := c.name == "all is well"; got.Sound() != sound {
				t.Errorf("Sound = %v, want %v", got.Sound(), sound)
			}
		})
	}
}

func same(a, b Outcome) bool {
	return a.Sent == b.Sent && a.Accepted == b.Accepted && a.Complete == b.Complete && a.Lost == b.Lost &&
		a.Repeated == b.Repeated && a.OutOfOrder == b.OutOfOrder && a.Unasked == b.Unasked
}

func TestRefusedByReason(t *testing.T) {
	got := play(map[string]*sending{"a": {status: 503}, "b": {status: 503}, "c": {}, "d": {status: 401}})
	if got.Refused["503"] != 2 || got.Refused["no answer"] != 1 || got.Refused["401"] != 1 {
		t.Errorf("Refused = %v", got.Refused)
	}
}

// TestLatencies: they count from the time a webhook was due to the call that made
// the run whole, and later repetitions do not move that.
func TestLatencies(t *testing.T) {
	o := play(map[string]*sending{"a": accepted()}, Call{"a", 1}, Call{"a", 2}, Call{"a", 3}, Call{"a", 3})
	if o.EndToEnd.P50 != 3000 || o.EndToEnd.Max != 3000 || o.Ack.P50 != 1 {
		t.Errorf("end to end %+v, ack %+v", o.EndToEnd, o.Ack)
	}
	if o.CompletePer != 1.0/3 || o.Seconds != 3 {
		t.Errorf("%v runs/s in %v s", o.CompletePer, o.Seconds)
	}
}

func TestSpread(t *testing.T) {
	var all []time.Duration
	for i := 100; i >= 0; i-- {
		all = append(all, time.Duration(i)*time.Millisecond)
	}
	if got := SpreadOf(all); got != (Spread{P50: 50, P99: 99, Max: 100}) {
		t.Errorf("spread = %+v", got)
	}
	if got := SpreadOf(nil); got != (Spread{}) {
		t.Errorf("spread of nothing = %+v", got)
	}
	if got := SpreadOf([]time.Duration{time.Millisecond}); got != (Spread{1, 1, 1}) {
		t.Errorf("spread of one = %+v", got)
	}
}
