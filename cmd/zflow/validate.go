package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"zflow/engine/definition"
	"zflow/internal/app"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

func validateCommand(sh *shell) *cobra.Command {
	var env string
	c := sh.PrintsData(&cobra.Command{
		Use:   "validate FILE|DIR…",
		Short: "Check workflow files and report every problem",
		Long: `Check workflow files and report every problem, each with file, line and column.

A folder stands for the .yaml and .yml files in it (without *_test.yaml and vars.*).`,
		Example: "  zflow validate welcome.yaml\n  zflow validate workflows/ --output json",
		Args:    terminal.Args("FILE or DIR…"),
		RunE: func(_ *cobra.Command, args []string) error {
			files, err := readFiles(args, env)
			if err != nil {
				return err
			}
			if sh.JSON() {
				if err := sh.PrintJSON(problemsJSON(files)); err != nil {
					return err
				}
				return failedIf(files)
			}
			if err := sh.printProblems(files); err != nil {
				return err
			}
			if name := firstCoded(files); name != "" {
				sh.warnCode(name, "this machine cannot run them", app.NoCodeHere())
			}
			return failedIf(files)
		},
	})
	envFlag(c, &env)
	return c
}

// file is a workflow file as read and checked.
type file struct {
	path     string
	src      []byte
	name     string // of the workflow; empty where the file has errors
	version  string
	coded    bool                 // it has steps of code
	requests *definition.Requests // of all files that are read with it
	problems definition.Problems
}

// readFiles reads and checks files, and those in folders, with the values of an
// environment if one is named.
func readFiles(paths []string, env string) ([]*file, error) {
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		return nil, err
	}
	known := app.Known(registry, nil)
	var files []*file
	var requests definition.Requests
	seen := map[string]bool{}
	for _, path := range paths {
		inside, err := filesAt(path)
		if err != nil {
			return nil, err
		}
		for _, name := range inside {
			if seen[name] {
				continue
			}
			seen[name] = true
			f, err := readFile(name, known, &requests)
			if err != nil {
				return nil, err
			}
			files = append(files, f)
		}
	}
	sameNames(files)
	return overlayAll(files, env, known)
}

func filesAt(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading workflows: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	files, err := app.WorkflowFiles(path)
	if err != nil {
		return nil, fmt.Errorf("reading workflows: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("reading workflows: the folder %s holds no .yaml file", path)
	}
	return files, nil
}

func readFile(name string, known definition.Known, requests *definition.Requests) (*file, error) {
	src, problems, err := app.ReadWorkflow(name)
	if err != nil {
		return nil, fmt.Errorf("reading workflows: %w", err)
	}
	f := &file{path: name, src: src, problems: problems, requests: requests}
	if problems.Err() != nil {
		return f, nil
	}
	w, problems := definition.Parse(name, src, known)
	if w != nil {
		problems = append(problems, requests.Take(name, w)...)
	}
	if f.problems = problems; problems.Err() == nil {
		f.name, f.version, f.coded = w.Name, w.Version, len(definition.Scripts(w)) > 0
	}
	return f, nil
}

// firstCoded is a workflow that has code, empty where none has.
func firstCoded(files []*file) string {
	for _, f := range files {
		if f.coded {
			return f.name
		}
	}
	return ""
}

// warnCode says where code cannot be run.
func (sh *shell) warnCode(workflow, where string, why error) {
	if why != nil {
		sh.Say("warning: workflow %s has code steps, and %s: %v", workflow, where, why)
	}
}

// sameNames finds workflows that stand in two files.
func sameNames(files []*file) {
	first := map[string]*file{}
	for _, f := range files {
		if f.name == "" {
			continue
		}
		other := first[f.name]
		if other == nil {
			first[f.name] = f
			continue
		}
		f.problems = append(f.problems, definition.Problem{File: f.path, Line: lineOf(f.src, "name"), Column: 1,
			Message: fmt.Sprintf("workflow %s stands in %s already", f.name, other.path), Hint: "give each its own name"})
		f.name = ""
	}
}

// lineOf returns where a key of the whole file stands.
func lineOf(src []byte, key string) int {
	for i, line := range bytes.Split(src, []byte{'\n'}) {
		if bytes.HasPrefix(line, []byte(key+":")) {
			return i + 1
		}
	}
	return 1
}

func problemsJSON(files []*file) []problemJSON {
	all := []problemJSON{}
	for _, f := range files {
		for _, p := range f.problems {
			all = append(all, problemJSON{p.File, p.Line, p.Column, p.Message, p.Hint, p.Warning})
		}
	}
	return all
}

type problemJSON struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
	Warning bool   `json:"warning"`
}

func (sh *shell) printProblems(files []*file) error {
	var b strings.Builder
	for _, f := range files {
		for _, p := range f.problems {
			fmt.Fprintln(&b, p)
		}
		if f.name != "" {
			fmt.Fprintf(&b, "%s: ok, workflow %s, version %.12s\n", f.path, f.name, f.version)
		}
	}
	return sh.Print("%s", b.String())
}

// failedIf returns the command's error where a file has errors.
func failedIf(files []*file) error {
	wrong, errors := 0, 0
	for _, f := range files {
		if f.name == "" {
			wrong++
		}
		for _, p := range f.problems {
			if !p.Warning {
				errors++
			}
		}
	}
	if wrong == 0 {
		return nil
	}
	return fmt.Errorf("%s in %s of %d", terminal.Plural(errors, "error"), terminal.Plural(wrong, "file"), len(files))
}
