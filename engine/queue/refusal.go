package queue

import (
	"context"
	"fmt"
	"strings"
	"time"

	"zflow/engine"
	"zflow/engine/gates"
	v1 "zflow/proto/zflow/v1"
)

// Start is a run that is about to begin.
type Start struct {
	Workflow *engine.Workflow
	Trigger  int // that takes the event
	Event    *v1.Event
	Came     time.Time // the event: when it was stored
	Now      time.Time
}

// Refusal says why a run is not to run, "" if it is: another event was the first of
// its key, or the workflow's quota is used up. What it says is durable. broken: the
// key cannot be evaluated.
func (q *Queue) Refusal(ctx context.Context, s Start) (why string, broken, err error) {
	if s.Workflow.Triggers[s.Trigger].Once != nil {
		if why, broken, err = q.later(ctx, s); why != "" || broken != nil || err != nil {
			return why, broken, err
		}
	}
	limit := s.Workflow.Limits.RunsPerMinute
	if limit == 0 {
		return "", nil, nil
	}
	ok, err := q.Gates.Take(ctx, s.Workflow.Name, s.Now, limit)
	if err == nil && !ok {
		why = fmt.Sprintf("over quota: limits.runs_per_minute is %d", limit)
	}
	return why, nil, err
}

// later is about the trigger's once. Triggers are told apart by what they take, so
// that moving them in the file changes nothing.
func (q *Queue) later(ctx context.Context, s Start) (why string, broken, err error) {
	t := &s.Workflow.Triggers[s.Trigger]
	key, broken := Text(s.Workflow, s.Event, t.Once.Key)
	if broken != nil {
		return "", fmt.Errorf("evaluating the key of once: %w", broken), nil
	}
	won, by, err := q.Gates.Win(ctx, gates.Claim{
		Workflow: s.Workflow.Name, Trigger: t.Source + " " + strings.Join(t.Types, " "),
		Key: key, EventID: s.Event.Id, At: s.Came, Per: t.Once.Per,
	})
	if err == nil && !won {
		why = "once: event " + by + " was the first of its key"
	}
	return why, nil, err
}
