package expr

import (
	"maps"
	"slices"
	"strings"

	"zflow/engine/expr/text"
)

// Contains tells whether an expression stands in the text.
func Contains(s string) bool { return text.Contains(s) }

// Whole returns the expression that is all of the text, if one is.
func Whole(s string) (src string, ok bool) {
	parts, open := text.Split(s)
	if open >= 0 || !text.Whole(parts) {
		return "", false
	}
	return parts[0].Text, true
}

// Template is a tree of YAML values in whose texts ${{ }} stand.
type Template struct {
	root     piece
	static   bool
	steps    Steps
	warnings Errors
}

// TemplateOption changes how a template is read.
type TemplateOption func(*templater)

// URLFields names the texts, by their path with dots, that are URLs: there an
// expression at the start is the verbatim base, and later ones are escaped.
func URLFields(paths ...string) TemplateOption {
	return func(t *templater) {
		for _, p := range paths {
			t.urls[p] = true
		}
	}
}

// ParseTemplate checks a tree of JSON values. Its error is Errors: everything
// that is wrong, each with the path to its text.
func ParseTemplate(tree any, s *Scope, options ...TemplateOption) (*Template, error) {
	t := templater{scope: s, urls: map[string]bool{}}
	for _, o := range options {
		o(&t)
	}
	v, err := Normalize(tree)
	if err != nil {
		return nil, Errors{{Message: err.Error()}}
	}
	root := t.parse(v)
	if len(t.errs) > 0 {
		return nil, t.errs
	}
	_, static := root.(constant)
	return &Template{root: root, static: static, steps: t.steps, warnings: t.warnings}, nil
}

// Static tells whether the template has no expressions.
func (t *Template) Static() bool { return t.static }

// Warnings are what is probably wrong with a template that can run, each with the
// path to its text.
func (t *Template) Warnings() Errors { return t.warnings }

// Type is what is known of the tree before its expressions have values.
func (t *Template) Type() Type { return t.root.result() }

// Eval returns the tree with the values of its expressions. Its error is an *Error.
func (t *Template) Eval(env Env, c Clock) (any, error) {
	ev := evaluation{env: env, clock: c}
	defer ev.end()
	v, err := t.root.eval(&ev)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// piece is a part of a template.
type piece interface {
	eval(*evaluation) (any, *Error)
	result() Type
}

type constant struct{ value any }

func (c constant) result() Type { return TypeOf(c.value) }

func (c constant) eval(*evaluation) (any, *Error) { return c.value, nil }

// single is a text that is one expression; its value keeps its type.
type single struct {
	hole
	path []string
}

func (s single) eval(ev *evaluation) (any, *Error) {
	v, err := ev.run(s.program)
	if err != nil {
		return nil, err.shift(s.line, s.column).at(s.path)
	}
	return v, nil
}

func (s single) result() Type { return s.program.result }

// hole is an expression and where in its text it stands.
type hole struct {
	program      *Program
	line, column int
}

type list []piece

func (l list) eval(ev *evaluation) (any, *Error) {
	out := make([]any, len(l))
	for i, p := range l {
		v, err := p.eval(ev)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (l list) result() Type {
	elements := make([]Type, len(l))
	for i, p := range l {
		elements[i] = p.result()
	}
	return List(Union(elements...))
}

// object has its fields in the order of their names, so that of several errors
// the same one is found each time.
type object []field

type field struct {
	name  string
	value piece
}

func (o object) eval(ev *evaluation) (any, *Error) {
	out := make(map[string]any, len(o))
	for _, f := range o {
		v, err := f.value.eval(ev)
		if err != nil {
			return nil, err
		}
		out[f.name] = v
	}
	return out, nil
}

func (o object) result() Type {
	fields := make(map[string]Type, len(o))
	for _, f := range o {
		fields[f.name] = f.value.result()
	}
	return Object(fields, false)
}

type templater struct {
	scope    *Scope
	urls     map[string]bool
	path     []string
	errs     Errors
	steps    Steps
	warnings Errors
}

func (t *templater) parse(v any) piece {
	switch v := v.(type) {
	case string:
		if Contains(v) {
			return t.text(v)
		}
	case []any:
		return t.list(v)
	case map[string]any:
		return t.object(v)
	}
	return constant{v}
}

func (t *templater) list(l []any) piece {
	out, static := make(list, len(l)), true
	for i, v := range l {
		t.path = append(t.path, itoa(i))
		out[i] = t.parse(v)
		t.path = t.path[:len(t.path)-1]
		static = static && isConstant(out[i])
	}
	if static {
		return constant{l}
	}
	return out
}

func (t *templater) object(m map[string]any) piece {
	out, static := make(object, 0, len(m)), true
	for _, k := range slices.Sorted(maps.Keys(m)) {
		t.path = append(t.path, k)
		if Contains(k) {
			t.fail(&Error{Message: "a name cannot be an expression", Hint: "write the object as one ${{ {(name): value} }}"})
		}
		p := t.parse(m[k])
		t.path = t.path[:len(t.path)-1]
		out = append(out, field{k, p})
		static = static && isConstant(p)
	}
	if static {
		return constant{m}
	}
	return out
}

func isConstant(p piece) bool {
	_, ok := p.(constant)
	return ok
}

func (t *templater) fail(e *Error) { t.errs = append(t.errs, e.at(t.path)) }

func (t *templater) text(s string) piece {
	parts, open := text.Split(s)
	if open >= 0 {
		line, column := text.Position(s, open)
		t.fail(&Error{
			Line: line, Column: column, Syntax: true, Message: "${{ is not closed by }}",
			Hint: "put quotes around the whole text if the YAML cut it (at # or a colon), and close strings and brackets",
		})
		return constant{}
	}
	url := t.urls[strings.Join(t.path, ".")]
	path := slices.Clone(t.path)
	if text.Whole(parts) {
		if h, ok := t.hole(s, parts[0]); ok {
			return single{h, path}
		}
		return constant{}
	}
	m := mixed{parts: make([]textPart, len(parts)), path: path, url: url}
	for i, p := range parts {
		if !p.Expr {
			m.parts[i].plain = p.Text
			continue
		}
		m.parts[i].hole, _ = t.hole(s, p)
	}
	return m
}

func (t *templater) hole(s string, p text.Part) (hole, bool) {
	src := strings.TrimSpace(p.Text)
	line, column := text.Position(s, p.Offset+strings.Index(p.Text, src))
	program, err := compile(src, t.scope)
	if err != nil {
		t.fail(err.shift(line, column))
		return hole{}, false
	}
	t.steps = t.steps.and(program.steps)
	for _, w := range program.warnings {
		t.warnings = append(t.warnings, w.shift(line, column).at(t.path))
	}
	return hole{program, line, column}, true
}
