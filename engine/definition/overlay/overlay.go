// Package overlay puts the values of an environment over the vars of workflows.
// What comes out is the text of a workflow as any other, so that its hash, which
// is its version, says what it runs with.
//
// It changes nothing but values of vars: it compares what the text meant before
// and after, and gives up rather than deploy something else.
package overlay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Names returns the names of a workflow's vars. The text was checked before.
func Names(src []byte) ([]string, error) {
	root, err := parse(src)
	if err != nil {
		return nil, err
	}
	var names []string
	if vars := varsOf(root); vars != nil {
		for i := 0; i+1 < len(vars.Content); i += 2 {
			names = append(names, vars.Content[i].Value)
		}
	}
	return names, nil
}

// Apply returns the text of a workflow in which those of its vars that values
// names have these values; each is replaced whole. Where there is none of them
// the text comes back as it is. From is the values' file, for readers.
func Apply(src []byte, from string, values map[string]any) ([]byte, error) {
	root, err := parse(src)
	if err != nil {
		return nil, err
	}
	vars := varsOf(root)
	mine := map[string]any{}
	for i := 0; vars != nil && i+1 < len(vars.Content); i += 2 {
		name := vars.Content[i].Value
		value, ok := values[name]
		if !ok {
			continue
		}
		mine[name] = value
		if vars.Content[i+1], err = literal(value, vars.Content[i+1].Anchor); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", from, name, err)
		}
	}
	if len(mine) == 0 {
		return src, nil
	}
	note := "# from " + from + ": " + strings.Join(slices.Sorted(maps.Keys(mine)), ", ")
	for _, text := range []func() ([]byte, error){
		func() ([]byte, error) { return splice(src, root, note) },
		func() ([]byte, error) { return whole(root, note) },
	} {
		if out, err := text(); err == nil && same(src, out, mine) {
			return out, nil
		}
	}
	return nil, fmt.Errorf("putting %s over the vars: they stand in the file in a way that cannot be rewritten: write vars: as a plain object, one line a value", from)
}

func parse(src []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("it is no object")
	}
	return doc.Content[0], nil
}

// at returns where a key of an object stands, or -1.
func at(object *yaml.Node, key string) int {
	for i := 0; i+1 < len(object.Content); i += 2 {
		if object.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// varsOf returns the vars object of a workflow, or nil.
func varsOf(root *yaml.Node) *yaml.Node {
	i := at(root, "vars")
	if i < 0 {
		return nil
	}
	vars := root.Content[i+1]
	if vars.Kind == yaml.AliasNode {
		vars = vars.Alias
	}
	if vars.Kind != yaml.MappingNode {
		return nil
	}
	return vars
}

// literal is a value as YAML writes JSON: in it nothing can be taken for
// something else. The anchor of what it replaces stays.
func literal(value any, anchor string) (*yaml.Node, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	doc.Content[0].Anchor = anchor
	return doc.Content[0], nil
}

// splice writes the vars anew and leaves every other line as it is.
func splice(src []byte, root *yaml.Node, note string) ([]byte, error) {
	i := at(root, "vars")
	key, value := *root.Content[i], root.Content[i+1]
	if root.Style&yaml.FlowStyle != 0 || value.Kind != yaml.MappingNode {
		return nil, errors.New("not in lines of their own")
	}
	lines := bytes.SplitAfter(src, []byte{'\n'})
	first, end := key.Line-1, len(lines)
	if i+2 < len(root.Content) {
		end = root.Content[i+2].Line - 1
	}
	for end > first+1 && apart(lines[end-1]) {
		end--
	}
	key.HeadComment, key.FootComment = "", ""
	text, err := encode(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{&key, value}})
	if err != nil {
		return nil, err
	}
	out := bytes.Join(lines[:first], nil)
	out = append(append(append(out, note...), '\n'), text...)
	return append(out, bytes.Join(lines[end:], nil)...), nil
}

// apart tells whether a line belongs to what follows: a comment at its very
// beginning, or nothing.
func apart(line []byte) bool {
	return len(bytes.TrimSpace(line)) == 0 || line[0] == '#'
}

// whole writes all of the workflow anew.
func whole(root *yaml.Node, note string) ([]byte, error) {
	text, err := encode(root)
	return append([]byte(note+"\n"), text...), err
}

func encode(n *yaml.Node) ([]byte, error) {
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(n); err != nil {
		return nil, err
	}
	return out.Bytes(), e.Close()
}

// same tells whether a text means what another means with these vars.
func same(before, after []byte, vars map[string]any) bool {
	var was, is map[string]any
	if yaml.Unmarshal(before, &was) != nil || yaml.Unmarshal(after, &is) != nil {
		return false
	}
	have, ok := was["vars"].(map[string]any)
	if !ok {
		return false
	}
	have = maps.Clone(have)
	for name, value := range vars {
		node, err := literal(value, "")
		var decoded any
		if err != nil || node.Decode(&decoded) != nil {
			return false
		}
		have[name] = decoded
	}
	was["vars"] = have
	return reflect.DeepEqual(was, is)
}
