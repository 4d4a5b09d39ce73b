package text

import (
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	for s, want := range map[string]string{
		"":                      "",
		"plain":                 "plain",
		"$5 ${ x } {{ y }}":     "$5 ${ x } {{ y }}",
		"${{ a }}":              "‹ a ›",
		"x ${{a}}${{b}} y":      "x |‹a›|‹b›| y",
		"${{ {a: {b: 1}} }}":    "‹ {a: {b: 1}} ›",
		"${{ {a: {b: 1}}}}":     "‹ {a: {b: 1}}›",
		"${{ '}}' + \"}}\" }}":  "‹ '}}' + \"}}\" ›",
		`${{ 'it\'s }}' }}`:     `‹ 'it\'s }}' ›`,
		"${{ `\\` }}":           "‹ `\\` ›",
		"${{ 1 /* }} */ / 2 }}": "‹ 1 /* }} */ / 2 ›",
		"${{ 1 // }}\n }}":      "‹ 1 // }}\n ›",
		"${{ '${{' }} x":        "‹ '${{' ›| x",
		"a }} b":                "a }} b",
		"${{ a":                 "open at 0",
		"ü ${{ 'a }}":           "open at 3",
		"${{ a }} ${{ (b }}":    "open at 9",
		"${{ a /* }}":           "open at 0",
		"${{ a // }}":           "open at 0",
		"${{ a } }":             "open at 0",
	} {
		if got := shown(Split(s)); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}

func shown(parts []Part, open int) string {
	if open >= 0 {
		return "open at " + string(rune('0'+open))
	}
	var out []string
	for _, p := range parts {
		if p.Expr {
			p.Text = "‹" + p.Text + "›"
		}
		out = append(out, p.Text)
	}
	return strings.Join(out, "|")
}

func TestWhole(t *testing.T) {
	for s, want := range map[string]bool{
		"${{ a }}": true, "${{ a }}\n": true, "${{ a }} ": false, " ${{ a }}": false, "a": false, "": false, "${{ a }}${{ b }}": false,
	} {
		if parts, open := Split(s); Whole(parts) != want || open >= 0 {
			t.Errorf("%q: %v", s, parts)
		}
	}
}

func TestPosition(t *testing.T) {
	const s = "ab\nü${{\n"
	for offset, want := range map[int][2]int{0: {1, 1}, 2: {1, 3}, 3: {2, 1}, 5: {2, 2}, 8: {2, 5}, len(s): {3, 1}} {
		if line, column := Position(s, offset); [2]int{line, column} != want {
			t.Errorf("%d: %d:%d, want %v", offset, line, column, want)
		}
	}
}

func TestEscapeURL(t *testing.T) {
	for _, c := range []struct {
		before, value, after, want string
	}{
		{"https://x.org/", "a/b==", "", "a%2Fb=="},
		{"https://x.org/?q=", "a/b== +", "", "a%2Fb%3D%3D+%2B"},
		{"https://x.org/?q=1#", "a/b", "", "a%2Fb"},
		{"https://", "evil.org/@", ".x.org", "evil.org%2F%40"},
		{"https://x.org/a", "..", "/b", ".."},
		{"https://x.org/", "..", "/b", "-"},
		{"https://x.org/", ".", "", "-"},
		{"https://x.org/", "..", "?x", "-"},
		{"https://x.org/", "..", "b", ".."},
		{"https://x.org/", "v1..2", "", "v1..2"},
		{"/v2/", "a b?", "/x", "a%20b%3F"},
	} {
		got, ok := EscapeURL(c.before, c.value, c.after)
		if !ok {
			got = "-"
		}
		if got != c.want {
			t.Errorf("%s‹%s›%s: %s, want %s", c.before, c.value, c.after, got, c.want)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"a ${{ b }} c", "${{ {a: 1}}}", "${{ '}}' }}", "${{ // }}\n }}", "${{ /* }}", "${{${{}}}}", "${{ \"\\\"}}\" }}", "ü${{ü}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parts, open := Split(s)
		if open >= 0 {
			if !Contains(s[open:]) {
				t.Fatalf("%q is open at %d", s, open)
			}
			return
		}
		var b strings.Builder
		for _, p := range parts {
			if s[p.Offset:p.Offset+len(p.Text)] != p.Text {
				t.Fatalf("%q: %q is not at %d", s, p.Text, p.Offset)
			}
			if p.Expr {
				b.WriteString(opening + p.Text + closing)
				continue
			}
			if Contains(p.Text) {
				t.Fatalf("%q: %q is left plain", s, p.Text)
			}
			b.WriteString(p.Text)
		}
		if b.String() != s {
			t.Fatalf("%q is cut into %q", s, b.String())
		}
	})
}
