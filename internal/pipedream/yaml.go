package pipedream

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"zflow/engine/definition/document"
)

// object is an object of the YAML that comes out.
type object struct{ node *yaml.Node }

func newObject() object { return object{&yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}} }

// put adds a field: of text, a number, a node or an object.
func (o object) put(key string, value any) object {
	o.node.Content = append(o.node.Content, plain(key), valueNode(value))
	return o
}

// about writes a comment over the field that was added last.
func (o object) about(comment string) object {
	o.node.Content[len(o.node.Content)-2].HeadComment = comment
	return o
}

func (o object) has(key string) bool { return o.get(key) != nil }

func (o object) get(key string) *yaml.Node {
	for i := 0; i+1 < len(o.node.Content); i += 2 {
		if o.node.Content[i].Value == key {
			return o.node.Content[i+1]
		}
	}
	return nil
}

func (o object) empty() bool { return len(o.node.Content) == 0 }

func plain(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

func valueNode(v any) *yaml.Node {
	switch v := v.(type) {
	case *yaml.Node:
		return v
	case object:
		return v.node
	case []object:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, o := range v {
			n.Content = append(n.Content, o.node)
		}
		return n
	case int:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(v)}
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)}
	case string:
		return textNode(v)
	}
	n := &yaml.Node{}
	if err := n.Encode(v); err != nil {
		return plain(err.Error())
	}
	return n
}

// textNode is a text, in lines if it has some.
func textNode(s string) *yaml.Node {
	n := plain(s)
	switch {
	case strings.Contains(s, "\n") && !strings.Contains(s, "\r"):
		n.Style = yaml.LiteralStyle
	case looksOdd(s):
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// looksOdd tells whether a text would be read as something else, or as text with a
// warning, if it stood without quotes.
func looksOdd(s string) bool {
	if s == "" || strings.Contains(s, " #") {
		return true
	}
	var v any
	if err := yaml.Unmarshal([]byte(s), &v); err != nil {
		return true
	}
	_, same := v.(string)
	return !same
}

// copied is a value as it stands in the file that is read.
func copied(n *document.Node) *yaml.Node {
	switch n.Kind {
	case document.List:
		out := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, i := range n.Items {
			out.Content = append(out.Content, copied(i))
		}
		return out
	case document.Object:
		o := newObject()
		for _, f := range n.Fields {
			o.put(f.Key.Value, copied(f.Value))
		}
		return o.node
	}
	if n.IsText() {
		return textNode(n.Value)
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: n.Tag, Value: n.Value}
}

// write writes a workflow. No line is broken that was one.
func write(o object) ([]byte, error) {
	return yaml.Dump(o.node, yaml.WithIndent(2), yaml.WithLineWidth(-1), yaml.WithCompactSeqIndent(false))
}
