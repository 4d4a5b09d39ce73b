package definition

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zflow/engine"
	"zflow/engine/expr"
)

// What the good files compile to stands beside them, a step a line.
func TestCompiled(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", outline(good(t, name)))
		})
	}
}

// outline writes a compiled workflow; expressions are shown as they are written,
// or as … where the engine keeps no text of them.
func outline(w *engine.Workflow) string {
	o := &outliner{}
	for _, t := range w.Triggers {
		o.line(0, "on %s %s", t.Source, strings.Join(t.Types, ","))
		o.more("connections", strings.Join(t.Connections, ","))
		o.more("inputs", pairs(t.Inputs))
		o.program("if", t.If)
		if p := t.Poll; p != nil {
			o.more("uses", p.Uses.Action)
			o.template("with", p.Uses.With)
			o.more("connection", p.Uses.Connection)
			o.more("plan", t.Ticks.Plan)
			o.template("items", p.Items)
			o.more("key", p.Key)
			o.more("fields", strings.Join(p.Fields, ","))
			o.more("all", p.All)
			o.more("removed", p.Removed)
		}
		if t.Once != nil {
			o.template("once", t.Once.Key)
			o.more("per", t.Once.Per)
		}
	}
	if c := w.Concurrency; c != nil {
		o.line(0, "concurrency %d %s", c.Limit, c.Busy)
		o.more("name", c.Name)
		o.template("key", c.Key)
	}
	if w.Limits != (engine.Limits{}) {
		o.line(0, "limits %+v", w.Limits)
	}
	for _, section := range [][]*engine.Step{w.Steps, w.OnFailure, w.Finally} {
		o.steps(0, section)
	}
	o.line(0, "output")
	o.template("value", w.Output)
	return o.b.String() + "\n"
}

type outliner struct{ b strings.Builder }

func (o *outliner) line(depth int, format string, args ...any) {
	if o.b.Len() > 0 {
		o.b.WriteByte('\n')
	}
	fmt.Fprintf(&o.b, strings.Repeat("  ", depth)+format, args...)
}

// more adds what is not empty.
func (o *outliner) more(name string, v any) {
	switch v {
	case "", 0, time.Duration(0), false, engine.Policy(""), engine.OnTimeout(""):
		return
	}
	fmt.Fprintf(&o.b, " %s=%v", name, v)
}

func (o *outliner) program(name string, p *expr.Program) {
	if p != nil {
		o.more(name, "("+p.Source()+")")
	}
}

func (o *outliner) template(name string, t *expr.Template) {
	if t == nil {
		return
	}
	text := "…"
	if v, err := t.Eval(nil, expr.Clock{}); t.Static() && err == nil {
		raw, _ := json.Marshal(v)
		text = string(raw)
	}
	o.more(name, text)
}

func pairs(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, k+":"+m[k])
	}
	return strings.Join(out, ",")
}

func (o *outliner) steps(depth int, steps []*engine.Step) {
	for _, s := range steps {
		o.line(depth, "%s", s.Path)
		o.more("id", s.ID)
		o.more("name", s.Name)
		o.program("if", s.If)
		if l := s.Loop; l != nil {
			o.more("as", l.As)
			o.more("at_once", l.AtOnce)
			o.template("over", l.Over)
			o.program("until", l.Until)
		}
		o.more("of_all", s.Timeout)
		o.more("continue", s.ContinueOnError)
		if !strings.HasSuffix(s.Path, s.Token) {
			o.more("TOKEN", s.Token)
		}
		o.work(depth+1, s.Do)
		if s.Undo != nil {
			o.line(depth+1, "undo")
			o.work(depth+2, s.Undo)
		}
	}
}

func (o *outliner) work(depth int, w engine.Work) {
	switch w := w.(type) {
	case *engine.Uses:
		o.line(depth, "uses %s attempts=%d", w.Action, w.Retry.Attempts)
		o.more("connection", w.Connection)
		o.more("of_one", w.Timeout)
		o.more("on_unknown", w.OnUnknown)
		o.more("reads", w.Reads(nil))
		o.more("repeatable", w.Repeatable(nil))
		o.more("probes", w.Probes)
		o.program("retry.if", w.Retry.If)
		o.template("with", w.With)
	case *engine.Set:
		o.line(depth, "set")
		o.template("value", w.Value)
	case *engine.Sleep:
		o.line(depth, "sleep")
		o.template("for", w.For)
		o.template("until", w.Until)
		o.more("schedule", w.Schedule)
		o.more("zone", w.Timezone)
	case *engine.Call:
		o.line(depth, "call %s", w.Workflow)
		o.more("wait", w.Wait)
		o.template("with", w.With)
	case *engine.Stop:
		o.line(depth, "stop %s", w.Status)
		o.template("message", w.Message)
	case *engine.Wait:
		o.wait(depth, w)
	case *engine.Ask:
		o.ask(depth, w)
	case *engine.Block:
		for _, b := range w.Branches {
			o.line(depth, "%s", w.Mode)
			o.more("branch", b.Name)
			o.program("if", b.If)
			o.steps(depth+1, b.Steps)
		}
	default:
		o.line(depth, "%T", w)
	}
}

func (o *outliner) wait(depth int, w *engine.Wait) {
	o.line(depth, "wait")
	o.more("look_back", w.LookBack)
	o.more("timeout", w.Timeout)
	o.more("on_timeout", w.OnTimeout)
	for _, a := range w.Of {
		o.line(depth+1, "for")
		o.more("name", a.Name)
		o.more("source", a.Source)
		o.more("types", strings.Join(a.Types, ","))
		o.more("signal", a.Signal)
		for _, m := range a.Match {
			o.template(m.Path, m.Value)
		}
		o.program("if", a.If)
	}
}

func (o *outliner) ask(depth int, a *engine.Ask) {
	o.line(depth, "ask choices=%v", a.Choices)
	o.template("to", a.To)
	o.template("message", a.Message)
	o.more("timeout", a.Timeout)
	o.more("remind", a.Remind)
	o.more("on_timeout", a.OnTimeout)
	for _, name := range slices.Sorted(maps.Keys(a.Fields)) {
		o.more(name, fmt.Sprintf("%+v", a.Fields[name]))
	}
}
