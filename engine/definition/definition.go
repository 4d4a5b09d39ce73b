package definition

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"zflow/actions"
	"zflow/engine"
)

// Known is what a definition may refer to. Funcs that are nil check nothing.
type Known struct {
	Actions *actions.Registry
	// EventType tells whether Zoom has such an event, and what was meant if not.
	EventType func(name string) (known bool, suggestion string)
	// Connection tells whether a connection of this name is there.
	Connection func(name string) bool
}

// Problem is something wrong with a file.
type Problem struct {
	File    string
	Line    int // from 1
	Column  int // in runes, from 1
	Message string
	Hint    string // what to do about it; may be empty
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

// Version returns the version of a definition: the hash of its bytes.
func Version(src []byte) string {
	sum := sha256.Sum256(src)
	return hex.EncodeToString(sum[:12])
}

// Parse reads one definition. The workflow is nil if any problem is an error.
func Parse(file string, src []byte, k Known) (*engine.Workflow, Problems) {
	p := &parser{file: file, known: k}
	root := p.load(src)
	var w *engine.Workflow
	if root != nil {
		w = p.workflow(root)
		w.Version = Version(src)
	}
	slices.SortStableFunc(p.problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	p.problems = slices.Compact(p.problems)
	if p.problems.Err() != nil {
		return nil, p.problems
	}
	return w, p.problems
}

// parser reads one file and collects what is wrong with it.
type parser struct {
	file     string
	lines    []string
	known    Known
	problems Problems
	vars     bool // it holds vars, no workflow
}

func (p *parser) report(line, column int, hint, format string, args ...any) *Problem {
	p.problems = append(p.problems, Problem{
		File: p.file, Line: max(line, 1), Column: max(column, 1),
		Message: fmt.Sprintf(format, args...), Hint: hint,
	})
	return &p.problems[len(p.problems)-1]
}

// fail reports an error at a node.
func (p *parser) fail(n *node, hint, format string, args ...any) {
	p.report(n.line, n.column, hint, format, args...)
}

// warn reports a warning at a node.
func (p *parser) warn(n *node, hint, format string, args ...any) {
	p.report(n.line, n.column, hint, format, args...).Warning = true
}
