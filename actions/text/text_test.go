package text_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"zflow/actions"
	"zflow/actions/actionstest"
	"zflow/actions/text"
)

type object = map[string]any
type list = []any

func fill(ctx context.Context, t *testing.T, input object) (string, error) {
	t.Helper()
	a := text.Action()
	got, err := a.Do(ctx, actions.Call{Input: input})
	if err != nil {
		return "", err
	}
	for _, problem := range actionstest.Check(a.Spec.Output, got.Output) {
		t.Error(problem)
	}
	return got.Output.(object)["text"].(string), nil
}

var data = object{
	"name": "Ann & Bob", "n": int64(3), "half": 0.5, "none": nil, "at": "2026-03-02T10:00:00Z", "empty": list{},
	"list": list{"a", int64(2), object{"b": true}}, "token": "~zf1.abcdefgh.AAAABBBBCCCC-_~",
}

func TestFill(t *testing.T) {
	for src, want := range map[string]string{
		"plain":                                "plain",
		"{{.name}} {{.n}} {{.half}} {{.list}}": `Ann & Bob 3 0.5 ["a",2,{"b":true}]`,
		"{{range $i, $x := .list}}{{$i}}={{$x}};{{end}}":                                           `0=a;1=2;2={"b":true};`,
		"{{range .empty}}x{{else}}none{{end}}":                                                     "none",
		"{{if .none}}a{{else if eq .n 3}}b{{end}}{{with .nix}}c{{end}}":                            "b",
		`{{or .none "-"}} {{or .nix "?"}}`:                                                         "- ?",
		`{{range .list}}{{if eq (json .) "2"}}{{break}}{{end}}{{.}}{{end}}`:                        "a",
		`{{define "x"}}<{{.}}>{{end}}{{template "x" .n}}`:                                          "<3>",
		`{{time .at "%d.%m.%Y %H:%M" "Europe/Berlin"}} {{time .at "%F"}}`:                          "02.03.2026 11:00 2026-03-02",
		`{{join (slice .list 0 2) ", "}} {{upper "a"}}{{lower "B"}} {{json .list}}`:                `a, 2 Ab ["a",2,{"b":true}]`,
		`{{printf "%05.1f|%-4s|%d" .half "x" .n}} {{html "<"}} {{urlquery "a b"}} {{print .n .n}}`: "000.5|x   |3 &lt; a+b 3 3",
		`{{$x := 1}}{{$x = 2}}{{$x}}{{len .list}}{{index .list 0}}`:                                "23a",
		"a {{- .n -}} b": "a3b",
		"{{.token}}":     "~zf1.abcdefgh.AAAABBBBCCCC-_~",
	} {
		if got, err := fill(t.Context(), t, object{"template": src, "data": data}); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", src, got, err, want)
		}
	}
	if got, err := fill(t.Context(), t, object{"template": "<b>{{.name}}</b>", "data": data, "escape": "html"}); err != nil || got != "<b>Ann &amp; Bob</b>" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestErrors(t *testing.T) {
	for src, want := range map[string]string{
		"a\n{{.none}}":           `the template, line 2: the value is missing (write {{or … ""}}, or {{if …}} around it)`,
		"{{.nix}}":               `the template, line 1: the value is missing (write {{or … ""}}, or {{if …}} around it)`,
		"{{.none.x}}":            "the template, line 1, at {{.none.x}}: nil pointer evaluating interface {}.x",
		"\n\n{{range .list}}":    "the template, line 3: unexpected EOF",
		"{{nofunc 1}}":           `the template, line 1: function "nofunc" not defined`,
		"{{.n.x}}":               "the template, line 1, at {{.n.x}}: can't evaluate field x in type interface {}",
		"{{template \"none\"}}":  "the template, line 1, at {{template \"none\"}}: template \"none\" not defined",
		`{{time "soon" "%F"}}`:   `the template, line 1, at {{time "soon" "%F"}}: "soon" is no date or time: write it as 2026-03-02T10:00:00Z, or give its layout`,
		`{{printf "%9999d" .n}}`: `the template, line 1, at {{printf "%9999d" .n}}: printf pads to 999 at most`,
		`{{printf "%*d" 99 .n}}`: `the template, line 1, at {{printf "%*d" 99 .n}}: printf pads to 999 at most`,
		`{{call .n}}`:            `the template, line 1, at {{call}}: wrong number of args for call: want 0 got 1`,
	} {
		got, err := fill(t.Context(), t, object{"template": src, "data": data})
		if err == nil || !strings.HasPrefix(err.Error(), want[:min(len(want), 24)]) {
			t.Errorf("%s: %q\n got %v\nwant %s", src, got, err, want)
			continue
		}
		if e := err.Error(); e != want {
			t.Errorf("%s\n got %s\nwant %s", src, e, want)
		}
	}
	for want, input := range map[string]object{
		"template is missing, or not text":    {"data": int64(1)},
		`escape is none or html, not "xml"`:   {"template": "x", "escape": "xml"},
		"the template is longer than 256 KiB": {"template": strings.Repeat("x", 256<<10+1)},
	} {
		if got, err := fill(t.Context(), t, input); err == nil || err.Error() != want {
			t.Errorf("%q, %v, want %s", got, err, want)
		}
	}
}

// TestLimits: whatever a template does, it ends, and what it makes is bounded.
func TestLimits(t *testing.T) {
	big := object{"big": strings.Repeat("x", 900<<10)}
	for _, src := range []string{
		"{{range 1000000000}}{{end}}",
		"{{range 100000}}{{range 100000}}{{end}}{{end}}",
		"{{range 100000}}xxxxxxxxxxxxxxxxxxxxxxxxx{{end}}",
		`{{define "a"}}{{template "a" .}}{{end}}{{template "a" .}}`,
		`{{define "a"}}{{template "b" .}}{{template "b" .}}{{end}}{{define "b"}}{{range 1000}}{{range 1000}}{{end}}{{end}}{{end}}{{template "a" .}}`,
		`{{$x := .big}}{{range 60}}{{$x = print $x $x}}{{end}}`,
		`{{$x := .big}}{{range 60}}{{$x = printf "%s%s" $x $x}}{{end}}`,
		`{{printf "%q%q" .big .big}}`,
		"{{.big}}{{.big}}",
	} {
		got, err := fill(t.Context(), t, object{"template": src, "data": big})
		if err == nil || len(got) > 1<<20 {
			t.Errorf("%s gives %d bytes", src, len(got))
		} else if s := err.Error(); err.(*actions.Error).Code != "too_large" && !strings.Contains(s, "maximum template depth") {
			t.Errorf("%s: %s", src, s)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := fill(ctx, t, object{"template": "{{range 1000000}}{{end}}"}); err == nil || !strings.Contains(err.Error(), "the call was ended") {
		t.Error(err)
	}
}

func TestExamples(t *testing.T) {
	for _, x := range text.Action().Spec.Examples {
		if got, err := fill(t.Context(), t, x.Input); err != nil || !reflect.DeepEqual(object{"text": got}, x.Output) {
			t.Errorf("%s: %q, %v", x.Title, got, err)
		}
	}
}
