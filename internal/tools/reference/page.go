package main

import (
	"fmt"
	"slices"
	"strings"

	"zflow/actions"
)

const head = `<!-- Made by go generate from the specs of the actions; DO NOT EDIT. -->
# Actions

What a step can name in ` + "`uses`" + `. ` + "`zflow actions list`" + ` and ` + "`zflow actions show NAME`" + `
print the same. How a step is written stands in [workflows](language.md), what
happens after a failure in [errors](errors.md).

Every field may be an expression. In the tables *any* is any JSON value, a dot leads
into an object and ` + "`[]`" + ` into each element of a list. An object that is *open* may have
more fields than its table shows. What is *sealed* is a credential: it can be handed
on to another step, but nowhere be read.

`

// page is docs/actions.md.
func page(r *actions.Registry) []byte {
	var b strings.Builder
	b.WriteString(head)
	b.WriteString("| action | what it does | effect |\n|---|---|---|\n")
	for _, name := range r.Names() {
		a := r.Get(name)
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s |\n", name, anchor(name), a.Spec.Summary, a.Spec.Effect)
	}
	for _, name := range r.Names() {
		section(&b, r.Get(name))
	}
	return []byte(b.String())
}

// anchor is the name that a heading has in a link.
func anchor(heading string) string { return strings.ReplaceAll(heading, ".", "") }

func section(b *strings.Builder, a *actions.Action) {
	s := a.Spec
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n", s.Name, s.Summary)
	effect(b, a)
	switch s.Connects {
	case "":
	case "http":
		b.WriteString("- **Connection:** the one of kind http that the step names with `connection`, if any.\n")
	default:
		fmt.Fprintf(b, "- **Connection:** of kind %s; that of the event's account, unless the step names one with `connection`.\n", s.Connects)
	}
	if len(s.Scopes) > 0 {
		fmt.Fprintf(b, "- **Scopes:** any one of %s.\n", code(s.Scopes, ", "))
	}
	if s.RateLabel != "" {
		fmt.Fprintf(b, "- **Rate limit:** Zoom counts it as %s.\n", s.RateLabel)
	}
	if s.Sealed {
		b.WriteString("- **Credentials** in its input stay sealed.\n")
	}
	table(b, side{title: "Input", required: "**Required.**"}, s.Input)
	table(b, side{title: "Output", required: "Always there.", secret: s.Secret}, s.Output)
	errorTable(b, s.Errors)
	for _, x := range s.Examples {
		example(b, s, x)
	}
}

// effect says what calling twice would do, and so what follows an attempt of
// which nobody knows whether it happened.
func effect(b *strings.Builder, a *actions.Action) {
	if a.EffectOf == nil {
		fmt.Fprintf(b, "- **Effect:** %s\n", after(a, a.Spec.Effect))
		return
	}
	_, http := a.Spec.Input.Fields["method"]
	_, appends := a.Spec.Input.Fields["append"]
	switch {
	case appends:
		fmt.Fprintf(b, "- **Effect:** %s\n  - with `append`: %s\n", after(a, a.Spec.Effect), after(a, a.Effect(map[string]any{"append": true})))
		return
	case !http:
		fmt.Fprintf(b, "- **Effect:** what the configuration says of it: read, idempotent or, by itself, %s\n", after(a, a.Spec.Effect))
		return
	}
	b.WriteString("- **Effect:** depends on the method.\n")
	by := map[actions.Effect][]string{}
	for _, m := range []string{"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH"} {
		e := a.Effect(map[string]any{"method": m})
		by[e] = append(by[e], m)
	}
	for _, e := range []actions.Effect{actions.Read, actions.Idempotent, actions.Write} {
		fmt.Fprintf(b, "  - %s: %s\n", code(by[e], ", "), after(a, e))
	}
}

