package node

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// findOnce looks once for all tests: that starts processes.
var findOnce = sync.OnceValues(func() (Found, error) { return Find("") })

// open makes a pool, or skips where there is no Node.js.
func open(t *testing.T, change func(*Options)) *Pool {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("there is no Node.js here: code steps are not tested")
	}
	found, err := findOnce()
	if err != nil {
		t.Fatal(err)
	}
	o := Defaults
	if change != nil {
		change(&o)
	}
	p, err := openWith(o, found)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// said is what a call brought.
type said struct {
	result string
	log    []string
	err    error
}

// run calls a function body.
func run(p *Pool, group, body string, args ...Arg) said {
	s := said{}
	limit := 5 * time.Second
	if strings.Contains(body, "while (true)") {
		limit = 150 * time.Millisecond
	}
	raw, err := p.Do(context.Background(), Call{Group: group, Bundle: body, Limit: limit, Args: args,
		Code: func() ([]byte, error) {
			return []byte("exports.default = async ({ event, log, inputs }) => { " + body + " }"), nil
		},
		Log: func(level, line string) { s.log = append(s.log, level+" "+line) }})
	s.result, s.err = string(raw), err
	return s
}

func TestResults(t *testing.T) {
	t.Parallel()
	p := open(t, nil)
	event := Arg{"event", []byte(`{"a":[1,2,{"b":"ü"}],"id":"85712345678901234567"}`)}
	for body, want := range map[string]string{
		"return event.a[2].b": `"ü"`,
		"return event.id":     `"85712345678901234567"`,
		"":                    `null`,
		"return null":         `null`,
		"return { a: undefined, b: [undefined] }":                                             `{"b":[null]}`,
		"return 2n ** 53n + 1n":                                                               `9007199254740993`,
		"return { big: [10n ** 30n], d: new Date(0), u: undefined, s: 'x' }":                  `{"big":["1000000000000000000000000000000"],"d":"1970-01-01T00:00:00.000Z","s":"x"}`,
		"return new Date(0)":                                                                  `"1970-01-01T00:00:00.000Z"`,
		"const a = {}; return [a, a]":                                                         `[{},{}]`,
		"return Object.keys(process.env)":                                                     `["TZ"]`,
		"return require('fs').readdirSync === undefined":                                      `false`,
		"return typeof require('node:crypto').createHash('sha256').update('a').digest('hex')": `"string"`,
	} {
		if got := run(p, "g", body, event); got.result != want || got.err != nil {
			t.Errorf("%s: %s %v, want %s", body, got.result, got.err, want)
		}
	}
}

// Whatever code does ends as one clear error, and touches no other call.
func TestMisbehavior(t *testing.T) {
	t.Parallel()
	p := open(t, func(o *Options) { o.Memory, o.Output, o.Result = 64<<20, 64<<10, 64<<10 })
	other := make(chan said)
	go func() { other <- run(p, "other", "await new Promise((r) => setTimeout(r, 700)); return 'whole'") }()
	for body, want := range map[string]string{
		"process.exit(3)": "process.exit(3)",
		"const a = []; for (;;) a.push(new Array(1e6).fill(1))":   tooMuch,
		"const a = []; for (;;) a.push(Buffer.alloc(8 << 20, 1))": "memory|Array buffer allocation failed",
		"throw new Error('no luck')":                              "no luck",
		"throw 'text'":                                            "the code threw 'text', which is no Error",
		"throw null":                                              "the code threw null",
		"const a = {}; a.a = a; return a":                         "the result is circular: result.a is the result itself",
		"return { x: [NaN] }":                                     "NaN at result.x[0]",
		"return new Map()":                                        "a Map at result",
		"Promise.reject(new Error('late'))":                       "nobody handled it: late",
		"setTimeout(() => { throw new Error('later') }); await new Promise((r) => setTimeout(r, 1000))": "nobody caught: later",
		"await new Promise(() => {})":   "nothing can settle",
		"for (;;) console.log('flood')": "printed more than 64 KiB",
		"return 'x'.repeat(100000)":     "the result has 98 KiB: at most 64 KiB",
		"require('child_process').spawnSync('true').error && (() => { throw new Error('no child') })()": "no child|ERR_ACCESS_DENIED|Access to this API has been restricted",
		"require('fs').writeSync(4, 'garbage that is no frame at all'); return 1":                       "no frame",
		"require('fs').closeSync(4); return 1":                                                          "",
		"return require('lodash')":                                                                      "no module lodash in the bundle",
	} {
		got := run(p, "g", body)
		if got.err == nil || !containsAny(got.err.Error(), want) {
			t.Errorf("%s: %q %v, want %s", body, got.result, got.err, want)
		}
	}
	if got := <-other; got.result != `"whole"` {
		t.Errorf("a call beside them: %q %v", got.result, got.err)
	}
	if got := run(p, "g", "return 1"); got.result != "1" {
		t.Errorf("a call after them: %q %v", got.result, got.err)
	}
}

func containsAny(text, alternatives string) bool {
	for part := range strings.SplitSeq(alternatives, "|") {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// Who is to blame decides what follows. A process is watched from the first call on.
func TestWhoDied(t *testing.T) {
	t.Parallel()
	p := open(t, nil)
	for _, c := range []struct {
		body      string
		own, late bool
	}{
		{"const a = Date.now(); while (true) { if (Date.now() - a > 3000) return 'through' }", false, true},
		{"process.exit(0)", true, false},
		{"process.abort()", false, false},
	} {
		var died *Died
		if got := run(p, "g", c.body); !errors.As(got.err, &died) || died.Own != c.own || died.Late != c.late {
			t.Errorf("%s: %q %v", c.body, got.result, got.err)
		}
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	p := open(t, nil)
	got := run(p, "g", `log.info("a", { b: [1] }); console.warn("w %d", 7); console.log("two\nlines"); process.stdout.write("part "); process.stdout.write("whole\n"); log.error(new Error("x").message); console.table([{ a: 1 }]); throw new Error("after")`)
	want := "info a { b: [ 1 ] }|warn w 7|info two|info lines|info part whole|error x|info ┌"
	if lines := strings.Join(got.log, "|"); !strings.HasPrefix(lines, want) || got.err == nil {
		t.Errorf("%s, %v", lines, got.err)
	}
}

// What one group leaves behind in its process another never sees, and what still
// runs after a call is not there in the next.
func TestIsolation(t *testing.T) {
	t.Parallel()
	p := open(t, nil)
	count := "globalThis.n = (globalThis.n ?? 0) + 1; return globalThis.n"
	if a, b, c := run(p, "a", count), run(p, "b", count), run(p, "a", count); a.result+b.result+c.result != "112" {
		t.Errorf("%v %v %v", a, b, c)
	}
	run(p, "a", "setInterval(() => { globalThis.n = 100 }, 1)")
	if a := run(p, "a", count); a.result != "1" {
		t.Errorf("a process in which something still runs is used again: %v", a)
	}
}

// A call that is canceled ends at once, and says so.
func TestCancel(t *testing.T) {
	t.Parallel()
	p := open(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	begun := make(chan bool, 1)
	go func() { <-begun; cancel() }()
	_, err := p.Do(ctx, Call{Group: "g", Bundle: "b", Code: func() ([]byte, error) {
		return []byte("exports.default = async ({ log }) => { log.info('begun'); await new Promise((r) => setTimeout(r, 60000)) }"), nil
	}, Log: func(string, string) { begun <- true }})
	var died *Died
	if !errors.As(err, &died) || died.Own {
		t.Error(err)
	}
}
