package definition

import (
	"strings"

	"zflow/engine/expr"

	"go.yaml.in/yaml/v4"
)

// node is a YAML value with aliases and merges resolved.
type node struct {
	kind         kind
	tag          string // of a scalar: !!str, !!int, …
	value        string // of a scalar: its text
	style        yaml.Style
	line, column int
	items        []*node
	fields       []pair
}

type kind int

const (
	scalar kind = iota
	list
	object
)

// pair is one field of an object.
type pair struct{ key, value *node }

// get returns the value of a field, or nil.
func (n *node) get(name string) *node {
	for _, f := range n.fields {
		if f.key.value == name {
			return f.value
		}
	}
	return nil
}

// keyOf returns the key node of a field, or the object itself.
func (n *node) keyOf(name string) *node {
	for _, f := range n.fields {
		if f.key.value == name {
			return f.key
		}
	}
	return n
}

func (n *node) isText() bool { return n.kind == scalar && n.tag == "!!str" }

func (n *node) isNull() bool { return n.kind == scalar && n.tag == "!!null" }

// plain tells whether a scalar stands without quotes.
func (n *node) plain() bool {
	const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	return n.kind == scalar && n.style&quoted == 0
}

// what names the kind of value for people.
func (n *node) what() string {
	switch n.kind {
	case list:
		return "a list"
	case object:
		return "an object"
	}
	switch n.tag {
	case "!!float":
		return "a number with a fraction"
	case "!!int":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!null":
		return "empty"
	}
	return "text"
}

// maxNodes and maxNesting bound a file after its aliases are resolved.
const (
	maxNodes   = 20_000
	maxNesting = 64
)

// expand turns the YAML tree into ours.
type expander struct {
	p     *parser
	count int
	open  map[*yaml.Node]bool // whose anchors are being expanded
	full  bool                // a limit was met and reported
}

func (x *expander) node(y *yaml.Node, depth int) *node {
	n := &node{line: y.Line, column: y.Column, value: y.Value, style: y.Style, tag: y.ShortTag()}
	if x.count++; x.full || x.count > maxNodes || depth > maxNesting {
		if !x.full {
			x.full = true
			x.p.fail(n, "", "the file is too large or nests too deep, aliases counted: more than %d values or %d levels", maxNodes, maxNesting)
		}
		return n
	}
	switch y.Kind {
	case yaml.AliasNode:
		return x.alias(y, n, depth)
	case yaml.SequenceNode:
		n.kind = list
		for _, c := range y.Content {
			n.items = append(n.items, x.node(c, depth+1))
		}
	case yaml.MappingNode:
		n.kind = object
		x.mapping(y, n, depth)
	}
	x.tag(n)
	return n
}

func (x *expander) alias(y *yaml.Node, n *node, depth int) *node {
	if y.Alias == nil || x.open[y.Alias] {
		x.p.fail(n, "", "the alias *%s contains itself", y.Value)
		n.tag = "!!null"
		return n
	}
	x.open[y.Alias] = true
	defer delete(x.open, y.Alias)
	return x.node(y.Alias, depth+1)
}

// tag refuses tags that are not those of plain values.
func (x *expander) tag(n *node) {
	switch n.tag {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!map", "!!seq", "!!merge":
		return
	}
	hint := "put quotes around a text that begins with !"
	x.p.fail(n, hint, "%s is a YAML tag, which means nothing here", n.tag)
	if n.kind == scalar {
		n.tag, n.value = "!!str", "true" // no second error for what is left of the text
	}
}

func (x *expander) mapping(y *yaml.Node, n *node, depth int) {
	seen := map[string]*node{}
	var merged []*node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := x.node(y.Content[i], depth+1)
		value := x.node(y.Content[i+1], depth+1)
		switch {
		case key.kind != scalar:
			x.p.fail(key, "put quotes around a text that begins with { or [", "a key must be a text")
		case key.tag == "!!merge":
			merged = append(merged, value)
		case seen[key.value] != nil:
			x.p.fail(key, "", "%s is there twice: first in line %d", key.value, seen[key.value].line)
		default:
			seen[key.value] = key
			n.fields = append(n.fields, pair{key, value})
		}
	}
	for _, m := range merged {
		x.merge(n, m)
	}
}

// merge adds the fields of a << value; those that are there already win.
func (x *expander) merge(n, m *node) {
	if m.kind == list {
		for _, i := range m.items {
			x.merge(n, i)
		}
		return
	}
	if m.kind != object {
		x.p.fail(m, "", "<< takes an object, or a list of objects")
		return
	}
	for _, f := range m.fields {
		if n.get(f.key.value) == nil {
			n.fields = append(n.fields, f)
		}
	}
}

// bare returns a condition without the ${{ }} that may stand around it.
func bare(s string) string {
	if src, ok := expr.Whole(strings.TrimSpace(s)); ok {
		return src
	}
	return s
}
