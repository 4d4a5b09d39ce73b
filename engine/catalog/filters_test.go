package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"pgregory.net/rapid"

	"zflow/engine"
	"zflow/proto"
)

func TestFilters(t *testing.T) {
	const z = "zflow.event.zoom.*."
	for _, c := range []struct{ types, want []string }{
		{nil, nil},
		{[]string{"meeting.ended"}, []string{z + "meeting.ended"}},
		{[]string{"meeting.ended", "meeting.ended"}, []string{z + "meeting.ended"}},
		{[]string{"b.x", "a.x"}, []string{z + "a.x", z + "b.x"}},
		{[]string{"meeting.ended", "meeting.*"}, []string{z + "meeting.>"}},
		{[]string{"meeting.*", "meeting.ended", "webinar.ended"}, []string{z + "meeting.>", z + "webinar.ended"}},
		{[]string{"meeting.*", "*.ended"}, []string{z + "*.>"}},
		{[]string{"a.*.c", "a.b.*"}, []string{z + "a.*.>"}},
		{[]string{"a.*.c", "a.b.c", "x"}, []string{z + "a.*.c", z + "x"}},
		{[]string{"*"}, []string{z + ">"}},
		{[]string{"a.*", "*", "b"}, []string{z + ">"}},
		{[]string{"app deauthorized"}, []string{z + "app=20deauthorized"}},
	} {
		if got := Filters([]engine.Trigger{{Source: "zoom", Types: c.types}}); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.types, got, c.want)
		}
	}
	two := []engine.Trigger{{Source: "zoom", Types: []string{"a"}}, {Source: "app", Types: []string{"a"}}}
	if got := Filters(two); !slices.Equal(got, []string{"zflow.event.app.*.a", z + "a"}) {
		t.Errorf("got %q", got)
	}
}

// TestFiltersHold draws triggers and events: the server must accept the filters
// as disjoint, and let through every event that a trigger wants.
func TestFiltersHold(t *testing.T) {
	token := rapid.SampledFrom([]string{"a", "b", "*"})
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(token, 1, 4).Draw(t, "tokens"), ".")
		})
		types := rapid.SliceOfN(pattern, 1, 5).Draw(t, "types")
		filters := Filters([]engine.Trigger{{Source: "zoom", Types: types}})
		for i, a := range filters {
			for _, b := range filters[i+1:] {
				if server.SubjectsCollide(a, b) {
					t.Fatalf("%s and %s overlap", a, b)
				}
			}
		}
		event := strings.ReplaceAll(pattern.Draw(t, "event"), "*", "c")
		subject := proto.EventSubject("zoom", "acc", event)
		matches := func(filter string) bool { return server.SubjectsCollide(subject, filter) }
		for _, p := range types {
			if matches(proto.EventFilter("zoom", p)) && !slices.ContainsFunc(filters, matches) {
				t.Fatalf("%s is wanted by %s, and not let through by %q", subject, p, filters)
			}
		}
	})
}
