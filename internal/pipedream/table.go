package pipedream

import (
	_ "embed"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

//go:embed components.yaml
var components []byte

// row is what stands for a component.
type row struct {
	Uses  string         `yaml:"uses"`
	With  string         `yaml:"with"`
	Set   map[string]any `yaml:"set"`
	Gives string         `yaml:"gives"`
	Drop  string         `yaml:"drop"`
	Say   string         `yaml:"say"`

	// Of a request that no action makes:
	Call  string `yaml:"call"`  // method and path, with props in {}
	Query string `yaml:"query"` // as With
	Body  string `yaml:"body"`  // as With
	List  string `yaml:"list"`  // the field that its pages carry
	Hand  string `yaml:"hand"`  // it is to be written by hand: what to write
}

// field is one of a row's: the prop, the action's field and how one becomes the other.
type field struct{ prop, field, how string }

func (r row) fields() map[string]field {
	all := map[string]field{}
	for _, f := range fieldsFrom(r.With) {
		all[f.prop] = f
	}
	for prop := range strings.FieldsSeq(r.Drop) {
		all[prop] = field{prop: prop}
	}
	return all
}

// fieldsFrom reads PROP[>FIELD][:how] …
func fieldsFrom(words string) (all []field) {
	for word := range strings.FieldsSeq(words) {
		names, how, _ := strings.Cut(word, ":")
		prop, name, other := strings.Cut(names, ">")
		if !other {
			name = prop
		}
		all = append(all, field{prop, name, how})
	}
	return all
}

// table returns all rows by their components' keys.
func table() (map[string]row, error) {
	rows := map[string]row{}
	if err := yaml.Unmarshal(components, &rows); err != nil {
		return nil, fmt.Errorf("reading components.yaml: %w", err)
	}
	return rows, nil
}
