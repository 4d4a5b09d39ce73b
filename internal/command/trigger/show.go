package trigger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"zflow/internal/terminal"
	"zflow/internal/zoomcatalog"

	"github.com/spf13/cobra"
)

// detail is all that is known of an event.
type detail struct {
	trigger
	Object         string          `json:"object"` // where what it is about stands
	Key            key             `json:"key"`
	Irregularities []string        `json:"irregularities"`
	FieldsLike     string          `json:"fields_like"` // the event whose fields these are; empty: its own
	Fields         []field         `json:"fields"`
	Sample         json.RawMessage `json:"sample"`
	Example        string          `json:"example"` // a workflow file
}

// key says which paths below payload make it this event.
type key struct {
	About []string `json:"about"`
	Part  []string `json:"part"`
	Else  []string `json:"else"`
}

// field is one value of the event's body.
type field struct {
	Path     string   `json:"path"`
	Type     string   `json:"type"`
	Format   string   `json:"format,omitempty"`
	Required bool     `json:"required"`
	Enum     []string `json:"enum,omitempty"`
}

func triggersShow(sh *shell) *cobra.Command {
	return sh.PrintsData(&cobra.Command{
		Use: "show NAME", Short: "Explain an event: its fields, scopes, key, a payload, an example", Args: terminal.Args("NAME"),
		Long: `Explain an event: what happened, the scopes that an app needs for it, what makes
it the same event when it is delivered again, its fields, a payload, an example.`,
		Example:           "  zflow triggers show recording.completed\n  zflow triggers show meeting.ended --output json | jq .sample",
		ValidArgsFunction: eventTypes,
		RunE: func(_ *cobra.Command, args []string) error {
			e, known := zoomcatalog.Lookup(args[0])
			if !known {
				return unknown(args[0])
			}
			d := detailOf(e)
			if sh.JSON() {
				return sh.PrintJSON(d)
			}
			return sh.show(d)
		},
	})
}

func detailOf(e zoomcatalog.Event) detail {
	k, like := e.Key(), e.About().Like
	d := detail{trigger: triggerOf(e), Object: e.ObjectPath(), Key: key{some(k.Object), some(k.Part), some(k.More)},
		Irregularities: some(e.Irregularities()), FieldsLike: like, Fields: []field{}, Sample: zoomcatalog.Sample(e.Name), Example: example(e)}
	name := e.Name
	if like != "" {
		name = like
	}
	if body, ok := zoomcatalog.EventFields(name); ok {
		d.Fields = flatten(d.Fields, "", body)
	}
	return d
}

// flatten lists the values below a field, in the order of the documents.
func flatten(all []field, path string, f zoomcatalog.Field) []field {
	if f.Items != nil {
		return flatten(all, path+"[]", *f.Items)
	}
	if len(f.Fields) == 0 {
		return append(all, field{path, f.Type, f.Format, f.Required, f.Enum()})
	}
	for _, inner := range f.Fields {
		all = flatten(all, strings.TrimPrefix(path+"."+inner.Name, "."), inner)
	}
	return all
}

// example is a workflow that the event starts.
func example(e zoomcatalog.Event) string {
	name := strings.NewReplacer(".", "-", "_", "-").Replace(e.Name)
	return fmt.Sprintf("name: on-%.50s\non:\n  - zoom: %s\nsteps:\n  - uses: log\n    with: { message: \"%s: ${{ toJSON(event.payload) }}\" }\n",
		name, e.Name, e.About().Description)
}

func (sh *shell) show(d detail) error {
	t := sh.Plain()
	t.Add("trigger", d.Name)
	t.Add("", d.Description)
	t.Add("product", d.Product)
	for _, row := range d.scopeRows() {
		t.Add(row...)
	}
	for i, line := range d.sameness() {
		t.Add([]string{"same event", ""}[min(i, 1)], line)
	}
	t.Add("about", d.Object)
	if len(d.Irregularities) > 0 {
		t.Add("mind", strings.Join(d.Irregularities, "; "))
	}
	if d.Deprecated {
		t.Add("deprecated", "Zoom will take it away")
	}
	if err := t.Print(sh.Out); err != nil {
		return err
	}
	if err := sh.fields(d); err != nil {
		return err
	}
	var sample bytes.Buffer
	if err := json.Indent(&sample, d.Sample, "", "  "); err != nil {
		return fmt.Errorf("printing the payload: %w", err)
	}
	return sh.Print("\npayload (made up; zflow events send %s sends one like it)\n%s\n\nexample\n%s", d.Name, sample.String(), d.Example)
}

func (d detail) scopeRows() [][]string {
	note := map[string]string{
		string(zoomcatalog.None): "none is needed", string(zoomcatalog.Unknown): "Zoom states none",
		string(zoomcatalog.Assumed): " (as far as is known)",
	}[d.ScopesBasis]
	if len(d.Scopes) == 0 {
		return [][]string{{"scopes", note}}
	}
	var rows [][]string
	for _, level := range []struct {
		name string
		of   zoomcatalog.Level
	}{{"scopes, user", zoomcatalog.UserLevel}, {"scopes, account", zoomcatalog.AccountLevel}, {"scopes, master", zoomcatalog.MasterLevel}} {
		if scopes := zoomcatalog.AtLevel(level.of, d.Scopes); len(scopes) > 0 {
			rows = append(rows, []string{level.name, strings.Join(scopes, " or ") + note})
		}
	}
	return rows
}

// sameness says what makes two deliveries one event.
func (d detail) sameness() []string {
	if len(d.Key.About) == 0 {
		return []string{"if all that it says is the same, but for tokens and download addresses"}
	}
	lines := []string{"if event_ts and account are the same, and of payload", "what is there of " + strings.Join(d.Key.About, ", ")}
	if len(d.Key.Part) > 0 {
		lines = append(lines, "what is there of "+strings.Join(d.Key.Part, ", "))
	}
	return append(lines, d.Key.Else...)
}

func (sh *shell) fields(d detail) error {
	title := "fields"
	switch {
	case len(d.Fields) == 0:
		return sh.Print("\nfields: Zoom documents none\n")
	case d.FieldsLike != "":
		title += " (not documented; these are of " + d.FieldsLike + ")"
	}
	if err := sh.Print("\n%s\n", title); err != nil {
		return err
	}
	t := sh.Plain()
	for _, f := range d.Fields {
		t.Add("  "+f.Path, kindOf(f), notes(f))
	}
	return t.Print(sh.Out)
}

func kindOf(f field) string {
	if f.Format != "" {
		return map[string]string{"date-time": "time", "date": "date", "email": "mail address"}[f.Format]
	}
	return f.Type
}

func notes(f field) string {
	var all []string
	if f.Required {
		all = append(all, "always there")
	}
	if len(f.Enum) > 0 {
		all = append(all, terminal.Short("one of "+strings.Join(f.Enum, ", "), 100))
	}
	return strings.Join(all, "; ")
}
