package expr

import (
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

var testClock = Clock{Now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), Seed: "run/step"}

func testScope() *Scope {
	participant := Object(map[string]Type{"user_email": {}, "duration": {}}, false)
	people := Object(map[string]Type{
		"output": Object(map[string]Type{"participants": List(participant)}, false), "status": {},
	}, false)
	return NewScope(map[string]Type{
		"event": {}, "vars": Object(map[string]Type{"office": {}, "list": {}}, false),
		"steps": Object(map[string]Type{"people": people}, false),
	}, map[string]string{"secrets": "secrets stand only in with"}, func(step string) (string, string) {
		if step == "report" {
			return "step report has not run yet at this place", "only steps that come before can be used"
		}
		return "", ""
	})
}

func testEnv() Env {
	return Env{
		"event": map[string]any{
			"id": int64(5), "topic": "Weekly", "none": nil, "half": 0.5, "on": true,
			"list": []any{int64(3), int64(1), int64(2)}, "start": "2026-03-02T10:00:00Z",
			"object": map[string]any{"b": int64(2), "a": int64(1), "odd-name": "x"},
		},
		"vars": map[string]any{"office": "office@example.org", "list": []any{}},
		"steps": map[string]any{"people": map[string]any{"status": "completed", "output": map[string]any{"participants": []any{
			map[string]any{"user_email": "b@x", "duration": int64(30)},
			map[string]any{"user_email": nil, "duration": int64(5)},
			map[string]any{"user_email": "a@x", "duration": int64(60)},
		}}}},
	}
}

func eval(t *testing.T, src string) (any, error) {
	t.Helper()
	p, err := Compile(src, testScope())
	if err != nil {
		t.Fatalf("compiling %s: %v", src, err)
	}
	return p.Eval(testEnv(), testClock)
}

type obj = map[string]any

type arr = []any

