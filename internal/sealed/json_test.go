package sealed

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestSealJSON(t *testing.T) {
	k := newKeys(t)
	// Sealed values are shown as <text>.
	for _, c := range []struct {
		name, in, want string
		paths          []string
	}{
		{"top", `{"download_token":"abc","event":"x"}`, `{"download_token":<abc>,"event":"x"}`, []string{"download_token"}},
		{"spaces and order stay", " {\n \"b\" : 1.50e+01 ,\t\"a\": \"s\" }\r\n", " {\n \"b\" : 1.50e+01 ,\t\"a\": <s> }\r\n", []string{"a"}},
		{"below", `{"a":{"b":"s","c":"t"},"b":"u"}`, `{"a":{"b":<s>,"c":"t"},"b":"u"}`, []string{"a.b"}},
		{"items", `{"l":[{"c":"1"},{"d":"2"},{"c":"3"},4,"c"]}`, `{"l":[{"c":<1>},{"d":"2"},{"c":<3>},4,"c"]}`, []string{"l[].c"}},
		{"lists of lists", `{"l":[["a"],["b","c"]]}`, `{"l":[[<a>],[<b>,<c>]]}`, []string{"l[][]"}},
		{"root list", `["a","b"]`, `[<a>,<b>]`, []string{"[]"}},
		{"root list of objects", `[{"c":"a"}]`, `[{"c":<a>}]`, []string{"[].c"}},
		{"twice", `{"t":"1","t":"2"}`, `{"t":<1>,"t":<2>}`, []string{"t"}},
		{"escaped name", `{"download\u005ftoken":"s"}`, `{"download\u005ftoken":<s>}`, []string{"download_token"}},
		{"escaped value", `{"t":"a\"b\\ \u00e9\n"}`, "{\"t\":<a\"b\\ é\n>}", []string{"t"}},
		{"number", `{"t":12.5}`, `{"t":<12.5>}`, []string{"t"}},
		{"object and what is in it", `{"t":{"u":"s"}}`, `{"t":<{"u":"s"}>}`, []string{"t", "t.u"}},
		{"array", `{"t":["s"]}`, `{"t":<["s"]>}`, []string{"t"}},
		{"no credential", `{"t":null,"u":true,"v":false,"w":""}`, `{"t":null,"u":true,"v":false,"w":""}`, []string{"t", "u", "v", "w"}},
		{"shape differs", `{"a":["x"],"l":{"c":"y"}}`, `{"a":["x"],"l":{"c":"y"}}`, []string{"a.b", "l[].c"}},
		{"several", `{"a":"1","b":{"c":"2"}}`, `{"a":<1>,"b":{"c":<2>}}`, []string{"b.c", "a"}},
		{"scalar root", `"x"`, `"x"`, []string{"x"}},
		{"no path", `{"x":"y"}`, `{"x":"y"}`, nil},
	} {
		in := []byte(c.in)
		out, err := k.Public().SealJSON(in, At(c.paths...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if string(in) != c.in {
			t.Errorf("%s: the input was changed", c.name)
		}
		if !json.Valid(out) {
			t.Errorf("%s: not JSON: %s", c.name, out)
		}
		shown, err := replace(string(out), func(m marker) (string, error) {
			plain, err := k.open(m)
			return "<" + plain + ">", err
		})
		shown = strings.NewReplacer(`"<`, "<", `>"`, ">").Replace(shown)
		if err != nil || shown != c.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", c.name, shown, err, c.want)
		}
	}
}

func TestSealingTwiceIsSealingOnce(t *testing.T) {
	p := newKeys(t).Public()
	once, _ := p.SealJSON([]byte(`{"t":"s","u":"x"}`), At("t"))
	twice, err := p.SealJSON(once, At("t"))
	if err != nil || !bytes.Equal(once, twice) {
		t.Errorf("got %s, %v", twice, err)
	}
	// A credential with a marker beside it is still one.
	beside := []byte(`{"t":"secret ` + p.Seal("x") + `"}`)
	if out, _ := p.SealJSON(beside, At("t")); bytes.Contains(out, []byte("secret")) {
		t.Errorf("left readable: %s", out)
	}
}

func TestMalformedIsAnErrorWithoutTheValue(t *testing.T) {
	p := newKeys(t).Public()
	for _, in := range []string{
		``, ` `, `{`, `{"t"`, `{"t":`, `{"t":"s`, `{"t":"s"`, `{"t":"s",}`, `{"t":"s"}}`, `{"t":"s"} x`, `{t:"s"}`, `{"t" "s"}`,
		`["a",]`, `[`, `[1`, `{"t":"s\q"}`, `{"t":"s\u12"}`, `{"t":"s\`, "{\"t\":\"a\nb\"}", `{"t":01}`, `{"t":1.}`, `{"t":1e}`, `{"t":-}`,
		`{"t":+1}`, `{"t":.5}`, `{"t":nul}`, `{"t":truE}`, `{'t':'s'}`, "\ufeff{}", `{"t":"s"}` + "\x00", `tru`, `{"t":NaN}`,
		strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
	} {
		out, err := p.SealJSON([]byte(in), At("t"))
		if err == nil || out != nil {
			t.Errorf("%.40q: got %.40q, %v", in, out, err)
		}
		if json.Valid([]byte(in)) {
			t.Errorf("%.40q is valid", in)
		}
		if err != nil && strings.Contains(err.Error(), `"s`) {
			t.Errorf("the error repeats the text: %v", err)
		}
	}
	deep := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	if _, err := p.SealJSON([]byte(deep), At("t")); err != nil {
		t.Errorf("%d deep: %v", maxDepth, err)
	}
}

