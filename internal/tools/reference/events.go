package main

import (
	"fmt"
	"slices"
	"strings"

	"zflow/internal/zoomcatalog"
)

const eventsHead = `<!-- Made by go generate from the catalogue of events; DO NOT EDIT. -->
# Zoom's events

What ` + "`on: zoom:`" + ` and ` + "`wait_for: zoom:`" + ` can name: %d events. ` + "`zflow triggers list`" + `,
` + "`search`" + ` and ` + "`show NAME`" + ` print the same, and an event's fields, a payload and an example. A
pattern such as ` + "`recording.*`" + ` stands for all events that it covers. An event that is not
listed is taken, stored and routed like any other; naming it in a workflow is a warning.

**Scopes**: of those in one cell any one suffices, the granular ones stand first. An app
that a user adds needs one of the user level, one that an administrator adds one of the
account level; those for master accounts are in ` + "`zflow triggers show`" + `. *Assumed* ones are not
stated by Zoom but taken from the operations and events beside; *unknown* says that Zoom
states none. ` + "`zflow scopes`" + ` lists what workflows
need.

**Known by**: what makes two deliveries one event, see [business keys](#business-keys).
`

const keysHead = `
## Business keys

Zoom may deliver one event several times, with other tokens, addresses and order. Two
deliveries are one event if app, type, time (` + "`event_ts`" + `), account and these fields below
` + "`payload`" + ` are the same. Where an event has none of a column's first two lists, or no time,
the key is *whole*: all that it says, but for credentials and the addresses that hold one.

| key | about (what is there of) | part (what is there of) | and |
|---|---|---|---|
| whole | everything | | |
`

// eventsPage is docs/events.md.
func eventsPage() []byte {
	all := zoomcatalog.Events()
	var b strings.Builder
	fmt.Fprintf(&b, eventsHead, len(all))
	byProduct := map[string][]zoomcatalog.Event{}
	var products []string
	for _, e := range all {
		if byProduct[e.Product] == nil {
			products = append(products, e.Product)
		}
		byProduct[e.Product] = append(byProduct[e.Product], e)
	}
	slices.Sort(products)
	for _, p := range products {
		fmt.Fprintf(&b, "\n## %s\n\n| event | what happened | user level | account level | known by |\n|---|---|---|---|---|\n", p)
		for _, e := range byProduct[p] {
			eventRow(&b, e)
		}
	}
	keysTable(&b, all)
	return []byte(b.String())
}

func eventRow(b *strings.Builder, e zoomcatalog.Event) {
	a := e.About()
	about := a.Description
	if a.Deprecated {
		about += " (deprecated)"
	}
	fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", e.Name, about,
		scopeCell(a, zoomcatalog.UserLevel), scopeCell(a, zoomcatalog.AccountLevel), e.Key().Name)
}

func scopeCell(a zoomcatalog.About, level zoomcatalog.Level) string {
	scopes := zoomcatalog.AtLevel(level, a.Scopes())
	switch {
	case a.Basis == zoomcatalog.None:
		return "none needed"
	case a.Basis == zoomcatalog.Unknown:
		return "unknown"
	case len(scopes) == 0:
		return ""
	case a.Basis == zoomcatalog.Assumed:
		return code(scopes, " ") + " (assumed)"
	}
	return code(scopes, " ")
}

func keysTable(b *strings.Builder, all []zoomcatalog.Event) {
	b.WriteString(keysHead)
	byName := map[string]zoomcatalog.Key{}
	var names []string
	for _, e := range all {
		k := e.Key()
		if _, seen := byName[k.Name]; !seen && !k.Whole() {
			names = append(names, k.Name)
		}
		byName[k.Name] = k
	}
	slices.Sort(names)
	for _, name := range names {
		k := byName[name]
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", name, paths(k.Object), paths(k.Part), paths(k.More))
	}
}

func paths(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return code(list, " ")
}
