//go:build unix

package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"zflow/engine"
	"zflow/engine/history"
	v1 "zflow/proto/zflow/v1"
)

// Limits of the rules that are checked (DESIGN: rules 3 and 4).
const (
	procBelief   = 4 * time.Second
	procLeaseAge = 6 * time.Second
	// A put that was answered later than this before a claim may have missed its
	// last read.
	procLastRead = time.Second
	// A process that does not run for this long, though nobody stopped it, shares
	// its processor with too many.
	procPreempted = 500 * time.Millisecond
)

// procOwner is one life of a worker.
type procOwner struct {
	puts []procPut
	life *procLife
}

// stoppedIn says whether it was stopped, at least for a while, in a time.
func (o *procOwner) stoppedIn(from, to time.Time) bool {
	return slices.ContainsFunc(o.life.stopped, func(s procSpan) bool {
		return s.from.Before(to) && (s.to.IsZero() || s.to.After(from))
	})
}

// procAudit joins histories with the ledger and with what the workers told.
type procAudit struct {
	rig    *procRig
	owners map[string]*procOwner // by worker id
	faults []string
	counts map[string]int
	gates  map[string][]procPlace
	taken  []time.Duration // from the loss of an owner to the claim
	oldest time.Duration   // right by which a call that was not excused began
}

func (a *procAudit) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

// audit looks at everything once all has ended.
func (r *procRig) audit(ctx context.Context) (*procAudit, error) {
	a := &procAudit{rig: r, owners: map[string]*procOwner{}, counts: map[string]int{}, gates: map[string][]procPlace{}}
	if err := a.readOwners(); err != nil {
		return nil, err
	}
	accepted := r.load.runs()
	seen := map[string]bool{}
	err := r.load.client.History.Heads(ctx, "", nil, func(h history.Head) error {
		if h.Workflow == procChild {
			a.counts["runs of the called"]++
		} else if accepted[h.Run] != h.Workflow {
			a.fault("run %s of %s belongs to no accepted event", h.Run, h.Workflow)
		}
		seen[h.Run] = true
		return a.run(ctx, h)
	})
	callers := 0
	for run, workflow := range accepted {
		if !seen[run] {
			a.fault("event without a run: %s", run)
		}
		if workflow == "calls" {
			callers++
		}
	}
	if n := a.counts["runs of the called"]; n != callers {
		a.fault("%d runs were called by %d", n, callers)
	}
	a.inOrder()
	a.counts["runs"] = len(seen)
	if r.api.strays > 0 {
		a.fault("%d calls named no attempt", r.api.strays)
	}
	return a, err
}

// readOwners reads what each life of each worker told. A life that ended before
// it could tell anything owned nothing.
func (a *procAudit) readOwners() error {
	for _, w := range a.rig.workers {
		for i, life := range w.lives {
			id, puts, err := procReadLog(a.rig.logOf(w.name, i+1))
			if id == "" {
				continue
			}
			if err != nil {
				return err
			}
			a.owners[id] = &procOwner{puts, life}
		}
	}
	return nil
}

// procAttempt is what history and ledger know of an attempt.
type procAttempt struct {
	engine.AttemptID
	started  time.Time // when the server stored that it began; zero: never
	recorded time.Time // when it stored the outcome
	class    string    // of the outcome: completed, or that of the failure
	next     string
	calls    []procCall
}

// run checks one run.
func (a *procAudit) run(ctx context.Context, head history.Head) error {
	h, err := a.rig.load.client.History.Load(ctx, head.Workflow, head.Run)
	if err != nil {
		return err
	}
	r := engine.NewRun(head.Run)
	if err := r.Replay(h.Appends); err != nil {
		return err
	}
	before := len(a.faults)
	if r.State != procEnds(head.Workflow) {
		a.fault("it is %s: %v", r.State, r.End)
	}
	a.place(h, r)
	all := map[engine.AttemptID]*procAttempt{}
	a.fold(h, all)
	for _, c := range a.rig.api.ledger(head.Run) {
		a.counts["calls"]++
		t := procOf(all, c.Step, c.Attempt)
		t.calls = append(t.calls, c)
		a.fresh(c)
	}
	for _, t := range all {
		a.attempt(t, all[engine.AttemptID{Step: t.Step, Attempt: t.Attempt - 1}])
	}
	if len(a.faults) > before {
		a.faults[before] = fmt.Sprintf("%s of %s:\n%s  %s", head.Run, head.Workflow, procTell(h, a.rig.api.ledger(head.Run)), a.faults[before])
	}
	return nil
}

