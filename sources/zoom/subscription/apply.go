package subscription

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"zflow/internal/zoomapi"
)

const (
	path = "/marketplace/app/event_subscription"
	// mostUsers is how many users one call may name.
	mostUsers = 10
	// mostRefusals is how often an event type may be refused until it is given up:
	// each try is a heavy call.
	mostRefusals = 20
	mostPages    = 100
)

// Keeper makes subscriptions what they are to be.
type Keeper struct {
	Call func(context.Context, zoomapi.Request) (zoomapi.Response, error)
}

// Plan reads what there is, and tells what is to be done.
func (k Keeper) Plan(ctx context.Context, a App) (Report, error) {
	held := make([][]Held, len(a.Targets))
	for i, t := range a.Targets {
		var err error
		if held[i], err = k.list(ctx, a, t.Account); err != nil {
			return Report{}, err
		}
	}
	return Plan(a, held), nil
}

// Apply plans and does what is planned.
func (k Keeper) Apply(ctx context.Context, a App) (Report, error) {
	r, err := k.Plan(ctx, a)
	if err != nil {
		return r, err
	}
	r.Applied = true
	d := doer{Keeper: k, App: a, Report: &r}
	for i := range r.Changes {
		c := &r.Changes[i]
		if err := d.do(ctx, c); err != nil {
			r.problem("account %s: %v", c.Account, err)
		}
	}
	r.Changes = slices.DeleteFunc(r.Changes, func(c Change) bool { return c.Do == "" })
	return r, ctx.Err()
}

func (k Keeper) list(ctx context.Context, a App, account string) ([]Held, error) {
	var all []Held
	q := url.Values{"account_id": {account}, "page_size": {"300"}}
	for range mostPages {
		res, err := k.Call(ctx, zoomapi.Request{Connection: a.Connection, Account: account, Method: http.MethodGet, Path: path, Query: q})
		if err != nil {
			return nil, fmt.Errorf("listing the event subscriptions of app %s: %w", a.Name, err)
		}
		var page struct {
			Subscriptions []Held `json:"event_subscriptions"`
			Next          string `json:"next_page_token"`
		}
		if err := json.Unmarshal(res.Body, &page); err != nil {
			return nil, fmt.Errorf("listing the event subscriptions of app %s: Zoom's answer is not one: %w", a.Name, err)
		}
		all = append(all, page.Subscriptions...)
		if page.Next == "" {
			return all, nil
		}
		q.Set("next_page_token", page.Next)
	}
	return nil, fmt.Errorf("listing the event subscriptions of app %s: Zoom's list does not end", a.Name)
}

type doer struct {
	Keeper
	App
	*Report
}

func (d *doer) do(ctx context.Context, c *Change) error {
	var err error
	switch c.Do {
	case Create:
		err = d.create(ctx, c)
	case Users:
		err = errors.Join(d.join(ctx, c, c.Join), d.leave(ctx, c))
	}
	if err != nil || c.Do == "" {
		return err // nothing that brings events ends
	}
	for _, id := range c.Replaces {
		if err := d.end(ctx, id); err != nil {
			return err
		}
	}
	c.Done = true
	return nil
}

// create makes a subscription, without the types that Zoom does not allow the app.
// Where those were all that is new, there is nothing to do.
func (d *doer) create(ctx context.Context, c *Change) error {
	first := c.Join[:min(len(c.Join), mostUsers)]
	for refused := 0; ; refused++ {
		id, err := d.post(ctx, c, first)
		if err == nil {
			c.ID = id
			d.Lacking = slices.DeleteFunc(d.Lacking, func(l Lacking) bool { // it was allowed
				return !l.Said && l.Account == c.Account && slices.Contains(c.Events, l.Type)
			})
			return d.join(ctx, c, c.Join[len(first):])
		}
		types := notAllowed(err, c.Events)
		if len(types) == 0 {
			return explain(err, d.App.URL)
		}
		if refused >= mostRefusals {
			return fmt.Errorf("subscribing: Zoom refuses event after event, %s among them: choose the scopes in Zoom's Marketplace first, or let workflows name types rather than patterns", types[0])
		}
		d.refused(c, types)
		if done := d.settle(c); done {
			return errors.Join(d.join(ctx, c, c.Join), d.leave(ctx, c))
		}
	}
}

// settle tells whether no subscription need be made for the types that are left:
// there is one of just these, or there are none.
func (d *doer) settle(c *Change) bool {
	if len(c.Events) > 0 {
		as, ok := matching(c.ours, c.Events)
		if !ok {
			return false
		}
		as.Account, as.Join, as.Leave = c.Account, without(c.Join, as.had), without(as.had, c.Join)
		*c = as
		if c.empty() {
			c.Do = ""
		}
		return true
	}
	c.Do, c.Join = "", nil
	if d.Prune && len(c.Replaces) > 0 {
		c.Do = Remove
	}
	return true
}

