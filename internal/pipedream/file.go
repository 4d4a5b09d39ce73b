package pipedream

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"zflow/engine/definition/document"
)

// schema is the only one that there is.
const schema = "workflow/2022.04"

// file is a workflow of Pipedream's.
type file struct {
	name     string
	settings *document.Node // nil: none
	triggers []trigger
	steps    []step
}

type trigger struct {
	id string
	at *document.Node
}

// step is one of its steps.
type step struct {
	name    string // its namespace
	id      string // what it is called here
	runtime string
	uses    string
	props   []document.Pair
	at      *document.Node
}

// code is the file of a step that is the user's own code; empty: it is none.
func (s step) code() string {
	if !strings.HasPrefix(s.uses, "./") {
		return ""
	}
	return s.uses
}

// component is the key of a component from the registry, with its owner if it is a
// private one.
func (s step) component() (owner, key string) {
	key = s.uses
	if strings.HasPrefix(key, "@") {
		if o, rest, ok := strings.Cut(key[1:], "/"); ok {
			owner, key = o, rest
		}
	}
	key, _, _ = strings.Cut(key, "@")
	return owner, key
}

// IsWorkflow tells whether YAML looks like a workflow of Pipedream's.
func IsWorkflow(src []byte) bool {
	for line := range strings.Lines(string(src)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "schema:"); ok {
			return strings.HasPrefix(strings.Trim(strings.TrimSpace(value), `'"`), "workflow/")
		}
	}
	return false
}

// read reads the file. It is an error where it is nothing that could be translated.
func read(name string, src []byte) (*file, error) {
	f, root := document.Read(name, src)
	if err := f.Problems().Err(); err != nil {
		return nil, err
	}
	if root == nil || root.Kind != document.Object {
		return nil, fmt.Errorf("%s: it is no workflow of Pipedream: it has no schema: %s", name, schema)
	}
	at := root.Get("schema")
	switch {
	case at == nil:
		return nil, fmt.Errorf("%s: it is no workflow of Pipedream: it has no schema: %s", name, schema)
	case at.Value != schema:
		return nil, fmt.Errorf("%s:%d:%d: the schema %s is not known (there is %s)", name, at.Line, at.Column, at.Value, schema)
	}
	r := &reader{name: name, file: &file{settings: root.Get("settings")}}
	for _, field := range root.Fields {
		r.field(field)
	}
	if len(r.file.steps) == 0 && r.err == nil {
		r.fail(root, "it has no steps")
	}
	return r.file, r.err
}

type reader struct {
	name string
	file *file
	err  error
}

func (r *reader) fail(n *document.Node, format string, args ...any) {
	r.err = errors.Join(r.err, fmt.Errorf("%s:%d:%d: %s", r.name, n.Line, n.Column, fmt.Sprintf(format, args...)))
}

func (r *reader) field(f document.Pair) {
	switch key, v := f.Key.Value, f.Value; key {
	case "schema":
	case "name":
		r.file.name = v.Value
	case "settings":
		if v.Kind != document.Object && !v.IsNull() {
			r.fail(v, "settings is an object, this is %s", v.What())
		}
	case "triggers":
		for _, one := range r.list(key, v) {
			r.file.triggers = append(r.file.triggers, trigger{id: text(one.Get("id")), at: one})
		}
	case "steps":
		for _, one := range r.list(key, v) {
			r.step(one)
		}
	}
}

func (r *reader) list(key string, v *document.Node) []*document.Node {
	if v.IsNull() {
		return nil
	}
	if v.Kind != document.List {
		r.fail(v, "%s is a list, this is %s", key, v.What())
	}
	for _, one := range v.Items {
		if one.Kind != document.Object {
			r.fail(one, "%s has objects, this is %s", key, one.What())
			return nil
		}
	}
	return v.Items
}

func (r *reader) step(n *document.Node) {
	s := step{name: text(n.Get("namespace")), runtime: text(n.Get("runtime")), uses: text(n.Get("uses")), at: n}
	if props := n.Get("props"); props != nil {
		s.props = props.Fields
	}
	if s.name == "" {
		r.fail(n, "the step has no namespace")
	}
	if c := s.code(); c != "" && strings.HasPrefix(path.Clean(c), "..") {
		r.fail(n.Get("uses"), "%s is outside of the workflow's folder", c)
	}
	r.file.steps = append(r.file.steps, s)
}

func text(n *document.Node) string {
	if n == nil {
		return ""
	}
	return n.Value
}
