package worker

import (
	"encoding/json"
	"strings"
	"time"

	"zflow/engine"
	v1 "zflow/proto/zflow/v1"
)

// told is what a history says of a step's attempts.
type told struct {
	begun  map[int64]uint32  // when an attempt's start says it began, to its number
	closed map[uint32]string // attempt to the class of its failure, or completed
	output string            // of the completed one
	by     uint32            // which that was
	made   bool              // it was neither probed nor said by a person
	at     time.Time         // when it was recorded
}

// checkRun holds a run's history against the ledger.
func (c *chaos) checkRun(workflow, id string) {
	c.t.Helper()
	run := c.run(workflow, id)
	bad := func(why string, args ...any) {
		c.t.Helper()
		c.t.Errorf("%s %s: "+why+"\n%s", append(append([]any{workflow, run.ID()}, args...), c.facts(workflow, id))...)
	}
	steps := c.steps(workflow, id, bad)
	called := map[string]map[uint32]int{}
	for _, call := range c.world.ledger() {
		step, ours := strings.CutPrefix(call.key, run.ID()+".")
		if !ours || call.probe {
			continue
		}
		s := steps[step]
		if run.End != nil && call.at.UnixNano() > run.End.At {
			bad("step %s was called after the end", step)
		}
		if s == nil {
			if call.action != "test.read" {
				bad("step %s was called, and the history does not know it", step)
			}
			continue
		}
		if s.by != 0 && call.at.After(s.at) {
			bad("step %s was called after its outcome was recorded", step)
		}
		n, known := s.begun[call.begun.UnixNano()]
		if !known {
			if call.action != "test.read" {
				bad("step %s was called for an attempt that the history does not know", step)
			}
			continue
		}
		if called[step] == nil {
			called[step] = map[uint32]int{}
		}
		if called[step][n]++; called[step][n] > 1 {
			bad("attempt %d of step %s was called twice", n, step)
		}
		if s.by == n && s.made && !said(call, s.output) {
			bad("step %s brought %v, the history says %s", step, call.brought, s.output)
		}
	}
}

func said(call call, output string) bool {
	raw, err := json.Marshal(call.brought)
	return err == nil && string(raw) == output
}

// steps reads what a history tells, and checks that it may.
func (c *chaos) steps(workflow, id string, bad func(string, ...any)) map[string]*told {
	h, err := c.load(workflow, id)
	c.must(err)
	steps := map[string]*told{}
	timers := map[uint64]*v1.Fact{}
	at := time.Time{}
	for _, a := range h.Appends {
		for _, f := range a.Facts {
			now := time.Unix(0, f.At)
			if now.Before(at) {
				bad("the run's clock went back at fact %d", f.Number)
			}
			at = now
			s := steps[f.Step]
			if s == nil && f.Step != "" {
				s = &told{begun: map[int64]uint32{}, closed: map[uint32]string{}}
				steps[f.Step] = s
			}
			switch k := f.Kind.(type) {
			case *v1.Fact_StepStarted:
				n := k.StepStarted.Attempt
				if n > 1 && s.closed[n-1] == "" {
					bad("attempt %d of %s was started while the one before it was open", n, f.Step)
				}
				s.begun[f.At] = n
			case *v1.Fact_StepFailed:
				s.closed[k.StepFailed.Attempt] = k.StepFailed.Class
			case *v1.Fact_StepCompleted:
				s.by, s.made, s.at, s.output = k.StepCompleted.Attempt, !k.StepCompleted.Probed, now, string(k.StepCompleted.Output.GetJson())
			case *v1.Fact_TimerSet:
				timers[f.Number] = f
			case *v1.Fact_TimerFired:
				if set := timers[k.TimerFired.Timer]; set != nil && now.UnixNano() < set.GetTimerSet().Due {
					bad("the timer of %s fired %v early", set.Step, time.Duration(set.GetTimerSet().Due-f.At))
				}
			}
		}
	}
	if len(h.Appends) == 0 {
		bad("an event has no run")
	}
	if last := c.run(workflow, id); last.State != engine.State(h.Appends[len(h.Appends)-1].State) {
		bad("the last append says %s", h.Appends[len(h.Appends)-1].State)
	}
	return steps
}
