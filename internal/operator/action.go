package operator

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"zflow/actions"
)

// Action is what a step can use, for people and programs.
type Action struct {
	Name      string   `json:"name"`
	Summary   string   `json:"summary"`
	Effect    string   `json:"effect"` // read, idempotent, write
	Probes    bool     `json:"probes"` // it can find out what an unknown attempt did
	Scopes    []string `json:"scopes"` // any one of them
	RateLabel string   `json:"rate_label"`
	Connects  string   `json:"connects"` // kind of connection that it needs
	Input     []Field  `json:"input"`
	Output    []Field  `json:"output"`
	Examples  []string `json:"examples"` // of inputs, as JSON
}

// Field is one value of an action's input or output.
type Field struct {
	Name     string   `json:"name"` // settings.join_before_host, meetings[].id
	Type     string   `json:"type"`
	Required bool     `json:"required"`
	Doc      string   `json:"doc"`
	Default  any      `json:"default"`
	Enum     []string `json:"enum"`
}

// Actions describes all actions of a registry, by name.
func Actions(r *actions.Registry) []Action {
	all := make([]Action, 0, len(r.Names()))
	for _, name := range r.Names() {
		all = append(all, actionOf(r.Get(name)))
	}
	return all
}

func actionOf(a *actions.Action) Action {
	s := a.Spec
	d := Action{Name: s.Name, Summary: s.Summary, Effect: string(s.Effect), Probes: a.Probe != nil, Scopes: append([]string{}, s.Scopes...),
		RateLabel: s.RateLabel, Connects: s.Connects, Input: fields([]Field{}, "", s.Input), Output: fields([]Field{}, "", s.Output), Examples: []string{}}
	for _, e := range s.Examples {
		if raw, err := json.Marshal(e.Input); err == nil {
			d.Examples = append(d.Examples, string(raw))
		}
	}
	return d
}

// fields lists an object's fields, and those inside them, by name.
func fields(all []Field, above string, s actions.Schema) []Field {
	for _, name := range slices.Sorted(maps.Keys(s.Fields)) {
		f := s.Fields[name]
		path := above + name
		kind := f.Type
		if kind == "array" && f.Items != nil {
			kind = fmt.Sprintf("array of %s", orAny(f.Items.Type))
		}
		all = append(all, Field{Name: path, Type: orAny(kind), Required: slices.Contains(s.Required, name), Doc: f.Doc, Default: f.Default, Enum: f.Enum})
		all = fields(all, path+".", f)
		if f.Items != nil {
			all = fields(all, path+"[].", *f.Items)
		}
	}
	return all
}

func orAny(kind string) string {
	if kind == "" {
		return "any"
	}
	return kind
}
