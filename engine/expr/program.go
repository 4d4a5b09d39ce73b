package expr

import (
	"errors"
	"fmt"
	"maps"
	"sync"

	"zflow/engine/expr/jsonvalue"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// maxSource bounds the length of an expression, in bytes.
const maxSource = 16 << 10

// Program is a compiled bare expression.
type Program struct {
	source  string
	path    *path // not nil: no machine is needed
	code    *vm.Program
	metered bool
	pool    *sync.Pool // of *vm.VM

	result   Type
	steps    Steps
	warnings Errors
}

// Compile checks a bare expression against the scope. Its error is an *Error.
func Compile(src string, s *Scope) (*Program, error) {
	p, err := compile(src, s)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// CompileCondition is Compile for what must be true or false.
func CompileCondition(src string, s *Scope) (*Program, error) {
	p, err := compile(src, s, expr.AsBool())
	if err != nil {
		return nil, err
	}
	return p, nil
}

func compile(src string, s *Scope, more ...expr.Option) (p *Program, failed *Error) {
	defer func() {
		if r := recover(); r != nil {
			p, failed = nil, &Error{Line: 1, Column: 1, Message: fmt.Sprintf("the expression cannot be understood (%v)", r)}
		}
	}()
	if len(src) > maxSource {
		return nil, &Error{Line: 1, Column: 1, Message: fmt.Sprintf("the expression is longer than %d bytes", maxSource)}
	}
	if blank(src) {
		return nil, &Error{Line: 1, Column: 1, Message: "the expression is empty"}
	}
	tree, err := parser.Parse(src)
	if err != nil {
		return nil, parseError(err)
	}
	plan := survey(tree.Node)
	if plan.refused != nil {
		return nil, plan.refused.place(src, plan.at)
	}
	if at := misused(tree.Node, true); at != nil && s.has("secrets") {
		return nil, errSecret.place(src, at)
	}
	steps := stepsOf(tree.Node) // before compiling, which changes the tree
	known := inference{scope: s, src: src}
	result := known.of(tree.Node)
	if known.failed != nil {
		return nil, known.failed
	}
	code, err := expr.Compile(src, append(options(s, plan), more...)...)
	if err != nil {
		return nil, s.checkError(src, tree.Node, err)
	}
	p = &Program{source: src, code: code, metered: plan.metered, result: result, steps: steps, warnings: known.warnings}
	p.path = asPath(tree.Node)
	if p.path != nil && !s.has(p.path.root) {
		return nil, &Error{Line: 1, Column: 1, Message: p.path.root + " is a function", Hint: "write " + p.path.root + "()"}
	}
	if p.path == nil {
		p.pool = &sync.Pool{New: func() any { return &vm.VM{MemoryBudget: jsonvalue.MaxValues} }}
	}
	return p, nil
}

// Source returns the expression as it was written.
func (p *Program) Source() string { return p.source }

// Warnings are what is probably wrong with an expression that can run.
func (p *Program) Warnings() Errors { return p.warnings }

// Type is what is known of the value before there is one.
func (p *Program) Type() Type { return p.result }

// Eval returns the value of the expression. Its error is an *Error.
func (p *Program) Eval(env Env, c Clock) (any, error) {
	v, err := p.eval(env, c)
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (p *Program) eval(env Env, c Clock) (any, *Error) {
	if p.path != nil {
		return p.follow(env)
	}
	ev := evaluation{env: env, clock: c}
	defer ev.end()
	return ev.run(p)
}

// follow returns the value of a program that is only a path.
func (p *Program) follow(env Env) (any, *Error) {
	v, err := p.path.eval(env)
	if err != nil {
		return nil, err.shift(1, 1)
	}
	return v, nil
}

// Bool returns the value of a condition; anything but true or false is an error.
func (p *Program) Bool(env Env, c Clock) (bool, error) {
	v, err := p.Eval(env, c)
	if err != nil {
		return false, err
	}
	if b, ok := v.(bool); ok {
		return b, nil
	}
	if v == nil {
		return false, &Error{Line: 1, Column: 1, Message: fmt.Sprintf("%s is missing", p), Hint: "add ?? false"}
	}
	return false, &Error{
		Line: 1, Column: 1, Message: fmt.Sprintf("%s is %s, not true or false", p, kindOf(v)),
		Hint: "compare it with something",
	}
}

// String returns the expression, cut to what fits into a message.
func (p *Program) String() string { return excerpt(p.source) }

// evaluation shares one meter among the programs of a template.
type evaluation struct {
	env     Env
	clock   Clock
	scratch *scratch // made when first needed
}

// scratch is what a metered program runs in: the env and the meter.
type scratch struct {
	env   map[string]any
	meter meter
}

var scratches = sync.Pool{New: func() any { return &scratch{env: map[string]any{}} }}

func (ev *evaluation) run(p *Program) (any, *Error) {
	if p.path != nil {
		return p.follow(ev.env)
	}
	env := map[string]any(ev.env)
	if p.metered {
		env = ev.withMeter()
	}
	m := p.pool.Get().(*vm.VM)
	v, err := m.Run(p.code, env)
	clear(m.Stack[:cap(m.Stack)])
	clear(m.Variables)
	p.pool.Put(m)
	if err != nil {
		return nil, runError(p.source, err)
	}
	out, err := Normalize(v)
	if err != nil {
		return nil, &Error{Line: 1, Column: 1, Message: err.Error()}
	}
	return out, nil
}

func (ev *evaluation) withMeter() map[string]any {
	if ev.scratch == nil {
		ev.scratch = scratches.Get().(*scratch)
		ev.scratch.meter = newMeter(ev.clock)
		maps.Copy(ev.scratch.env, ev.env)
		ev.scratch.env[meterName] = &ev.scratch.meter
	}
	return ev.scratch.env
}

// end gives back what the evaluation borrowed; no value refers to it.
func (ev *evaluation) end() {
	if ev.scratch == nil {
		return
	}
	clear(ev.scratch.env)
	ev.scratch.meter = meter{}
	scratches.Put(ev.scratch)
	ev.scratch = nil
}

// fileError returns the library's error with its position, or nil.
func fileError(err error) *file.Error {
	var fe *file.Error
	if errors.As(err, &fe) {
		return fe
	}
	return nil
}
