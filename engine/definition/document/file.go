// Package document reads the YAML of a workflow file into nodes that know their
// places, and collects what is wrong with the file.
package document

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// File is a file that is being read, and what is wrong with it so far.
type File struct {
	name     string
	lines    []string
	problems Problems
}

// Read returns the file and its one document, or nil if it has none that can be read.
func Read(name string, src []byte) (*File, *Node) {
	f := &File{name: name}
	return f, f.load(src)
}

// Problems returns what was reported, in the file's order, each once.
func (f *File) Problems() Problems {
	slices.SortStableFunc(f.problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	f.problems = slices.Compact(f.problems)
	return f.problems
}

// Report adds an error at a place; the caller may make a warning of it.
func (f *File) Report(line, column int, hint, format string, args ...any) *Problem {
	f.problems = append(f.problems, Problem{
		File: f.name, Line: max(line, 1), Column: max(column, 1),
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
	return &f.problems[len(f.problems)-1]
}

// Fail reports an error at a node.
func (f *File) Fail(n *Node, hint, format string, args ...any) {
	f.Report(n.Line, n.Column, hint, format, args...)
}

// Warn reports a warning at a node.
func (f *File) Warn(n *Node, hint, format string, args ...any) {
	f.Report(n.Line, n.Column, hint, format, args...).Warning = true
}

// Problem is something wrong with a file.
type Problem struct {
	File    string
	Line    int // from 1
	Column  int // in runes, from 1
	Message string
	Hint    string // What to do about it; may be empty
	Warning bool   // the workflow can run nevertheless
}

// String returns the problem as an editor or terminal understands it.
func (p Problem) String() string {
	s := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Warning {
		s += "warning: "
	}
	s += p.Message
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// Problems is everything that is wrong with a file, in the file's order.
type Problems []Problem

// Err returns the problems that are not just warnings as one error, or nil.
func (ps Problems) Err() error {
	var lines []string
	for _, p := range ps {
		if !p.Warning {
			lines = append(lines, p.String())
		}
	}
	if lines == nil {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}
