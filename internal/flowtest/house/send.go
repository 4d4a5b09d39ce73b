package house

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"zflow/engine"
	"zflow/engine/expr"
	"zflow/engine/tick"
	"zflow/engine/trigger"
	"zflow/engine/workflow"
	"zflow/internal/flowtest/testfile"
	"zflow/internal/zoomcatalog"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
	"zflow/sources"
	"zflow/sources/zoom"
)

// Body returns the body of a test's event: its own, a file's, or the built-in
// sample, with what the test sets in it.
func Body(e *testfile.Event, folder string) ([]byte, error) {
	body := []byte(e.Body)
	switch {
	case e.File != "":
		var err error
		if body, err = os.ReadFile(filepath.Join(folder, e.File)); err != nil {
			return nil, fmt.Errorf("reading the body of an event: %w", err)
		}
	case body == nil && e.Kind() == "zoom":
		body = zoomcatalog.Sample(e.Type)
	case body == nil && e.Kind() == proto.SourcePoll:
		body = []byte(`{"change":"added","key":"1","item":{"id":"1"},"before":null,"polled_at":"2026-03-02T10:00:00Z"}`)
	case body == nil && e.Kind() == proto.SourceEmail:
		body = []byte(sampleMail)
	case body == nil:
		body = []byte("{}")
	}
	tree, err := expr.DecodeJSON(body)
	if err != nil {
		return nil, fmt.Errorf("reading the body of event %s: %w", e.Type, err)
	}
	if len(e.Set) == 0 {
		return body, nil
	}
	for _, s := range e.Set {
		if tree, err = set(tree, s.Path, s.Value); err != nil {
			return nil, fmt.Errorf("setting a field of event %s: %w", e.Type, err)
		}
	}
	return expr.EncodeJSON(tree)
}

// set puts a value into a tree; objects that are not there are made.
func set(tree any, path []string, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	var err error
	switch t := tree.(type) {
	case nil:
		inner, err := set(nil, path[1:], value)
		return map[string]any{path[0]: inner}, err
	case map[string]any:
		t[path[0]], err = set(t[path[0]], path[1:], value)
		return t, err
	case []any:
		i, bad := strconv.Atoi(path[0])
		if bad != nil || i < 0 || i > len(t) {
			return nil, fmt.Errorf("%q is no index of a list of %d", path[0], len(t))
		}
		if i == len(t) {
			t = append(t, nil)
		}
		t[i], err = set(t[i], path[1:], value)
		return t, err
	}
	return nil, fmt.Errorf("%q lies in what is %s, no object", path[0], expr.KindOf(tree))
}

// Send brings an event as its source does, and returns it as it was stored.
func (h *House) Send(ctx context.Context, e *testfile.Event) (*proto.Event, error) {
	body, err := Body(e, h.Folder)
	if err != nil {
		return nil, err
	}
	switch e.Kind() {
	case "zoom":
		return h.webhook(ctx, e, body)
	case "call":
		return h.call(ctx, body)
	case proto.SourceHTTP:
		return h.request(ctx, e, body)
	case proto.SourceSchedule:
		return h.scheduled(ctx, e, body)
	}
	event := appEvent(e.Type, strconv.Itoa(e.Line), body)
	if e.Kind() == proto.SourcePoll { // of the tested workflow's own
		event.ID = proto.EventID(proto.SourcePoll, h.name, strconv.Itoa(e.Line))
		event.Type, event.Source = h.name, proto.SourcePoll
	}
	if e.Kind() == proto.SourceRun {
		if event, err = h.ended(ctx, body, e.Line); err != nil {
			return nil, err
		}
	}
	if e.Kind() == proto.SourceEmail {
		if err := h.mailed(ctx, event, strconv.Itoa(e.Line)); err != nil {
			return nil, err
		}
	}
	h.world.from(e, event)
	_, err = h.client.Publisher.Publish(ctx, event)
	return event, err
}

