package formula

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"zflow/engine/expr"
)

// here is the event of steps.trigger, and what the step people returned.
func here(path []string) (string, int, error) {
	switch strings.Join(path[:min(2, len(path))], ".") {
	case "steps.trigger":
		if len(path) > 2 && path[2] == "event" {
			return "event", 3, nil
		}
	case "steps.people":
		if len(path) > 2 && path[2] == "$return_value" {
			return "steps.people.output", 3, nil
		}
	}
	if path[0] != "steps" {
		return "", 0, fmt.Errorf("nobody knows what %s is", path[0])
	}
	return "", 0, errors.New("it is no step")
}

var scope = expr.NewScope(map[string]expr.Type{"event": {}, "steps": {}}, nil, nil)

func env() map[string]any {
	return map[string]any{
		"event": map[string]any{
			"topic": "Pottery", "id": int64(7), "zero": int64(0), "empty": "", "no": false, "yes": true, "none": nil, "half": 2.5, "minus": -2.5,
			"tags": []any{"clay", "glaze"}, "in": "inside", "a b": "spaced",
		},
		"steps": map[string]any{"people": map[string]any{"output": []any{
			map[string]any{"name": "Ann", "age": int64(3)}, map[string]any{"name": "", "age": int64(0)},
		}}},
	}
}

// Each is JavaScript, what it becomes, and its value, which is that of JavaScript.
var translated = []struct{ js, want, value string }{
	{`steps.trigger.event.topic`, `event.topic`, `"Pottery"`},
	{`steps["trigger"].event['a b']`, `event['a b']`, `"spaced"`},
	{`steps.trigger.event.in`, `event['in']`, `"inside"`},
	{`steps.trigger.event?.none?.more`, `event?.none?.more`, `null`},
	{`steps.people.$return_value[0].name`, `steps.people.output[0].name`, `"Ann"`},
	{`steps.people.$return_value.length`, `len(steps.people.output)`, `2`},
	{`steps.trigger.event.tags[steps.trigger.event.tags.length - 1]`, `event.tags[len(event.tags) - 1]`, `"glaze"`},
	{`steps.trigger.event.id === 7 && !steps.trigger.event.no`, `event.id == 7 && event.no in [null, '', 0, false]`, `true`},
	{`steps.trigger.event.id !== 8`, `event.id != 8`, `true`},
	{`steps.trigger.event.none == null`, `event.none == null`, `true`},
	{`steps.trigger.event.topic == "Pottery"`, `event.topic == 'Pottery'`, `true`},
	{`steps.trigger.event.empty || "nobody"`, `event.empty not in [null, '', 0, false] ? event.empty : 'nobody'`, `"nobody"`},
	{`steps.trigger.event.zero || steps.trigger.event.none || "x"`, ``, `"x"`},
	{`steps.trigger.event.yes && steps.trigger.event.topic`, ``, `"Pottery"`},
	{`steps.trigger.event.none ?? "x"`, `(event.none ?? 'x')`, `"x"`},
	{`steps.trigger.event.empty ?? "x"`, ``, `""`},
	{`steps.trigger.event.topic ? 1 : 2`, `event.topic not in [null, '', 0, false] ? 1 : 2`, `1`},
	{`steps.trigger.event.tags ? "a" : "b"`, ``, `"a"`},
	{`!steps.trigger.event.topic`, `event.topic in [null, '', 0, false]`, `false`},
	{`!(steps.trigger.event.id > 5)`, `not (event.id > 5)`, `false`},
	{`"Re: " + steps.trigger.event.topic`, `'Re: ' + string(event.topic)`, `"Re: Pottery"`},
	{`steps.trigger.event.id + " is it"`, `string(event.id) + ' is it'`, `"7 is it"`},
	{`1 + 2 + "a" + 1 + 2`, ``, `"3a12"`},
	{`"a" + (1 + 2)`, ``, `"a3"`},
	{`(steps.trigger.event.id - 1) * 2 - 3 / (4 - 2)`, ``, `10.5`},
	{`10 - (5 - 2)`, ``, `7`},
	{`2 * 3 % 4`, ``, `2`},
	{`100 / (10 * 2)`, ``, `5`},
	{`2 ** 3 ** 2`, ``, `512`},
	{"`${steps.trigger.event.topic}: ${steps.trigger.event.id + 1} $5`", `string(event.topic) + ': ' + string(event.id + 1) + ' $5'`, `"Pottery: 8 $5"`},
	{"`a${`b${1}`}`", ``, `"ab1"`},
	{`[1, "a", null]`, `[1, 'a', null]`, `[1,"a",null]`},
	{`({a: 1, "b c": {d: true}, in: 2})`, `{a: 1, 'b c': {d: true}, 'in': 2}`, `{"a":1,"b c":{"d":true},"in":2}`},
	{`steps.trigger.event.topic.toUpperCase().startsWith("POT")`, `hasPrefix(upper(event.topic), 'POT')`, `true`},
	{`"abc".includes("b")`, `'abc' contains 'b'`, `true`},
	{`["a", "b"].includes(steps.trigger.event.topic)`, `event.topic in ['a', 'b']`, `false`},
	{`steps.people.$return_value.map(p => p.name)`, `map(steps.people.output, #.name)`, `["Ann",""]`},
	{`steps.people.$return_value.filter((p) => p.name).length`, `len(filter(steps.people.output, #.name not in [null, '', 0, false]))`, `1`},
	{`steps.people.$return_value.map(p => ({n: p.age}))`, `map(steps.people.output, ({n: #.age}))`, `[{"n":3},{"n":0}]`},
	{`steps.people.$return_value.some(p => p.age > 2 && p.name === "Ann")`, ``, `true`},
	{`steps.people.$return_value.every(p => p.age)`, ``, `false`},
	{`steps.trigger.event.tags.join(", ")`, `join(event.tags, ', ')`, `"clay, glaze"`},
	{`"a-b-c".replaceAll("-", "+")`, ``, `"a+b+c"`},
	{`Math.round(steps.trigger.event.minus)`, `floor(event.minus + 0.5)`, `-2`},
	{`Math.round(steps.trigger.event.half)`, ``, `3`},
	{`JSON.parse('{"a": [1]}').a`, ``, `[1]`},
	{`/* a */ 1 // b`, `1`, `1`},
	{`"it's \"\u0041\" \\ \n"`, ``, `"it's \"A\" \\ \n"`},
	{`.5`, ``, `0.5`},
	{`-steps.trigger.event.id`, `-event.id`, `-7`},
	{`steps.trigger.event.id > 5 || steps.trigger.event.id < 2 && false`, ``, `true`},
	{`(steps.trigger.event.id > 5 || true) && false`, ``, `false`},
	{`true ? false : true ? 1 : 2`, ``, `false`},
	{`(true ? false : true) ? 1 : 2`, ``, `2`},
}

