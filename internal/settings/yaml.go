package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// fileSuffix ends a key whose value is the path of a file that holds the value.
const fileSuffix = "_file"

// yaml lays a file over the configuration.
func (l *loading) yaml(file string, src []byte) {
	var root, second yaml.Node
	loader, err := yaml.NewLoader(bytes.NewReader(src), yaml.WithV4Defaults())
	if err == nil {
		err = loader.Load(&root)
	}
	if errors.Is(err, io.EOF) || err == nil && root.IsZero() {
		return // nothing but comments
	}
	var broken *yaml.LoadError
	switch {
	case errors.As(err, &broken):
		l.fault(fmt.Sprintf("%s:%d:%d", file, broken.Mark.Line, broken.Mark.Column), "%s", broken.Message)
		return
	case err != nil:
		l.fault(file, "%v", err)
		return
	}
	if err := loader.Load(&second); !errors.Is(err, io.EOF) {
		l.fault(file, "there is a second document: only one is read")
		return
	}
	d := &yamlLayer{l, file}
	d.value(root.Content[0], reflect.ValueOf(l.config).Elem(), "")
}

// yamlLayer is a YAML file on its way into a configuration.
type yamlLayer struct {
	*loading
	file string
}

func (d *yamlLayer) pos(n *yaml.Node) string {
	return fmt.Sprintf("%s:%d:%d", d.file, n.Line, n.Column)
}

// value sets v, at path, to what n says.
func (d *yamlLayer) value(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	d.where[path] = d.pos(n)
	if isScalar(v) && !(n.Kind == yaml.MappingNode && hasKeys(v)) {
		d.scalar(n, v, path)
		return
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return // a section with everything commented out
	}
	switch v.Kind() {
	case reflect.Struct, reflect.Map:
		if n.Kind != yaml.MappingNode {
			d.fault(d.pos(n), "%s must have keys, not %s", orTop(path), kindOf(n))
			return
		}
		d.mapping(n, v, path)
	case reflect.Slice:
		d.list(n, v, path)
	}
}

func (d *yamlLayer) mapping(n *yaml.Node, v reflect.Value, path string) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := strings.TrimSuffix(key.Value, fileSuffix)
		if seen[key.Value] {
			d.fault(d.pos(key), "%s is there twice", join(path, key.Value))
			continue
		}
		if name != key.Value && seen[name] || seen[key.Value+fileSuffix] {
			d.fault(d.pos(key), "%s is there, and a file that holds it too: leave one out", join(path, name))
			continue
		}
		seen[key.Value] = true
		if v.Kind() == reflect.Map {
			d.entry(key, value, v, path)
		} else {
			d.field(key, value, v, path)
		}
	}
}

// field sets the field of a section that a key names.
func (d *yamlLayer) field(key, value *yaml.Node, v reflect.Value, path string) {
	if f := fieldOf(v, key.Value); f.IsValid() {
		d.value(value, f, join(path, key.Value))
		if isPath(v, key.Value) && f.String() != "" {
			f.SetString(besides(d.file, f.String()))
		}
		return
	}
	name, isFile := strings.CutSuffix(key.Value, fileSuffix)
	if f := fieldOf(v, name); isFile && f.IsValid() && d.holder(value, f, join(path, name)) {
		return
	}
	d.fault(d.pos(key), "%s is not known%s", join(path, key.Value), suggest(key.Value, keysOf(v)))
}

// entry sets an entry of a map, whose keys are names.
func (d *yamlLayer) entry(key, value *yaml.Node, v reflect.Value, path string) {
	e := reflect.New(v.Type().Elem()).Elem()
	name, isFile := strings.CutSuffix(key.Value, fileSuffix)
	if !isFile || !d.holder(value, e, join(path, name)) {
		name = key.Value
		d.value(value, e, join(path, name))
	}
	put(v, name, e)
}

// holder takes the path of a file that holds v, and returns false if no file may.
func (d *yamlLayer) holder(n *yaml.Node, v reflect.Value, path string) bool {
	if !canHold(v) {
		return false
	}
	d.where[path] = d.pos(n)
	var file string
	if d.scalar(n, reflect.ValueOf(&file).Elem(), path+fileSuffix) {
		setFile(v, besides(d.file, file), d.pos(n))
	}
	return true
}

func (d *yamlLayer) list(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.SequenceNode {
		d.fault(d.pos(n), "%s must be a list, not %s", path, kindOf(n))
		return
	}
	all := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.value(item, all.Index(i), path+"["+strconv.Itoa(i)+"]")
	}
	v.Set(all)
}

// scalar sets a value that is one text, and tells whether it did.
func (d *yamlLayer) scalar(n *yaml.Node, v reflect.Value, path string) bool {
	switch {
	case n.Kind != yaml.ScalarNode:
		d.fault(d.pos(n), "%s must be a single value, not %s", path, kindOf(n))
		return false
	case n.Tag == "!!null":
		d.fault(d.pos(n), "%s has no value (one with a # must stand in quotes)", path)
		return false
	}
	if err := setScalar(v, n.Value); err != nil {
		d.fault(d.pos(n), "%s: %v", path, err)
		return false
	}
	return true
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys"
	case yaml.SequenceNode:
		return "a list"
	}
	return fmt.Sprintf("the value %q", n.Value)
}

func orTop(path string) string {
	if path == "" {
		return "the configuration"
	}
	return path
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
