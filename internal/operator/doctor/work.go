package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/engine/catalog"
	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/internal/operator"
	wire "zflow/proto"
)

// workers are known by their leases.
func (e *examination) workers(ctx context.Context) {
	workers, err := leases.Workers(ctx, e.js)
	if err != nil {
		e.note("the leases of workers cannot be listed: %v", err)
		return
	}
	if workers == 0 {
		e.found("worker", "", "start a worker, or zflow dev", "none is running: events are kept, and start runs once one does")
	}
}

// lagging is from how many events that wait on a workflow is said to lag.
const lagging = 1000

func (e *examination) workflows(ctx context.Context) {
	all, err := e.op.Catalog.List(ctx)
	if err != nil {
		e.found("workflow", "", "look at the server's log", "the workflows cannot be listed: %v", err)
		return
	}
	for _, entry := range all {
		w, err := e.op.WorkflowOf(ctx, entry)
		e.definition(ctx, entry)
		switch {
		case err != nil:
			e.found("workflow", entry.Name, "look at the server's log", "%v", err)
		case entry.State == catalog.Unreadable:
			e.found("workflow", entry.Name, "use the zflow that deployed it, or deploy it anew", "its entry cannot be read")
		case w.Problem != "":
			e.found("workflow", entry.Name, "deploy a corrected version", "%s", w.Problem)
		case entry.State == catalog.Paused:
			e.found("workflow", entry.Name, "zflow workflows resume "+entry.Name, "it is paused, and %s", plural(w.Pending+uint64(w.Unacked), "event waits", "events wait"))
		default:
			e.lag(ctx, entry, w)
			e.mailboxes(ctx, entry)
		}
	}
}

func (e *examination) lag(ctx context.Context, entry catalog.Entry, w operator.Workflow) {
	consumer, err := e.js.Consumer(ctx, wire.Events, entry.Name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		if slices.ContainsFunc(w.Triggers, func(t string) bool { return !strings.HasPrefix(t, "call") }) {
			e.found("consumer", entry.Name, "start a worker, or deploy it again: the consumer is made anew", "it is not there, so no event reaches the workflow")
		}
		return
	}
	if err != nil {
		e.found("consumer", entry.Name, "look at the server's log", "it cannot be read: %v", err)
		return
	}
	info := consumer.CachedInfo()
	e.consumer(entry.Name, info.Config)
	e.filters(ctx, entry, info.Config)
	switch {
	case info.NumPending >= lagging:
		e.found("workflow", entry.Name, "start more workers, or look why its steps are slow", "it lags: %d events wait", info.NumPending)
	case info.NumPending > 0 && info.NumWaiting == 0 && info.NumAckPending == 0:
		e.found("workflow", entry.Name, "start a worker", "%s, and no worker asks for them", plural(info.NumPending, "event waits", "events wait"))
	}
}

func (e *examination) filters(ctx context.Context, entry catalog.Entry, c jetstream.ConsumerConfig) {
	def, err := e.op.Catalog.Workflow(ctx, entry.Name, entry.Version)
	if err != nil {
		return // said already
	}
	have := slices.Sorted(slices.Values(append(slices.Clone(c.FilterSubjects), c.FilterSubject)))
	have = slices.DeleteFunc(have, func(s string) bool { return s == "" })
	if want := catalog.Filters(def.Triggers); !slices.Equal(have, want) {
		e.found("consumer", entry.Name, "deploy the workflow again", "it gets events of %s, its triggers want %s", strings.Join(have, " "), strings.Join(want, " "))
	}
}

func plural(n uint64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// mostLoaded is how many open runs are read whole.
const mostLoaded = 2000

// runs reads the histories of open runs: those that wait for a person, and those
// that are damaged, go on by themselves never.
func (e *examination) runs(ctx context.Context) {
	var open []history.Head
	err := e.op.History.Heads(ctx, "", []string{string(engine.Waiting), string(engine.Running)}, func(h history.Head) error {
		open = append(open, h)
		return nil
	})
	if err != nil {
		e.found("run", "", "look at the server's log", "the runs cannot be listed: %v", err)
		return
	}
	slices.SortFunc(open, func(a, b history.Head) int { return b.At.Compare(a.At) })
	if len(open) > mostLoaded {
		e.note("of %d open runs the %d that moved last were read", len(open), mostLoaded)
		open = open[:mostLoaded]
	}
	for _, h := range open {
		e.run(ctx, h)
	}
}

func (e *examination) run(ctx context.Context, h history.Head) {
	_, r, err := e.op.Load(ctx, h)
	var damaged *history.Damaged
	var unknown *engine.UnknownFact
	switch {
	case errors.As(err, &damaged):
		e.found("run", h.Run, "no worker touches it: restore the store from a backup, or replay its event with zflow events replay", "%v", err)
		return
	case errors.As(err, &unknown):
		e.found("run", h.Run, "update the workers and this program", "%v", err)
		return
	case err != nil:
		e.found("run", h.Run, "no worker can go on with it: replay its event with zflow events replay", "%v", err)
		return
	}
	for path, s := range r.Steps {
		if s.Status == engine.StepAsking {
			e.found("run", h.Run, fmt.Sprintf("zflow runs approve %s %s --choice retry|done|fail", h.Run, path),
				"workflow %s: step %s waits for a person to say what its attempt of unknown outcome did", h.Workflow, path)
		}
	}
}

// histories reads all of RUNS. What the check of open runs found is said twice
// then: there by what it keeps from going on, here by where it is.
func (e *examination) histories(ctx context.Context) {
	if !e.Histories {
		return
	}
	progress := e.Progress
	if progress == nil {
		progress = func(uint64, uint64) {}
	}
	v, err := e.op.Verify(ctx, progress)
	if err != nil {
		e.found("run", "", "look at the server's log, and ask again", "the histories cannot be checked: %v", err)
		return
	}
	for _, d := range v.Damaged {
		e.found("history", d.Run, "restore the store from a backup; zflow events replay runs the event anew", "workflow %s: message %d of %s: %s", d.Workflow, d.Sequence, wire.Runs, d.Why)
	}
	if n := uint64(len(v.Aged)); n > 0 {
		e.note("%s older than %s keeps them", plural(n, "run has lost first facts that are", "runs have lost first facts that are"), wire.Runs)
	}
	e.note("%s of %s were read", plural(v.Appends, "append", "appends"), plural(v.Runs, "run", "runs"))
}
