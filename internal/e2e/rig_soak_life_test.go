//go:build unix

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"zflow/engine/catalog"
	"zflow/internal/app"
	"zflow/internal/operator/deployment"
	"zflow/proto"
)

// soakHolds is how long a change may take until it holds.
const soakHolds = 5 * time.Second

// soakDuty says what an event is owed.
type soakDuty int

const (
	soakRuns    soakDuty = iota // a run that is completed
	soakMayRun                  // one or none: a change was under way
	soakNeither                 // none
)

// soakChange is what a command has made of a workflow.
type soakChange struct {
	begun, done time.Time // when the command was given, and when it had returned
	state       catalog.State
	version     string
}

// soakLife is the life of one workflow: it is deployed, redeployed, paused or
// rolled back, pruned, and perhaps deployed again, while events come for it.
type soakLife struct {
	*soak
	name    string
	number  int
	changes []soakChange
	owed    map[string]soakDuty // by run
	sent    int
	version int // of what is deployed next
}

func newSoakLife(s *soak, n int) *soakLife {
	return &soakLife{soak: s, name: fmt.Sprintf("soak-%d", n), number: n, owed: map[string]soakDuty{}}
}

// live is the whole life.
func (l *soakLife) live(ctx context.Context, r *rand.Rand) error {
	for _, step := range l.script(r) {
		if err := step(ctx); err != nil {
			return fmt.Errorf("workflow %s: %w", l.name, err)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("workflow %s: %w", l.name, ctx.Err())
		}
	}
	return nil
}

func (l *soakLife) script(r *rand.Rand) []func(context.Context) error {
	type steps = []func(context.Context) error
	if l.short {
		return append(steps{l.deploy, l.deploy}, []steps{
			{l.pause, l.resume}, {l.rollBack, l.drain, l.prune}, {l.pause}, {l.drain, l.prune, l.deploy},
		}[l.number%4]...)
	}
	all := steps{l.deploy, l.deploy}
	middle := []steps{{l.rollBack}, {l.pause, l.resume}, {l.deploy}}
	r.Shuffle(len(middle), func(i, j int) { middle[i], middle[j] = middle[j], middle[i] })
	for _, some := range middle {
		all = append(all, some...)
	}
	all = append(all, l.drain, l.prune)
	switch l.number % 4 {
	case 0:
		all = append(all, l.deploy)
	case 2:
		all = append(all, l.deploy, l.pause)
	}
	return all
}

// source is a version of the workflow. Each listens to other events than the one
// before, so that its consumer changes; some of them park.
func (l *soakLife) source() []byte {
	steps := fmt.Sprintf("  - { id: v, set: %d }\n", l.version)
	if l.version%2 == 0 {
		steps += "  - sleep: 2500ms\n"
	}
	return fmt.Appendf(nil, "name: %s\non: [ { event: [ %s, %s.v%d ] } ]\nsteps:\n%s", l.name, l.name, l.name, l.version, steps)
}

// change carries out a command, again until it succeeds, and notes what it made.
func (l *soakLife) change(ctx context.Context, to catalog.State, do func(context.Context, *app.Client) (version string, err error)) error {
	c := soakChange{begun: time.Now(), state: to}
	err := l.command(ctx, to == catalog.Removed, func(ctx context.Context, client *app.Client) (err error) {
		c.version, err = do(ctx, client)
		return err
	})
	c.done = time.Now()
	l.changes = append(l.changes, c)
	return err
}

func (l *soakLife) now() soakChange { return l.changes[len(l.changes)-1] }

func (l *soakLife) deploy(ctx context.Context) error {
	l.version++
	err := l.change(ctx, catalog.Active, func(ctx context.Context, c *app.Client) (string, error) {
		d, _, err := c.Catalog.Deploy(ctx, l.name+".yaml", l.source())
		return d.Version, err
	})
	if err != nil {
		return err
	}
	return l.begins(ctx, "deployed")
}

func (l *soakLife) rollBack(ctx context.Context) error {
	is, to := l.now().version, ""
	for _, c := range l.changes {
		if c.version != is {
			to = c.version // the one before, whatever else was done
		}
	}
	err := l.change(ctx, catalog.Active, func(ctx context.Context, c *app.Client) (string, error) {
		d, err := deployment.Rollback(ctx, c.Operator(), l.name, to)
		return d.Version, err
	})
	if err != nil {
		return err
	}
	return l.begins(ctx, "rolled back")
}

// pause pauses the workflow. What is published then runs once it is resumed: the
// end looks at what began meanwhile.
func (l *soakLife) pause(ctx context.Context) error {
	is := l.now().version
	err := l.change(ctx, catalog.Paused, func(ctx context.Context, c *app.Client) (string, error) {
		return is, c.Catalog.Pause(ctx, l.name)
	})
	if err != nil {
		return err
	}
	l.watch(ctx, soakRuns, soakRuns)
	return ctx.Err()
}

func (l *soakLife) resume(ctx context.Context) error {
	is := l.now().version
	err := l.change(ctx, catalog.Active, func(ctx context.Context, c *app.Client) (string, error) {
		return is, c.Catalog.Resume(ctx, l.name)
	})
	if err != nil {
		return err
	}
	return l.begins(ctx, "resumed")
}

