package subscription

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"zflow/internal/zoomcatalog"
)

// most is how many event subscriptions Zoom lets an app have.
const most = 20

// Target is an account whose events an app gets.
type Target struct {
	Account string
	Users   []string // nil: the whole account's
}

// App is an app and what it needs.
type App struct {
	Name       string // as in the endpoint's path
	Connection string // whose app it is
	URL        string // of the endpoint; empty: there is none
	Socket     string // id of the subscription that its WebSocket is; empty: none
	Targets    []Target
	Needs      []Need
	Scopes     []string       // that the app's connections were granted; none: not known
	Header     map[string]any // what Zoom is told to send beside the signature
	Prune      bool           // what nobody needs is taken away
}

// Held is an event subscription at Zoom.
type Held struct {
	ID         string   `json:"event_subscription_id"`
	Name       string   `json:"event_subscription_name"`
	Events     []string `json:"events"`
	URL        string   `json:"event_webhook_url"`
	Scope      string   `json:"subscription_scope"`
	Source     string   `json:"created_source"`
	Subscriber string   `json:"subscriber_id"`
}

func (h Held) byAPI() bool { return h.Source == "openapi" }
func (h Held) users() []string {
	return strings.FieldsFunc(h.Subscriber, func(r rune) bool { return r == ',' || r == ' ' })
}

// What a change does.
const (
	Create = "create" // a subscription, in place of others if there are any
	Users  = "users"  // puts users in or takes them out
	Remove = "remove" // ends subscriptions
)

// Change is one thing to do.
type Change struct {
	Do       string   `json:"do"`
	Account  string   `json:"account_id"`
	ID       string   `json:"event_subscription_id,omitempty"` // of what was made, or is changed
	Replaces []string `json:"replaces,omitempty"`              // ids of those that end
	Events   []string `json:"events,omitempty"`
	Added    []string `json:"added,omitempty"`   // event types that are new
	Removed  []string `json:"removed,omitempty"` // event types that end
	Join     []string `json:"join,omitempty"`    // users that come in
	Leave    []string `json:"leave,omitempty"`   // users that go
	Done     bool     `json:"done"`

	ours []Held   // what it starts from
	had  []string // users of the one that is changed
}

// empty tells that a change of users changes nothing.
func (c *Change) empty() bool { return len(c.Join)+len(c.Leave)+len(c.Replaces) == 0 }

// matching is the change that keeps the one of ours that has just these events, and
// ends the others.
func matching(ours []Held, events []string) (Change, bool) {
	exact := slices.IndexFunc(ours, func(h Held) bool { return slices.Equal(sorted(h.Events), events) })
	if exact < 0 {
		return Change{}, false
	}
	others := slices.Delete(slices.Clone(ours), exact, exact+1)
	return Change{Do: Users, ID: ours[exact].ID, Replaces: idsOf(others), had: ours[exact].users()}, true
}

// Covered is an event type that a subscription brings which is not ours to change.
type Covered struct {
	Type string `json:"type"`
	By   string `json:"by"`
}

// Lacking is an event type that the app's scopes do not allow.
type Lacking struct {
	Need
	Account string            `json:"account_id"`
	AnyOf   []string          `json:"any_of"` // scopes; empty: nobody knows which
	Basis   zoomcatalog.Basis `json:"basis"`
	Said    bool              `json:"said"` // Zoom said so; else its scopes let one think so
}

// Report is a plan, or what came of it.
type Report struct {
	App      string    `json:"app"`
	URL      string    `json:"url"`
	Needed   int       `json:"needed"`   // event types
	Changes  []Change  `json:"changes"`  // in order
	Covered  []Covered `json:"covered"`  // by the portal's
	Lacking  []Lacking `json:"lacking"`  // scopes to add in the portal
	Unneeded []string  `json:"unneeded"` // event types that are subscribed to and that nobody needs
	Notes    []string  `json:"notes"`
	Problems []string  `json:"problems"` // what cannot be done
	Applied  bool      `json:"applied"`
}

func (r *Report) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// Missing are the types named by workflows that the app does not get, as far as is
// known.
func (r *Report) Missing() (all []Lacking) {
	for _, l := range r.Lacking {
		if l.Named && (l.Said || l.Basis == zoomcatalog.Stated) {
			all = append(all, l)
		}
	}
	return all
}

// NewReport returns a report on which nothing stands yet.
func NewReport(app, url string) Report {
	return Report{App: app, URL: url, Changes: []Change{}, Covered: []Covered{}, Lacking: []Lacking{}, Unneeded: []string{}, Notes: []string{}, Problems: []string{}}
}

// Plan compares what an app needs with the subscriptions of its accounts, in the
// order of its targets.
func Plan(a App, held [][]Held) Report {
	r := NewReport(a.Name, a.URL)
	r.Needed = len(a.Needs)
	ids := map[string]bool{}
	for _, all := range held {
		for _, h := range all {
			ids[h.ID] = true
		}
	}
	p := planner{App: a, Report: &r, room: most - len(ids)}
	for i, t := range a.Targets {
		p.account(t, held[i])
	}
	slices.Sort(r.Unneeded)
	r.Unneeded = slices.Compact(r.Unneeded)
	return r
}

type planner struct {
	App
	*Report
	room int // for more subscriptions
}

