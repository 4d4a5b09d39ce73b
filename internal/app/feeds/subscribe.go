package feeds

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"zflow/engine/workflow"
	"zflow/internal/ask"
	"zflow/internal/connections"
	"zflow/internal/public"
	"zflow/internal/settings"
	"zflow/internal/zoomapi"
	"zflow/proto"
	"zflow/sources/zoom"
	"zflow/sources/zoom/subscription"

	"github.com/nats-io/nats.go"
)

// Portal is what a worker needs to keep the apps' event subscriptions.
type Portal struct {
	Site   public.Site             // where Zoom reaches ingest
	Ingest map[string]settings.App // of an ingest in the same process; nil: it is elsewhere
	Apps   Owners
	// Workflows returns what is deployed, and the names of what cannot be read.
	Workflows func(context.Context) (flows []*workflow.Workflow, unreadable []string, err error)
}

// Owners act for apps in their own name.
type Owners interface {
	AppToken(ctx context.Context, connection string) (zoomapi.Token, error)
	RenewApp(ctx context.Context, refused zoomapi.Token) (zoomapi.Token, error)
	All() []connections.Record
}

// SubscriptionRequest asks for a plan of the apps' event subscriptions, or for what
// it says to be done.
type SubscriptionRequest struct {
	App   string `json:"app,omitempty"` // empty: all
	Apply bool   `json:"apply,omitempty"`
	Prune bool   `json:"prune,omitempty"`
}

// Subscriptions asks a worker for that.
func Subscriptions(ctx context.Context, nc *nats.Conn, r SubscriptionRequest) ([]subscription.Report, error) {
	return ask.Call[[]subscription.Report](ctx, nc, subjects+"subscriptions", r)
}

func (f *Feeds) onSubscriptions(ctx context.Context, q SubscriptionRequest) (any, error) {
	names, err := f.chosen(q.App)
	if err != nil {
		return nil, err
	}
	flows, unreadable, err := f.Portal.Workflows(ctx)
	if err != nil {
		return nil, err
	}
	if len(unreadable) > 0 && q.Prune {
		return nil, fmt.Errorf("workflow %s cannot be read, so nobody knows what it needs: nothing is pruned", strings.Join(unreadable, ", "))
	}
	all := []subscription.Report{}
	for _, name := range names {
		one := f.feeds[name]
		report, err := one.subscriptions(ctx, flows, q)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			if report.App == "" {
				report = subscription.NewReport(name, one.endpoint())
			}
			report.Problems = append(report.Problems, err.Error())
		}
		for _, flow := range unreadable {
			report.Notes = append(report.Notes, "workflow "+flow+" cannot be read, so nobody knows what it needs")
		}
		all = append(all, report)
	}
	return all, nil
}

// endpoint is where Zoom reaches ingest for the app; empty: nowhere.
func (f *feed) endpoint() string {
	return f.Portal.Site.URL(zoom.Path + url.PathEscape(f.name))
}

// beside is what Zoom is to send beside the signature: as the worker's own part of the
// configuration says, or ingest's, where it runs in the same process.
func (f *feed) beside() settings.App {
	if own := (settings.App{Basic: f.app.Basic, Header: f.app.Header}); own.Basic.User != "" || own.Header.Name != "" {
		return own
	}
	return f.Portal.Ingest[f.name]
}

func (f *feed) subscriptions(ctx context.Context, flows []*workflow.Workflow, q SubscriptionRequest) (r subscription.Report, err error) {
	a, err := f.subscriber(ctx)
	if err != nil {
		return r, err
	}
	a.Prune = q.Prune
	var elsewhere []string
	a.Needs, elsewhere = subscription.Needs(flows, func(connection string) bool { return f.concerned(a, connection) })
	k := subscription.Keeper{Call: f.own.Do}
	if !q.Apply {
		r, err = k.Plan(ctx, a)
	} else {
		r, err = f.apply(ctx, k, a)
	}
	for _, kind := range elsewhere {
		r.Notes = append(r.Notes, kind+" comes by no event subscription: set its address in Zoom's Marketplace")
	}
	return r, err
}

