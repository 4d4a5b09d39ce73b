package described

import (
	"regexp"
	"slices"

	"zflow/actions"
	"zflow/actions/http"
	"zflow/engine/definition/document"
	"zflow/engine/definition/form"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
)

type node = document.Node

var (
	validName = regexp.MustCompile(`^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$`)
	validID   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

func key(doc string) language.Key      { return language.Key{Doc: doc} }
func required(doc string) language.Key { return language.Key{Doc: doc, Required: true} }

// The keys of a description, and of what is in it.
var (
	topKeys = map[string]language.Key{
		"name": required("family.verb"), "summary": required("one sentence"), "effect": required("read, idempotent or write"),
		"connection": key("the connection whose token it sends"), "connection_if": key("when it sends one"),
		"inputs": key("what a step gives"), "calls": required("the requests"), "success": key("what an answer must be"),
		"errors": key("what answers mean"), "output": required("what a step gets"), "known": key("errors worth knowing"),
		"examples": key("uses of it"),
	}
	callKeys  = map[string]language.Key{"id": required("its name"), "effect": key("its own effect")}
	ruleKeys  = map[string]language.Key{"if": required("a condition"), "class": required("final, retryable or unknown"), "message": key(""), "code": key(""), "retry_after": key(""), "retry_at": key("")}
	knownKeys = map[string]language.Key{"if": required("over error"), "doc": required("when it comes"), "again": key("it may pass")}
	fieldKeys = map[string]language.Key{
		"type": key(""), "doc": required("one line"), "required": key(""), "default": key(""), "enum": key(""), "format": key(""),
		"items": key(""), "fields": key(""), "secret": key(""), "value": key(""),
	}
	exampleKeys = map[string]language.Key{"title": required(""), "with": required("")}
)

// reader reads one description.
type reader struct {
	form.Reader
	d *description
	// roots are what expressions may name, but for answers.
	roots map[string]expr.Type
	calls map[string]expr.Type
}

// Read reads a file with one description, and checks it.
func Read(file string, src []byte, client *http.Client) (*actions.Action, document.Problems) {
	f, root := document.Read(file, src)
	if root == nil {
		return nil, f.Problems()
	}
	a := Compile(f, root, client)
	problems := f.Problems()
	if problems.Err() != nil {
		return nil, problems
	}
	return a, problems
}

// Compile makes an action of a description that stands in a file, and reports on the
// file what is wrong with it. The action is of no use if anything is.
func Compile(f *document.File, root *node, client *http.Client) *actions.Action {
	r := &reader{Reader: form.Reader{File: f}, d: &description{client: client}, calls: map[string]expr.Type{}}
	if !r.Fields(root, "an action", topKeys) {
		return nil
	}
	d, s := r.d, &r.d.spec
	s.Name, s.Summary = r.Text(root.Get("name"), "name"), r.Text(root.Get("summary"), "summary")
	if s.Name != "" && !validName.MatchString(s.Name) {
		r.Fail(root.Get("name"), "write it as family.verb_noun, such as crm.add_contact", "%q is no name of an action", s.Name)
	}
	s.Effect = actions.Effect(r.OneOf(root.Get("effect"), "effect", []string{"read", "idempotent", "write"}))
	r.inputs(root.Get("inputs"))
	r.connects(root)
	r.requests(root.Get("calls"))
	if len(r.d.calls) == 0 {
		return nil
	}
	r.meanings(root)
	r.outputs(root.Get("output"))
	r.about(root)
	return &actions.Action{Spec: d.spec, Do: d.do}
}

// connects reads whose token is sent.
func (r *reader) connects(root *node) {
	at := root.Get("connection")
	r.d.connection = r.Text(at, "connection")
	if r.d.connection == "" {
		if cond := root.Get("connection_if"); cond != nil {
			r.Fail(root.KeyOf("connection_if"), "", "connection_if goes with a connection")
		}
		return
	}
	r.d.spec.Connects = "http"
	if _, given := r.d.spec.Input.Fields["token"]; given {
		r.Fail(at, "leave the input out", "an action with a connection has an input token of its own")
	}
	r.d.spec.Input.Fields["token"] = actions.Schema{Type: "string", Doc: "The token to use, such as ${{ secrets.… }}, instead of a connection's; by default that of the connection " + r.d.connection + "."}
	r.d.secrets = append(r.d.secrets, "token")
	r.d.signedIf = r.condition(root.Get("connection_if"), r.roots)
	r.roots["token"] = expr.Scalar(expr.Text)
}

// inputs reads what a step gives.
func (r *reader) inputs(n *node) {
	s := &r.d.spec.Input
	*s = actions.Schema{Type: "object", Fields: map[string]actions.Schema{}}
	known := map[string]expr.Type{}
	if n != nil && n.Kind != document.Object {
		r.Fail(n, "write name: { type: string, doc: … }", "inputs is an object, this is %s", n.What())
		return
	}
	for _, f := range fieldsOf(n) {
		name := f.Key.Value
		if !validID.MatchString(name) {
			r.Fail(f.Key, "use lower-case letters, digits and _", "%q is no name of an input", name)
		}
		schema, must := r.field(f.Value, name)
		s.Fields[name], known[name] = schema, expr.Type{}
		if must {
			s.Required = append(s.Required, name)
		}
		if r.Flag(f.Value.Get("secret"), "secret", false) {
			r.d.secrets = append(r.d.secrets, name)
		}
		r.without(f.Value, "value", "an input")
	}
	r.roots = map[string]expr.Type{"inputs": expr.Object(known, false), "step": expr.Object(map[string]expr.Type{"key": expr.Scalar(expr.Text)}, false)}
}

func fieldsOf(n *node) []document.Pair {
	if n == nil {
		return nil
	}
	return n.Fields
}

// without refuses a key that goes elsewhere.
func (r *reader) without(n *node, name, what string) {
	if n.Get(name) != nil {
		r.Fail(n.KeyOf(name), "", "%s has no %s", what, name)
	}
}

var types = []string{"string", "integer", "number", "boolean", "object", "array", "file"}

// field reads the type of a field of the input or the output.
func (r *reader) field(n *node, name string) (s actions.Schema, must bool) {
	if !r.Fields(n, name, fieldKeys) {
		return s, false
	}
	must = r.Flag(n.Get("required"), "required", false)
	doc := r.Text(n.Get("doc"), "doc")
	if t := n.Get("type"); t != nil {
		s.Type = r.OneOf(t, "type", types)
	}
	if s.Type == "file" {
		return actions.FileSchema(doc), must
	}
	s.Doc, s.Open = doc, s.Type == "object" && n.Get("fields") == nil
	if f := n.Get("format"); f != nil {
		s.Format = r.OneOf(f, "format", []string{"date-time", "url", "duration"})
	}
	if e := n.Get("enum"); e != nil {
		for _, item := range e.Items {
			s.Enum = append(s.Enum, r.Text(item, "an element of enum"))
		}
	}
	if items := n.Get("items"); items != nil {
		item, _ := r.field(items, "items")
		s.Items = &item
	}
	r.nested(&s, n.Get("fields"))
	if d := n.Get("default"); d != nil {
		s.Default = r.Fit(d, s, "default")
	}
	return s, must
}

// nested reads the fields of an object.
func (r *reader) nested(s *actions.Schema, n *node) {
	if n == nil {
		return
	}
	s.Fields = map[string]actions.Schema{}
	for _, f := range n.Fields {
		field, must := r.field(f.Value, f.Key.Value)
		s.Fields[f.Key.Value] = field
		if must {
			s.Required = append(s.Required, f.Key.Value)
		}
	}
}

// requests reads the calls, one after the other: each sees the answers of those before.
func (r *reader) requests(n *node) {
	if n == nil || n.Kind != document.List || len(n.Items) == 0 {
		if n != nil {
			r.Fail(n, "write - id: …, method: …, url: …", "calls is a list of requests")
		}
		return
	}
	for _, item := range n.Items {
		if c := r.request(item); c != nil {
			r.d.calls = append(r.d.calls, c)
			r.calls[c.id] = expr.Type{}
		}
	}
}

func (r *reader) request(n *node) *call {
	if n.Kind != document.Object {
		r.Fail(n, "", "a call is an object, this is %s", n.What())
		return nil
	}
	r.Require(n, "a call", callKeys)
	c := &call{id: r.Text(n.Get("id"), "id"), effect: r.d.spec.Effect}
	switch _, twice := r.calls[c.id]; {
	case twice:
		r.Fail(n.Get("id"), "", "there are two calls %s", c.id)
	case c.id != "" && !validID.MatchString(c.id):
		r.Fail(n.Get("id"), "use lower-case letters, digits and _", "%q is no id", c.id)
	}
	if e := n.Get("effect"); e != nil {
		c.effect = actions.Effect(r.OneOf(e, "effect", []string{"read", "idempotent", "write"}))
	}
	rest := *n
	rest.Fields = slices.DeleteFunc(slices.Clone(n.Fields), func(f document.Pair) bool { return f.Key.Value == "id" || f.Key.Value == "effect" })
	c.shape = r.Fit(&rest, r.d.client.Action().Spec.Input, "a call")
	here := r.here()
	c.request = r.template(&rest, c.shape, here, expr.URLFields("url"))
	delete(here, "token")
	_, err := expr.ParseTemplate(c.shape, scope(here))
	c.signed = c.request != nil && err != nil
	return c
}

// here is what an expression may name in the call that is read now.
func (r *reader) here() map[string]expr.Type {
	roots := map[string]expr.Type{"calls": expr.Object(r.calls, false)}
	for name, t := range r.roots {
		roots[name] = t
	}
	return roots
}

// With returns Compile for actions that call out by a client.
func With(client *http.Client) func(*document.File, *node) *actions.Action {
	return func(f *document.File, n *node) *actions.Action { return Compile(f, n, client) }
}
