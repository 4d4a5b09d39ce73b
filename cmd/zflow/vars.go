package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"zflow/engine/definition"
	"zflow/engine/definition/overlay"
	"zflow/internal/app"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

func envFlag(c *cobra.Command, env *string) {
	c.Flags().StringVar(env, "env", "", "put vars.`NAME`.yaml, beside the files, over the workflows' vars")
}

var envName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// environment is a file of values for the workflows of its folder.
type environment struct {
	file   // with what is wrong with it
	values map[string]any
}

// overlayAll puts the values of an environment over the workflows, each by the
// file in its own folder. What is wrong with such a file is added to the files.
func overlayAll(files []*file, env string, known definition.Known) ([]*file, error) {
	if env == "" {
		return files, nil
	}
	if !envName.MatchString(env) {
		return nil, terminal.Misused("--env is a name such as prod, not %q", env)
	}
	byFolder := map[string]*environment{}
	for _, f := range slices.Clone(files) {
		dir := filepath.Dir(f.path)
		e := byFolder[dir]
		if e == nil {
			var err error
			if e, err = readEnvironment(dir, env); err != nil {
				return nil, err
			}
			byFolder[dir] = e
			if len(e.problems) > 0 {
				files = append(files, &e.file)
			}
		}
		f.overlay(e, known)
	}
	return files, nil
}

func readEnvironment(dir, env string) (*environment, error) {
	e := &environment{}
	var err error
	for _, end := range []string{".yaml", ".yml"} {
		e.path = filepath.Join(dir, "vars."+env+end)
		if e.src, err = os.ReadFile(e.path); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the environment %s: there is no vars.%s.yaml in %s", env, env, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the environment %s: %w", env, err)
	}
	e.values, e.problems = definition.Vars(e.path, e.src)
	return e, e.strangers(dir)
}

// strangers finds values that no workflow of the folder has a var for.
func (e *environment) strangers(dir string) error {
	paths, err := app.WorkflowFiles(dir)
	if err != nil {
		return fmt.Errorf("reading workflows: %w", err)
	}
	var have []string
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading workflows: %w", err)
		}
		if names, err := overlay.Names(src); err == nil { // what is no workflow is said elsewhere
			have = append(have, names...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.values)) {
		if !slices.Contains(have, name) {
			e.problems = append(e.problems, definition.Problem{File: e.path, Line: lineOf(e.src, name), Column: 1,
				Message: fmt.Sprintf("no workflow in %s has the var %s%s", dir, name, terminal.DidYouMean(name, have)), Hint: "give one a value for it, or take it out"})
		}
	}
	return nil
}

// overlay puts the values over the vars of a workflow that is in order.
func (f *file) overlay(e *environment, known definition.Known) {
	if f.name == "" || len(e.problems) > 0 {
		return
	}
	out, err := overlay.Apply(f.src, filepath.Base(e.path), e.values)
	if err != nil {
		f.problems = append(f.problems, definition.Problem{File: f.path, Line: lineOf(f.src, "vars"), Column: 1, Message: err.Error()})
		f.name = ""
		return
	}
	w, problems := definition.Parse(f.path+" with "+filepath.Base(e.path), out, known)
	if w == nil {
		f.name, f.problems = "", problems
		return
	}
	f.src, f.version = out, w.Version
}
