package definition

import (
	"cmp"
	"slices"

	"zflow/engine"
	"zflow/engine/definition/document"
	"zflow/engine/definition/form"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
)

// made is what a list of steps leaves behind.
type made struct {
	outputs map[string]expr.Type // of its own steps, by id
	seen    map[string]expr.Type // the steps that can be named after it
}

// result is what is known of a step that has run.
type result struct {
	output  expr.Type
	outcome bool                 // it has one
	seen    map[string]expr.Type // the steps inside that can be named after it
}

// list compiles steps that go one after another.
func (b *builder) list(n *node, what, prefix string) ([]*engine.Step, made) {
	m := made{map[string]expr.Type{}, map[string]expr.Type{}}
	if n.Kind != document.List || len(n.Items) == 0 {
		b.p.Fail(n, "begin each with a -", "%s is a list of at least one step, this is %s", what, emptyOr(n))
		return nil, m
	}
	var out []*engine.Step
	for _, s := range n.Items {
		if s.Kind != document.Object {
			b.p.Fail(s, "write { uses: … } or { sleep: … }", "a step is an object, this is %s", s.What())
			continue
		}
		step, r := b.step(s, prefix)
		out = append(out, step)
		now := r.named(step.ID)
		added(b.seen, now)
		added(m.seen, now)
		if step.ID != "" {
			m.outputs[step.ID] = r.output
		}
	}
	b.hide(m.seen)
	return out, m
}

func emptyOr(n *node) string {
	if n.Kind == document.List {
		return "empty"
	}
	return n.What()
}

// named returns the steps that can be named once a step of this id has run.
func (r result) named(id string) map[string]expr.Type {
	out := map[string]expr.Type{}
	added(out, r.seen)
	if id != "" {
		out[id] = resultType(r.output, r.outcome)
	}
	return out
}

func (b *builder) hide(steps map[string]expr.Type) {
	for id := range steps {
		delete(b.seen, id)
	}
}

func (b *builder) step(n *node, prefix string) (*engine.Step, result) {
	outer := b.here
	b.here = b.tree.spots[n]
	defer func() { b.here = outer }()
	b.p.Keys(n, "a step", language.Step)
	s := &engine.Step{ID: b.here.id, Token: cmp.Or(b.here.id, b.here.label), Name: b.p.Text(n.Get("name"), "name")}
	s.Path = prefix + s.Token
	if b.paths[s.Path] {
		b.p.Fail(n, "give one of them another id", "two steps have the path %s", s.Path)
	}
	b.paths[s.Path] = true
	kind := b.kind(n)
	if kind == "uses" && isFile(n.Get("uses")) {
		kind = "code"
	}
	b.misplaced(n, kind)
	s.ContinueOnError = b.p.Flag(n.Get("continue_on_error"), "continue_on_error", false)
	if kind != "uses" && kind != "code" || b.here.loops {
		s.Timeout = b.p.Duration(n.Get("timeout"), "timeout", true)
	}
	if b.here.loops {
		return s, b.looped(s, n, kind)
	}
	s.If = b.condition(n.Get("if"), inStep)
	return s, b.body(s, n, kind)
}

// body compiles what a step does, in a loop once for each element, and what
// sees that it is done.
func (b *builder) body(s *engine.Step, n *node, kind string) result {
	r := b.work(s, n, kind)
	now := r.named(s.ID)
	added(b.seen, now)
	if until := n.Get("until"); s.Loop != nil {
		s.Loop.Until = b.condition(until, inStep)
	}
	s.Undo = b.undo(n.Get("undo"))
	b.hide(now)
	return r
}

// kind returns what a step does, or "" after a report.
func (b *builder) kind(n *node) string {
	has := form.Present(n, language.Kinds)
	switch {
	case len(has) == 0 && !form.Excused(n, language.Kinds, language.Step):
		b.p.Fail(n, "it needs one of "+form.AnyOf(language.Kinds), "the step does nothing")
	case len(has) > 1:
		b.p.Fail(n.KeyOf(has[1]), "make it two steps", "a step does one thing, not %s and %s", has[0], has[1])
	}
	if len(has) == 0 {
		return ""
	}
	return has[0]
}

// work compiles what a step does.
func (b *builder) work(s *engine.Step, n *node, kind string) result {
	var r result
	switch kind {
	case "uses":
		s.Do, r.output = b.uses(n)
	case "code":
		s.Do = b.code(n, s.Path)
	case "emit":
		s.Do, r.output = b.emit(n)
	case "respond":
		s.Do, r.output = b.respond(n)
	case "set":
		value := b.anyTemplate(n.Get("set"), inStep)
		s.Do, r.output = &engine.Set{Value: value}, typeOfTemplate(value)
	case "call":
		s.Do = b.call(n)
	case "sleep":
		s.Do = b.sleep(n.Get("sleep"))
	case "stop":
		s.Do = b.stop(n.Get("stop"))
	case "wait_for":
		s.Do, r = b.wait(n.Get("wait_for"))
	case "approval":
		s.Do, r = b.approval(n.Get("approval"))
	case "steps", "parallel", "switch":
		s.Do, r = b.block(n, kind, s.Path)
	default: // reported; what is there is checked all the same
		b.unknown(n)
	}
	return r
}

// unknown checks the input of a step whose kind is missing or misspelt.
func (b *builder) unknown(n *node) {
	if with := n.Get("with"); with != nil {
		b.with(n, nil, inWith)
	}
	b.retry(n.Get("retry"), b.defaults, inRetry)
}

// home says to which kinds a key belongs, and why.
type home struct {
	kinds []string
	why   string
}

var calls = []string{"uses", "code", "emit", "respond"}

var homes = map[string]home{
	"with":       {[]string{"uses", "code", "call", "emit"}, "only uses, code, call and emit take an input"},
	"wait":       {[]string{"call"}, "only call has another run to wait for"},
	"connection": {[]string{"uses", "code"}, "only uses and code need an account"},
	"effect":     {[]string{"code"}, "of everything else it is known what doing it twice does"},
	"retry":      {calls, "only uses, code, emit and respond are tried again"},
	"on_unknown": {calls, "only uses, code, emit and respond can end unknown"},
}

// misplaced reports the keys that a step of this kind cannot have.
func (b *builder) misplaced(n *node, kind string) {
	for _, f := range n.Fields {
		name := f.Key.Value
		if h, ok := homes[name]; ok && kind != "" && !slices.Contains(h.kinds, kind) {
			b.p.Fail(f.Key, insideHint(kind), "%s cannot have %s: %s", kind, name, h.why)
		}
		if slices.Contains([]string{"as", "at_once", "until"}, name) && !b.here.loops {
			b.p.Fail(f.Key, "", "%s goes only with for_each", name)
		}
		if kind == "stop" && slices.Contains([]string{"continue_on_error", "undo"}, name) {
			b.p.Fail(f.Key, "", "stop cannot have %s: the run ends with it", name)
		}
		switch section := b.here.chain()[0].branch; {
		case section == "steps":
		case name == "undo":
			b.p.Fail(f.Key, "", "a step of %s cannot have undo: what is to be undone has been by then", section)
		case name == "stop":
			b.p.Fail(f.Key, "", "stop has no place in %s: the run is ending already", section)
		}
	}
}

func insideHint(kind string) string {
	if slices.Contains([]string{"steps", "parallel", "switch"}, kind) {
		return "put it on the steps inside"
	}
	return ""
}