func TestEval(t *testing.T) {
	for src, want := range map[string]any{
		"event.id":                                       int64(5),
		"event.none":                                     nil,
		"event.nothing":                                  nil,
		"event.nothing?.at.all":                          nil,
		"event.nothing?.at.all ?? 'x'":                   "x",
		"event.topic ?? 'x'":                             "Weekly",
		"event.none ?? null":                             nil,
		"event.list[0]":                                  int64(3),
		"event.list[-1]":                                 int64(2),
		"event['object']['odd-name']":                    "x",
		"event.object":                                   obj{"a": int64(1), "b": int64(2), "odd-name": "x"},
		"null":                                           nil,
		"event.id + 1":                                   int64(6),
		"event.id / 2":                                   2.5,
		"10 / 2":                                         int64(5),
		"event.id % 2":                                   int64(1),
		"-event.half":                                    -0.5,
		"event.id > 4 and event.on":                      true,
		"event.id == 5.0":                                true,
		"event.id == null":                               false,
		"event.none == null":                             true,
		"event.id in [4, 5]":                             true,
		"event.id in ['5']":                              false,
		"event.none in ['a']":                            false,
		"event.topic in ['a', 'Weekly']":                 true,
		"'a' in event.object":                            true,
		"event.id in event.list":                         false,
		"event.topic not in [1, null]":                   true,
		"event.topic matches '^W'":                       true,
		"event.topic endsWith 'ly'":                      true,
		"event.on ? 'yes' : 'no'":                        "yes",
		"1..3":                                           arr{int64(1), int64(2), int64(3)},
		"{a: 1}":                                         obj{"a": int64(1)},
		"{a: event.id}.a":                                int64(5),
		"let x = event.id; x * x":                        int64(25),
		"len(event.list)":                                int64(3),
		"sort(event.list)":                               arr{int64(1), int64(2), int64(3)},
		"sum(event.list)":                                int64(6),
		"event.list | map(# * 2) | max()":                int64(6),
		"map(event.list, # in [1, 2])":                   arr{false, true, true},
		"filter(event.list, # != 3)":                     arr{int64(1), int64(2)},
		"any(event.list, # == 3)":                        true,
		"reduce(event.list, #acc + #, 0)":                int64(6),
		"map(event.list, string(#) + '!')":               arr{"3!", "1!", "2!"},
		"count(event.list, 'x' contains 'x')":            int64(3),
		"uniq([1, 1, 'a', 'a', [1], [1], null])":         arr{int64(1), "a", arr{int64(1)}, nil},
		"keys(event.object)":                             arr{"a", "b", "odd-name"},
		"values(event.object)":                           arr{int64(1), int64(2), "x"},
		"toPairs({b: 1, a: 2})":                          arr{arr{"a", int64(2)}, arr{"b", int64(1)}},
		"fromPairs([['k', 1]])":                          obj{"k": int64(1)},
		"merge({a: 1, b: 1}, null, {b: 2})":              obj{"a": int64(1), "b": int64(2)},
		"flatten([[1, [2]], 3])":                         arr{int64(1), arr{int64(2)}, int64(3)},
		"flatten([[1, [2]], 3], 2)":                      arr{int64(1), int64(2), int64(3)},
		"min(3, 1, 2)":                                   int64(1),
		"max(event.list)":                                int64(3),
		"max([])":                                        nil,
		"min('b', 'a')":                                  "a",
		"max(date('2026-01-01'), date('2027-01-01'))":    "2027-01-01T00:00:00Z",
		"string(event.object)":                           `{"a":1,"b":2,"odd-name":"x"}`,
		"string(1.5)":                                    "1.5",
		"string('x')":                                    "x",
		"toJSON({b: [1, null], a: 'ü\"'})":               `{"a":"ü\"","b":[1,null]}`,
		"fromJSON('{\"n\": 9007199254740993}')":          obj{"n": int64(9007199254740993)},
		"fromJSON('123456789012345678901')":              "123456789012345678901",
		"join(['a', 1, true], '-')":                      "a-1-true",
		"join(split('a,b', ','))":                        "ab",
		"replace('aaa', 'a', 'b')":                       "bbb",
		"replace('aaa', 'a', 'b', 1)":                    "baa",
		"sha256('')":                                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"toBase64('hi')":                                 "aGk=",
		"fromBase64('aGk=')":                             "hi",
		"upper(event.topic)":                             "WEEKLY",
		"steps.people.output.participants[0].user_email": "b@x",
		"map(filter(steps.people.output.participants, .user_email != null), .user_email)": arr{"b@x", "a@x"},
		"keys(groupBy(steps.people.output.participants, .user_email ?? ''))":              arr{"", "a@x", "b@x"},
		"len(groupBy(steps.people.output.participants, .duration > 20)['true'] ?? [])":    int64(2),
		"sum(steps.people.output.participants, .duration)":                                int64(95),
		"sortBy(steps.people.output.participants, .duration, 'desc')[0].duration":         int64(60),
		"groupBy([1, 2, 3], # % 2)['1']":                                                  arr{int64(1), int64(3)},
		"map(keys(groupBy([1, 2, 3], # % 2)), groupBy([1, 2, 3], # % 2)[#][0])":           arr{int64(2), int64(1)},
		"int('45') + int(' 7 ') + int(2.9) + int(event.id)":                               int64(59),
		"float('1.5') + float(1) + float(event.id)":                                       7.5,
		"9223372036854775806 + 1":                                                         int64(9223372036854775807),
		"event.id * event.id - event.id":                                                  int64(20),
		"event.half * event.half + event.half":                                            0.75,
		"duration('1h') * event.id":                                                       "5h0m0s",
		"event.topic + event.start":                                                       "Weekly2026-03-02T10:00:00Z",
	} {
		got, err := eval(t, src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %#v, want %#v", src, got, want)
		}
	}
}

func TestTimes(t *testing.T) {
	for src, want := range map[string]any{
		"now()":                                                  "2026-03-02T10:00:00Z",
		"now('Europe/Berlin')":                                   "2026-03-02T11:00:00+01:00",
		"now(timezone('Asia/Tokyo')).Hour()":                     int64(19),
		"now() - duration('1d')":                                 "2026-03-01T10:00:00Z",
		"now() - date(event.start)":                              "0s",
		"now() > date('2026-03-01')":                             true,
		"duration('1w') == duration('7d')":                       true,
		"duration('1d2h3.5s')":                                   "26h0m3.5s",
		"duration('-2m')":                                        "-2m0s",
		"date('2026-03-02')":                                     "2026-03-02T00:00:00Z",
		"date('2026-03-02 10:00', 'Europe/Berlin')":              "2026-03-02T10:00:00+01:00",
		"date('02.03.2026', '02.01.2006')":                       "2026-03-02T00:00:00Z",
		"date('02.03.2026 8', '02.01.2006 15', 'Asia/Tokyo')":    "2026-03-02T08:00:00+09:00",
		"date(1772445600)":                                       "2026-03-02T10:00:00Z",
		"date(1772445600123)":                                    "2026-03-02T10:00:00.123Z",
		"date('2026-03-02T10:00:00+05:30')":                      "2026-03-02T10:00:00+05:30",
		"format(event.start, '%d.%m.%Y %H:%M', 'Europe/Berlin')": "02.03.2026 11:00",
		"format(now(), '%-d/%-m %I %p %A %j %V %u %s %%')":       "2/3 10 AM Monday 061 10 1 1772445600 %",
		"format(now(), '%F %T %Z')":                              "2026-03-02 10:00:00 UTC",
		"within(now(), 'mon-fri 09:00-17:00')":                   true,
		"within(now(), 'mon-fri 09:00-17:00', 'Asia/Tokyo')":     false,
		"within(now(), 'sat,sun; mon 10:00-10:01')":              true,
		"within(now(), '10:01-09:59')":                           false,
		"within(now(), 'sun 22:00-10:01')":                       true,
		"within(now(), 'sun 22:00-10:00')":                       false,
		"within(now(), 'fri-mon')":                               true,
	} {
		got, err := eval(t, src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
		} else if got != want {
			t.Errorf("%s = %v, want %v", src, got, want)
		}
	}
}

