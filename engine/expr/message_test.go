package expr

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// describe returns an error with its position, or "" for none.
func describe(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		if err != nil {
			return err.Error()
		}
		return ""
	}
	return fmt.Sprintf("%d:%d %s", e.Line, e.Column, e.Error())
}

func TestErrorsAtLoad(t *testing.T) {
	for src, want := range map[string]string{
		"":                           "1:1 the expression is empty",
		" \n ":                       "1:1 the expression is empty",
		"1 +":                        "1:3 the expression ends too early",
		"event.id = 5":               "1:10 = is no comparison: write ==",
		"map(event.list, {a: #})":    `1:19 : is not expected here: if an object is meant in a loop, put it into ( )`,
		"evnt.id":                    "1:1 unknown name evnt: did you mean event?",
		"hello":                      "1:1 unknown name hello: text stands in quotes: 'hello'",
		"secrets.key":                "1:1 secrets stand only in with",
		"vars.ofice":                 "1:6 vars has no field ofice: did you mean office?",
		"steps.peple.output":         "1:7 there is no step with the id peple: did you mean people?",
		"steps.report.output":        "1:7 step report has not run yet at this place: only steps that come before can be used",
		"steps['people'].ouput":      "1:17 steps.people has no field ouput: did you mean output?",
		"1 +\n  steps.people.outptu": "2:16 steps.people has no field outptu: did you mean output?",
		"filter(steps.people.output.participants, .user_mail == 'x')": "1:43 there is no field user_mail here: did you mean user_email?",
		"$env":                    "1:1 unknown name $env",
		"$env['event']":           "1:1 unknown name $env",
		"now":                     "1:1 now is a function: write now()",
		"now().Local()":           "1:7 Local() would give the zone of whichever machine runs this: write .In(timezone('Europe/Berlin'))",
		"sha256()":                "1:1 not enough arguments to call sha256",
		"uuid(1)":                 "1:1 too many arguments to call uuid",
		"'a' + 1":                 "1:5 + does not work with text and a number: string() makes a text of a number",
		"null + [1]":              "1:6 + does not work with a list",
		"'a' > 1":                 "1:5 > does not work with text and a number: int() makes a number of a text",
		"[1] - {a: 1}":            "1:5 - does not work with a list and an object",
		"upper(1)":                "1:7 upper() needs text here, this is a number",
		"frmat(now(), '%Y')":      "1:1 there is no function frmat: did you mean format?",
		"map([1], null)":          "1:10 null stands where each element should give a value",
		"foo(1)":                  "1:1 there is no function foo: docs/expressions.md has them all",
		"indexOf('a', 1)":         "1:14 indexOf() needs text here, this is a number",
		"lower(null)":             "1:7 lower() needs text here, this is null",
		"round('1')":              "1:1 round() does not work with text",
		"bitand(1.5, 1)":          "1:8 bitand() needs a whole number here",
		"take(event.list, 'a')":   "1:1 a whole number is needed here, this is text",
		"12345678901234567890":    "1:20 the number is too large for 64 bits: put quotes around it if it is an id",
		"1e400":                   "1:5 the number is too large",
		"event.topic matches '('": "1:13 the regular expression cannot be read: missing closing )",
		"now() - '1d'":            "1:7 - does not work with text: date() makes a time of a text, duration() a duration",
		"event.list contains 3":   "1:12 contains does not work with a number",
		"# > 1":                   "1:1 # is not expected here: # and .name are an element, inside filter(), map() and the like",
		".name":                   "1:1 . is not expected here: # and .name are an element, inside filter(), map() and the like",
		"event.id event.id":       "1:10 event is not expected here",
	} {
		_, err := Compile(src, testScope())
		if got := describe(err); got != want {
			t.Errorf("%s\n got %q\nwant %q", src, got, want)
		}
	}
}

// Expressions see a marker in a secret's place: they may hand it on, not look.
func TestSecrets(t *testing.T) {
	scope := NewScope(map[string]Type{"event": {}, "secrets": Object(map[string]Type{}, true)}, nil, nil)
	env := Env{"event": map[string]any{"a": int64(1)}, "secrets": map[string]any{"token": "«sealed»"}}
	for src, want := range map[string]any{
		"secrets.token": "«sealed»", "'Bearer ' + secrets.token": "Bearer «sealed»", "secrets.none ?? 'x'": "x",
		"event.a == 1 ? secrets['token'] : null": "«sealed»", "[{k: secrets.token}][0].k": "«sealed»",
	} {
		p, err := Compile(src, scope)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got, err := p.Eval(env, testClock); err != nil || got != want {
			t.Errorf("%s: %v, %v", src, got, err)
		}
	}
	for _, src := range []string{
		"sha256(secrets.token)", "upper(secrets.token)", "secrets.token == 'x'", "secrets.token contains 'x'",
		"secrets.token ? 1 : 2", "map([1], secrets.token)", "let s = secrets.token; s == 'x'", "event[secrets.token]",
		"{(secrets.token): 1}", "secrets.token[0:3]", "'x' + string(secrets.token)", "-secrets.token",
	} {
		if _, err := Compile(src, scope); err == nil || !strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", src, err)
		}
	}
}

