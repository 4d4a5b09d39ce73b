package reconcile

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"zflow/internal/zoomapi"
	"zflow/sources/zoom/event"
)

// family is a kind of object that Zoom lists, and the events that each ought to
// have had.
type family struct {
	name   string
	path   string // below /v2, for one user
	query  url.Values
	list   string // the field of the answer
	ranged bool   // takes from and to
	take   func(*Reconciler, context.Context, *work, map[string]any) error
}

// families are those that can be compared. Users are listed for the account.
var families = []family{
	{name: "recordings", path: "/users/{userId}/recordings", list: "meetings", ranged: true, take: (*Reconciler).recording},
	{name: "meetings", path: "/users/{userId}/meetings", query: url.Values{"type": {"scheduled"}}, list: "meetings", take: (*Reconciler).scheduled},
	{name: "meetings", path: "/users/{userId}/meetings", query: url.Values{"type": {"previous_meetings"}}, list: "meetings", take: (*Reconciler).past},
	{name: "webinars", path: "/users/{userId}/webinars", list: "webinars", take: (*Reconciler).webinar},
	{name: "users", path: "/users", list: "users", take: (*Reconciler).user},
}

// Families are the names of what can be listed.
func Families() []string { return []string{"meetings", "recordings", "users", "webinars"} }

func familiesOf(names []string) ([]family, error) {
	var all []family
	for _, name := range names {
		before := len(all)
		for _, f := range families {
			if f.name == name {
				all = append(all, f)
			}
		}
		if len(all) == before {
			return nil, fmt.Errorf("%q cannot be listed: there are %s", name, strings.Join(Families(), ", "))
		}
	}
	return all, nil
}

// listed are the types of event whose objects can be listed.
var listed = []string{"meeting.created", "meeting.started", "meeting.ended", "recording.completed", "recording.transcript_completed",
	"user.created", "webinar.created"}

// keysOf returns what an event of a listed type is about.
func keysOf(e *event.Envelope) []string {
	switch e.Type {
	case "recording.completed", "recording.transcript_completed":
		var keys []string
		for _, id := range e.Texts("object.recording_files[].id") {
			keys = append(keys, key("recording.completed", id))
		}
		return keys
	case "meeting.created", "webinar.created", "user.created":
		return []string{key(e.Type, e.Text("object.id"))}
	}
	return []string{key(e.Type, e.Text("object.uuid"))}
}

// mostUsers bounds how many users' objects are listed one user after the other.
const mostUsers = 2000

func (r *Reconciler) readLists(ctx context.Context, w *work, families []family) {
	users, err := r.users(ctx, families)
	if err != nil {
		w.report.problem("the list of users: %s", reason(err))
	}
	if len(users) > mostUsers {
		w.report.problem("only the objects of %d of %d users were listed", mostUsers, len(users))
		users = users[:mostUsers]
	}
	for _, f := range families {
		for _, user := range users {
			if err := r.readList(ctx, w, f, user); err != nil {
				w.report.problem("the %s of %s: %s", f.name, user, reason(err))
				break // the next user's would fail alike
			}
			if !strings.Contains(f.path, "{userId}") {
				break
			}
		}
	}
}

// users returns whose objects are listed.
func (r *Reconciler) users(ctx context.Context, families []family) ([]string, error) {
	if r.User != "" {
		return []string{r.User}, nil
	}
	if !slices.ContainsFunc(families, func(f family) bool { return strings.Contains(f.path, "{userId}") }) {
		return []string{"the account"}, nil
	}
	var ids []string
	err := r.pages(ctx, "/users", url.Values{"status": {"active"}}, func(page json.RawMessage) error {
		return each(page, "users", func(u map[string]any) error {
			if id, _ := u["id"].(string); id != "" {
				ids = append(ids, id)
			}
			return nil
		})
	})
	return ids, err
}

func (r *Reconciler) readList(ctx context.Context, w *work, f family, user string) error {
	path := f.path
	if strings.Contains(path, "{userId}") {
		var err error
		if path, err = zoomapi.Path(path, user); err != nil {
			return err
		}
	}
	query := url.Values{}
	for name, values := range f.query {
		query[name] = values
	}
	if f.ranged {
		query.Set("from", w.from.UTC().Format(time.DateOnly))
		query.Set("to", w.to.UTC().Format(time.DateOnly))
	}
	return r.pages(ctx, path, query, func(page json.RawMessage) error {
		return each(page, f.list, func(item map[string]any) error { return f.take(r, ctx, w, item) })
	})
}

