package definition

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/definition/document"
	"zflow/engine/definition/form"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
)

// Known is what a definition may refer to. Funcs that are nil check nothing.
type Known struct {
	Actions *actions.Registry
	// EventType tells whether Zoom has such an event, and what was meant if not.
	EventType func(name string) (known bool, suggestion string)
	// Event returns what is known of the body of a Zoom event of this type.
	Event func(eventType string) (expr.Type, bool)
	// Connection tells whether a connection of this name is there, and its kind where
	// that is known.
	Connection func(name string) (kind string, known bool)
	// Bundle makes the code of a step ready to run; nil: it is not looked at.
	Bundle func(Script) (*engine.Code, []Fault)
	// Describe makes an action of a description in a workflow, and reports on the file
	// what is wrong with it.
	Describe func(f *document.File, n *document.Node) *actions.Action
	// Runs is the address of the pages of runs, which a run's id follows.
	Runs string
}

// Problem is something wrong with a file.
type Problem = document.Problem

// Problems is everything that is wrong with a file, in the file's order.
type Problems = document.Problems

// Schema returns the JSON Schema of a workflow file, for editors.
func Schema(reg *actions.Registry) []byte { return language.Schema(reg) }

// Version returns the version of a definition: the hash of its bytes.
func Version(src []byte) string {
	sum := sha256.Sum256(src)
	return hex.EncodeToString(sum[:12])
}

// versionOf is the version of a workflow: that of the definition's bytes, and of
// the code that its steps run with all that this imports.
func versionOf(src []byte, w *engine.Workflow) string {
	all := src
	for s := range w.All() {
		if u, ok := s.Do.(*engine.Uses); ok && u.Code != nil {
			all = append(slices.Clip(all), "\x00"+s.Path+" "+u.Code.Bundle...)
		}
	}
	return Version(all)
}

// Parse reads one definition. The workflow is nil if any problem is an error.
func Parse(file string, src []byte, k Known) (*engine.Workflow, Problems) {
	f, root := document.Read(file, src)
	p := &parser{Reader: form.Reader{File: f}, known: k, source: file}
	var w *engine.Workflow
	if p.object(root, "a workflow is", "it begins with name:, on: and steps:") {
		w = p.workflow(root)
	}
	problems := f.Problems()
	if problems.Err() != nil {
		return nil, problems
	}
	w.Version = versionOf(src, w)
	return w, problems
}

// node is a value of the file.
type node = document.Node

// parser checks one file and collects what is wrong with it.
type parser struct {
	form.Reader
	known  Known
	source string                     // of the file
	own    map[string]*actions.Action // that the file describes
}
