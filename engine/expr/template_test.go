package expr

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestTemplate(t *testing.T) {
	for name, c := range map[string]struct{ in, want any }{
		"plain":             {"x", "x"},
		"number":            {5, int64(5)},
		"whole":             {"${{ event.id }}", int64(5)},
		"whole list":        {"${{event.list}}", arr{int64(3), int64(1), int64(2)}},
		"whole null":        {"${{ event.none }}", nil},
		"block":             {"${{ event.id }}\n", int64(5)},
		"embedded":          {"id ${{ event.id }}!", "id 5!"},
		"space":             {" ${{ event.id }}", " 5"},
		"two":               {"${{ event.id }}${{ event.topic }}", "5Weekly"},
		"embedded object":   {"o: ${{ {b: 1, a: [true]} }}", `o: {"a":[true],"b":1}`},
		"embedded float":    {"${{ event.half }} h", "0.5 h"},
		"embedded default":  {"<${{ event.none ?? '' }}>", "<>"},
		"brackets":          {"${{ {a: {b: 1}}.a.b }}", int64(1)},
		"string with }}":    {"${{ '}}' + \"}}\" + `}}` }}", "}}}}}}"},
		"string with quote": {`${{ 'it\'s }}' }}`, "it's }}"},
		"comment":           {"${{ 1 /* }} */ + 1 }}", int64(2)},
		"opening in text":   {"${{ '${{' }} x", "${{ x"},
		"dollar":            {"$5 ${ x } {{ y }}", "$5 ${ x } {{ y }}"},
		"tree":              {obj{"a": arr{"${{ event.id }}", 1, nil}, "b": obj{"c": "x"}}, obj{"a": arr{int64(5), int64(1), nil}, "b": obj{"c": "x"}}},
	} {
		tpl, err := ParseTemplate(c.in, testScope())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := tpl.Eval(testEnv(), testClock)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %#v, %v, want %#v", name, got, err, c.want)
		}
	}
}

func TestTemplateStatic(t *testing.T) {
	for in, want := range map[string]bool{"x": true, "${{ 1 }}": false, "a ${{ event.id }}": false} {
		tpl, err := ParseTemplate(obj{"a": arr{in}}, testScope())
		if err != nil || tpl.Static() != want {
			t.Errorf("%s: static is %v (%v)", in, tpl.Static(), err)
		}
	}
}

// All errors of a template are told, each with its path and place.
func TestTemplateErrors(t *testing.T) {
	_, err := ParseTemplate(obj{
		"a": "line one\n  ${{ vars.ofice }}", "b": arr{"ok", "${{ filter(xs,"}, "c": "${{ '}}",
		"d": "ü ${{ 1 + }}", "${{ x }}": 1,
	}, testScope())
	var errs Errors
	if !errors.As(err, &errs) {
		t.Fatalf("%v is no Errors", err)
	}
	var got []string
	for _, e := range errs {
		got = append(got, fmt.Sprintf("%s %d:%d %s", strings.Join(e.Path, "/"), e.Line, e.Column, e.Message))
	}
	want := []string{
		"${{ x }} 0:0 a name cannot be an expression",
		"a 2:12 vars has no field ofice",
		"b/1 1:1 ${{ is not closed by }}",
		"c 1:1 ${{ is not closed by }}",
		"d 1:9 the expression ends too early",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTemplateErrorsAtRun(t *testing.T) {
	for in, want := range map[string]string{
		"to ${{ event.none }}":        "1:8 a: event.none is missing: add ?? '' if it may be",
		"${{ event.topic.x }}":        "1:5 a: event.topic is text and has no field x",
		"x\ny ${{ upper(event.id) }}": "2:7 a: text is needed here, this is a number",
	} {
		tpl, err := ParseTemplate(obj{"a": in}, testScope())
		if err != nil {
			t.Fatal(err)
		}
		_, err = tpl.Eval(testEnv(), testClock)
		if got := describe(err); got != want {
			t.Errorf("%s\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestURL(t *testing.T) {
	env := Env{"event": obj{
		"base": "https://api.example.org/v2", "uuid": "a/b==", "q": "x&y=1 z", "dots": "..", "evil": "@evil.org/", "query": "https://x.org/?a=b", "n": int64(7), "dot": "v1..2",
	}}
	for in, want := range map[string]string{
		"${{ event.base }}/users/${{ event.uuid }}":           "https://api.example.org/v2/users/a%2Fb==",
		"${{ event.base }}?q=${{ event.q }}&n=${{ event.n }}": "https://api.example.org/v2?q=x%26y%3D1+z&n=7",
		"${{ event.query }}&c=${{ event.uuid }}":              "https://x.org/?a=b&c=a%2Fb%3D%3D",
		"https://x.org/${{ event.q }}#${{ event.q }}":         "https://x.org/x&y=1%20z#x&y=1%20z",
		"https://x.org/?a=1#${{ event.uuid }}":                "https://x.org/?a=1#a%2Fb==",
		"https://x.org${{ event.evil }}a":                     "https://x.org%40evil.org%2Fa",
		"https://x.org/${{ event.dot }}":                      "https://x.org/v1..2",
		"https://x.org/a${{ event.dots }}/b":                  "https://x.org/a../b",
		"${{ event.query }}":                                  "https://x.org/?a=b",
		"https://x.org/${{ event.dots }}/b":                   "",
		"https://x.org/${{ event.dots }}":                     "",
		"https://x.org/${{ event.dots }}?x":                   "",
	} {
		tpl, err := ParseTemplate(obj{"url": in, "text": in}, testScope(), URLFields("url"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := tpl.Eval(env, testClock)
		if want == "" {
			if err == nil {
				t.Errorf("%s gives %v", in, got)
			}
			continue
		}
		if err != nil || got.(obj)["url"] != want {
			t.Errorf("%s: %v, %v, want %s", in, got, err, want)
		}
	}
}

func TestWhole(t *testing.T) {
	for in, want := range map[string]string{"${{ a }}": " a ", "${{a}} ": "", "a": "", "${{ a": "", "${{ a }}${{ b }}": ""} {
		if got, ok := Whole(in); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", in, got, ok)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"a ${{ event.id }} c", "${{ {a: 1}}}", "${{ '}}' }}", "${{ // }}\n }}", "${{ event.list | map(#) }}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tpl, err := ParseTemplate(s, testScope())
		if err != nil {
			return
		}
		_, _ = tpl.Eval(testEnv(), testClock)
		if !Contains(s) && !tpl.Static() {
			t.Fatalf("%q is not static", s)
		}
	})
}