func (d *doer) post(ctx context.Context, c *Change, users []string) (id string, err error) {
	t := Target{Users: users}
	if len(users) == 0 {
		t.Users = nil
	}
	body := map[string]any{
		"event_subscription_name": nameOf(d.App.Name), "events": c.Events, "event_webhook_url": d.App.URL,
		"subscription_scope": scopeOf(t), "account_id": c.Account,
	}
	if t.Users != nil {
		body["user_ids"] = users
	}
	if d.Header != nil {
		body["custom_header"] = d.Header
	}
	res, err := d.Call(ctx, zoomapi.Request{Connection: d.Connection, Account: c.Account, Method: http.MethodPost, Path: path, Body: body})
	if err != nil {
		return "", err
	}
	var made struct {
		ID string `json:"event_subscription_id"`
	}
	if json.Unmarshal(res.Body, &made) != nil || made.ID == "" {
		return "", errors.New("subscribing: Zoom does not say which subscription it made: ask again")
	}
	return made.ID, nil
}

// refused notes types that Zoom does not allow, and leaves them out.
func (d *doer) refused(c *Change, types []string) {
	c.Events, c.Added, c.Removed = without(c.Events, types), without(c.Added, types), without(c.Removed, types)
	t := Target{Account: c.Account}
	if len(c.Join) > 0 {
		t.Users = c.Join
	}
	for _, kind := range types {
		n := Need{Type: kind}
		if i := slices.IndexFunc(d.Needs, func(n Need) bool { return n.Type == kind }); i >= 0 {
			n = d.Needs[i]
		}
		l := lacking(t, n)
		l.Said = true
		d.Lacking = slices.DeleteFunc(d.Lacking, func(old Lacking) bool { return old.Type == kind && old.Account == c.Account })
		d.Lacking = append(d.Lacking, l)
	}
}

var word = regexp.MustCompile(`[a-z0-9_]+\.[a-z0-9_]+`)

// notAllowed returns which of the types Zoom says are not allowed for the app.
func notAllowed(err error, types []string) (refused []string) {
	var e *zoomapi.Error
	if !errors.As(err, &e) || e.Status < 400 || e.Status >= 500 || !strings.Contains(strings.ToLower(e.Message), "not allowed") {
		return nil
	}
	for _, name := range word.FindAllString(e.Message, -1) {
		if slices.Contains(types, name) && !slices.Contains(refused, name) {
			refused = append(refused, name)
		}
	}
	return refused
}

// explain says what to do about an endpoint that Zoom does not accept.
func explain(err error, endpoint string) error {
	var e *zoomapi.Error
	if !errors.As(err, &e) {
		return err
	}
	switch text := strings.ToLower(e.Message); {
	case e.Outcome == zoomapi.Lost:
		return fmt.Errorf("%w: the subscription may have been made; plan again", err)
	case strings.Contains(text, "url") && e.Status == http.StatusBadRequest:
		return fmt.Errorf("%w: ingest must answer Zoom at %s, with this app's secret token in ingest.apps", err, endpoint)
	}
	return err
}

// join puts users into a subscription.
func (d *doer) join(ctx context.Context, c *Change, users []string) error {
	for chunk := range slices.Chunk(users, mostUsers) {
		_, err := d.Call(ctx, zoomapi.Request{Connection: d.Connection, Account: c.Account, Method: http.MethodPatch, Path: path + "/" + url.PathEscape(c.ID),
			Body: map[string]any{"user_ids": chunk, "account_id": c.Account}})
		if err != nil {
			return fmt.Errorf("putting users into subscription %s: %w", c.ID, err)
		}
	}
	return nil
}

func (d *doer) leave(ctx context.Context, c *Change) error {
	for chunk := range slices.Chunk(c.Leave, mostUsers) {
		q := url.Values{"event_subscription_id": {c.ID}, "user_ids": {strings.Join(chunk, ",")}, "account_id": {c.Account}}
		_, err := d.Call(ctx, zoomapi.Request{Connection: d.Connection, Account: c.Account, Method: http.MethodDelete, Path: path, Query: q})
		if err != nil {
			return fmt.Errorf("taking users out of subscription %s: %w", c.ID, err)
		}
	}
	return nil
}

// end ends a subscription; one that is gone already is as good.
func (d *doer) end(ctx context.Context, id string) error {
	_, err := d.Call(ctx, zoomapi.Request{Connection: d.Connection, Method: http.MethodDelete, Path: path + "/" + url.PathEscape(id)})
	var e *zoomapi.Error
	if err != nil && !(errors.As(err, &e) && e.Status == http.StatusNotFound) {
		return fmt.Errorf("ending subscription %s: %w", id, err)
	}
	return nil
}
