package overlay

import (
	"strings"
	"testing"

	"zflow/engine/definition"
)

// prod is what goes over the vars of the tests' workflows.
var prod = map[string]any{"channel": "#prod", "limits": map[string]any{"day": int64(3)}, "other": true}

func TestApply(t *testing.T) {
	for name, c := range map[string]struct{ src, want string }{
		"a block": {
			"# head\nname: a\nvars:\n  # where\n  channel: \"#dev\" # shown\n  office: a@b.org\n\n# what starts it\non: { zoom: meeting.ended }\n",
			"# head\nname: a\n# from vars.prod.yaml: channel\nvars:\n  # where\n  channel: \"#prod\"\n  office: a@b.org\n\n# what starts it\non: { zoom: meeting.ended }\n",
		},
		"in one line, the last": {
			"name: a\nvars: { channel: x, office: y }\n",
			"name: a\n# from vars.prod.yaml: channel\nvars: {channel: \"#prod\", office: y}\n",
		},
		"without an end of line": {"name: a\nvars: { channel: x }", "name: a\n# from vars.prod.yaml: channel\nvars: {channel: \"#prod\"}\n"},
		"an object, whole": {
			"vars:\n  limits:\n    day: 1\n    week: 5\n  channel: |\n    # no comment\nname: a\n",
			"# from vars.prod.yaml: channel, limits\nvars:\n  limits: {\"day\": 3}\n  channel: \"#prod\"\nname: a\n",
		},
		"none of them":  {"name: a\nvars: { office: y }\n", "name: a\nvars: { office: y }\n"},
		"no vars":       {"name: a\n", "name: a\n"},
		"all in braces": {"{ name: a, vars: { channel: x }, on: { zoom: meeting.ended } }", "# from vars.prod.yaml: channel\n{name: a, vars: {channel: \"#prod\"}, on: {zoom: meeting.ended}}\n"},
		"an anchor": {
			"name: a\nvars:\n  channel: &c x\nx-again: *c\n",
			"", // who refers to the value means the var: it would change too
		},
		"an alias for all": {"x-v: &v { channel: x }\nvars: *v\nname: a\n", ""},
		"a merged one":     {"x-v: &v { channel: x }\nvars: { <<: *v, channel: y }\nname: a\n", "x-v: &v { channel: x }\n# from vars.prod.yaml: channel\nvars: {<<: *v, channel: \"#prod\"}\nname: a\n"},
		"other line ends":  {"name: a\r\nvars:\r\n  channel: x\r\non: { zoom: meeting.ended }\r\n", "name: a\r\n# from vars.prod.yaml: channel\nvars:\n  channel: \"#prod\"\non: { zoom: meeting.ended }\r\n"},
	} {
		got, err := Apply([]byte(c.src), "vars.prod.yaml", prod)
		if c.want == "" && (err == nil || !strings.Contains(err.Error(), "cannot be rewritten")) || c.want != "" && string(got) != c.want {
			t.Errorf("%s:\n%s%v\nnot\n%s", name, got, err, c.want)
		}
	}
}

// The text that comes out is a workflow with these vars, and another version.
func TestWhatComesOutIsAWorkflow(t *testing.T) {
	src := []byte("name: a\non: { zoom: meeting.ended, if: \"event.payload.object.duration >= 5\" }\nvars:\n  channel: dev\n  phone: \"+1555\"\n  limits: { day: 1 }\n" +
		"steps:\n  # the only one\n  - { id: x, sleep: 1s }\n")
	out, err := Apply(src, "vars.prod.yaml", map[string]any{"phone": "0123", "channel": "yes", "limits": map[string]any{"day": 1.5, "big": "12345678901234567890", "none": nil, "list": []any{"1.10", int64(2)}}})
	if err != nil {
		t.Fatal(err)
	}
	w, problems := definition.Parse("a.yaml", out, definition.Known{})
	if w == nil {
		t.Fatalf("%v\n%s", problems, out)
	}
	limits, _ := w.Vars["limits"].(map[string]any)
	list, _ := limits["list"].([]any)
	if w.Vars["phone"] != "0123" || w.Vars["channel"] != "yes" || limits["day"] != 1.5 || limits["big"] != "12345678901234567890" || limits["none"] != nil || list[0] != "1.10" || list[1] != int64(2) {
		t.Errorf("vars are %v", w.Vars)
	}
	if w.Version == definition.Version(src) {
		t.Error("it is the same version")
	}
}

func TestNames(t *testing.T) {
	got, err := Names([]byte("name: a\nvars: { b: 1, a: 2 }\n"))
	if err != nil || strings.Join(got, " ") != "b a" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := Names([]byte("name: a\n")); err != nil || got != nil {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := Names([]byte("- a\n")); err == nil {
		t.Error("a list has vars")
	}
}
