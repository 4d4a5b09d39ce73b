package operator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"zflow/engine"
	"zflow/engine/history"
	"zflow/internal/sealed"
)

// Run is one line of a list of runs.
type Run struct {
	ID        string     `json:"id"`
	Workflow  string     `json:"workflow"`
	Version   string     `json:"version"`
	Status    string     `json:"status"`
	EventID   string     `json:"event_id"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at"` // null while it is open
	Error     *string    `json:"error"`    // of a failed run, else null
}

// RunQuery says which runs are listed. Zero values: all.
type RunQuery struct {
	Workflow string
	Status   string
	Since    time.Time // started at or after
	Before   RunPlace  // only what the list has behind it
	Limit    int       // 0: none
}

// RunPlace is where a run stands in a list; zero: before all.
type RunPlace struct {
	StartedAt time.Time
	ID        string
}

// compare orders places as a list has them: the newest first.
func (p RunPlace) compare(other RunPlace) int {
	return cmp.Or(other.StartedAt.Compare(p.StartedAt), cmp.Compare(p.ID, other.ID))
}

// Place is where a run stands in a list.
func (r *Run) Place() RunPlace { return RunPlace{r.StartedAt, r.ID} }

// Statuses are those that a run can have.
func Statuses() []string {
	return []string{string(engine.Running), string(engine.Waiting), string(engine.Completed), string(engine.Failed), string(engine.Canceled)}
}

// Runs lists runs, the newest first. It reads headers only.
func (o *Operator) Runs(ctx context.Context, q RunQuery) ([]Run, error) {
	if q.Workflow != "" && !plain(q.Workflow) {
		return []Run{}, nil
	}
	var states []string
	if q.Status != "" {
		states = []string{q.Status}
	}
	runs := []Run{}
	err := o.History.Heads(ctx, q.Workflow, states, func(h history.Head) error {
		if r := runOf(h); !r.StartedAt.Before(q.Since) && (q.Before.ID == "" || q.Before.compare(r.Place()) < 0) {
			runs = append(runs, r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(runs, func(a, b Run) int { return a.Place().compare(b.Place()) })
	if q.Limit > 0 && len(runs) > q.Limit {
		runs = runs[:q.Limit]
	}
	return runs, nil
}

// runOf reads the last append's subject and headers.
func runOf(h history.Head) Run {
	get := func(name string) string {
		if v := h.Header[name]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	r := Run{ID: h.Run, Workflow: h.Workflow, Version: get("zflow-version"), Status: h.State, EventID: get("zflow-event-id"), StartedAt: h.At.UTC()}
	if at, err := time.Parse(time.RFC3339Nano, get("zflow-started-at")); err == nil {
		r.StartedAt = at.UTC()
	}
	if engine.State(h.State).Ended() {
		at := h.At.UTC()
		r.EndedAt = &at
	}
	if e := get("zflow-error"); h.State == string(engine.Failed) && e != "" {
		e = sealed.Mask(e)
		r.Error = &e
	}
	return r
}

// runIDLength is that of a whole id.
const runIDLength = 26

// Name tells whether a text can be the name of a workflow.
func Name(text string) bool { return plain(text) }

// plain tells whether a text can be the whole or the beginning of an id or a
// name, and so may stand in a subject.
func plain(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

// Find returns the last append of the run with this id, or with the only id that
// begins so.
func (o *Operator) Find(ctx context.Context, id string) (history.Head, error) {
	if !plain(id) {
		return history.Head{}, noRun(id)
	}
	if len(id) >= runIDLength {
		h, err := o.History.Find(ctx, id)
		if err == nil && h.Sequence == 0 {
			err = noRun(id)
		}
		return h, err
	}
	var found []history.Head
	err := o.History.Heads(ctx, "", nil, func(h history.Head) error {
		if strings.HasPrefix(h.Run, id) {
			found = append(found, h)
		}
		return nil
	})
	switch {
	case err != nil:
		return history.Head{}, err
	case len(found) == 0:
		return history.Head{}, noRun(id)
	case len(found) > 1:
		return history.Head{}, classed(ErrInvalid, fmt.Errorf("looking for run %s: %d runs have ids that begin so, such as %s and %s", id, len(found), found[0].Run, found[1].Run))
	}
	return found[0], nil
}

func noRun(id string) error {
	return classed(ErrNotFound, fmt.Errorf("looking for run %.40q: there is none with this id", id))
}