// Random values differ within one evaluation and are the same when it is done
// again; a template is one evaluation.
func TestRandomIsOfTheRun(t *testing.T) {
	tree := obj{"a": "${{ uuid() }}", "b": "${{ uuid() }}", "c": "${{ map(1..3, random()) }}"}
	tpl, err := ParseTemplate(tree, testScope())
	if err != nil {
		t.Fatal(err)
	}
	first, err := tpl.Eval(testEnv(), testClock)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := tpl.Eval(testEnv(), testClock)
	if !reflect.DeepEqual(first, again) {
		t.Errorf("again: %v, first %v", again, first)
	}
	m := first.(obj)
	if m["a"] == m["b"] {
		t.Errorf("two uuids are both %v", m["a"])
	}
	other, _ := tpl.Eval(testEnv(), Clock{Now: testClock.Now, Seed: "other"})
	if reflect.DeepEqual(first, other) {
		t.Error("another seed gives the same values")
	}
	if s := m["a"].(string); len(s) != 36 || s[14] != '4' || !strings.ContainsRune("89ab", rune(s[19])) {
		t.Errorf("%s is no uuid of version 4", s)
	}
}

func TestEnvIsLeftAlone(t *testing.T) {
	env := testEnv()
	for _, src := range []string{"uuid()", "sort(event.list)", "merge(event.object, {a: 9})", "map(event.list, # + 1)", "reverse(event.list)"} {
		p, err := Compile(src, testScope())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Eval(env, testClock); err != nil {
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(env, testEnv()) {
		t.Errorf("the env is now %v", env)
	}
}

func TestManyGoroutines(t *testing.T) {
	p, err := Compile("map(filter(event.list, # > 1), ({n: #, id: uuid()}))", testScope())
	if err != nil {
		t.Fatal(err)
	}
	want, _ := p.Eval(testEnv(), testClock)
	env := testEnv()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				got, err := p.Eval(env, testClock)
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("%v, %v, want %v", got, err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestCondition(t *testing.T) {
	for src, want := range map[string]string{
		"event.id == 5": "", "event.on": "",
		"event.topic": "1:1 event.topic is text, not true or false: compare it with something",
		"event.none":  "1:1 event.none is missing: add ?? false",
	} {
		p, err := CompileCondition(src, testScope())
		if err != nil {
			t.Fatal(err)
		}
		ok, err := p.Bool(testEnv(), testClock)
		if got := describe(err); got != want || ok != (want == "") {
			t.Errorf("%s: %v, %q, want %q", src, ok, got, want)
		}
	}
	if _, err := CompileCondition("1 + 1", testScope()); err == nil {
		t.Error("a number passes as a condition")
	}
}

// Programs with loops run in an environment that is used again: nothing of one
// evaluation, its names, its clock, its work, may be seen by the next.
func TestEvaluationsKeepNothingOfOthers(t *testing.T) {
	p, err := Compile("map(1..2, [event?.id, vars?.office, now(), uuid()])", testScope())
	if err != nil {
		t.Fatal(err)
	}
	alone, err := p.Eval(Env{}, Clock{Seed: "b"})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, err := p.Eval(testEnv(), testClock); err != nil {
			t.Fatal(err)
		}
		if got, err := p.Eval(Env{}, Clock{Seed: "b"}); err != nil || !reflect.DeepEqual(got, alone) {
			t.Fatalf("%v, %v, want %v", got, err, alone)
		}
	}
	if first := alone.(arr)[0].(arr); first[0] != nil || first[1] != nil {
		t.Errorf("an evaluation without names sees %v", first)
	}
}
