package console

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"zflow/internal/operator"
)

// A page of a list has so many lines unless limit says otherwise.
const (
	defaultLimit = 100
	mostListed   = 1000
)

func (c *call) limit() (int, error) {
	text := c.r.FormValue("limit")
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > mostListed {
		return 0, invalid("limit=%.20q is no number from 1 to %d", text, mostListed)
	}
	return n, nil
}

// eventPage is a page of events, the newest first.
type eventPage struct {
	Events []operator.Event `json:"events"`
	Next   *uint64          `json:"next"` // the before of the next page; null: this is the last
}

func (a *api) listEvents(c *call) (any, error) {
	if err := c.parameters(nil, "type", "since", "before", "limit"); err != nil {
		return nil, err
	}
	q := operator.EventQuery{Type: c.r.FormValue("type")}
	var err error
	if q.Limit, err = c.limit(); err != nil {
		return nil, err
	}
	if q.Since, err = sinceOf(c.r.FormValue("since")); err != nil {
		return nil, err
	}
	if text := c.r.FormValue("before"); text != "" {
		if q.Before, err = strconv.ParseUint(text, 10, 64); err != nil || q.Before == 0 {
			return nil, invalid("before=%.30q is no sequence of an event", text)
		}
	}
	page := eventPage{}
	if page.Events, err = c.backend.Operator.Events(c.ctx, q); err != nil {
		return nil, err
	}
	if n := len(page.Events); n == q.Limit {
		page.Next = &page.Events[n-1].Sequence
	}
	return page, nil
}

func (a *api) showEvent(c *call) (any, error) {
	return c.backend.Operator.Event(c.ctx, c.r.PathValue("id"))
}

// runPage is a page of runs, the newest first.
type runPage struct {
	Runs []operator.Run `json:"runs"`
	Next *string        `json:"next"` // the before of the next page; null: this is the last
}

func (a *api) listRuns(c *call) (any, error) {
	if err := c.parameters(nil, "workflow", "status", "since", "before", "limit"); err != nil {
		return nil, err
	}
	q := operator.RunQuery{Workflow: c.r.FormValue("workflow"), Status: c.r.FormValue("status")}
	if q.Status != "" && !slices.Contains(operator.Statuses(), q.Status) {
		return nil, invalid("a run is never %.40q: it is one of %s", q.Status, strings.Join(operator.Statuses(), ", "))
	}
	var err error
	if q.Limit, err = c.limit(); err != nil {
		return nil, err
	}
	if q.Since, err = sinceOf(c.r.FormValue("since")); err != nil {
		return nil, err
	}
	if q.Before, err = placeOf(c.r.FormValue("before")); err != nil {
		return nil, err
	}
	page := runPage{}
	if page.Runs, err = c.backend.Operator.Runs(c.ctx, q); err != nil {
		return nil, err
	}
	if n := len(page.Runs); n == q.Limit {
		next := placeText(page.Runs[n-1].Place())
		page.Next = &next
	}
	return page, nil
}

// placeText is a place in a list of runs as the next page is asked for.
func placeText(p operator.RunPlace) string {
	return base64.RawURLEncoding.EncodeToString([]byte(p.StartedAt.Format(time.RFC3339Nano) + " " + p.ID))
}

func placeOf(text string) (p operator.RunPlace, err error) {
	if text == "" {
		return p, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	at, id, ok := strings.Cut(string(raw), " ")
	if err == nil && ok {
		p.ID = id
		p.StartedAt, err = time.Parse(time.RFC3339Nano, at)
	}
	if err != nil || p.ID == "" {
		return p, invalid("before=%.60q is not the next of a page", text)
	}
	return p, nil
}

func (a *api) showRun(c *call) (any, error) {
	return c.backend.Operator.Show(c.ctx, c.r.PathValue("id"))
}

func (a *api) listWorkflows(c *call) (any, error) {
	all, err := c.backend.Operator.Workflows(c.ctx)
	return map[string]any{"workflows": all}, err
}

func (a *api) showWorkflow(c *call) (any, error) {
	name := c.r.PathValue("name")
	if !operator.Name(name) {
		return nil, invalid("%.60q is no name of a workflow", name)
	}
	return c.backend.Operator.Workflow(c.ctx, name)
}
