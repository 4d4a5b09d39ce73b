// Package log has the action log, which writes a line to the worker's log.
//
// It calls nobody, and it keeps what it is given: credentials in its input stay
// sealed (Spec.Sealed), so that none is ever written in the clear.
package log

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"zflow/actions"
)

// Action returns the action log.
func Action() *actions.Action {
	return &actions.Action{Spec: spec(), Do: write}
}

func spec() actions.Spec {
	return actions.Spec{
		Name:    "log",
		Summary: "Writes a line to the worker's log and into the run's history.",
		Effect:  actions.Read,
		Sealed:  true,
		Input: actions.Schema{
			Type:     "object",
			Required: []string{"message"},
			Fields: map[string]actions.Schema{
				"message": {Doc: "What to write; a value that is not text is written as JSON."},
				"level":   {Type: "string", Doc: "How grave it is.", Enum: levels(), Default: "info"},
				"fields":  {Type: "object", Doc: "Values to write after the message, as name=value.", Open: true},
			},
		},
		Output: actions.Schema{
			Type:     "object",
			Required: []string{"message"},
			Fields:   map[string]actions.Schema{"message": {Type: "string", Doc: "The message as written."}},
		},
		Examples: []actions.Example{
			{
				Title:  "Say what happened",
				Input:  map[string]any{"message": "class is over"},
				Output: map[string]any{"message": "class is over"},
			},
			{
				Title: "With values",
				Input: map[string]any{
					"message": "class is over", "level": "warn",
					"fields": map[string]any{"minutes": int64(45), "topic": "Algebra"},
				},
				Output: map[string]any{"message": "class is over"},
			},
		},
	}
}

func levels() []string { return []string{"debug", "info", "warn", "error"} }

func write(_ context.Context, c actions.Call) (actions.Result, error) {
	given, ok := c.Input["message"]
	if !ok {
		return actions.Result{}, actions.Final("message is missing")
	}
	message, err := text(given)
	if err != nil {
		return actions.Result{}, err
	}
	said, err := line(c.Input, message)
	if err != nil {
		return actions.Result{}, err
	}
	if c.Log != nil {
		c.Log(said)
	}
	return actions.Result{Output: map[string]any{"message": message}}, nil
}

// line is the message with its level (but for info) before and its fields behind.
func line(input map[string]any, message string) (string, error) {
	var b strings.Builder
	switch level := input["level"].(type) {
	case nil:
	case string:
		if !slices.Contains(levels(), level) {
			return "", actions.Final("level %q is none of %s", level, strings.Join(levels(), ", "))
		}
		if level != "info" {
			b.WriteString(level + ": ")
		}
	default:
		return "", actions.Final("level is not text")
	}
	b.WriteString(message)
	fields, ok := input["fields"].(map[string]any)
	if !ok && input["fields"] != nil {
		return "", actions.Final("fields is not an object")
	}
	for _, name := range sorted(fields) {
		value, err := text(fields[name])
		if err != nil {
			return "", err
		}
		if strings.ContainsAny(value, " \"\n") {
			value = fmt.Sprintf("%q", value)
		}
		b.WriteString(" " + name + "=" + value)
	}
	return b.String(), nil
}

func sorted(fields map[string]any) []string {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// text is a text as it is and anything else as compact JSON.
func text(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", actions.Final("writing a value as text: %v", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}
