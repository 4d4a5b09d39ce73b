package doctor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"zflow/engine"
	"zflow/internal/natstest"
	"zflow/proto"
	"zflow/sources"
)

func (r *rig) arrives(app, account, kind string) {
	r.t.Helper()
	now := time.Now().UTC()
	e := &proto.Event{ID: proto.EventID(app, kind, account), Type: kind, Source: "zoom/" + app, Account: account, Origin: proto.FromWebhook,
		ContentType: "application/json", Time: now, ReceivedAt: now, Body: []byte(`{}`)}
	_, err := sources.NewPublisher(r.JS, natstest.Gate(r.t, r.JS.Conn())).Publish(context.Background(), e)
	r.Must(err)
}

// TestADoctorLooksAtConnectionsAndApps: what workers say of them, and the events that
// came in.
func TestADoctorLooksAtConnectionsAndApps(t *testing.T) {
	r := newRig(t)
	r.deploy("hello")
	r.arrives("main", "mine", "meeting.ended")
	r.arrives("main", "another", "meeting.started")
	r.arrives("unnamed", "mine", "meeting.ended")
	d := r.doctor()
	z := Zoom{
		Connections: []Connection{
			{Name: "school", State: "connected", Account: "mine"},
			{Name: "lina", State: "needs_reconnect", Wrong: "Zoom said no"},
			{Name: "wrong", State: "connected", Wrong: "Zoom gives it no token"},
		},
		Apps: []Portal{
			{Name: "main", Connection: "school", Accounts: []string{"mine"}, WebSocket: "closed", Unsubscribed: []string{"user.created"}, NotAllowed: []string{"recording.completed: it needs x"}},
			{Name: "idle"},
			{Name: "odd", Connection: "nobodys", Problem: "connection nobodys is not there"},
			{Name: "far", Connection: "school", WebSocket: "open", Unknown: "there is no public_url"},
		},
	}
	d.Zoom = func(context.Context, *nats.Conn) (Zoom, error) { return z, nil }
	d.Scopes = func(w *engine.Workflow, of []Connection) []string {
		return []string{w.Name + " lacks y of " + of[0].Name}
	}
	waiting := "workflow hello: 2 events wait"
	report := finds(t, d,
		"connection lina: needs_reconnect: Zoom said no", "connection wrong: connected: Zoom gives it no token",
		"app main: its WebSocket is not open", "subscription main: Zoom does not send it what workflows wait for: user.created",
		"scope main: it may not get recording.completed: it needs x", "app main: 1 event of account another came in, and its connection school is of mine",
		"app idle: zoom.apps has no connection for it", "app odd: connection nobodys is not there", "scope hello: hello lacks y of school", waiting)
	notes := strings.Join(report.Notes, "\n")
	for _, want := range []string{"app main: its last event is meeting.started", "app idle: none of the newest events", "app far: its event subscriptions were not checked: there is no public_url",
		"app unnamed: its events come in, and zoom.apps does not name"} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q is not among the notes %s", want, notes)
		}
	}
	d.Zoom = func(context.Context, *nats.Conn) (Zoom, error) { return Zoom{}, errors.New("no worker answers") }
	if report := finds(t, d, waiting); !strings.Contains(strings.Join(report.Notes, "\n"), "connections and apps were not checked: no worker answers") {
		t.Errorf("notes %v", report.Notes)
	}
}
