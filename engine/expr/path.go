package expr

import (
	"fmt"
	"strconv"
	"strings"
	"zflow/engine/expr/toolbox"

	"github.com/expr-lang/expr/ast"
)

// path is an expression that only follows fields, such as event.payload.id or
// event.topic ?? 'none'. Most are; they need no virtual machine.
type path struct {
	root     string
	segments []segment
	fallback any
	falls    bool // there is a fallback
}

type segment struct {
	name     string
	index    int
	indexed  bool
	optional bool // ?.
}

// asPath returns the expression as a path, or nil if it is more than that.
func asPath(n ast.Node) *path {
	if b, ok := n.(*ast.BinaryNode); ok && b.Operator == "??" {
		value, ok := literal(b.Right)
		p := asPath(b.Left)
		if !ok || p == nil || p.falls {
			return nil
		}
		p.fallback, p.falls = value, true
		return p
	}
	if c, ok := n.(*ast.ChainNode); ok {
		n = c.Node
	}
	p := &path{}
	if !p.collect(n) {
		return nil
	}
	return p
}

func (p *path) collect(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		p.root = n.Value
		return true
	case *ast.MemberNode:
		if n.Method || !p.collect(n.Node) {
			return false
		}
		switch key := n.Property.(type) {
		case *ast.StringNode:
			p.segments = append(p.segments, segment{name: key.Value, optional: n.Optional})
			return true
		case *ast.IntegerNode:
			p.segments = append(p.segments, segment{index: key.Value, indexed: true, optional: n.Optional})
			return true
		}
	}
	return false
}

func literal(n ast.Node) (any, bool) {
	switch n := n.(type) {
	case *ast.NilNode:
		return nil, true
	case *ast.StringNode:
		return n.Value, true
	case *ast.BoolNode:
		return n.Value, true
	case *ast.IntegerNode:
		return int64(n.Value), true
	case *ast.IdentifierNode:
		return nil, n.Value == "null"
	}
	return nil, false
}

func (p *path) eval(env Env) (any, *Error) {
	v := env[p.root]
	for i := range p.segments {
		s := &p.segments[i]
		if m, ok := v.(map[string]any); ok && !s.indexed {
			v = m[s.name]
			continue
		}
		if v == nil && s.optional {
			break
		}
		next, err := p.step(v, i)
		if err != nil {
			return nil, err
		}
		v = next
	}
	if v == nil && p.falls {
		return p.fallback, nil
	}
	return v, nil
}

// step follows segment i of what is no object with fields.
func (p *path) step(v any, i int) (any, *Error) {
	s := p.segments[i]
	if l, ok := v.([]any); ok && s.indexed {
		at := s.index
		if at < 0 {
			at += len(l)
		}
		if at < 0 || at >= len(l) {
			return nil, &Error{Message: fmt.Sprintf("%s has no element %d: it has %d", p.text(i), s.index, len(l))}
		}
		return l[at], nil
	}
	base := p.text(i)
	if v == nil {
		return nil, missingBase(base, s.text())
	}
	if s.indexed {
		return nil, &Error{Message: fmt.Sprintf("%s is %s, not a list", base, kindOf(v))}
	}
	return nil, &Error{Message: fmt.Sprintf("%s is %s and has no field %s", base, kindOf(v), s.name)}
}

func missingBase(base, member string) *Error {
	optional := "?" + member
	if !strings.HasPrefix(member, ".") {
		optional = "?." + member
	}
	return &Error{
		Message: base + " is missing, so " + base + member + " cannot be read",
		Hint:    "if it may be absent, write " + base + optional + " ?? ''",
	}
}

// text returns the path as written, up to but without segment n.
func (p *path) text(n int) string {
	var b strings.Builder
	b.WriteString(p.root)
	for _, s := range p.segments[:n] {
		if s.optional {
			b.WriteByte('?')
		}
		b.WriteString(s.text())
	}
	return b.String()
}

func (s segment) text() string {
	switch {
	case s.indexed:
		return "[" + strconv.Itoa(s.index) + "]"
	case plainName(s.name):
		return "." + s.name
	}
	return "[" + strconv.Quote(s.name) + "]"
}

func plainName(s string) bool {
	for i, r := range s {
		letter := r == '_' || 'a' <= r|0x20 && r|0x20 <= 'z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// kindOf names the type of a value for people.
func kindOf(v any) string { return toolbox.Kind(v) }
