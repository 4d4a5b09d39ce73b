package feeds

import (
	"context"
	"time"

	"zflow/internal/ask"
	"zflow/internal/pause"
	"zflow/proto"

	"github.com/nats-io/nats.go"
)

// How a WebSocket is.
const (
	SocketOpen   = "open"
	SocketClosed = "closed"
)

// App is how an app of zoom.apps is.
type App struct {
	Name       string   `json:"name"`
	Connection string   `json:"connection"`
	Accounts   []string `json:"accounts"`             // whose events it gets, by its connections
	WebSocket  string   `json:"websocket,omitempty"`  // open or closed; empty: it has none
	Problem    string   `json:"problem,omitempty"`    // why its accounts are not known
	Reconciled bool     `json:"reconciled,omitempty"` // its events can be compared with Zoom's log
}

// Apps asks a worker how the apps are.
func Apps(ctx context.Context, nc *nats.Conn) ([]App, error) {
	return ask.Call[[]App](ctx, nc, subjects+"apps", struct{}{})
}

func (f *Feeds) onApps(ctx context.Context, _ struct{}) (any, error) {
	all := []App{}
	for _, name := range f.names() {
		one := f.feeds[name]
		a := App{Name: name, Connection: one.app.Connection, Accounts: []string{}, Reconciled: one.app.AppID != ""}
		s, err := one.subscriber(ctx)
		if err != nil {
			a.Problem = err.Error()
		}
		for _, t := range s.Targets {
			a.Accounts = append(a.Accounts, t.Account)
		}
		if one.socket != nil {
			a.WebSocket = SocketClosed
			if e, err := f.marks.Get(ctx, one.socketKey()); err == nil {
				a.WebSocket = string(e.Value())
			}
		}
		all = append(all, a)
	}
	return all, nil
}

func (f *feed) socketKey() string { return "websocket." + proto.Token(f.name) }

// tellEvery is how often the worker that has an app's WebSocket looks whether to
// tell the others.
const tellEvery = 5 * time.Second

// tellSocket lets all workers know whether the WebSocket is open, until ctx ends.
func (f *feed) tellSocket(ctx context.Context) {
	said := ""
	for {
		now := SocketClosed
		if f.socket.Stats().Open {
			now = SocketOpen
		}
		if now != said {
			if _, err := f.marks.Put(ctx, f.socketKey(), []byte(now)); err == nil { // else at the next look
				said = now
			}
		}
		if !pause.For(ctx, tellEvery) {
			return
		}
	}
}
