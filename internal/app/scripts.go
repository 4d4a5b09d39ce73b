package app

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"zflow/actions/code"
	"zflow/actions/code/bundle"
	"zflow/engine"
	"zflow/engine/definition"
)

// scripts makes the code of steps ready to run, and not again while nothing has
// changed of what it was made of.
type scripts struct {
	mu   sync.Mutex
	made map[[2]string]*script // by the workflow's file and the step
}

// script is the code of a step as it was made last.
type script struct {
	source definition.Script
	lines  []int             // where the text's lines stand
	files  map[string]string // what was read or looked for, and how it was
	code   *engine.Code
	faults []definition.Fault
}

func newScripts() *scripts { return &scripts{made: map[[2]string]*script{}} }

// of makes code ready, or returns it as it is.
func (s *scripts) of(source definition.Script) (*engine.Code, []definition.Fault) {
	key := [2]string{source.Workflow, source.Step}
	next := &script{source: source, lines: linesOf(source)}
	next.source.Place = nil
	s.mu.Lock()
	old := s.made[key]
	s.mu.Unlock()
	if old != nil && old.code != nil && reflect.DeepEqual(old.source, next.source) && slices.Equal(old.lines, next.lines) && old.holds() {
		return old.code, old.faults
	}
	next.make(source)
	s.mu.Lock()
	s.made[key] = next
	s.mu.Unlock()
	return next.code, next.faults
}

// linesOf are part of what code is made of: errors name them.
func linesOf(s definition.Script) (all []int) {
	if s.Place == nil {
		return nil
	}
	for line := range strings.Count(s.Text, "\n") + 1 {
		at, column := s.Place(line+1, 1)
		all = append(all, at, column)
	}
	return all
}

// fresh is how long a file must have rested before its time tells whether it is the
// one that was read: clocks of file systems tick.
const fresh = 50 * time.Millisecond

// make bundles. Of what changes meanwhile the next call makes it again.
func (s *script) make(source definition.Script) {
	begun := time.Now()
	file, _, _ := strings.Cut(source.Workflow, " with ") // the name of an environment's values
	b := bundle.Source{Dir: filepath.Dir(file), Name: filepath.Base(file), Text: source.Text, File: source.File}
	if source.Place != nil {
		b.Place = func(line int) (int, int) {
			at, column := source.Place(line, 1)
			return at, column - 1
		}
	}
	var mu sync.Mutex
	s.files = map[string]string{}
	b.Looked = func(path string) {
		mu.Lock()
		defer mu.Unlock()
		s.files[path] = ""
	}
	name, data, faults := code.Make(b)
	for _, f := range faults {
		s.faults = append(s.faults, definition.Fault(f))
	}
	for path := range s.files {
		s.files[path] = stamp(path, begun.Add(-fresh))
	}
	if name != "" {
		s.code = &engine.Code{Bundle: name, Data: data}
	}
}

// holds tells whether all files are as they were.
func (s *script) holds() bool {
	for path, was := range s.files {
		if was == "" || stamp(path, time.Time{}) != was {
			return false
		}
	}
	return true
}

// stamp tells one state of a file from others; empty: it may be changing just now.
func stamp(path string, rested time.Time) string {
	info, err := os.Stat(path)
	if err != nil {
		return "none"
	}
	if !rested.IsZero() && info.ModTime().After(rested) {
		return ""
	}
	return fmt.Sprint(info.Mode(), info.ModTime().UnixNano(), info.Size())
}

// folders are those in which a change may change code.
func (s *scripts) folders() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, one := range s.made {
		for path := range one.files {
			all = append(all, filepath.Dir(path))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// concerns tells whether a changed path may be one of code.
func concerns(path string) bool {
	if filepath.Base(filepath.Dir(path)) == "node_modules" {
		return true
	}
	ext := filepath.Ext(path)
	return ext == "" || ext == ".json" || slices.Contains(bundle.Extensions, ext) // without one it may be a folder
}
