// Package flowtest runs the tests of workflows: x_test.yaml files, each test on a
// house of its own (package house) in virtual time, with the real engine and
// worker and a real nats-server; only actions answer what the test says.
//
// Verify runs the same tests once for each moment at which a process can die, and
// checks that nothing is done twice that may not be.
package flowtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"zflow/engine"
	"zflow/engine/definition"
	"zflow/engine/definition/document"
	"zflow/engine/steppath"
	"zflow/internal/app"
	"zflow/internal/flowtest/house"
	"zflow/internal/flowtest/testfile"
)

// Suite is a file of tests with the workflows that it needs.
type Suite struct {
	*testfile.File
	Workflows []house.Source // the tested one first, then those it calls
	Flow      *engine.Workflow
}

// ErrNone says that no tests were found.
var ErrNone = errors.New("there are no tests: they stand in files like welcome_test.yaml beside the workflow")

// Files returns the test files that paths stand for: a folder for those in it and
// below it.
func Files(paths ...string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("looking for tests: %w", err)
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			switch base := d.Name(); {
			case err != nil:
				return err
			case d.IsDir() && name != path && strings.HasPrefix(base, "."):
				return fs.SkipDir
			case !d.IsDir() && IsTest(base):
				files = append(files, name)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("looking for tests: %w", err)
		}
	}
	if len(files) == 0 {
		return nil, ErrNone
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// IsTest tells whether a file is one of tests by its name.
func IsTest(name string) bool {
	return strings.HasSuffix(name, "_test.yaml") || strings.HasSuffix(name, "_test.yml")
}

// Load reads a file of tests and the workflows that it needs. What is wrong with
// one of them is returned as problems, without a suite.
func Load(path string, known definition.Known) (*Suite, document.Problems, error) {
	f, problems, err := testfile.Load(path)
	if f == nil || err != nil {
		return nil, problems, err
	}
	s := &Suite{File: f}
	flow := filepath.Join(filepath.Dir(path), f.Workflow)
	if _, err := os.Stat(flow); err != nil {
		at := f.Node.Get("workflow")
		return nil, document.Problems{{File: path, Line: at.Line, Column: at.Column, Message: fmt.Sprintf("there is no file %s", flow), Hint: "workflow is the workflow's file, as seen from this one"}}, nil
	}
	more, err := s.add(flow, known)
	if err != nil || more.Err() != nil {
		return nil, more, err
	}
	s.Flow, _ = definition.Parse(flow, s.Workflows[0].Text, known)
	return s, append(problems, s.misses()...), s.addCalled(filepath.Dir(flow), known)
}

func (s *Suite) add(path string, known definition.Known) (document.Problems, error) {
	text, problems, err := app.ReadWorkflow(path)
	if err != nil {
		return nil, fmt.Errorf("reading the workflow: %w", err)
	}
	if problems.Err() != nil {
		return problems, nil
	}
	_, problems = definition.Parse(path, text, known)
	s.Workflows = append(s.Workflows, house.Source{Path: path, Text: text})
	return problems, nil
}

// addCalled adds the workflows that those there are call, from the same folder;
// one that is not there fails the run, as it would outside of a test.
func (s *Suite) addCalled(dir string, known definition.Known) error {
	files, err := app.WorkflowFiles(dir)
	if err != nil {
		return fmt.Errorf("looking for called workflows: %w", err)
	}
	have := map[string]bool{s.Flow.Name: true}
	for queue := called(s.Flow); len(queue) > 0; queue = queue[1:] {
		if have[queue[0]] {
			continue
		}
		have[queue[0]] = true
		for _, file := range files {
			text, _, err := app.ReadWorkflow(file)
			if err != nil {
				return fmt.Errorf("looking for called workflows: %w", err)
			}
			if w, _ := definition.Parse(file, text, known); w != nil && w.Name == queue[0] {
				s.Workflows = append(s.Workflows, house.Source{Path: file, Text: text})
				queue = append(queue, called(w)...)
				break
			}
		}
	}
	return nil
}

func called(w *engine.Workflow) (names []string) {
	for _, p := range parts(w) {
		if c, ok := p.step.Do.(*engine.Call); ok {
			names = append(names, c.Workflow)
		}
	}
	return names
}

// misses warns of outcomes and expectations for steps that are none.
func (s *Suite) misses() (problems document.Problems) {
	names := map[string]bool{}
	for _, p := range parts(s.Flow) {
		names[p.path], names[house.ID(p.path)] = true, true
		if u, ok := p.step.Do.(*engine.Uses); ok {
			names[u.Action] = true
		}
		if p.step.Undo != nil {
			names[p.step.Undo.Action], names[p.path+steppath.Undo], names[house.ID(p.path)+steppath.Undo] = true, true, true
		}
	}
	if len(called(s.Flow)) > 0 {
		return nil // they may be of another workflow
	}
	for _, t := range s.Tests {
		for name, o := range t.Steps {
			if !names[steppath.Step(name)] && !names[name] && len(o) > 0 {
				problems = append(problems, document.Problem{File: s.Path, Line: o[0].Line, Column: 1, Warning: true,
					Message: fmt.Sprintf("the workflow has neither a step nor an action %s", name), Hint: "a step is named by its id or its path, an action as in uses"})
			}
		}
	}
	slices.SortFunc(problems, func(a, b document.Problem) int { return a.Line - b.Line })
	return slices.Compact(problems)
}
