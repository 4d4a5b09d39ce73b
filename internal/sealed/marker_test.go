package sealed

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

func newKeys(t testing.TB) *Keys {
	t.Helper()
	k, err := GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestMarkerSurvivesWhereTextGoes(t *testing.T) {
	k := newKeys(t)
	for _, plain := range []string{"tok-1", "", "ü ☕ \x00\n\"", strings.Repeat("x", 5000), "~zf1.looks.like~"} {
		m := k.Public().Seal(plain)
		if strings.Contains(m, plain) && plain != "" {
			t.Errorf("the marker of %q shows it", plain)
		}
		if url.QueryEscape(m) != m || url.PathEscape(m) != m {
			t.Errorf("the marker %s changes in a URL", m)
		}
		if j, _ := json.Marshal(m); string(j) != `"`+m+`"` {
			t.Errorf("the marker changes in JSON: %s", j)
		}
		for _, around := range []string{"%", "Bearer %", "https://x.example/?t=%&u=1", "~%~", "a%%b", "%.%", "zf1.%~zf1.", "~zf1.deadbeef.%"} {
			got, err := k.OpenText(strings.ReplaceAll(around, "%", m))
			if want := strings.ReplaceAll(around, "%", plain); err != nil || got != want {
				t.Errorf("opening %q gave %q, %v; want %q", around, got, err, want)
			}
		}
	}
}

func TestTwoSealsOfOneTextDiffer(t *testing.T) {
	p := newKeys(t).Public()
	if first, second := p.Seal("same"), p.Seal("same"); first == second {
		t.Error("equal secrets can be told from their markers")
	}
}

func TestMask(t *testing.T) {
	p := newKeys(t).Public()
	a, b := p.Seal("one"), p.Seal("two")
	for text, want := range map[string]string{
		"":                         "",
		"plain ~zf1. text":         "plain ~zf1. text",
		a:                          "••••",
		"x" + a + "y" + b + "~z":   "x••••y••••~z",
		a + b:                      "••••••••",
		"~zf1.nothex!!." + a:       "~zf1.nothex!!.••••",
		a[:len(a)-1]:               a[:len(a)-1], // cut: no marker any more, and still not readable
		strings.Repeat("~zf1.", 9): strings.Repeat("~zf1.", 9),
	} {
		if got := Mask(text); got != want {
			t.Errorf("Mask(%q) = %q, want %q", text, got, want)
		}
		if got := string(MaskBytes([]byte(text))); got != want {
			t.Errorf("MaskBytes(%q) = %q, want %q", text, got, want)
		}
		if Contains(text) != (want != text) {
			t.Errorf("Contains(%q) = %v", text, Contains(text))
		}
	}
}

func FuzzOpenText(f *testing.F) {
	k := newKeys(f)
	f.Add("a "+k.Public().Seal("x")+" b", "plain")
	f.Add("~zf1.", "~")
	f.Add("~zf1.00000000."+strings.Repeat("A", 64)+"~", "")
	f.Fuzz(func(t *testing.T, around, plain string) {
		if !Contains(around) {
			if got, err := k.OpenText(around); err != nil || got != around {
				t.Fatalf("a text without a marker came back as %q, %v", got, err)
			}
		}
		if strings.Contains(around, "~zf1.") {
			return // it may make a marker together with what follows
		}
		got, err := k.OpenText(around + k.Public().Seal(plain) + around)
		if err != nil || got != around+plain+around {
			t.Fatalf("got %q, %v", got, err)
		}
	})
}

func BenchmarkMaskNothing(b *testing.B) {
	text := strings.Repeat("an output with no marker in it; ", 30)
	for b.Loop() {
		Mask(text)
	}
}
