package text

import "zflow/actions"

func spec() actions.Spec {
	return actions.Spec{
		Name: "text.template", Summary: "Fills a long text that has loops and conditions, such as a mail, in the language of Go's text/template.",
		Effect: actions.Read, Sealed: true,
		Input: actions.Schema{Type: "object", Required: []string{"template"}, Fields: map[string]actions.Schema{
			"template": {Type: "string", Doc: "The text, with {{.name}}, {{range .list}} … {{else}} … {{end}}, {{if}}, {{with}}, {{define}}; functions beside Go's are json, join, upper, lower and time. At most 256 KiB."},
			"data":     {Doc: "What the template sees as its dot: an object, a list, any value."},
			"escape":   {Type: "string", Doc: "html escapes each value that is written, for texts of HTML (not inside of scripts).", Enum: []string{"none", "html"}, Default: "none"},
		}},
		Output: actions.Schema{Type: "object", Required: []string{"text"}, Fields: map[string]actions.Schema{
			"text": {Type: "string", Doc: "The text, at most 1 MiB."},
		}},
		Errors: []actions.Known{
			{If: "error.code == 'template'", Doc: "The template cannot be read, or a value is missing; the message has the line."},
			{If: "error.code == 'too_large'", Doc: "The text is longer than 1 MiB, or the loops did too much."},
		},
		Examples: []actions.Example{{
			Title: "A list of those who came",
			Input: map[string]any{
				"template": "Present:\n{{range .people}}- {{.name}}{{if ge .minutes 45}}, to the end{{end}}\n{{else}}nobody\n{{end}}",
				"data":     map[string]any{"people": []any{map[string]any{"name": "Anna", "minutes": int64(45)}, map[string]any{"name": "Ben", "minutes": int64(7)}}},
			},
			Output: map[string]any{"text": "Present:\n- Anna, to the end\n- Ben\n"},
		}},
	}
}