// FuzzSealJSON holds SealJSON against encoding/json: it accepts the same
// documents, leaves no wanted value, and changes nothing else.
func FuzzSealJSON(f *testing.F) {
	k := newKeys(f)
	for _, s := range []string{`{"t":"secret"}`, `{"a":{"t":"x"},"l":[{"t":"y"},1,null]}`, `[1,2.5e-3,"\u00e9"]`, `{"t":{"t":1}}`, `{"\u0074":"z","t":[]}`, `{"t":"` + k.Public().Seal("q") + `"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := k.Public().SealJSON(in, At("t", "a.t", "l[].t"))
		if (err == nil) != json.Valid(in) {
			t.Fatalf("error %v, but valid = %v", err, json.Valid(in))
		}
		if err != nil {
			return
		}
		var before, after any
		if json.Unmarshal(in, &before) != nil {
			t.Skip("a number out of range")
		}
		if err := json.Unmarshal(out, &after); err != nil {
			t.Fatalf("not JSON any more: %s", out)
		}
		expectSealed(t, k, before, after, "t")
		if m, ok := before.(map[string]any); ok {
			expectSealed(t, k, m["a"], after.(map[string]any)["a"], "t")
			if list, ok := m["l"].([]any); ok {
				for i := range list {
					expectSealed(t, k, list[i], after.(map[string]any)["l"].([]any)[i], "t")
				}
			}
		}
	})
}

// expectSealed compares a member before and after, and all else but nested ones.
func expectSealed(t *testing.T, k *Keys, before, after any, name string) {
	t.Helper()
	b, ok := before.(map[string]any)
	if !ok {
		return
	}
	a := after.(map[string]any)
	for n, v := range b {
		if n != name {
			if n != "a" && n != "l" && !reflect.DeepEqual(v, a[n]) {
				t.Fatalf("%s was changed from %v to %v", n, v, a[n])
			}
			continue
		}
		switch v.(type) {
		case nil, bool:
			continue
		}
		if v == "" {
			continue
		}
		text, _ := a[n].(string)
		if m, ok := next(text, 0); !ok || m.start != 0 || m.end != len(text) {
			t.Fatalf("%s is not sealed: %v", n, a[n])
		}
		if s, ok := v.(string); ok && !Contains(s) {
			if opened, err := k.OpenText(text); err != nil || opened != s {
				t.Fatalf("%q came back as %q, %v", s, opened, err)
			}
		}
	}
}

func body() []byte {
	return []byte(`{"event":"recording.completed","event_ts":1790003600000,"download_token":"demo.download.token","payload":{"account_id":"a","object":{"id":84512306977,"uuid":"/Jd93//nQk2xR5a0vXbT+w==","recording_files":[{"id":"f","download_url":"https://example.zoom.us/rec/1"}],"topic":"` + strings.Repeat("x", 400) + `"}}}`)
}

func BenchmarkSealJSON(b *testing.B) {
	p := newKeys(b).Public()
	in := body()
	at := At("download_token")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.SealJSON(in, at); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSealJSONNothing(b *testing.B) {
	p := newKeys(b).Public()
	in := bytes.Replace(body(), []byte("download_token"), []byte("download_tokem"), 1)
	at := At("download_token")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.SealJSON(in, at); err != nil {
			b.Fatal(err)
		}
	}
}