func (p *planner) account(t Target, held []Held) {
	covered := p.covered(held)
	var ours []Held
	for _, h := range held {
		switch {
		case !h.byAPI():
		case h.URL == p.App.URL && h.Scope == scopeOf(t):
			ours = append(ours, h)
		case h.Name == nameOf(p.App.Name):
			p.stale(t, h)
		}
	}
	want := p.wanted(t, covered, ours)
	switch {
	case len(want) == 0 && len(ours) == 0:
	case len(want) == 0:
		p.Changes = append(p.Changes, Change{Do: Remove, Account: t.Account, Replaces: idsOf(ours), Removed: eventsOf(ours)})
	case p.App.URL == "":
		p.problem("%d event types have no subscription, and there is no public_url: set it to the address where Zoom reaches ingest", len(want))
	default:
		p.subscribe(t, want, ours)
	}
}

// covered returns what brings each type that the portal's subscriptions bring.
func (p *planner) covered(held []Held) map[string]string {
	by := map[string]string{}
	for _, h := range held {
		if h.byAPI() || h.ID != p.Socket && (p.App.URL == "" || h.URL != p.App.URL) {
			continue
		}
		for _, kind := range h.Events {
			by[kind] = h.ID
			if h.Name != "" {
				by[kind] = h.Name
			}
		}
	}
	for _, n := range p.Needs {
		if by[n.Type] != "" && !slices.ContainsFunc(p.Covered, func(c Covered) bool { return c.Type == n.Type }) {
			p.Report.Covered = append(p.Report.Covered, Covered{n.Type, by[n.Type]})
		}
	}
	return by
}

// stale is about a subscription that was made for another address of ours.
func (p *planner) stale(t Target, h Held) {
	if p.Prune {
		p.Changes = append(p.Changes, Change{Do: Remove, Account: t.Account, Replaces: []string{h.ID}, Removed: h.Events})
		return
	}
	p.Notes = append(p.Notes, fmt.Sprintf("subscription %s still sends to %s: --prune removes it", h.ID, h.URL))
}

// wanted returns the types that the account's own subscription is to have.
func (p *planner) wanted(t Target, covered map[string]string, ours []Held) []string {
	needed := map[string]bool{}
	for _, n := range p.Needs {
		if covered[n.Type] == "" {
			needed[n.Type] = true
		}
	}
	subscribed := eventsOf(ours)
	for _, n := range p.Needs {
		if needed[n.Type] && !slices.Contains(subscribed, n.Type) {
			p.foresee(t, n, needed)
		}
	}
	for _, kind := range subscribed {
		if !needed[kind] && !p.Prune {
			p.Unneeded = append(p.Unneeded, kind)
			needed[kind] = true
		}
	}
	return slices.Sorted(maps.Keys(needed))
}

// foresee is about a type that the scopes granted do not allow. One that stands in
// a workflow is tried all the same, since the app may have scopes that were not
// granted; of a pattern the others are enough.
func (p *planner) foresee(t Target, n Need, needed map[string]bool) {
	l := lacking(t, n)
	if len(p.Scopes) == 0 || len(l.AnyOf) == 0 || slices.ContainsFunc(l.AnyOf, func(s string) bool { return slices.Contains(p.Scopes, s) }) {
		return
	}
	p.Lacking = append(p.Lacking, l)
	if !n.Named && l.Basis == zoomcatalog.Stated {
		delete(needed, n.Type)
	}
}

func lacking(t Target, n Need) Lacking {
	l := Lacking{Need: n, Account: t.Account, AnyOf: []string{}, Basis: zoomcatalog.Unknown}
	e, known := zoomcatalog.Lookup(n.Type)
	if !known {
		return l
	}
	about := e.About()
	level := zoomcatalog.AccountLevel
	if t.Users != nil {
		level = zoomcatalog.UserLevel
	}
	l.Basis = about.Basis
	if l.AnyOf = zoomcatalog.AtLevel(level, about.Scopes()); len(l.AnyOf) == 0 {
		l.AnyOf = about.Scopes()
	}
	return l
}

// subscribe makes one of ours, or a new one, what is wanted, and ends the others.
func (p *planner) subscribe(t Target, want []string, ours []Held) {
	users := p.users(t, ours)
	c, ok := matching(ours, want)
	if !ok {
		p.create(t, want, users, ours)
		return
	}
	c.Account, c.Join, c.Leave = t.Account, without(users, c.had), without(c.had, users)
	if !c.empty() {
		p.Changes = append(p.Changes, c)
	}
}

func (p *planner) users(t Target, ours []Held) []string {
	users := slices.Clone(t.Users)
	for _, h := range ours {
		if t.Users != nil && !p.Prune {
			users = append(users, h.users()...)
		}
	}
	return sorted(users)
}

func (p *planner) create(t Target, want, users []string, ours []Held) {
	if p.room <= 0 {
		p.problem("the app has %d event subscriptions, which is as many as Zoom allows: a new one is made before an old one ends, so remove one that nobody needs in Zoom's Marketplace; nothing was changed", most)
		return
	}
	p.room--
	had := eventsOf(ours)
	c := Change{Do: Create, Account: t.Account, Replaces: idsOf(ours), Events: want, Added: without(want, had), Removed: without(had, want), Join: users, ours: ours}
	p.room += len(c.Replaces)
	p.Changes = append(p.Changes, c)
}

func scopeOf(t Target) string {
	if t.Users != nil {
		return "user"
	}
	return "account"
}

func nameOf(app string) string { return "zflow " + app }

func sorted(list []string) []string {
	list = slices.Sorted(slices.Values(list))
	return slices.Compact(list)
}

func without(list, these []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(these, s) })
}

func idsOf(all []Held) (ids []string) {
	for _, h := range all {
		ids = append(ids, h.ID)
	}
	return ids
}

func eventsOf(all []Held) (events []string) {
	for _, h := range all {
		events = append(events, h.Events...)
	}
	return sorted(events)
}