func TestErrorsAtRun(t *testing.T) {
	for src, want := range map[string]string{
		"event.nope.x":                              "1:1 event.nope is missing, so event.nope.x cannot be read: if it may be absent, write event.nope?.x ?? ''",
		"event.nope['a b'].c":                       `1:1 event.nope is missing, so event.nope["a b"] cannot be read: if it may be absent, write event.nope?.["a b"] ?? ''`,
		"1 + event.nope.x":                          "1:16 event.nope is missing, so event.nope.x cannot be read: if it may be absent, write event.nope?.x ?? ''",
		"event.topic.x":                             "1:1 event.topic is text and has no field x",
		"event.list.x":                              "1:1 event.list is a list and has no field x",
		"event.id[0]":                               "1:1 event.id is a number, not a list",
		"event.list[9]":                             "1:1 event.list has no element 9: it has 3",
		"event.none + 'x'":                          `1:12 event.none or "x" is missing: add ?? with what to use instead`,
		"event.none > 3":                            "1:12 event.none or 3 is missing: add ?? with what to use instead",
		"upper(event.none)":                         "1:1 event.none is missing, which upper() needs: add ?? with what to use instead",
		"upper(event.id)":                           "1:1 text is needed here, this is a number",
		"string(event.none)":                        "1:1 event.none is missing, which string() needs: add ?? with what to use instead",
		"join(event.topic)":                         "1:1 a list is needed here, this is text",
		"keys(event.list)":                          "1:1 an object is needed here, this is a list",
		"sha256(event.list)":                        "1:1 text is needed here, this is a list",
		"max(1, 'a')":                               "1:1 max() cannot compare a number with text",
		"1 / 0":                                     "1:1 the number is infinite or not a number (a division by zero?)",
		"duration('5')":                             `1:1 "5" is no duration: write a number and a unit, such as 30s, 5m, 2h, 1d or 1w`,
		"date('soon')":                              `1:1 "soon" is no date or time: write it as 2026-03-02T10:00:00Z, or give its layout`,
		"timezone('Local')":                         `1:1 "Local" is no time zone: write one such as 'Europe/Berlin' or 'UTC'`,
		"format(now(), '%Q')":                       "1:1 the format has %Q, which does not exist: write %Y %m %d %H %M %S %a %b %Z and the like, %% for a percent sign",
		"within(now(), 'weekdays')":                 `1:1 "weekdays" is no weekly pattern: write it like 'mon-fri 09:00-17:00'`,
		"event.start + duration('1h')":              "1:13 + does not work with text and a duration: date() makes a time of a text, duration() a duration",
		"now() > event.start":                       "1:7 > does not work with a time and text: date() makes a time of a text, duration() a duration",
		"event.id + event.topic":                    "1:10 + does not work with a number and text: string() makes a text of a number",
		"event.topic >= event.id":                   "1:13 >= does not work with text and a number: int() makes a number of a text",
		"event.object * event.list":                 "1:14 * does not work with an object and a list",
		"keys(event.none)":                          "1:1 event.none is missing, which keys() needs: add ?? with what to use instead",
		"sha256(event.none)":                        "1:1 event.none is missing, which sha256() needs: add ?? with what to use instead",
		"format(event.none, '%F')":                  "1:1 a value is missing where a time is needed: add ?? with what to use instead",
		"map(event.none, #)":                        "1:1 event.none is missing, which map() needs: add ?? with what to use instead",
		"any(event.id, #)":                          "1:1 a list is needed here, this is a number",
		"sum(map(event.list, event.none))":          "1:1 map(event.list, event.none), or something in it, is missing, which sum() needs: add ?? with what to use instead",
		"event.none ? 1 : 2":                        "1:18 event.none is missing, which is neither true nor false: add ?? with what to use instead",
		"int('12345678901234567890')":               `1:1 "12345678901234567890" does not fit into 64 bits: keep it as text`,
		"int('4.5')":                                `1:1 "4.5" is no whole number`,
		"float('x')":                                `1:1 "x" is no number`,
		"int(event.on)":                             "1:1 a number is needed here, this is true or false",
		"int(1e300)":                                "1:1 the number does not fit into 64 bits",
		"9223372036854775807 + 1":                   "1:21 the result of + does not fit into 64 bits",
		"event.id - event.id * 9223372036854775807": "1:21 the result of * does not fit into 64 bits",
		"-9223372036854775807 - event.id":           "1:22 the result of - does not fit into 64 bits",
		"map([9223372036854775807], # + 1)":         "1:30 the result of + does not fit into 64 bits",
		"groupBy(event.list, #)[3]":                 "1:23 a field has a text as its name, this is a number: string() makes a text of a number",
		"event.list[event.topic]":                   "1:11 a whole number is needed here, this is text",
		"event.list[event.id]":                      "1:11 event.list has no element 5: it has 3",
		"[1, 2][-3]":                                "1:7 [1, 2] has no element -3: it has 2",
		"len(event.id)":                             "1:1 len() does not work with a number",
		"event.id matches 'a'":                      "1:10 text is needed here, this is a number",
		"-event.topic":                              "1:1 - does not work with text",
		"event.topic()":                             "1:7 text cannot be called like a function",
		"event.half % 2":                            "1:12 % works with whole numbers only: int() cuts off a fraction",
		"event.id % 0":                              "1:10 a division by zero",
		"'x' in event.topic":                        "1:5 in looks into a list or an object, this is text: contains looks for a part of a text",
		"reduce([], #acc + #)":                      "1:1 there is nothing to reduce: say what to begin with, as in reduce(list, #acc + #, 0)",
		"fromPairs([1])":                            "1:1 fromPairs() needs pairs of a name and a value, such as ['a', 1]",
		"fromBase64('%')":                           "1:1 the text is no Base64",
		"repeat('a', -1)":                           "1:1 a text cannot be repeated -1 times",
		"min(now(), 1)":                             "1:1 min() cannot compare a time with a number",
		"now() + event.id":                          "1:7 + does not work with a time and a number: duration('1d') is a day",
		"event.none[0:1]":                           "1:11 only a text or a list can be cut with [:]",
		"not event.topic":                           "1:1 true or false is needed here, this is text",
	} {
		_, err := eval(t, src)
		if got := describe(err); got != want {
			t.Errorf("%s\n got %q\nwant %q", src, got, want)
		}
	}
}