// drain waits until all that was published has its run: a removal lets pass what
// the workflow has not taken.
func (l *soakLife) drain(ctx context.Context) error {
	for run := range l.owed {
		for l.tail.get(run).id == "" {
			if ctx.Err() != nil {
				return fmt.Errorf("waiting for the start of run %s: %w", run, ctx.Err())
			}
			<-time.After(50 * time.Millisecond)
		}
	}
	return nil
}

// prune removes the workflow as a deployment of a folder does that has all others.
func (l *soakLife) prune(ctx context.Context) error {
	err := l.change(ctx, catalog.Removed, func(ctx context.Context, c *app.Client) (string, error) {
		return "", soakPrune(ctx, c, func(name string) bool { return name != l.name })
	})
	if err != nil {
		return err
	}
	l.watch(ctx, soakMayRun, soakNeither)
	if l.has(ctx, l.name) {
		l.fault("%s has a consumer, %v after it was pruned", l.name, time.Since(l.now().done).Round(time.Millisecond))
	}
	return ctx.Err()
}

// soakPrune removes what is deployed and not to be kept, as `zflow deploy --prune` does.
func soakPrune(ctx context.Context, c *app.Client, keep func(name string) bool) error {
	entries, err := c.Catalog.List(ctx)
	if err != nil {
		return err
	}
	var files []deployment.Candidate
	for _, e := range entries {
		if keep(e.Name) {
			files = append(files, deployment.Candidate{Name: e.Name, Version: e.Version, File: e.File})
		}
	}
	plan, err := deployment.Plan(ctx, c.Operator(), files, true)
	if err != nil {
		return err
	}
	for _, p := range plan {
		if p.Change == deployment.Removed {
			if err := c.Catalog.Remove(ctx, p.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// watch publishes until a change has to hold, and a while longer.
func (l *soakLife) watch(ctx context.Context, before, after soakDuty) {
	from := l.now().done
	for duty := before; ctx.Err() == nil; {
		up := l.clock.between(from, time.Now())
		if up > soakHolds {
			duty = after
		}
		if up > soakHolds+time.Second {
			return
		}
		l.publish(ctx, duty)
		<-time.After(300 * time.Millisecond)
	}
}

// begins publishes until the worker that nobody restarted has begun a run with the
// version that is active now. It has to in time.
func (l *soakLife) begins(ctx context.Context, what string) error {
	from, version := l.now().done, l.now().version
	for {
		if at, yes := l.tail.first(l.name, version, l.veteran, from); yes {
			l.held(l.clock.between(from, at), "%s: %s, version %.6s", l.name, what, version)
			return nil
		}
		if up := l.clock.between(from, time.Now()); up > 3*soakHolds || ctx.Err() != nil {
			return fmt.Errorf("%s %v ago: the worker that nobody restarted has not begun a run of version %.6s", what, up.Round(time.Millisecond), version)
		}
		l.publish(ctx, soakRuns)
		<-time.After(80 * time.Millisecond)
	}
}

// publish publishes an event for the workflow until it is accepted.
func (l *soakLife) publish(ctx context.Context, duty soakDuty) {
	l.sent++
	e := &proto.Event{
		ID: proto.EventID(proto.SourceApp, l.name, fmt.Sprint(l.sent)), Type: l.name, Source: proto.SourceApp,
		Origin: proto.FromTest, Time: time.Now(), ReceivedAt: time.Now(), ContentType: "application/json", Body: []byte(`{}`),
	}
	l.load.accept(ctx, e)
	if ctx.Err() == nil {
		l.owed[proto.RunID(l.name, e.ID)] = duty
	}
}

// audit says what of the runs of the workflow is not as it has to be.
func (l *soakLife) audit() {
	for _, r := range l.tail.of(l.name) {
		duty, known := l.owed[r.id]
		switch {
		case !known:
			l.fault("run %s of %s belongs to no accepted event", r.id, l.name)
		case duty == soakNeither:
			l.fault("run %s of %s began at %s, by an event that came when it was pruned", r.id, l.name, procClock(r.begun))
		case r.state != "completed":
			l.fault("run %s of %s is %s", r.id, l.name, r.state)
		}
		if why := l.wrong(r); why != "" {
			l.fault("run %s of %s: %s", r.id, l.name, why)
		}
	}
	for run, duty := range l.owed {
		if duty == soakRuns && l.tail.get(run).id == "" {
			l.fault("event without a run: %s of %s", run, l.name)
		}
	}
}

// wrong says what is wrong with the begin of a run: a change before it held no more.
func (l *soakLife) wrong(r soakRun) string {
	for i, c := range l.changes {
		if i+1 < len(l.changes) && l.changes[i+1].begun.Before(r.begun) || l.clock.between(c.done, r.begun) < soakHolds || c.done.After(r.begun) {
			continue
		}
		if c.state != catalog.Active || c.version != r.version {
			return fmt.Sprintf("worker %s began it with version %.6s at %s, since %s the workflow is %s, version %.6s",
				r.worker, r.version, procClock(r.begun), procClock(c.done), c.state, c.version)
		}
	}
	return ""
}

// unfinished is a run that is owed and has not ended.
func (l *soakLife) unfinished() string {
	for run, duty := range l.owed {
		if r := l.tail.get(run); duty == soakRuns && r.state != "completed" || r.state == "running" || r.state == "waiting" {
			return fmt.Sprintf("run %s of %s is %q", run, l.name, r.state)
		}
	}
	return ""
}
