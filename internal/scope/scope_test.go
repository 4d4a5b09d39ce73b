package scope_test

import (
	"slices"
	"strings"
	"testing"

	"zflow/engine/workflow"
	"zflow/internal/scope"
	"zflow/internal/zoomcatalog"
)

func actionScopes(name string) ([]string, bool) {
	switch name {
	case "zoom.get_meeting":
		return []string{"meeting:read:meeting", "meeting:read:meeting:admin"}, true
	case "zoom.odd":
		return nil, true
	}
	return nil, false
}

func uses(action string) *workflow.Step { return &workflow.Step{Do: &workflow.Uses{Action: action}} }

func texts(needs []scope.Need) (lines []string) {
	for _, n := range needs {
		lines = append(lines, n.String())
	}
	return lines
}

// Everything that a workflow hears and calls counts, wherever it stands, once.
func TestOf(t *testing.T) {
	w := &workflow.Workflow{
		Triggers: []workflow.Trigger{
			{Source: "zoom", Types: []string{"user.created", "brand.new"}}, {Source: "app", Types: []string{"meeting.ended"}},
		},
		Steps: []*workflow.Step{
			uses("log"), uses("zoom.get_meeting"),
			{Do: &workflow.Block{Branches: []*workflow.Branch{{Steps: []*workflow.Step{
				{Do: &workflow.Wait{Of: []*workflow.Arrival{{Source: "zoom", Types: []string{"session.ended"}}, {Signal: "x"}}}}, uses("zoom.get_meeting"),
			}}}}},
			{Do: &workflow.Stop{}, Undo: &workflow.Uses{Action: "zoom.odd"}},
		},
		OnFailure: []*workflow.Step{uses("zoom.get_meeting")},
	}
	got := texts(scope.Of(w, actionScopes))
	want := []string{
		"user.created needs user:read:user:admin or user:read:admin or user:write:admin",
		"brand.new, zoom.odd: Zoom does not say which scope",
		"zoom.get_meeting needs meeting:read:meeting or meeting:read:meeting:admin",
		"session.ended needs no scope",
	}
	for _, line := range want {
		if !slices.Contains(got, line) && !strings.HasPrefix(line, "user.created") {
			t.Errorf("%q is not in\n%s", line, strings.Join(got, "\n"))
		}
	}
	if len(got) != len(want) || !strings.HasPrefix(got[0], "user.created needs ") || !strings.Contains(got[0], "user:read:admin") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestAPatternNeedsWhatItsEventsNeed(t *testing.T) {
	w := &workflow.Workflow{Triggers: []workflow.Trigger{{Source: "zoom", Types: []string{"recording.*", "*.ended"}}}}
	needs := scope.Of(w, actionScopes)
	var of []string
	for _, n := range needs {
		of = append(of, n.Of...)
	}
	for _, name := range []string{"recording.completed", "recording.batch_deleted", "meeting.ended", "webinar.ended", "session.ended"} {
		if !slices.Contains(of, name) {
			t.Errorf("%s is missing of %v", name, of)
		}
	}
	if n := needs[0]; !slices.Equal(n.At(zoomcatalog.UserLevel), []string{"cloud_recording:read:recording", "recording:read"}) ||
		!slices.Equal(n.At(zoomcatalog.AccountLevel), []string{"cloud_recording:read:recording:admin", "recording:read:admin"}) ||
		!strings.Contains(n.String(), "as far as is known") {
		t.Errorf("%v", n)
	}
}

func TestMissing(t *testing.T) {
	needs := []scope.Need{
		{Of: []string{"a"}, AnyOf: []string{"x:read", "x:read:admin"}, Basis: zoomcatalog.Stated},
		{Of: []string{"b"}, AnyOf: []string{"y:read"}, Basis: zoomcatalog.Assumed},
		{Of: []string{"c"}, Basis: zoomcatalog.Unknown},
	}
	for granted, want := range map[string]string{"": "a b", "x:read:admin": "b", "x:read y:read": "", "z": "a b", "x:read:other y:read": "a"} {
		var missing []string
		for _, n := range scope.Missing(needs, strings.Fields(granted)) {
			missing = append(missing, n.Of...)
		}
		if got := strings.Join(missing, " "); got != want {
			t.Errorf("with %q %q is missing, want %q", granted, got, want)
		}
	}
	if len(needs) != 3 || needs[0].Of[0] != "a" {
		t.Error("the needs were changed")
	}
}

func TestUnion(t *testing.T) {
	a := []scope.Need{{Of: []string{"a"}, AnyOf: []string{"x"}, Basis: zoomcatalog.Stated}}
	b := []scope.Need{{Of: []string{"b", "a"}, AnyOf: []string{"x"}, Basis: zoomcatalog.Stated}, {Of: []string{"c"}, Basis: zoomcatalog.None}}
	if got := strings.Join(texts(scope.Union(a, b)), "; "); got != "a, b needs x; c needs no scope" {
		t.Error(got)
	}
}

// What a poll reads needs its scopes too.
func TestOfPolls(t *testing.T) {
	w := &workflow.Workflow{Triggers: []workflow.Trigger{{Source: "poll", Types: []string{"x"}, Poll: &workflow.Poll{Uses: &workflow.Uses{Action: "zoom.get_meeting"}}}}}
	if got := texts(scope.Of(w, actionScopes)); !slices.Equal(got, []string{"zoom.get_meeting needs meeting:read:meeting or meeting:read:meeting:admin"}) {
		t.Errorf("%q", got)
	}
}
