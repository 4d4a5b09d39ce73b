package doctor

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"zflow/engine/catalog"
	"zflow/engine/definition"
	wire "zflow/proto"
)

// Connection is a connected account as workers know it.
type Connection struct {
	Name, State, Kind string
	Account           string
	Scopes            []string
	Wrong             string // why it cannot be used; empty: it was tried and works
}

// Portal is how an app of zoom.apps is, here and at Zoom.
type Portal struct {
	Name       string
	Connection string
	Accounts   []string // whose events it gets
	WebSocket  string   // open, closed; empty: none
	Problem    string   // why that is not known

	Unsubscribed []string // event types that workflows need and that could be subscribed to
	NotAllowed   []string // event types, each with the scopes that the portal must add
	Unknown      string   // why its subscriptions are not known
}

// Zoom is what workers know of connections and apps.
type Zoom struct {
	Connections []Connection
	Apps        []Portal
}

func (e *examination) zoom(ctx context.Context) {
	if e.Zoom == nil {
		return
	}
	z, err := e.Zoom(ctx, e.nc)
	if err != nil {
		e.note("connections and apps were not checked: %v", err)
		return
	}
	e.linked = z.Connections
	for _, c := range z.Connections {
		e.connection(c)
	}
	seen := e.seen(ctx)
	for _, p := range z.Apps {
		e.portal(p)
		e.events(p, seen[p.Name])
	}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		if !slices.ContainsFunc(z.Apps, func(p Portal) bool { return p.Name == name }) {
			e.note("app %s: its events come in, and zoom.apps does not name a connection of it: nothing that was missed can be found", name)
		}
	}
}

func (e *examination) connection(c Connection) {
	if c.Wrong == "" {
		return
	}
	again := "zflow connect zoom " + c.Name
	advice := "compare its client id and secret, and whether its app is active at Zoom, then " + again
	if c.Kind == "http" {
		again = "zflow connect http " + c.Name
		advice = "look at its secret and its hosts (zflow connections show " + c.Name + "), then " + again
	}
	switch c.State {
	case "needs_reconnect", "revoked":
		advice = again + ", then zflow runs retry for the runs that failed"
	case "expiring":
		advice = again + ": its grant ends soon"
	}
	e.found("connection", c.Name, advice, "%s: %s", c.State, c.Wrong)
}

func (e *examination) portal(p Portal) {
	switch {
	case p.Connection == "":
		e.found("app", p.Name, "name a connection of its app in zoom.apps."+p.Name, "zoom.apps has no connection for it: its events cannot be compared with Zoom's, nor subscribed to")
	case p.Problem != "":
		e.found("app", p.Name, "mend its connection, or name another in zoom.apps."+p.Name, "%s", p.Problem)
	case p.Unknown != "":
		e.note("app %s: its event subscriptions were not checked: %s", p.Name, p.Unknown)
	}
	if p.WebSocket == "closed" {
		e.found("app", p.Name, "look at the worker's log: is the address the subscription's, and the connection of its app?", "its WebSocket is not open")
	}
	if len(p.Unsubscribed) > 0 {
		e.found("subscription", p.Name, "zflow zoom subscriptions apply --yes, or add them to its event subscription in Zoom's Marketplace",
			"Zoom does not send it what workflows wait for: %s", strings.Join(p.Unsubscribed, ", "))
	}
	for _, missing := range p.NotAllowed {
		e.found("scope", p.Name, "add one of the scopes to the app in Zoom's Marketplace, then connect again", "it may not get %s", missing)
	}
}

// arrived are an app's newest events.
type arrived struct {
	last     *wire.Event
	accounts map[string]int
}

// newest is how many of the newest events are looked at.
const newest = 200

// seen returns what came in of late, by app.
func (e *examination) seen(ctx context.Context) map[string]*arrived {
	all := map[string]*arrived{}
	s, err := e.js.Stream(ctx, wire.Events)
	if err != nil {
		return all // said already
	}
	state := s.CachedInfo().State
	for seq, n := state.LastSeq, 0; seq >= state.FirstSeq && seq > 0 && n < newest; seq, n = seq-1, n+1 {
		m, err := s.GetMsg(ctx, seq)
		if err != nil {
			continue // it was removed
		}
		event, err := wire.ReadEvent(m.Subject, m.Header, nil, m.Sequence, m.Time)
		if err != nil {
			continue // an event of another version
		}
		app, zoom := strings.CutPrefix(event.Source, "zoom/")
		if !zoom {
			continue
		}
		if all[app] == nil {
			all[app] = &arrived{last: event, accounts: map[string]int{}}
		}
		all[app].accounts[event.Account]++
	}
	return all
}

func (e *examination) events(p Portal, a *arrived) {
	if a == nil {
		e.note("app %s: none of the newest events is of it", p.Name)
		return
	}
	e.note("app %s: its last event is %s, received %s", p.Name, a.last.Type, a.last.ReceivedAt.UTC().Format(time.RFC3339))
	if len(p.Accounts) == 0 {
		return
	}
	for _, account := range slices.Sorted(maps.Keys(a.accounts)) {
		if account != "" && !slices.Contains(p.Accounts, account) {
			e.found("app", p.Name, "connect that account, or name in zoom.apps."+p.Name+" a connection of the app that sends here; a secret token of another app is in ingest.apps."+p.Name+" perhaps",
				"%s of account %s came in, and its connection %s is of %s: steps find no connection for them", plural(uint64(a.accounts[account]), "event", "events"), account, p.Connection, strings.Join(p.Accounts, ", "))
		}
	}
}

// definition looks at what an active version says.
func (e *examination) definition(ctx context.Context, entry catalog.Entry) {
	w, err := e.op.Catalog.Workflow(ctx, entry.Name, entry.Version)
	if err != nil {
		return // said already
	}
	if len(definition.Scripts(w)) > 0 {
		e.coded = append(e.coded, entry.Name)
	}
	if e.Scopes == nil || len(e.linked) == 0 {
		return
	}
	for _, lack := range e.Scopes(w, e.linked) {
		e.found("scope", entry.Name, "add one of the scopes to the connection's app in Zoom's Marketplace, then connect again", "%s", lack)
	}
}
