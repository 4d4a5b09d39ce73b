package app

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"

	"zflow/actions"
	"zflow/engine"
	"zflow/internal/app/feeds"
	"zflow/internal/ask"
	"zflow/internal/connections"
	"zflow/internal/connections/desk"
	"zflow/internal/operator/doctor"
	"zflow/internal/scope"
	"zflow/sources/zoom/subscription"
)

// mostTested is how many connections are tried by a call.
const mostTested = 50

// askZoom asks a worker how connections and apps are.
func askZoom(ctx context.Context, nc *nats.Conn) (z doctor.Zoom, err error) {
	d := desk.NewClient(nc)
	all, err := d.List(ctx)
	if errors.Is(err, desk.ErrNoWorker) || errors.Is(err, ask.ErrNoWorker) {
		return z, errors.New("no worker answers")
	}
	if err != nil {
		return z, err
	}
	for i, r := range all {
		z.Connections = append(z.Connections, tried(ctx, d, r, i < mostTested))
	}
	z.Apps, err = portals(ctx, nc)
	return z, err
}

// tried tells how a connection is; one that counts as connected is tried by a call,
// of which its state may come to be another.
func tried(ctx context.Context, d *desk.Client, r connections.Record, try bool) doctor.Connection {
	wrong := ""
	if r.State == connections.Connected && try {
		if _, err := d.Test(ctx, r.Name); err != nil {
			wrong = err.Error()
			if now, err := d.Show(ctx, r.Name); err == nil {
				r = now
			}
		}
	}
	switch {
	case r.State != connections.Connected:
		wrong = cmp.Or(r.Error, "its grant ends soon")
	case !try:
		wrong = r.Error
	}
	return doctor.Connection{Name: r.Name, State: r.State, Kind: r.Kind, Account: r.Account, Scopes: r.Scopes, Wrong: wrong}
}

// portals returns how apps are here and at Zoom.
func portals(ctx context.Context, nc *nats.Conn) (all []doctor.Portal, err error) {
	apps, err := feeds.Apps(ctx, nc)
	if err != nil || len(apps) == 0 {
		return nil, err
	}
	reports, err := feeds.Subscriptions(ctx, nc, feeds.SubscriptionRequest{})
	if err != nil {
		return nil, err
	}
	for _, a := range apps {
		p := doctor.Portal{Name: a.Name, Connection: a.Connection, Accounts: a.Accounts, WebSocket: a.WebSocket, Problem: a.Problem}
		if i := slices.IndexFunc(reports, func(r subscription.Report) bool { return r.App == a.Name }); i >= 0 && a.Problem == "" {
			subscribed(&p, reports[i])
		}
		all = append(all, p)
	}
	return all, nil
}

// subscribed adds what a plan of subscriptions says. Without an address of ours there
// is nothing to compare with.
func subscribed(p *doctor.Portal, r subscription.Report) {
	if len(r.Problems) > 0 {
		p.Unknown = strings.Join(r.Problems, "; ")
		return
	}
	for _, l := range r.Missing() {
		p.NotAllowed = append(p.NotAllowed, l.Type+" ("+strings.Join(l.For, ", ")+"): it needs "+strings.Join(l.AnyOf, " or "))
	}
	for _, c := range r.Changes {
		for _, kind := range c.Added {
			if !slices.ContainsFunc(r.Missing(), func(l subscription.Lacking) bool { return l.Type == kind }) {
				p.Unsubscribed = append(p.Unsubscribed, kind)
			}
		}
	}
}

// scopesOf tells what a workflow's connections lack.
func scopesOf(registry *actions.Registry) func(*engine.Workflow, []doctor.Connection) []string {
	return func(w *engine.Workflow, of []doctor.Connection) []string {
		granted := func(name string) []string {
			i := slices.IndexFunc(of, func(c doctor.Connection) bool { return c.Name == name })
			if i < 0 {
				return nil
			}
			return of[i].Scopes
		}
		return scope.Lacking(w, granted, func(name string) ([]string, bool) {
			a := registry.Get(name)
			if a == nil || !strings.HasPrefix(name, "zoom.") {
				return nil, false
			}
			return a.Spec.Scopes, true
		})
	}
}