func TestTranslate(t *testing.T) {
	for _, c := range translated {
		got, err := Translate(c.js, here)
		if err != nil || c.want != "" && got != c.want {
			t.Errorf("%s became %s, %v", c.js, got, err)
			continue
		}
		p, err := expr.Compile(got, scope)
		if err != nil {
			t.Errorf("%s became %s: %v", c.js, got, err)
			continue
		}
		v, err := p.Eval(env(), expr.Clock{})
		if err != nil {
			t.Errorf("%s became %s: %v", c.js, got, err)
			continue
		}
		raw, err := expr.EncodeJSON(v)
		if err != nil || c.value != "" && string(raw) != c.value {
			t.Errorf("%s became %s, which is %s, %v", c.js, got, raw, err)
		}
	}
}

// Each would mean something else here, or nothing.
var refused = []struct{ js, why string }{
	{``, "it is empty"},
	{`steps.trigger.event.id == "7"`, "== converts what it compares (=== does not, and is translated)"},
	{`steps.trigger.event.id != 7`, "!= converts"},
	{`steps.trigger.event.id == ""`, "converts"},
	{`steps.trigger.event.id == "0x10"`, "converts"},
	{`steps.trigger.event.none === undefined`, "tells null from undefined"},
	{`steps.trigger.event.tags === []`, "compares which one it is"},
	{`steps.trigger.event.tags.includes("clay")`, "of a text or of a list"},
	{`steps.trigger.event.topic.replace("a", "b")`, "the function .replace() is not translated"},
	{`steps.trigger.event.topic.split("")`, "not translated"},
	{`steps.trigger.event.topic.split(/a/)`, "stands where a value was to be"},
	{`"a".replaceAll("a", "$&")`, "$ in it"},
	{`steps.trigger.event.tags[steps.trigger.event.id - 1]`, "may be negative"},
	{`steps.trigger.event.tags[-1]`, "may be negative"},
	{`Object.keys(steps.trigger.event)`, "an order of its own"},
	{`new Date().toISOString()`, "new is not translated"},
	{`parseInt("5")`, "the function parseInt() is not translated"},
	{`typeof 1`, "typeof is not translated"},
	{`+"5"`, "makes a number"},
	{`steps.people.$return_value.map((p, i) => i)`, "more than one value"},
	{`steps.people.$return_value.map(p => { return p })`, "statements"},
	{`steps.people.$return_value.map(p => p.a.map(q => q))`, "a function in a function"},
	{`steps.people.$return_value.map(String)`, "more than one value"},
	{`[...steps.trigger.event.tags]`, "... is not translated"},
	{`{...steps.trigger.event}`, "no name of a field"},
	{`steps.nobody.$return_value`, "it is no step"},
	{`process.exit()`, "process"},
	{`a = 1`, "= is more than an expression"},
	{`1, 2`, ", is more than an expression"},
	{`(1`, "its end stands where ) was to be"},
	{`"a`, "a text has no end"},
	{"`a${1`", "a text has no end"},
	{`0x10`, "written in a way"},
	{`010`, "written in a way"},
	{`1n`, "written in a way"},
	{`await x`, "await is not translated"},
	{`function () {}`, "function is not translated"},
	{`this.x`, "this is not translated"},
	{`steps.trigger.event.yes && steps.trigger.event.id - 1 || 5`, "twice"},
	{`1 & 2`, "& is not translated"},
	{`"a" in steps.trigger.event`, "in is not translated"},
	{`#`, "is nothing in an expression"},
	{`({["a"]: 1})`, "no name of a field"},
	{`({__proto__: 1})`, "__proto__"},
	{`steps.trigger.event.topic.trim?.()`, "?.() is not translated"},
	{`steps.trigger.event.topic?.trim()`, "?.trim() is not translated"},
	{"String`a`", "a function before it"},
	{strings.Repeat("(", 500) + strings.Repeat(")", 500), "nested too deep"},
	{strings.Repeat("!", 500) + "1", "nested too deep"},
	{"1" + strings.Repeat("**1", 500), "nested too deep"},
	{strings.Repeat("a", MaxLength+1), "longer than 16 KiB"},
}

