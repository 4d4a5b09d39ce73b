package zoom

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"zflow/actions"
	"zflow/internal/zoomapi"
)

// skew is how far Zoom's clock may be behind ours.
const skew = 2 * time.Minute

// probeMeeting looks for a meeting of the host that is as the attempt wanted it
// and was created since it began.
func probeMeeting(ctx context.Context, c caller) (bool, actions.Result, error) {
	user, err := c.host()
	if err != nil {
		return false, actions.Result{}, err
	}
	kind := "scheduled"
	if c.call.Input["type"] == int64(1) {
		kind = "live" // an instant meeting is in no other list
	}
	meetings, err := c.all(ctx, "meetings", "/users/{userId}/meetings", user, url.Values{"type": {kind}})
	if err != nil {
		return false, actions.Result{}, err
	}
	wanted := wantedMeeting(c.call)
	var found []map[string]any
	for _, m := range meetings {
		if wanted.fits(m) && !seen(found, m["id"]) {
			found = append(found, m)
		}
	}
	switch len(found) {
	case 0:
		return false, actions.Result{}, nil
	case 1:
		id, _ := text(found[0]["id"])
		whole, err := c.meeting(ctx, id)
		return err == nil, actions.Result{Output: whole}, err
	}
	return false, actions.Result{}, actions.Final("%d meetings fit what the attempt would have made", len(found))
}

// host is whose list a new meeting stands in.
func (c caller) host() (string, error) {
	if other, _ := c.call.Input["schedule_for"].(string); other != "" {
		return other, nil
	}
	return c.user()
}

// seen tells whether an occurrence of the same meeting is listed already.
func seen(found []map[string]any, id any) bool {
	for _, m := range found {
		if m["id"] == id {
			return true
		}
	}
	return false
}

// wanted is what a meeting that an attempt made looks like in a list.
type wanted struct {
	topic string
	kind  int64
	start time.Time // zero: not known
	since time.Time
}

func wantedMeeting(call actions.Call) wanted {
	w := wanted{kind: 2, since: call.Started.Add(-skew).Truncate(time.Second)}
	w.topic, _ = call.Input["topic"].(string)
	if kind, ok := call.Input["type"].(int64); ok {
		w.kind = kind
	}
	start, _ := call.Input["start_time"].(string)
	zone, _ := call.Input["timezone"].(string)
	w.start = startTime(start, zone)
	return w
}

// startTime reads a start; without a zone it is in that of the host, whom we do
// not know.
func startTime(text, zone string) time.Time {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at
	}
	if zone == "" {
		return time.Time{}
	}
	place, err := time.LoadLocation(zone)
	if err != nil {
		return time.Time{}
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(layout, text, place); err == nil {
			return at
		}
	}
	return time.Time{}
}

func (w wanted) fits(m map[string]any) bool {
	if w.topic != "" && m["topic"] != strings.TrimSpace(w.topic) && m["topic"] != w.topic {
		return false
	}
	if kind, ok := m["type"].(int64); ok && kind != w.kind {
		return false
	}
	created, _ := m["created_at"].(string)
	at, err := time.Parse(time.RFC3339, created)
	if err != nil || at.Before(w.since) {
		return false
	}
	listed, _ := m["start_time"].(string)
	start, err := time.Parse(time.RFC3339, listed)
	if w.start.IsZero() || err != nil {
		return true
	}
	return start.Truncate(time.Minute).Equal(w.start.Truncate(time.Minute))
}

// probeRegistrant looks for the address among the meeting's registrants. Zoom
// registers an address once, so who is there was registered, by whomever.
func probeRegistrant(ctx context.Context, c caller) (bool, actions.Result, error) {
	id, err := c.param("meeting_id")
	if err != nil {
		return false, actions.Result{}, err
	}
	email, _ := c.call.Input["email"].(string)
	for _, status := range []string{"approved", "pending", "denied"} {
		people, err := c.all(ctx, "registrants", "/meetings/{meetingId}/registrants", id, url.Values{"status": {status}})
		if err != nil {
			return false, actions.Result{}, err
		}
		for _, p := range people {
			if theirs, _ := p["email"].(string); strings.EqualFold(theirs, strings.TrimSpace(email)) {
				out, err := c.receipt(ctx, id, p)
				return err == nil, actions.Result{Output: out}, err
			}
		}
	}
	return false, actions.Result{}, nil
}

// receipt is what Zoom would have answered to the registration.
func (c caller) receipt(ctx context.Context, id string, person map[string]any) (map[string]any, error) {
	out := map[string]any{"registrant_id": person["id"]}
	for _, name := range []string{"join_url", "participant_pin_code"} {
		if v, ok := person[name]; ok {
			out[name] = v
		}
	}
	meeting, err := c.meeting(ctx, id)
	var e *actions.Error
	if errors.As(err, &e) && e.Class == actions.ClassFinal {
		return out, nil // may read registrants, but not the meeting
	}
	for _, name := range []string{"id", "topic", "start_time"} {
		if v, ok := meeting[name]; ok {
			out[name] = v
		}
	}
	return out, err
}

// meeting reads a meeting.
func (c caller) meeting(ctx context.Context, id string) (map[string]any, error) {
	path, err := zoomapi.Path("/meetings/{meetingId}", id)
	if err != nil {
		return nil, toError(err)
	}
	res, err := c.client.Do(ctx, c.get(path, nil))
	if err != nil {
		return nil, toError(err)
	}
	return operation{effect: actions.Read, known: []string{"id", "uuid"}}.read(res)
}

// all reads a whole list.
func (c caller) all(ctx context.Context, list, template, id string, query url.Values) ([]map[string]any, error) {
	path, err := zoomapi.Path(template, id)
	if err != nil {
		return nil, toError(err)
	}
	op := operation{list: list, effect: actions.Read, known: pageFields(list)}
	c.call.Input = map[string]any{"limit": int64(mostItems)}
	r, err := op.pages(ctx, c, c.get(path, query))
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	for _, item := range r.Output.(map[string]any)[list].([]any) {
		if object, ok := item.(map[string]any); ok {
			all = append(all, object)
		}
	}
	return all, nil
}

func (c caller) get(path string, query url.Values) zoomapi.Request {
	return zoomapi.Request{Connection: c.call.Connection, Account: c.call.Account, Self: c.call.Host, Method: "GET", Path: path, Query: query}
}