// each calls f for each object of a page's list.
func each(page json.RawMessage, list string, f func(map[string]any) error) error {
	d := json.NewDecoder(bytes.NewReader(page))
	d.UseNumber()
	var body map[string]any
	if err := d.Decode(&body); err != nil {
		return fmt.Errorf("the list is not what it is documented to be: %w", err)
	}
	items, _ := body[list].([]any)
	for _, item := range items {
		if object, ok := item.(map[string]any); ok {
			if err := f(object); err != nil {
				return err
			}
		}
	}
	return nil
}

// ought notes an event that ought to have been, at a time, unless one about the same
// is held. What is too young, or older than what is compared, is left out.
func (r *Reconciler) ought(w *work, kind string, at time.Time, object map[string]any, about ...string) {
	k := key(kind, about...)
	_, again := w.seen[k]
	if again || at.Before(w.held.from) || at.After(w.to.Add(-settled)) || about[0] == "" {
		return
	}
	w.seen[k] = struct{}{}
	w.report.count(kind, w.held.hasObject(k))
	if !w.held.hasObject(k) {
		r.makeUp(w, kind, at, object)
	}
}

// makeUp puts an event together from what a list says.
func (r *Reconciler) makeUp(w *work, kind string, at time.Time, object map[string]any) {
	body, err := json.Marshal(map[string]any{"event": kind, "event_ts": at.UnixMilli(),
		"payload": map[string]any{"account_id": r.Account, "object": object}})
	if err != nil {
		return // it came from JSON
	}
	e, err := event.Read(body)
	if err != nil {
		return // it has a name
	}
	id := event.ID(r.App, &e)
	if _, again := w.seen[id]; !again && !w.held.has(id) {
		w.seen[id] = struct{}{}
		w.missing = append(w.missing, missing{id: id, body: body, envelope: &e})
	}
}

// recording makes one event of a meeting's files that no event told of.
func (r *Reconciler) recording(_ context.Context, w *work, m map[string]any) error {
	files, _ := m["recording_files"].([]any)
	var lost []any
	var last time.Time
	compared := false
	for _, file := range files {
		f, _ := file.(map[string]any)
		k, at := key("recording.completed", textOf(f["id"])), timeOf(f["recording_end"])
		_, again := w.seen[k]
		if again || textOf(f["id"]) == "" || f["status"] != "completed" || at.Before(w.held.from) || at.After(w.to.Add(-settled)) {
			continue
		}
		w.seen[k], compared = struct{}{}, true
		if !w.held.hasObject(k) {
			lost = append(lost, f)
			if at.After(last) {
				last = at
			}
		}
	}
	if compared {
		w.report.count("recording.completed", len(lost) == 0)
	}
	if len(lost) > 0 {
		object := maps.Clone(m)
		object["recording_files"], object["recording_count"] = lost, len(lost)
		r.makeUp(w, "recording.completed", last, object)
	}
	return nil
}

func (r *Reconciler) scheduled(_ context.Context, w *work, m map[string]any) error {
	r.ought(w, "meeting.created", timeOf(m["created_at"]), m, textOf(m["id"]))
	return nil
}

func (r *Reconciler) webinar(_ context.Context, w *work, m map[string]any) error {
	r.ought(w, "webinar.created", timeOf(m["created_at"]), m, textOf(m["id"]))
	return nil
}

func (r *Reconciler) user(_ context.Context, w *work, u map[string]any) error {
	at := timeOf(u["user_created_at"])
	if at.IsZero() {
		at = timeOf(u["created_at"])
	}
	r.ought(w, "user.created", at, u, textOf(u["id"]))
	return nil
}

// past: the list does not say when a meeting ended.
func (r *Reconciler) past(ctx context.Context, w *work, m map[string]any) error {
	uuid, started := textOf(m["uuid"]), timeOf(m["start_time"])
	if uuid == "" || started.Before(w.held.from.Add(-before)) {
		return nil
	}
	r.ought(w, "meeting.started", started, m, uuid)
	if w.held.hasObject(key("meeting.ended", uuid)) {
		r.ought(w, "meeting.ended", started, m, uuid)
		return nil
	}
	path, err := zoomapi.Path("/past_meetings/{meetingId}", uuid)
	if err != nil {
		return err
	}
	res, err := r.Call(ctx, zoomapi.Request{Connection: r.Connection, Method: http.MethodGet, Path: path})
	if err != nil {
		return err
	}
	var detail struct {
		End time.Time `json:"end_time"`
	}
	if json.Unmarshal(res.Body, &detail) != nil || detail.End.IsZero() {
		return nil // it goes on
	}
	object := maps.Clone(m)
	object["end_time"] = detail.End.UTC().Format(time.RFC3339)
	r.ought(w, "meeting.ended", detail.End, object, uuid)
	return nil
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

func timeOf(v any) time.Time {
	at, err := time.Parse(time.RFC3339, textOf(v))
	if err != nil {
		return time.Time{}
	}
	return at
}