func procOf(all map[engine.AttemptID]*procAttempt, step string, attempt uint32) *procAttempt {
	id := engine.AttemptID{Step: step, Attempt: attempt}
	if all[id] == nil {
		all[id] = &procAttempt{AttemptID: id}
	}
	return all[id]
}

// fold notes when what was recorded.
func (a *procAudit) fold(h *history.History, all map[engine.AttemptID]*procAttempt) {
	completed := map[string]bool{}
	for i, facts := range h.Appends {
		at := h.Stored[i]
		for _, f := range facts.Facts {
			switch k := f.Kind.(type) {
			case *v1.Fact_RunClaimed:
				a.claimed(k.RunClaimed.From, f.Claim.Worker, at)
			case *v1.Fact_StepStarted:
				if t := procOf(all, f.Step, k.StepStarted.Attempt); t.started.IsZero() {
					t.started = at
				} else {
					a.counts["starts appended again"]++
				}
			case *v1.Fact_StepCompleted:
				if k.StepCompleted.Attempt == 0 { // of a step that is made of others
					continue
				}
				if completed[f.Step] {
					a.fault("step %s is completed twice", f.Step)
				}
				completed[f.Step] = true
				a.outcome(procOf(all, f.Step, k.StepCompleted.Attempt), at, "completed", "")
			case *v1.Fact_StepFailed:
				a.outcome(procOf(all, f.Step, k.StepFailed.Attempt), at, k.StepFailed.Class, k.StepFailed.Next)
			}
		}
	}
}

func (a *procAudit) outcome(t *procAttempt, at time.Time, class, next string) {
	if t.class != "" {
		a.fault("attempt %d of %s has two outcomes, %s and %s", t.Attempt, t.Step, t.class, class)
	}
	t.recorded, t.class, t.next = at, class, next
	a.counts["outcomes "+class]++
}

// attempt checks the calls of an attempt against its record, and against the
// attempt before it.
func (a *procAudit) attempt(t, before *procAttempt) {
	where := fmt.Sprintf("attempt %d of %s", t.Attempt, t.Step)
	type holding struct {
		worker string
		epoch  uint64
	}
	by := map[holding]bool{}
	for i, c := range t.calls {
		switch h := (holding{c.Worker, c.Epoch}); {
		case !c.Reads && i > 0, by[h]:
			a.fault("%s was called twice, at %s and %s", where, procClock(t.calls[i-1].arrived), procClock(c.arrived))
		case i > 0:
			a.counts["reads called again by another owner"]++
		default:
			by[h] = true
		}
		by[holding{c.Worker, c.Epoch}] = true
		if !c.Reads && (t.started.IsZero() || c.arrived.Before(t.started)) {
			a.fault("%s was called at %s, its start was stored at %s", where, procClock(c.arrived), procClock(t.started))
		}
		if t.class != "" && c.arrived.After(t.recorded) && !a.excused(c) {
			a.fault("%s was called at %s, after its outcome was recorded at %s", where, procClock(c.arrived), procClock(t.recorded))
		}
	}
	if t.class == "completed" && len(t.calls) == 0 {
		a.fault("%s is completed and was never called", where)
	}
	if before == nil {
		return
	}
	a.counts["later attempts"]++
	if before.next != "retry" || before.class != "unknown" && before.class != "retryable" {
		a.fault("%s follows an attempt whose outcome is %q, next %q", where, before.class, before.next)
	}
	if len(before.calls) > 0 && len(t.calls) > 0 {
		a.counts["calls made twice, the first "+before.class]++
		if t.calls[0].arrived.Before(before.recorded) {
			a.fault("%s was called at %s, before the outcome of the one before it was recorded at %s", where, procClock(t.calls[0].arrived), procClock(before.recorded))
		}
	}
}

