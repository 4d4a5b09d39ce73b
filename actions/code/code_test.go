package code

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"zflow/actions"
	"zflow/actions/code/bundle"
	"zflow/actions/code/node"
)

// shared is the runtime of all tests that need no other: to look for Node.js, and to
// start it, takes long.
var shared = NewRuntime(node.Defaults)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := shared.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// rig runs inline code as a worker does.
type rig struct {
	t       *testing.T
	action  *actions.Action
	options Options
	bundles map[string][]byte
	log     []string
}

func newRig(t *testing.T, change func(*node.Options)) *rig {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("there is no Node.js here: code steps are not tested")
	}
	runtime := shared
	if change != nil {
		o := node.Defaults
		change(&o)
		runtime = NewRuntime(o)
		t.Cleanup(func() {
			if err := runtime.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	r := &rig{t: t, bundles: map[string][]byte{}}
	r.options = Options{Runtime: runtime,
		Load: func(_ context.Context, name string) ([]byte, error) { return r.bundles[name], nil },
		Connection: func(_ context.Context, name string) (Connection, error) {
			return Connection{Name: name, Token: "token-of-the-account", AccessToken: "token-of-the-account", APIURL: "https://api.example.org"}, nil
		}}
	r.action = Action(r.options)
	return r
}

func (r *rig) run(text string, c actions.Call) (any, error) {
	r.t.Helper()
	name, data, faults := Make(bundle.Source{Dir: r.t.TempDir(), Name: "w.yaml", Text: text, Place: func(line int) (int, int) { return line + 5, 6 }})
	if name == "" {
		r.t.Fatal(faults)
	}
	r.bundles[name] = data
	if c.Code == nil {
		c.Code = &actions.Code{}
	}
	c.Code.Bundle, c.Code.Workflow, c.Code.Limit = name, "w@1", 10*time.Second
	c.Log = func(line string) { r.log = append(r.log, line) }
	result, err := r.action.Do(context.Background(), c)
	return result.Output, err
}

// No digit of an integer is lost on the way in or out.
func TestDigits(t *testing.T) {
	r := newRig(t, nil)
	scope := map[string][]byte{"event": []byte(`{"a":9007199254740991,"b":9007199254740993,"c":-9223372036854775808,"d":"1\"9007199254740993","e":0.1234567890123456789,"f":[12345678901234567890]}`)}
	got, err := r.run("export default ({ event: e }) => [e.a, e.b, e.c, e.d, e.e, e.f[0], BigInt(e.b), BigInt(e.f[0])]", actions.Call{Code: &actions.Code{Scope: scope}})
	want := []any{int64(9007199254740991), "9007199254740993", "-9223372036854775808", `1"9007199254740993`, 0.1234567890123456789, "12345678901234567890", int64(9007199254740993), "12345678901234567890"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v %v", got, err)
	}
}

// An error says where, and what it means for the next attempt.
func TestErrors(t *testing.T) {
	r := newRig(t, nil)
	for text, want := range map[string]*actions.Error{
		"type A = string\nexport default async () => {\n  throw new TypeError('no luck')\n}":                           {Class: actions.ClassFinal, Message: "TypeError: no luck (w.yaml:8:15)"},
		"export default () => { throw Object.assign(new Error('busy'), { retryable: true, code: 'B', status: 503 }) }": {Class: actions.ClassRetryable, Message: "busy (w.yaml:6:50)", Code: "B", Status: 503},
		"export default () => undefined.x": {Class: actions.ClassFinal, Message: "TypeError: Cannot read properties of undefined (reading 'x') (w.yaml:6:38)"},
		"export default {\n  run({ $ }) { $.flow.suspend() } }": {Class: actions.ClassFinal,
			Message: "PipedreamError: $.flow.suspend() is not there: write a step wait_for or approval behind this one (w.yaml:7:29)"},
		"export default { props: { a: {} }, run() {} }": {Class: actions.ClassFinal, Message: "PipedreamError: the step gives no value for a: write it under with:"},
		"export default 7": {Class: actions.ClassFinal, Message: "the code's default export is no function: write export default async ({ event }) => { … }", Code: "result"},
	} {
		_, err := r.run(text, actions.Call{})
		var got *actions.Error
		if !errors.As(err, &got) || *got != *want {
			t.Errorf("%s:\n%+v, want\n%+v", text, err, want)
		}
	}
}

// What Node.js denies is told with what to use instead; each Node.js has words of its own.
func TestDenied(t *testing.T) {
	r := newRig(t, nil)
	for text, want := range map[string]string{
		"import fs from 'fs'; export default () => fs.writeFileSync('/tmp/x', '')":                                      "code writes no files, in /tmp neither: return the content, and use file.write behind it (w.yaml:6:52)",
		"import { spawn } from 'child_process'; export default () => { for (;;) spawn(process.execPath, ['-e', '1']) }": "code starts no programs: use exec.run (w.yaml:6:78)",
		"import { Worker } from 'worker_threads'; export default () => { for (;;) new Worker('1', { eval: true }) }":    "code starts no threads (w.yaml:6:80)",
	} {
		_, err := r.run(text, actions.Call{})
		var got *actions.Error
		if !errors.As(err, &got) || got.Class != actions.ClassFinal || got.Code != "ERR_ACCESS_DENIED" || !strings.HasSuffix(got.Message, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Each line of docs/security.md that says what code cannot do.
func TestSecurity(t *testing.T) {
	t.Setenv("ZFLOW_TEST_SECRET", "of the worker")
	r := newRig(t, nil)
	for claim, text := range map[string]string{
		"reads no file":          "import fs from 'fs'; export default () => fs.readFileSync('/etc/passwd', 'utf8')",
		"lists no folder":        "import fs from 'fs'; export default () => fs.readdirSync('.')",
		"writes no file":         "import fs from 'fs'; export default () => fs.writeFileSync('x', 'x')",
		"writes no file in /tmp": "import fs from 'fs'; export default () => fs.writeFileSync('/tmp/zflow-code-test', 'x')",
		"starts no program":      "import cp from 'child_process'; export default () => cp.execSync('true').toString()",
		"starts no thread":       "import { Worker } from 'worker_threads'; export default () => { new Worker('1', { eval: true }) }",
		"has no inspector":       "import inspector from 'inspector'; export default () => inspector.open()",
		"sends no signal":        "export default () => process.kill(process.ppid, 0)",
		"loads no add-on":        "export default () => process.dlopen({ exports: {} }, '/x.node')",
		"needs no file by name":  "export default () => { const name = '/etc/' + 'passwd'; return require(name) }",
	} {
		if got, err := r.run(text, actions.Call{}); err == nil {
			t.Errorf("code %s, but it did: %v", claim, got)
		}
	}
	if got, err := r.run("export default () => Object.keys(process.env)", actions.Call{}); err != nil || !reflect.DeepEqual(got, []any{"TZ"}) {
		t.Errorf("the environment is %v %v", got, err)
	}
}

// What code was given readable does not come out, wherever it puts it.
func TestSecretsStayIn(t *testing.T) {
	r := newRig(t, nil)
	c := actions.Call{Input: map[string]any{"key": "Bearer hunter2-hunter2"}, Connection: "office", Code: &actions.Code{Secrets: []string{"hunter2-hunter2"}}}
	text := `export default async ({ inputs, connection, log }) => {
  log.info(inputs.key, connection.access_token, connection.api_url);
  if (inputs.fail) throw new Error("with " + inputs.key);
  return { ["k" + connection.access_token]: [inputs.key], n: connection.name };
}`
	got, err := r.run(text, c)
	if want := map[string]any{"k••••": []any{"Bearer ••••"}, "n": "office"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v %v", got, err)
	}
	c.Input["fail"] = true
	if _, err = r.run(text, c); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
	if lines := strings.Join(r.log, "\n"); strings.Contains(lines, "hunter2") || strings.Contains(lines, "token-of") || !strings.Contains(lines, "https://api.example.org") {
		t.Error(lines)
	}
	c.Connection = ""
	if got, err := r.run("export default (all) => 'connection' in all", c); got != false {
		t.Errorf("code has a connection that its step does not name: %v %v", got, err)
	}
}

// Without a network code reaches nobody, not even the worker's NATS on loopback.
func TestNetwork(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	text := "import net from 'net'; export default () => new Promise((ok, no) => { const s = net.connect(" + strings.TrimPrefix(l.Addr().String(), "127.0.0.1:") + ", '127.0.0.1'); s.on('connect', () => { s.destroy(); ok('connected') }); s.on('error', no) })"
	if got, err := newRig(t, nil).run(text, actions.Call{}); got != "connected" {
		t.Errorf("with a network: %v %v", got, err)
	}
	got, err := newRig(t, func(o *node.Options) { o.Network = false }).run(text, actions.Call{})
	if err == nil {
		t.Errorf("without a network: %v", got)
	}
}

// A worker without Node.js says so, and another may have it.
func TestNoNode(t *testing.T) {
	a := Action(Options{Runtime: NewRuntime(node.Options{Path: "/nowhere/node"}), Load: func(context.Context, string) ([]byte, error) { return nil, nil }})
	_, err := a.Do(context.Background(), actions.Call{Code: &actions.Code{Bundle: "b"}})
	var got *actions.Error
	if !errors.As(err, &got) || got.Class != actions.ClassRetryable || !strings.Contains(got.Message, "there is no Node.js here") {
		t.Error(err)
	}
}

func TestJournal(t *testing.T) {
	var lines []string
	j := &journal{to: func(line string) { lines = append(lines, line) }}
	for range maxLines + 5 {
		j.add("warn", "x")
	}
	j.close()
	if len(lines) != maxLines+1 || lines[0] != "warn: x" || lines[maxLines] != "… and 5 lines more" {
		t.Error(len(lines), lines[len(lines)-1])
	}
	lines = nil
	(&journal{to: j.to}).add("info", strings.Repeat("ü", maxLine))
	if len(lines[0]) > maxLine+3 {
		t.Error("a line is not cut")
	}
}
