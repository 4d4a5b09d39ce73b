package record

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"zflow/engine/expr"
	"zflow/internal/flowtest/testfile"
)

// What is written is read as it was, whatever texts, keys and numbers it has.
func TestYAMLIsReadAsItWasWritten(t *testing.T) {
	long := strings.Repeat("a long text, ", 20)
	for name, v := range map[string]any{
		"words":   []any{"", "a", "true", "No", "null", "y", "~", "1", "1e3", "0x1f", "2026-03-02", "12:30", "- x", "a: b", "a #b", "#", "&a", "*a", "!x", "%", "@x", "`", "{", "'", `"`, `\`, " x ", "a.b"},
		"runes":   []any{"a\nb\n", "tab\t", "\r", "\x00\x01\x1f\x7f\u0085\u00a0\u2028\ufeff", "Übung ✓", "😀", "••••", "${{ x }}", "<<"},
		"keys":    map[string]any{"": 1, "on": "x", "a b": nil, "notify[0]": true, "1": false, "<<": int64(2), "x:": "y", "ü": long, "-": long, "a.b": []any{long, long}},
		"numbers": []any{int64(0), int64(-7), int64(math.MaxInt64), int64(math.MinInt64), 1.5, -0.25, 3.0, 1e-7, float64(1<<53 - 1)},
		"nested":  []any{[]any{[]any{}, map[string]any{}}, []any{long, map[string]any{"a": long, "b": []any{map[string]any{"c": long}}}}, []any{[]any{long}}},
		"null":    nil,
	} {
		var b strings.Builder
		b.WriteString("workflow: x.yaml\nevent: { type: a.b, body:" + " " + "1 }\ntests:\n  - name: n\n    expect: {}\n    steps:\n      s:\n        output:")
		writeYAML(&b, v, 8)
		f, problems := testfile.Parse("f", []byte(b.String()))
		if f == nil {
			t.Errorf("%s: %v\n%s", name, problems, b.String())
			continue
		}
		got, err := expr.EncodeJSON(f.Tests[0].Steps["s"][0].Output)
		if err != nil {
			t.Fatal(err)
		}
		want, err := expr.EncodeJSON(v)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: read as\n%s\nnot\n%s\nfrom\n%s", name, got, want, b.String())
		}
	}
}

func TestShortValuesStandInOneLine(t *testing.T) {
	var b strings.Builder
	writeBlock(&b, object{{"a", object{{"type", "meeting.ended"}, {"list", []any{int64(1), "two words"}}}}, {"b", []any{}}, {"c", object{}}}, 2)
	if want := "  a: { type: meeting.ended, list: [ 1, \"two words\" ] }\n  b: []\n  c: {}\n"; b.String() != want {
		t.Errorf("%s", b.String())
	}
}
