package pipedream

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"zflow/actions"
	"zflow/engine/definition/document"
)

// made is what a step became: the steps that stand for it, and whether its output is
// one of the shim's.
type made struct {
	steps []object
	shim  bool
}

// step translates a step. What cannot be translated is a step that fails the run.
func (t *translation) step(s step) []object {
	t.failed, t.at = false, s.at
	v := &values{translation: t, step: s}
	m := t.make(v)
	t.done[s.name] = &done{id: s.id, shim: m.shim}
	if t.failed {
		return []object{t.stand(s)}
	}
	if len(v.extra) > 0 {
		t.ids[v.computedID()] = true
		m.steps = append([]object{t.compute(v)}, m.steps...)
	}
	return m.steps
}

// stand stands where a step could not be translated.
func (t *translation) stand(s step) object {
	what := s.uses
	if what == "" {
		what = s.name
	}
	o := newObject().put("id", s.id)
	o.put("stop", newObject().put("status", "failed").put("message", what+" of Pipedream was not translated: put in its place what it is to do"))
	return o
}

func (t *translation) make(v *values) made {
	s := v.step
	if s.code() != "" {
		return t.code(v)
	}
	owner, key := s.component()
	switch {
	case s.uses == "":
		v.broken(s.at, fmt.Errorf("the step %s does not say what it uses", s.name))
		return made{}
	case owner != "":
		return t.private(v, owner, key)
	}
	if f := special(key); f != nil {
		return f(v)
	}
	if r, ok := t.rows[key]; ok {
		switch {
		case r.Hand != "":
			v.broken(s.at.Get("uses"), fmt.Errorf("%s is not translated: %s", key, r.Hand))
			return made{}
		case r.Call != "":
			return t.call(v, r)
		}
		if t.Actions == nil || t.Actions.Get(r.Uses) != nil || r.Uses == "respond" {
			return t.action(v, r)
		}
	}
	v.broken(s.at.Get("uses"), fmt.Errorf("there is no action for the component %s: with its file it is uses: ./components/%s.mjs, with its props under with", key, key))
	return made{}
}

// private is a component of the user's own workspace, whose code the user has.
func (t *translation) private(v *values, owner, key string) made {
	v.broken(v.step.at.Get("uses"), fmt.Errorf("the component %s is private to the workspace %s, its code is not in the folder: with its file it is uses: ./components/%s.mjs, with its props under with", key, owner, key))
	return made{}
}

// action writes a step that uses an action.
func (t *translation) action(v *values, r row) made {
	o := newObject()
	id := v.step.id
	if r.Gives != "" {
		id = unique(v.step.id+"_call", t.ids)
	}
	o.put("id", id)
	if r.Uses == "respond" {
		return made{steps: []object{t.respond(v, o, r)}}
	}
	o.put("uses", r.Uses)
	with := t.with(v, r)
	if !with.empty() {
		o.put("with", with)
	}
	if !strings.HasPrefix(r.Uses, "zoom.") || !t.onlyZoom() {
		if c := t.account(v); c != "" {
			o.put("connection", c)
		}
	}
	if r.Say != "" {
		t.note(v.step.at.Get("uses"), true, r.Say, "")
	}
	if r.Gives == "" {
		return made{steps: []object{o}}
	}
	set := newObject().put("id", v.step.id).put("set", "${{ steps."+id+".output."+r.Gives+" }}")
	return made{steps: []object{o, set}}
}

func (t *translation) respond(v *values, o object, r row) object {
	with := t.with(v, r)
	o.put("respond", with)
	return o
}

