package document

import "go.yaml.in/yaml/v4"

// Node is a YAML value with aliases and merges resolved.
type Node struct {
	Kind         Kind
	Tag          string // of a scalar: !!str, !!int, …
	Value        string // of a scalar: its text
	Line, Column int    // from 1
	Items        []*Node
	Fields       []Pair
	style        yaml.Style
}

// Kind is what a node is.
type Kind int

// Kinds.
const (
	Scalar Kind = iota
	List
	Object
)

// Pair is one field of an object.
type Pair struct{ Key, Value *Node }

// Get returns the value of a field, or nil.
func (n *Node) Get(name string) *Node {
	for _, f := range n.Fields {
		if f.Key.Value == name {
			return f.Value
		}
	}
	return nil
}

// KeyOf returns the key node of a field, or the object itself.
func (n *Node) KeyOf(name string) *Node {
	for _, f := range n.Fields {
		if f.Key.Value == name {
			return f.Key
		}
	}
	return n
}

// IsText tells whether a scalar is text.
func (n *Node) IsText() bool { return n.Kind == Scalar && n.Tag == "!!str" }

// IsNull tells whether a scalar is null, or missing.
func (n *Node) IsNull() bool { return n.Kind == Scalar && n.Tag == "!!null" }

// Plain tells whether a scalar stands without quotes.
func (n *Node) Plain() bool {
	const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	return n.Kind == Scalar && n.style&quoted == 0
}

// What names the kind of value for people.
func (n *Node) What() string {
	switch n.Kind {
	case List:
		return "a list"
	case Object:
		return "an object"
	}
	switch n.Tag {
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
	maxNodes   = 50_000
	maxNesting = 120
)

// expand turns the YAML tree into ours.
type expander struct {
	f     *File
	count int
	open  map[*yaml.Node]bool // whose anchors are being expanded
	full  bool                // a limit was met and reported
}

func (x *expander) node(y *yaml.Node, depth int) *Node {
	n := &Node{Line: y.Line, Column: y.Column, Value: y.Value, style: y.Style, Tag: y.ShortTag()}
	if x.count++; x.full || x.count > maxNodes || depth > maxNesting {
		if !x.full {
			x.full = true
			x.f.Fail(n, "", "the file is too large or nests too deep, aliases counted: more than %d values or %d levels", maxNodes, maxNesting)
		}
		return n
	}
	switch y.Kind {
	case yaml.AliasNode:
		return x.alias(y, n, depth)
	case yaml.SequenceNode:
		n.Kind = List
		for _, c := range y.Content {
			n.Items = append(n.Items, x.node(c, depth+1))
		}
	case yaml.MappingNode:
		n.Kind = Object
		x.mapping(y, n, depth)
	}
	x.tag(n)
	return n
}

func (x *expander) alias(y *yaml.Node, n *Node, depth int) *Node {
	if y.Alias == nil || x.open[y.Alias] {
		x.f.Fail(n, "", "the alias *%s contains itself", y.Value)
		n.Tag = "!!null"
		return n
	}
	x.open[y.Alias] = true
	defer delete(x.open, y.Alias)
	return x.node(y.Alias, depth+1)
}

// tag refuses tags that are not those of plain values.
func (x *expander) tag(n *Node) {
	switch n.Tag {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!map", "!!seq", "!!merge":
		return
	}
	hint := "put quotes around a text that begins with !"
	x.f.Fail(n, hint, "%s is a YAML tag, which means nothing here", n.Tag)
	if n.Kind == Scalar {
		n.Tag, n.Value = "!!str", "true" // no second error for what is left of the text
	}
}

func (x *expander) mapping(y *yaml.Node, n *Node, depth int) {
	seen := map[string]*Node{}
	var merged []*Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := x.node(y.Content[i], depth+1)
		value := x.node(y.Content[i+1], depth+1)
		switch {
		case key.Kind != Scalar:
			x.f.Fail(key, "put quotes around a text that begins with { or [", "a key must be a text")
		case key.Tag == "!!merge":
			merged = append(merged, value)
		case seen[key.Value] != nil:
			x.f.Fail(key, "", "%s is there twice: first in line %d", key.Value, seen[key.Value].Line)
		default:
			seen[key.Value] = key
			n.Fields = append(n.Fields, Pair{key, value})
		}
	}
	for _, m := range merged {
		x.merge(n, m)
	}
}

// merge adds the fields of a << value; those that are there already win.
func (x *expander) merge(n, m *Node) {
	if m.Kind == List {
		for _, i := range m.Items {
			x.merge(n, i)
		}
		return
	}
	if m.Kind != Object {
		x.f.Fail(m, "", "<< takes an object, or a list of objects")
		return
	}
	for _, f := range m.Fields {
		if n.Get(f.Key.Value) == nil {
			n.Fields = append(n.Fields, f)
		}
	}
}

// Find follows a path of names and positions as far as it goes.
func (n *Node) Find(path []string) *Node {
	for _, name := range path {
		next := n.child(name)
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

func (n *Node) child(name string) *Node {
	if n.Kind == List {
		i := 0
		for _, c := range name {
			if c < '0' || c > '9' || i > len(n.Items) {
				return nil
			}
			i = i*10 + int(c-'0')
		}
		if i < len(n.Items) {
			return n.Items[i]
		}
		return nil
	}
	return n.Get(name)
}