// apply lets no two workers do it at once: both would make the same subscription.
func (f *feed) apply(ctx context.Context, k subscription.Keeper, a subscription.App) (r subscription.Report, err error) {
	held, err := f.Leases.While(ctx, "subscriptions."+proto.Token(f.name), f.Holder, func(ctx context.Context) (err error) {
		r, err = k.Apply(ctx, a)
		return err
	})
	if err == nil && !held {
		err = errors.New("its event subscriptions are being changed by somebody else now: ask again")
	}
	return r, err
}

// subscriber is the app as its connections tell it: one target for each account
// that has the app.
func (f *feed) subscriber(ctx context.Context) (a subscription.App, err error) {
	if f.app.Connection == "" {
		return a, fmt.Errorf("zoom.apps.%s has no connection: name one of the app's", f.name)
	}
	all := f.Portal.Apps.All()
	its := recordOf(all, f.app.Connection)
	if its == nil {
		return a, fmt.Errorf("zoom.apps.%s names the connection %s, which is not there: `zflow connect zoom %s` makes it", f.name, f.app.Connection, f.app.Connection)
	}
	token, err := f.Portal.Apps.AppToken(ctx, its.Name)
	if err != nil {
		return a, err
	}
	a = subscription.App{Name: f.name, Connection: its.Name, URL: f.endpoint(), Socket: socketID(f.app.WebSocket), Header: header(f.beside())}
	if its.Server() {
		a.Scopes = token.Scopes
	}
	for _, r := range all {
		if sameApp(&r, its) && r.State != connections.Revoked {
			target(&a, r)
		}
	}
	if len(a.Targets) == 0 {
		return a, fmt.Errorf("connection %s was revoked, and no other is of its app: connect it again", its.Name)
	}
	return a, nil
}

// target adds what a connection tells of who has the app.
func target(a *subscription.App, r connections.Record) {
	if !r.Server() {
		a.Scopes = append(a.Scopes, r.Scopes...)
	}
	i := slices.IndexFunc(a.Targets, func(t subscription.Target) bool { return t.Account == r.Account })
	if i < 0 {
		i, a.Targets = len(a.Targets), append(a.Targets, subscription.Target{Account: r.Account})
	}
	if t := &a.Targets[i]; r.Kind == zoomapi.KindUser && !slices.Contains(t.Users, r.User) {
		t.Users = append(t.Users, r.User)
	}
}

// concerned tells whether a trigger that names a connection is one for the app: it
// is where the connection is of the app. One of no app of zoom.apps stands for its
// account.
func (f *feed) concerned(a subscription.App, connection string) bool {
	all := f.Portal.Apps.All()
	its := recordOf(all, connection)
	if its == nil {
		return false
	}
	for _, other := range f.feeds {
		if r := recordOf(all, other.app.Connection); r != nil && sameApp(r, its) {
			own := recordOf(all, a.Connection)
			return own != nil && sameApp(own, its)
		}
	}
	return slices.ContainsFunc(a.Targets, func(t subscription.Target) bool { return t.Account == its.Account })
}

func recordOf(all []connections.Record, name string) *connections.Record {
	i := slices.IndexFunc(all, func(r connections.Record) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return &all[i]
}

func sameApp(a, b *connections.Record) bool {
	return a.ClientID == b.ClientID && a.OAuth == b.OAuth && a.Kind == b.Kind
}

// socketID is the subscription that a WebSocket's address names.
func socketID(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Query().Get("subscriptionId")
}

// header is what Zoom is to send beside the signature, in its words.
func header(a settings.App) map[string]any {
	switch {
	case a.Basic.User != "":
		return map[string]any{"custom_header_type": 1, "username": a.Basic.User, "password": a.Basic.Password.Reveal()}
	case a.Header.Name != "":
		return map[string]any{"custom_header_type": 3, "custom_header_key": strings.TrimPrefix(strings.ToLower(a.Header.Name), "x-"), "custom_header_value": a.Header.Value.Reveal()}
	}
	return nil
}
