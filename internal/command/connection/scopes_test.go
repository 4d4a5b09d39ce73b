package connection

import (
	"strings"
	"testing"

	"zflow/engine/definition"
	"zflow/internal/app"
	"zflow/internal/connections"
)

// A workflow is told which scopes its connections lack; of those that are not
// there, or whose scopes are not known, nothing is said.
func TestMissingScopes(t *testing.T) {
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	w, problems := definition.Parse("f.yaml", []byte(`
name: flow
on: [ { zoom: meeting.ended } ]
steps:
  - { id: a, uses: zoom.create_meeting, connection: school, with: { topic: x } }
  - { id: b, uses: zoom.create_meeting, connection: school, with: { topic: x } }
  - { id: c, uses: zoom.create_meeting, connection: absent, with: { topic: x } }
  - { id: d, uses: zoom.create_meeting, connection: fresh, with: { topic: x } }
`), app.Known(registry, nil))
	if w == nil {
		t.Fatal(problems)
	}
	for scopes, want := range map[string]int{"user:read:user": 1, "meeting:write:meeting:admin": 0, "meeting:write:meeting": 0} {
		all := map[string]connections.Record{"school": {Scopes: []string{scopes}}, "fresh": {}}
		lines := missing(w, all, registry)
		if len(lines) != want || want > 0 && !strings.Contains(lines[0], "connection school") {
			t.Errorf("%s: %q", scopes, lines)
		}
	}
}
