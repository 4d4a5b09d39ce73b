package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"zflow/actions"
)

// example writes a step as it stands in a workflow.
func example(b *strings.Builder, s actions.Spec, x actions.Example) {
	fmt.Fprintf(b, "\n%s:\n\n```yaml\n", x.Title)
	step(b, s, x.Input)
	b.WriteString("```\n")
	if x.Output != nil {
		out, _ := json.Marshal(x.Output) // of a spec: texts, numbers, lists, objects
		fmt.Fprintf(b, "\nOutput: `%s`\n", out)
	}
}

// step writes an action's step; those of our own have a key instead of uses.
func step(b *strings.Builder, s actions.Spec, input map[string]any) {
	data, isObject := input["data"].(map[string]any)
	switch {
	case s.Name == "emit" && isObject:
		fmt.Fprintf(b, "- emit: %v\n  with:\n", input["type"])
		object(b, "    ", s.Input.Fields["data"], data)
	case s.Name == "respond":
		b.WriteString("- respond:\n")
		object(b, "    ", s.Input, input)
	default:
		fmt.Fprintf(b, "- uses: %s\n  with:\n", s.Name)
		object(b, "    ", s.Input, input)
	}
}

func object(b *strings.Builder, indent string, s actions.Schema, fields map[string]any) {
	all := actions.Schema{Required: s.Required, Fields: map[string]actions.Schema{}}
	for name := range fields {
		all.Fields[name] = s.Fields[name]
	}
	for _, name := range inOrder(all) {
		b.WriteString(indent + name + ":")
		if inner, ok := fields[name].(map[string]any); ok && len(inner) > 0 {
			b.WriteByte('\n')
			object(b, indent+"  ", all.Fields[name], inner)
			continue
		}
		b.WriteString(" " + scalar(fields[name]) + "\n")
	}
}

// bare is a text that needs no quotes in YAML.
var bare = regexp.MustCompile(`^([0-9]+[smhd]|[A-Za-z][\w/.-]*( [\w/.+-]+)*|https?://[\w/.:?=&%+-]*\w)$`)

func scalar(v any) string {
	text, ok := v.(string)
	if !ok || !plain(text) {
		out, _ := json.Marshal(v) // JSON is YAML too
		return string(out)
	}
	return text
}

func plain(text string) bool {
	switch strings.ToLower(text) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return false
	}
	return strings.HasPrefix(text, "${{") && !strings.Contains(text, " #") && !strings.Contains(text, ": ") || bare.MatchString(text)
}
