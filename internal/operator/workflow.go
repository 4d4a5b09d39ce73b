package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/engine/catalog"
	"zflow/proto"
)

// Workflow is a deployed workflow and where it stands with its events.
type Workflow struct {
	Name        string    `json:"name"`
	Version     string    `json:"version"`
	State       string    `json:"state"`
	File        string    `json:"file"`
	DeployedAt  time.Time `json:"deployed_at"`
	Description string    `json:"description"`
	Triggers    []string  `json:"triggers"` // zoom meeting.ended
	Pending     uint64    `json:"pending"`  // events that it has not had yet
	Unacked     int       `json:"unacked"`  // events that workers hold
	Problem     string    `json:"problem,omitempty"`
}

// WorkflowDetail is all of a deployed workflow.
type WorkflowDetail struct {
	Workflow
	Source string `json:"source"`
	Runs   []Run  `json:"runs"`            // the last ones
	Ticks  []Tick `json:"ticks,omitempty"` // when it polls, or runs by a schedule
	Fires  []Fire `json:"fires,omitempty"` // the next times of its schedules
	Polls  *Poll  `json:"polls,omitempty"` // how that goes; nil: it does not poll

	Requests  []string  `json:"requests,omitempty"`  // the paths that start it
	Mailboxes []Mailbox `json:"mailboxes,omitempty"` // on other servers, whose mails start it
}

// lastRuns is how many runs a workflow is shown with.
const lastRuns = 10

// Workflows lists the deployed workflows by name.
func (o *Operator) Workflows(ctx context.Context) ([]Workflow, error) {
	entries, err := o.Catalog.List(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Workflow, 0, len(entries))
	for _, e := range entries {
		w, err := o.WorkflowOf(ctx, e)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}

// WorkflowOf tells of an entry of the catalog what stands behind it.
func (o *Operator) WorkflowOf(ctx context.Context, e catalog.Entry) (Workflow, error) {
	w := Workflow{Name: e.Name, Version: e.Version, State: string(e.State), File: e.File, DeployedAt: e.DeployedAt, Triggers: []string{}}
	def, err := o.Catalog.Workflow(ctx, e.Name, e.Version)
	if err != nil {
		w.Problem = oneLine(err.Error())
	} else {
		w.Description, w.Triggers = def.Description, triggersOf(def)
	}
	consumer, err := o.JS.Consumer(ctx, proto.Events, e.Name)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound):
		return w, nil
	case err != nil:
		return w, fmt.Errorf("looking up the consumer of workflow %s: %w", e.Name, err)
	}
	info := consumer.CachedInfo()
	w.Pending, w.Unacked = info.NumPending, info.NumAckPending
	return w, nil
}

// named are sources that workflows name otherwise.
var named = map[string]string{proto.SourceApp: "event"}

func triggersOf(def *engine.Workflow) []string {
	all := []string{}
	for _, t := range def.Triggers {
		if t.Source == engine.SourceCall {
			t.Types = []string{""}
		}
		for _, kind := range t.Types {
			text := strings.TrimSpace(cmp.Or(named[t.Source], t.Source) + " " + kind)
			switch {
			case t.HTTP != nil:
				text = "http " + cmp.Or(strings.Join(t.HTTP.Methods, ","), "ANY") + " " + proto.PathHTTP + t.HTTP.Path
			case t.Poll != nil:
				text = "poll " + t.Poll.Uses.Action + " " + t.Ticks.Plan
			case t.Ticks != nil:
				text = t.Source + " " + t.Ticks.Plan
			}
			if t.If != nil {
				text += " (if …)"
			}
			all = append(all, text)
		}
	}
	return all
}

// Workflow shows one deployed workflow.
func (o *Operator) Workflow(ctx context.Context, name string) (*WorkflowDetail, error) {
	e, err := o.Catalog.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	w, err := o.WorkflowOf(ctx, e)
	if err != nil {
		return nil, err
	}
	def, err := o.Catalog.Workflow(ctx, e.Name, e.Version)
	if err != nil {
		def = &engine.Workflow{} // WorkflowOf says why
	}
	source, err := o.Catalog.Source(ctx, e.Name, e.Version)
	if err != nil {
		return nil, err
	}
	runs, err := o.Runs(ctx, RunQuery{Workflow: name, Limit: lastRuns})
	if err != nil {
		return nil, err
	}
	detail := &WorkflowDetail{Workflow: w, Source: source, Runs: runs, Requests: requestsOf(def), Fires: Fires(def, time.Now(), nextFires)}
	if detail.Mailboxes, err = o.MailboxesOf(ctx, def); err != nil {
		return nil, err
	}
	return detail, o.addTicks(ctx, detail)
}

func requestsOf(def *engine.Workflow) (all []string) {
	for _, t := range def.Triggers {
		if t.HTTP != nil {
			all = append(all, proto.PathHTTP+t.HTTP.Path)
		}
	}
	return all
}