func TestRefuse(t *testing.T) {
	for _, c := range refused {
		got, err := Translate(c.js, here)
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%.80s became %.80s, %v; want %s", c.js, got, err, c.why)
		}
	}
}

func TestCondition(t *testing.T) {
	for js, want := range map[string]string{
		`steps.trigger.event.topic`:                               "event.topic not in [null, '', 0, false]",
		`steps.trigger.event.id > 1 && steps.trigger.event.topic`: "event.id > 1 && event.topic not in [null, '', 0, false]",
		`(steps.trigger.event.id || true) && true`:                "(event.id not in [null, '', 0, false] || true) && true",
		`steps.trigger.event.tags.map(x => x)`:                    "true",
		`null`:                                                    "false",
	} {
		if got, err := Condition(js, here); err != nil || got != want {
			t.Errorf("%s became %s, %v", js, got, err)
		}
	}
	if _, err := Condition("", here); err == nil {
		t.Error("nothing is a condition")
	}
}

func TestLength(t *testing.T) {
	for src, want := range map[string]int{
		`a }} b`: 2, `"}}" }}`: 5, "`${{a: 1}.a}}}` }}": 16, `{a: {b: 1}}}}`: 11, `f({})}}`: 5,
		`a`: -1, `)}}`: -1, `"`: -1, "`${": -1, strings.Repeat("(", 101) + "}}": -1,
	} {
		got, err := Length(src, "}}")
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%.40s: %d, want %d", src, got, want)
		}
	}
}

func FuzzTranslate(f *testing.F) {
	for _, c := range translated {
		f.Add(c.js)
	}
	for _, c := range refused {
		f.Add(c.js)
	}
	f.Fuzz(func(t *testing.T, js string) {
		got, err := Translate(js, here)
		if err != nil {
			return
		}
		if _, err := expr.Compile(got, scope); err != nil && strings.Contains(err.Error(), "unexpected") {
			t.Errorf("%q became %q: %v", js, got, err)
		}
	})
}