const sampleMail = `{"from":{"name":"Ada","address":"ada@example.org"},"to":[{"name":"","address":"desk@example.org"}],"cc":[],"reply_to":[],` +
	`"subject":"Hello","text":"hello\n","html":null,"attachments":[],"message_id":"m1@example.org","in_reply_to":"","references":[],` +
	`"date":"2026-03-02T10:00:00Z","headers":{},"automatic":"","problems":[],"sender":"ada@example.org","recipient":"","tag":""}`

// ended is the event of a run, of a workflow that starts the tested one: by default of the
// first that its trigger names.
func (h *House) ended(ctx context.Context, body []byte, line int) (*proto.Event, error) {
	def, err := h.Definition(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(def.Triggers, func(t engine.Trigger) bool { return t.Source == proto.SourceRun && len(t.Types) > 0 })
	if at < 0 {
		return nil, fmt.Errorf("sending the event of a run that ended: workflow %s has no trigger run", h.name)
	}
	flow, state := workflow.EndOf(def.Triggers[at].Types[0])
	if flow == workflow.AnyFlow {
		flow = "another"
	}
	now := time.Now().UTC()
	end := &trigger.Ended{Workflow: flow, Run: "run-" + strconv.Itoa(line), Version: "0123456789abcdef", Status: string(state), StartedAt: now.Add(-time.Minute), EndedAt: now}
	if state == engine.Failed {
		end.Error = &trigger.EndedBy{Message: "it did not work"}
	}
	if err := json.Unmarshal(body, end); err != nil {
		return nil, fmt.Errorf("the body of a run's event is an object: %w", err)
	}
	return end.Event(now)
}

// mailed makes an event that of a mail to the tested workflow's mailbox.
func (h *House) mailed(ctx context.Context, e *proto.Event, line string) error {
	def, err := h.Definition(ctx)
	if err != nil {
		return err
	}
	for _, t := range def.Triggers {
		if t.Email == nil {
			continue
		}
		var b struct{ Automatic string }
		if err := json.Unmarshal(e.Body, &b); err != nil {
			return fmt.Errorf("the body of a mail's event is an object: %w", err)
		}
		if b.Automatic != "" {
			e.Trigger = []byte(`{"automatic":` + strconv.Quote(b.Automatic) + `}`)
		}
		e.ID, e.Type, e.Source = proto.EventID(proto.SourceEmail, t.Email.Name(), line), t.Email.Name(), proto.SourceEmail
		mailbox, folder := t.Email.Mailbox, ""
		if m := t.Email.IMAP; m != nil {
			mailbox, folder = m.User, m.Folder
		}
		below, err := json.Marshal(map[string]string{"mailbox": mailbox, "folder": folder})
		if err == nil {
			e.Body, err = over(below, e.Body)
		}
		return err
	}
	return fmt.Errorf("sending a mail: workflow %s has no trigger email", h.name)
}

// scheduled publishes the event of a tick of the tested workflow.
func (h *House) scheduled(ctx context.Context, e *testfile.Event, body []byte) (*proto.Event, error) {
	def, err := h.Definition(ctx)
	if err != nil {
		return nil, err
	}
	t := tick.Tick{Workflow: def, At: cmp.Or(e.At, timeIn(body), time.Now())}
	due := workflow.Due(def.Triggers, t.At)
	for i := range def.Triggers {
		if at := &def.Triggers[i]; t.Trigger == nil && at.Source == proto.SourceSchedule && (due == nil || due[i]) {
			t.Trigger = at
		}
	}
	switch {
	case t.Trigger == nil:
		return nil, fmt.Errorf("sending the event of a schedule: workflow %s has no trigger schedule", h.name)
	case due == nil && !e.At.IsZero():
		return nil, fmt.Errorf("sending the event of a schedule: workflow %s has none at %s: its next time after that is %s",
			h.name, e.At.Format(time.RFC3339), t.Trigger.Ticks.Next(e.At).UTC().Format(time.RFC3339))
	}
	event, err := tick.Event(t, time.Now())
	if err != nil {
		return nil, err
	}
	if event.Body, err = over(event.Body, body); err != nil {
		return nil, err
	}
	_, err = h.client.Publisher.Publish(ctx, event)
	return event, err
}

// timeIn is that of a recorded tick; zero: the body has none.
func timeIn(body []byte) time.Time {
	var b struct{ Time time.Time }
	_ = json.Unmarshal(body, &b) // what is wrong with it is found by over
	return b.Time
}

// over puts the fields of one object over those of another.
func over(below, above []byte) ([]byte, error) {
	var all, more map[string]json.RawMessage
	if err := json.Unmarshal(below, &all); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(above, &more); err != nil {
		return nil, fmt.Errorf("the body of a schedule's event is an object: %w", err)
	}
	maps.Copy(all, more)
	return json.Marshal(all)
}

const appSecret = "test"

// webhook takes a signed request of Zoom's in, as ingest does.
func (h *House) webhook(ctx context.Context, from *testfile.Event, body []byte) (*proto.Event, error) {
	kind := from.Type
	var stored *proto.Event
	handler, err := zoom.NewHandler(zoom.Config{
		Apps: []zoom.App{{Name: "default", Secrets: []string{appSecret}}}, Key: h.keys.Public(),
		Publish: func(ctx context.Context, e *proto.Event) (sources.Ack, error) {
			stored = e
			h.world.from(from, e)
			return h.client.Publisher.Publish(ctx, e)
		},
	})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://zflow"+zoom.Path+"default", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(appSecret))
	fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Zm-Request-Timestamp", stamp)
	r.Header.Set("X-Zm-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	answer := &answered{header: http.Header{}}
	if handler.ServeHTTP(answer, r); answer.status >= 300 || stored == nil {
		return nil, fmt.Errorf("sending event %s: ingest refuses its body (%d): is its field event %q?", kind, answer.status, kind)
	}
	if stored.Type != kind {
		return nil, fmt.Errorf("sending event %s: its body says that it is a %s", kind, stored.Type)
	}
	return stored, nil
}

// answered is the answer to a webhook.
type answered struct {
	header http.Header
	status int
}

func (a *answered) Header() http.Header             { return a.header }
func (a *answered) WriteHeader(status int)          { a.status = status }
func (a *answered) Write(b []byte) (n int, _ error) { return len(b), nil }

// call starts a run of the tested workflow as a call step does, but for having no
// parent.
func (h *House) call(ctx context.Context, body []byte) (*proto.Event, error) {
	now := time.Now()
	id := proto.EventID("test", "call", h.name)
	start := &v1.RunStarted{Workflow: h.name, Event: &v1.Event{Id: id, Type: "call", Source: "call", Origin: proto.FromTest, ContentType: "application/json",
		Time: now.UnixNano(), ReceivedAt: now.UnixNano(), Body: &v1.Value{Json: body, Size: uint64(len(body))}}}
	err := h.client.Wakes.Wake(ctx, h.name, proto.RunID(h.name, id), &v1.Wake{Reason: "call", Start: start})
	return &proto.Event{ID: id, Type: "call", Source: "call", Body: body}, err
}

// Redeliver brings an event once more, as if it had been forgotten that it came.
func (h *House) Redeliver(ctx context.Context, e *proto.Event) error {
	if e.Source == "call" {
		_, err := h.call(ctx, e.Body)
		return err
	}
	return h.again(ctx, e)
}

// Command gives a run of the tested workflow an order.
func (h *House) Command(ctx context.Context, run string, c *v1.Command) error {
	workflow := h.name
	if s := h.now.all[run]; s != nil {
		workflow = s.run.Start.Workflow
	}
	return h.client.Wakes.Command(ctx, workflow, run, c)
}