// with writes an action's input.
func (t *translation) with(v *values, r row) object {
	o := newObject()
	known := r.fields()
	for _, p := range v.step.props {
		f, ok := known[p.Key.Value]
		switch {
		case ok && f.field == "" || isAccount(p.Value) || p.Value.IsNull():
		case !ok:
			t.note(p.Key, true, fmt.Sprintf("%s has no field for %s, which was left out", r.Uses, p.Key.Value), "")
		default:
			o.put(f.field, t.input(v, p.Value, f, t.schema(r.Uses, f.field)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Set)) {
		o.put(name, r.Set[name])
	}
	return o
}

func (t *translation) schema(action, field string) actions.Schema {
	if t.Actions == nil || t.Actions.Get(action) == nil {
		return actions.Schema{}
	}
	return t.Actions.Get(action).Spec.Input.Fields[field]
}

// input is a prop as an action's field has it.
func (t *translation) input(v *values, n *document.Node, f field, s actions.Schema) *yaml.Node {
	n = labeled(n)
	if f.how == "store" && !hasExpression(n) && n.Kind == document.Scalar {
		return plain(ID(n.Value))
	}
	if f.how == "list" && n.Kind != document.List && !hasExpression(n) {
		return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{copied(n)}}
	}
	if n.Kind != document.Scalar || !n.IsText() {
		return v.value(n, f.field)
	}
	if strings.Contains(n.Value, "{{") {
		if f.how == "json" {
			return plain("${{ fromJSON(" + v.source(n, f.field) + ") }}")
		}
		return v.value(n, f.field)
	}
	return literal(n, f.how, s)
}

// literal is a text as what the action wants: Pipedream keeps numbers and JSON as text.
func literal(n *document.Node, how string, s actions.Schema) *yaml.Node {
	var doc yaml.Node
	wants := how == "json" || s.Type == "integer" || s.Type == "number" || s.Type == "boolean"
	if !wants || yaml.Unmarshal([]byte(n.Value), &doc) != nil || len(doc.Content) != 1 {
		return copied(n)
	}
	v := doc.Content[0]
	switch {
	case how == "json" && v.Kind != yaml.ScalarNode,
		s.Type == "integer" && v.Tag == "!!int", s.Type == "number" && (v.Tag == "!!int" || v.Tag == "!!float"), s.Type == "boolean" && v.Tag == "!!bool":
		return v
	}
	return copied(n)
}

// labeled is the value of what the picker of a prop kept with a label.
func labeled(n *document.Node) *document.Node {
	if n.Kind != document.Object {
		return n
	}
	if inner := n.Get("__lv"); inner != nil && inner.Kind == document.Object {
		n = inner
	}
	if v := n.Get("value"); v != nil && n.Get("label") != nil && len(n.Fields) == 2 {
		return v
	}
	return n
}

// isAccount tells whether a prop is an account that was connected there.
func isAccount(n *document.Node) bool {
	return n.Kind == document.Object && n.Get("authProvisionId") != nil
}

// account is the name of a connection for the account that a step used; empty: none.
func (t *translation) account(v *values) string {
	for _, p := range v.step.props {
		if !isAccount(p.Value) {
			continue
		}
		app, id := strings.ReplaceAll(ID(p.Key.Value), "_", "-"), p.Value.Get("authProvisionId").Value
		if t.accounts[id] == "" {
			t.accounts[id] = strings.ReplaceAll(unique(app, t.takenAccounts()), "_", "-")
			t.note(p.Value, true, fmt.Sprintf("the account %s is the connection %s", id, t.accounts[id]), "connect it under this name, or write the name of another one")
		}
		return t.accounts[id]
	}
	return ""
}

func (t *translation) takenAccounts() map[string]bool {
	taken := map[string]bool{}
	for _, name := range t.accounts {
		taken[name], taken[strings.ReplaceAll(name, "-", "_")] = true, true
	}
	return taken
}

// onlyZoom tells whether Zoom's events start the workflow: then steps use the account
// of the event.
func (t *translation) onlyZoom() bool {
	s := t.sorts()
	return len(s) == 1 && s[0] == ofZoom
}

// compute is the step that computes in JavaScript what could not be translated.
func (t *translation) compute(v *values) object {
	var b strings.Builder
	b.WriteString("export default {\n  async run({ steps }) {\n    return {\n")
	for _, c := range v.extra {
		fmt.Fprintf(&b, "      %s: (%s),\n", c.name, strings.TrimSpace(c.js))
	}
	b.WriteString("    };\n  },\n};\n")
	return newObject().put("id", v.computedID()).put("code", b.String())
}

// languages of code steps that are not JavaScript, by the ends of their files.
var languages = map[string]string{".py": "Python", ".sh": "Bash", ".go": "Go"}

// code writes a step of the user's own code.
func (t *translation) code(v *values) made {
	s := v.step
	file := path.Clean(s.code())
	if t.out.Copy = append(t.out.Copy, path.Dir(file)); path.Dir(file) == "." {
		t.out.Copy[len(t.out.Copy)-1] = file
	}
	if language, other := languages[path.Ext(file)]; other {
		v.broken(s.at.Get("uses"), fmt.Errorf("the step is %s, which has another way to read the steps before it", language))
		return made{}
	}
	src, err := t.readCode(file)
	if err != nil {
		v.broken(s.at.Get("uses"), err)
		return made{}
	}
	o := newObject().put("id", s.id)
	o.put("code", newObject().put("file", "./"+path.Join(t.Folder, file)))
	if with := t.props(v, src); !with.empty() {
		o.put("with", with)
	}
	if usesZoom(s) {
		o.put("connection", t.account(v))
	}
	t.about(v, file, src)
	return made{steps: append([]object{o}, behind(s.id, src)...), shim: true}
}

func (t *translation) readCode(file string) (string, error) {
	if t.Read == nil {
		return "", nil
	}
	src, err := t.Read(file)
	if err != nil {
		return "", fmt.Errorf("its code cannot be read: %w", err)
	}
	return string(src), nil
}

// usesZoom tells whether a step has an account at Zoom.
func usesZoom(s step) bool {
	for _, p := range s.props {
		if isAccount(p.Value) && (p.Key.Value == "zoom" || p.Key.Value == "zoom_admin" || p.Key.Value == "zoomAdmin") {
			return true
		}
	}
	return false
}