func after(a *actions.Action, e actions.Effect) string {
	switch {
	case e == actions.Read:
		return "read. It changes nothing. After an unknown outcome it is called again."
	case e == actions.Idempotent:
		return "idempotent. Twice is as once. After an unknown outcome it is called again."
	case a.Probe != nil:
		return "write. Twice is two. After an unknown outcome a probe looks whether it happened; if not, it is called again."
	}
	return "write. Twice is two. After an unknown outcome the run waits until a person says what happened, unless the step's `on_unknown` says otherwise."
}

// side is what the tables of input and output differ in.
type side struct {
	title    string
	required string   // what is said of a field that must be there
	secret   []string // paths
}

func table(b *strings.Builder, of side, s actions.Schema) {
	rows := of.rows("", s)
	if len(rows) == 0 {
		return
	}
	open := ""
	if s.Open {
		open = " (open)"
	}
	fmt.Fprintf(b, "\n%s%s:\n\n| field | type | what |\n|---|---|---|\n%s", of.title, open, strings.Join(rows, ""))
}

// rows lists the fields of an object, those that must be there first.
func (of side) rows(prefix string, s actions.Schema) []string {
	var rows []string
	for _, name := range inOrder(s) {
		f, path := s.Fields[name], prefix+name
		about := about(f)
		if slices.Contains(s.Required, name) {
			about = append([]string{of.required}, about...)
		}
		if slices.Contains(of.secret, path) && !strings.Contains(f.Doc, "sealed") {
			about = append(about, "Sealed.")
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |\n", path, typeName(f), strings.Join(about, " ")))
		rows = append(rows, of.rows(path+".", f)...)
		if f.Items != nil {
			rows = append(rows, of.rows(path+"[].", *f.Items)...)
		}
	}
	return rows
}

func inOrder(s actions.Schema) []string {
	var names []string
	for name := range s.Fields {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int {
		a, b := slices.Contains(s.Required, x), slices.Contains(s.Required, y)
		switch {
		case a && !b:
			return -1
		case b && !a:
			return 1
		}
		return strings.Compare(x, y)
	})
	return names
}

func typeName(f actions.Schema) string {
	switch {
	case f.Type == "":
		return "any"
	case f.Type == "array" && f.Items != nil && f.Items.Type != "":
		return "list of " + f.Items.Type + "s"
	case f.Type == "array":
		return "list"
	case f.Type == "string" && f.Format != "":
		return map[string]string{"date-time": "time", "url": "URL", "duration": "duration"}[f.Format]
	case f.Type == "string":
		return "text"
	case f.Type == "object" && f.Open:
		return "object (open)"
	}
	return f.Type
}

func about(f actions.Schema) []string {
	var parts []string
	if f.Doc != "" {
		parts = append(parts, cell(f.Doc))
	}
	if len(f.Enum) > 0 {
		parts = append(parts, "One of "+code(f.Enum, ", ")+".")
	}
	if bounds := boundsOf(f); bounds != "" {
		parts = append(parts, bounds)
	}
	if f.Default != nil {
		parts = append(parts, fmt.Sprintf("Default: `%v`.", f.Default))
	}
	return parts
}

func boundsOf(f actions.Schema) string {
	unit := map[string]string{"string": " characters", "array": " elements"}[f.Type]
	switch {
	case f.Min != nil && f.Max != nil:
		return fmt.Sprintf("From %.0f to %.0f%s.", *f.Min, *f.Max, unit)
	case f.Min != nil:
		return fmt.Sprintf("At least %.0f%s.", *f.Min, unit)
	case f.Max != nil:
		return fmt.Sprintf("At most %.0f%s.", *f.Max, unit)
	}
	return ""
}

func errorTable(b *strings.Builder, known []actions.Known) {
	if len(known) == 0 {
		return
	}
	b.WriteString("\nErrors worth knowing:\n\n| condition | when | trying again |\n|---|---|---|\n")
	for _, k := range known {
		again := "does not help"
		if k.Again {
			again = "may help"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", k.If, cell(k.Doc), again)
	}
}

func code(texts []string, glue string) string {
	return "`" + strings.Join(texts, "`"+glue+"`") + "`"
}

// cell is a text that does not break a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
