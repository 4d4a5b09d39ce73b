package connection

import (
	"strings"
	"testing"

	"zflow/engine/definition"
	"zflow/engine/workflow"
	"zflow/internal/app"
	"zflow/internal/connections"
	"zflow/internal/zoomapi"
)

func parse(t *testing.T, source string) *workflow.Workflow {
	t.Helper()
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	w, problems := definition.Parse("f.yaml", []byte(source), app.Known(registry, nil))
	if w == nil {
		t.Fatal(problems)
	}
	return w
}

func lack(t *testing.T, source string, granted ...connections.Record) Lack {
	t.Helper()
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return lackOf(parse(t, source), granted, registry)
}

func of(name, kind, scopes string) connections.Record {
	return connections.Record{Name: name, Kind: kind, State: connections.Connected, Scopes: strings.Fields(scopes)}
}

const (
	may    = "meeting:write:meeting:admin meeting:read:meeting:admin"
	mayNot = "user:read:user:admin"
)

// A workflow is told which scopes its connections lack; of those that are not
// there, or whose scopes are not known, nothing is said.
func TestMissingScopes(t *testing.T) {
	const source = `
name: flow
on: [ { event: thing.made } ]
steps:
  - { id: a, uses: zoom.create_meeting, connection: school, with: { topic: x } }
  - { id: b, uses: zoom.create_meeting, connection: school, with: { topic: x } }
  - { id: c, uses: zoom.create_meeting, connection: absent, with: { topic: x } }
  - { id: d, uses: zoom.create_meeting, connection: fresh, with: { topic: x } }
`
	for scopes, want := range map[string]int{"user:read:user": 1, "meeting:write:meeting:admin": 0, "meeting:write:meeting": 0} {
		l := lack(t, source, of("school", zoomapi.KindServer, scopes), connections.Record{Name: "fresh"})
		if len(l.Missing) != want || want > 0 && !strings.Contains(l.Missing[0], "connection school") || len(l.Doubted) != 0 {
			t.Errorf("%s: %q", scopes, l)
		}
	}
}

// A step that names no connection calls with that of the event's account: it cannot
// work where none has the scope, and works for some accounts where some have it.
func TestScopesOfTheEventsAccount(t *testing.T) {
	const source = `
name: flow
on: [ { event: thing.made } ]
steps: [ { id: a, uses: zoom.create_meeting, with: { topic: x } } ]
`
	server := zoomapi.KindServer
	cases := map[string]struct {
		granted          []connections.Record
		missing, doubted string
	}{
		"none is there":             {nil, "", ""},
		"the only one has it":       {[]connections.Record{of("a", server, may)}, "", ""},
		"the only one has it not":   {[]connections.Record{of("a", server, mayNot)}, "connection a ", ""},
		"one user's, the only one":  {[]connections.Record{of("lina", zoomapi.KindUser, mayNot)}, "connection lina ", ""},
		"one of two":                {[]connections.Record{of("a", server, may), of("b", server, mayNot)}, "", "connection b "},
		"neither":                   {[]connections.Record{of("a", server, mayNot), of("b", server, mayNot)}, "connection a, b ", ""},
		"a user's does not speak":   {[]connections.Record{of("a", server, mayNot), of("lina", zoomapi.KindUser, may)}, "connection a ", ""},
		"one that has been revoked": {[]connections.Record{of("a", server, may), {Name: "b", Kind: server, State: connections.Revoked, Scopes: []string{mayNot}}}, "", ""},
	}
	for name, c := range cases {
		l := lack(t, source, c.granted...)
		if !strings.Contains(strings.Join(l.Missing, "\n"), c.missing) || !strings.Contains(strings.Join(l.Doubted, "\n"), c.doubted) {
			t.Errorf("%s: %q", name, l)
		}
		if (len(l.Missing) > 0) != (c.missing != "") || (len(l.Doubted) > 0) != (c.doubted != "") {
			t.Errorf("%s: %q", name, l)
		}
	}
}

// Events need scopes too; what no connection has is doubted, not refused: they may
// come by another app.
func TestScopesOfEvents(t *testing.T) {
	const source = `
name: flow
on: [ { zoom: recording.completed } ]
steps: [ { id: a, uses: log, with: { message: x } } ]
`
	if l := lack(t, source); len(l.Doubted) != 0 {
		t.Errorf("no connection is there: %q", l)
	}
	l := lack(t, source, of("a", zoomapi.KindServer, mayNot))
	if len(l.Missing) != 0 || len(l.Doubted) != 1 || !strings.Contains(l.Doubted[0], "sends recording.completed") {
		t.Errorf("%q", l)
	}
	if l := lack(t, source, of("a", zoomapi.KindServer, "cloud_recording:read:recording cloud_recording:read:recording:admin cloud_recording:read:list_recording_files:admin recording:read:admin cloud_recording:read:list_user_recordings")); len(l.Doubted) != 0 {
		t.Errorf("%q", l)
	}
}

// A step whose connection is to something else than it calls is told; scopes of other
// services are none of Zoom's.
func TestUnfitConnections(t *testing.T) {
	const source = `
name: flow
on: [ { event: thing.made } ]
steps:
  - { id: a, uses: zoom.create_meeting, connection: crm, with: { topic: x } }
  - { id: b, uses: http.request, connection: school, with: { url: "https://api.example.org" } }
  - { id: c, uses: http.request, connection: crm, with: { url: "https://api.example.org" } }
  - { id: d, uses: zoom.create_meeting, connection: school, with: { topic: x } }
  - { id: e, uses: http.request, connection: absent, with: { url: "https://api.example.org" } }
`
	l := lack(t, source, of("school", zoomapi.KindServer, may), of("crm", connections.KindHTTP, "read"))
	got := strings.Join(l.Unfit, "\n")
	want := "flow: step a: zoom.create_meeting needs one to Zoom, and the connection crm is of kind http\n" +
		"flow: step b: http.request needs one of kind http, and the connection school is of kind zoom_s2s"
	if got != want || len(l.Missing)+len(l.Doubted) > 0 {
		t.Errorf("%s\n%q", got, l)
	}
}
