// Reference writes what docs/ says about actions, Zoom's events and the shape of a
// workflow file: actions.md and workflow.schema.json, made from the specs of the
// actions that this version has, and events.md, made from the catalogue.
package main

//go:generate go run . ../../../docs

import (
	"fmt"
	"os"
	"path/filepath"

	"zflow/engine/definition"
	"zflow/internal/app"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: reference DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	all, err := files()
	if err != nil {
		return err
	}
	for name, content := range all {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// files returns what is to be in docs/, by name.
func files() (map[string][]byte, error) {
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		"actions.md":           page(registry),
		"events.md":            eventsPage(),
		"workflow.schema.json": append(definition.Schema(registry), '\n'),
	}, nil
}
