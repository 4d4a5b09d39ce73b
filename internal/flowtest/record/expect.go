package record

import (
	"maps"
	"slices"
	"strings"
	"time"

	"zflow/engine"
	"zflow/internal/sealed"
)

// expect is what the run came to.
func (r *run) expect() (object, error) {
	o := object{{"status", string(r.State)}}
	if m := readable(r.End.GetRunFailed().GetError().GetMessage()); m != "" {
		o.add("error", m)
	}
	o.add("took", r.took())
	calls, left, err := r.calls()
	if err != nil {
		return nil, err
	}
	if steps := r.stands(left); len(steps) > 0 {
		o.add("steps", steps)
	}
	if len(calls) > 0 || !r.callsOut() {
		o.add("calls", calls)
	}
	output, err := masked(r.End.GetRunCompleted().GetOutput())
	if err != nil {
		return nil, err
	}
	if v, ok := r.lasting(output); ok && v != nil {
		o.add("output", v)
	}
	return o, nil
}

// readable is the longest part of a text without a sealed value.
func readable(text string) string {
	parts := strings.Split(sealed.Mask(text), sealed.Masked)
	return slices.MaxFunc(parts, func(a, b string) int { return len(a) - len(b) })
}

// took is a range around how long the run took: what zflow itself needs differs.
func (r *run) took() bare {
	took := r.At.Sub(r.Started)
	slack := max(5*time.Second, took/5)
	least := (took - slack - r.queued()).Truncate(time.Second)
	most := (took + slack).Truncate(time.Second) + time.Second
	if least <= 0 || r.Start.Replay != nil {
		return ".." + span(most)
	}
	return span(least) + ".." + span(most)
}

// queued is how long the run waited for its place in a gate: in a test it is alone.
func (r *run) queued() time.Duration {
	var since, d time.Duration
	for _, f := range r.facts {
		switch at := time.Duration(f.At); {
		case f.GetGateQueued() != nil:
			since = at
		case f.GetGateEntered() != nil && since > 0:
			d += at - since
		}
	}
	return d
}

// callsOut says whether anything called out, in called runs too.
func (r *run) callsOut() bool {
	for _, one := range r.all() {
		if slices.ContainsFunc(one.steps, (*step).counts) {
			return true
		}
	}
	return false
}

// calls are those that the run made whose order is certain, and the steps of the
// others.
func (r *run) calls() (list []any, left map[string]bool, err error) {
	type call struct {
		*step
		*try
	}
	var all []call
	for _, s := range r.steps {
		for _, t := range s.tries {
			if s.counts() && t.input != nil {
				all = append(all, call{s, t})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b call) int { return a.begun.Compare(b.begun) })
	list, left = []any{}, map[string]bool{}
	var paths []string
	for _, c := range all {
		loose := slices.ContainsFunc(paths, func(p string) bool { return atOnce(r.flow, p, c.path) })
		if loose || c.refused() {
			left[c.path] = true
			continue
		}
		paths = append(paths, c.path)
		with, err := masked(c.input)
		if err != nil {
			return nil, nil, err
		}
		with, _ = r.lasting(with)
		list = append(list, object{{c.path, with}})
	}
	return list, left, nil
}

// refused says that an attempt may have failed without a call: its action did not
// take its input.
func (t *try) refused() bool {
	return t.failed != nil && t.failed.Class == "final" && t.failed.Error.GetStatus() == 0
}

// stands is where those steps stood in the end of which calls and status say nothing.
func (r *run) stands(left map[string]bool) object {
	all := object{}
	for _, path := range slices.Sorted(maps.Keys(r.Steps)) {
		s, o := r.Steps[path], object{}
		if s.Status.Ended() && left[path] {
			o.add("status", string(s.Status))
		}
		if s.Outcome != "" {
			o.add("outcome", s.Outcome)
		}
		if (s.Attempt > 1 || left[path]) && !r.tookOver(path) {
			o.add("attempts", int64(s.Attempt))
		}
		if len(o) > 0 && s.Status != engine.StepSleeping {
			all.add(path, o)
		}
	}
	return all
}

// tookOver says that what is known of a step is another run's.
func (r *run) tookOver(path string) bool {
	return slices.ContainsFunc(r.steps, func(s *step) bool { return s.path == path && s.tries[0].begun.IsZero() })
}

// lasting is a value without what cannot be compared: sealed values, the run's id, and
// moments of the run itself. A list in which such a thing is, is left out whole, since
// its length is compared.
func (r *run) lasting(v any) (any, bool) {
	switch v := v.(type) {
	case string:
		return v, !r.passing(v)
	case []any:
		return v, !slices.ContainsFunc(v, r.within)
	case map[string]any:
		out := map[string]any{}
		for name, value := range v {
			if value, ok := r.lasting(value); ok && !r.passing(name) {
				out[name] = value
			}
		}
		return out, true
	}
	return v, true
}

// within says whether something stands in a value that cannot be compared.
func (r *run) within(v any) bool {
	switch v := v.(type) {
	case string:
		return r.passing(v)
	case []any:
		return slices.ContainsFunc(v, r.within)
	case map[string]any:
		for name, value := range v {
			if r.passing(name) || r.within(value) {
				return true
			}
		}
	}
	return false
}

// passing says whether a text is of this run only.
func (r *run) passing(text string) bool {
	if strings.Contains(text, sealed.Masked) || strings.Contains(text, r.ID()) {
		return true
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	return err == nil && at.Nanosecond() != 0 && !at.Before(r.Started.Add(-time.Minute)) && !at.After(r.At.Add(time.Minute))
}