// fresh checks by what right a call began. Who is stopped between the check and
// the write is excused, and counted.
func (a *procAudit) fresh(c procCall) {
	age := max(c.Lease, c.Start) + c.arrived.Sub(c.Checked)
	if !a.excused(c) {
		a.oldest = max(a.oldest, age)
	}
	switch {
	case max(c.Lease, c.Start) < procBelief && age < procBelief:
		return
	case a.excused(c):
		a.counts["calls begun late: stopped between check and write"]++
	case max(c.Lease, c.Start) < procBelief && age < procBelief+procPreempted:
		a.counts["calls begun late: preempted"]++
	default:
		a.fault("attempt %d of %s began %v after the renewal and %v after the append, and came %v later", c.Attempt, c.Step, c.Lease, c.Start, c.arrived.Sub(c.Checked))
	}
}

func (a *procAudit) excused(c procCall) bool {
	o := a.owners[c.Worker]
	return o != nil && o.stoppedIn(c.Checked.Add(-50*time.Millisecond), c.arrived)
}

// claimed checks that a run was taken only from an owner that could not renew.
func (a *procAudit) claimed(from, by string, at time.Time) {
	if from == by {
		a.counts["runs taken over from oneself"]++
		return
	}
	a.counts["runs taken over"]++
	o := a.owners[from]
	if o == nil {
		a.fault("a run was taken from worker %s, which never told that it lived", from)
		return
	}
	for _, p := range o.puts {
		if p.answered.After(at.Add(-procLeaseAge)) && p.answered.Before(at.Add(-procLastRead)) {
			a.fault("robbed: taken at %s from worker %s, which had renewed at %s", procClock(at), from, procClock(p.answered))
			return
		}
	}
	lost := o.life.ended
	for _, s := range o.life.stopped {
		if s.from.Before(at) {
			lost = s.from
		}
	}
	if lost.IsZero() || at.Before(lost) || lost != o.life.ended && !o.stoppedIn(at.Add(-2*procLeaseAge), at) {
		a.fault("robbed: taken at %s from worker %s, which ran", procClock(at), from)
		return
	}
	a.taken = append(a.taken, at.Sub(lost))
}

func procClock(t time.Time) string { return t.Local().Format("15:04:05.000") }

// procTell tells a run's history and its calls, a line each.
func procTell(h *history.History, calls []procCall) string {
	var b strings.Builder
	for i, a := range h.Appends {
		fmt.Fprintf(&b, "  %s epoch %d:", procClock(h.Stored[i]), a.Epoch)
		for _, f := range a.Facts {
			fmt.Fprintf(&b, " %s %s", engine.Kind(f), f.Step)
			if f.Claim != nil {
				fmt.Fprintf(&b, " (by %s on %s %d)", f.Claim.Worker, f.Claim.Stream, f.Claim.Sequence)
			}
			if s := f.GetStepFailed(); s != nil {
				fmt.Fprintf(&b, " %d %s %s", s.Attempt, s.Class, s.Next)
			}
		}
		b.WriteString("\n")
	}
	for _, c := range calls {
		fmt.Fprintf(&b, "  %s called: %s %d by %s epoch %d\n", procClock(c.arrived), c.Step, c.Attempt, c.Worker, c.Epoch)
	}
	return b.String()
}

// err is all that is wrong, the first few in full.
func (a *procAudit) err() error {
	var all []error
	for _, f := range a.faults[:min(len(a.faults), 8)] {
		all = append(all, errors.New(f))
	}
	if more := len(a.faults) - len(all); more > 0 {
		all = append(all, fmt.Errorf("and %d more", more))
	}
	return errors.Join(all...)
}

// String is the figures, a line each.
func (a *procAudit) String() string {
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(a.counts)) {
		fmt.Fprintf(&b, "\n%6d %s", a.counts[what], what)
	}
	fmt.Fprintf(&b, "\noldest right by which a call began: %.2f s", a.oldest.Seconds())
	if len(a.taken) > 0 {
		slices.Sort(a.taken)
		fmt.Fprintf(&b, "\ntaken over after %.1f, %.1f, %.1f s (soonest, middle, latest)", a.taken[0].Seconds(), a.taken[len(a.taken)/2].Seconds(), a.taken[len(a.taken)-1].Seconds())
	}
	return b.String()
}