// Each of these would take the worker's memory or its day; unbounded, this test
// would not end.
func TestHostile(t *testing.T) {
	env := Env{"event": map[string]any{"list": make([]any, 20_000), "text": strings.Repeat("ab", 100_000)}}
	var deep strings.Builder
	for i := range 60 {
		fmt.Fprintf(&deep, "let v%d = [v%d, v%d]; ", i+1, i, i)
	}
	for _, src := range []string{
		"reduce(1..100, #acc + #acc, 'xx')",
		"map(1..900000, map(1..900000, 1))",
		"count(event.list, count(event.list, count(event.list, true) > 0) > 0)",
		"count(event.list, any(event.list, # == 1))",
		"count(1..100000, 1 in event.list)",
		"map(1..100000, sum(event.list, 1))",
		"map(1..100000, upper(event.text))",
		"map(1..100000, join([event.text, event.text]))",
		"map(1..100000, replace(event.text, 'a', 'aaaa'))",
		"count(1..900000, event.text contains 'zz')",
		"count(1..900000, event.text matches 'a+z')",
		"replace(replace(event.text, '', event.text), '', event.text)",
		"reduce(1..40, toJSON([#acc, #acc]), 'x')",
		"reduce(1..60, [#acc, #acc], 'x')",
		"let v0 = 1; " + deep.String() + "toJSON(v60)",
		"let v0 = 1; " + deep.String() + "v60 == [v59, v59]",
		"let v0 = 1; " + deep.String() + "v60",
		"let v0 = 1; " + deep.String() + "len(flatten(v60, 100))",
		"repeat(event.text, 1000000)",
		"1..1000000000",
		"let l = 1..900000; concat(" + strings.Repeat("l, ", 1000) + "l)",
	} {
		p, err := Compile(src, testScope())
		if err != nil {
			t.Errorf("%.60s: %v", src, err)
			continue
		}
		if v, err := p.Eval(env, testClock); err == nil {
			t.Errorf("%.60s: %T", src, v)
		}
	}
}

func TestLongAndDeepSources(t *testing.T) {
	for _, src := range []string{
		strings.Repeat("(", 10_000), strings.Repeat("[", 16_000), strings.Repeat("!", 16_000) + "true",
		strings.Repeat("-", 16_000) + "1", strings.Repeat("a", 17_000), "1" + strings.Repeat("+1", 8_000),
		"event" + strings.Repeat(".a", 5_000), strings.Repeat("{a:", 4_000),
	} {
		if p, err := Compile(src, testScope()); err == nil {
			_, _ = p.Eval(testEnv(), testClock)
		}
	}
}
