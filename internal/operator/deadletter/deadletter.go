// Package deadletter lists the events that came to nothing: the run of each failed
// before its first step could begin, or was given up because its workers were
// lost again and again, or was refused a start. Each is a run of its own, whose
// event can be replayed.
package deadletter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"zflow/engine"
	"zflow/engine/history"
	"zflow/internal/operator"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// Reasons beside those of failed runs.
const (
	Refused = "refused" // a start that once, concurrency or a quota did not allow
	poison  = "poison"
)

// beforehand are the reasons of failures that are no step's.
var beforehand = []string{"trigger", "definition", "engine"}

// Letter is one event that came to nothing for one workflow.
type Letter struct {
	Run       string    `json:"run"`
	Workflow  string    `json:"workflow"`
	Status    string    `json:"status"`
	Reason    string    `json:"reason"` // poison, trigger, definition, engine, refused
	Why       string    `json:"why"`
	EventID   string    `json:"event_id"`
	EventType string    `json:"event_type"`
	At        time.Time `json:"at"`
}

// Query says which are listed. Zero values: all.
type Query struct {
	Workflow string
	Since    time.Time // ended at or after
	Limit    int
}

// List lists dead letters, the newest first.
func List(ctx context.Context, o *operator.Operator, q Query) ([]Letter, error) {
	stream, err := o.JS.Stream(ctx, wire.Runs)
	if err != nil {
		return nil, fmt.Errorf("listing dead letters: %w", err)
	}
	var heads []history.Head
	err = o.History.Heads(ctx, q.Workflow, []string{string(engine.Failed), string(engine.Canceled)}, func(h history.Head) error {
		if !h.At.Before(q.Since) {
			heads = append(heads, h)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(heads, func(a, b history.Head) int { return cmp.Compare(b.Sequence, a.Sequence) })
	all := []Letter{}
	for _, h := range heads {
		l, dead, err := letter(ctx, o, stream, h)
		if err != nil {
			return nil, fmt.Errorf("listing dead letters: run %s: %w", h.Run, err)
		}
		if dead {
			all = append(all, l)
		}
		if q.Limit > 0 && len(all) == q.Limit {
			break
		}
	}
	return all, nil
}

// letter looks at how a run ended, and tells whether that made it one.
func letter(ctx context.Context, o *operator.Operator, stream jetstream.Stream, h history.Head) (Letter, bool, error) {
	m, err := stream.GetMsg(ctx, h.Sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Letter{}, false, nil // it has aged away meanwhile
	}
	if err != nil {
		return Letter{}, false, err
	}
	f := &v1.Facts{}
	if err := proto.Unmarshal(m.Data, f); err != nil || len(f.Facts) == 0 {
		return Letter{}, false, nil // a damaged history is verify's to report
	}
	l := Letter{Run: h.Run, Workflow: h.Workflow, Status: h.State, At: h.At.UTC(), EventID: h.Header.Get("zflow-event-id"), EventType: h.Header.Get("zflow-event-type")}
	end, begun := f.Facts[len(f.Facts)-1], f.Facts[0].GetRunStarted() != nil
	if failed := end.GetRunFailed(); failed != nil {
		l.Reason, l.Why = failed.Reason, operator.Line(failed.Error.GetMessage())
	} else if canceled := end.GetRunCanceled(); canceled != nil {
		l.Reason, l.Why = Refused, operator.Line(canceled.Why)
	}
	switch {
	case l.Reason == poison, l.Reason == Refused && begun && !ordered(f):
		return l, true, nil
	case !slices.Contains(beforehand, l.Reason):
		return l, false, nil
	case begun:
		return l, !stepped(f), nil
	}
	whole, err := o.History.Load(ctx, h.Workflow, h.Run)
	var damaged *history.Damaged
	if errors.As(err, &damaged) {
		return l, false, nil
	}
	if err != nil {
		return l, false, err
	}
	return l, !slices.ContainsFunc(whole.Appends, stepped), nil
}

// ordered tells whether a person ended the run.
func ordered(f *v1.Facts) bool {
	return slices.ContainsFunc(f.Facts, func(f *v1.Fact) bool { return f.GetCancelRequested() != nil })
}

// stepped tells whether a step began in an append.
func stepped(f *v1.Facts) bool {
	return slices.ContainsFunc(f.Facts, func(f *v1.Fact) bool { return f.Step != "" })
}
