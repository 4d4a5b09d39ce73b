package definition

import (
	"cmp"
	"strings"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/definition/document"
	"zflow/engine/definition/language"
)

// Script is the code of a step, as its workflow has it.
type Script struct {
	Workflow string // the workflow's file; code stands in its folder
	Step     string // path
	Text     string // the code; or
	File     string // where it stands, relative to the workflow's
	// Place returns where in the workflow's file a line of Text stands.
	Place func(line, column int) (inLine, inColumn int)
}

// Fault is something wrong with a script.
type Fault struct {
	File         string // empty: the text itself, or the key that names a file
	Line, Column int    // from 1, in runes
	Message      string
	Hint         string
	Warning      bool
}

// actionCode is the action that runs code.
const actionCode = "code"

// code compiles a step that runs the user's code. Its account is only that which it
// names itself: the code gets the token.
func (b *builder) code(n *node, path string) *engine.Uses {
	u := &engine.Uses{Action: actionCode, With: b.template(b.input(n), inWith), Connection: b.p.connection(n.Get("connection"))}
	if n.Get("for_each") == nil {
		u.Timeout = b.p.Duration(n.Get("timeout"), "timeout", true)
	}
	b.again(u, n, &actions.Action{Spec: actions.Spec{Name: actionCode}})
	effect := actions.Write
	if at := n.Get("effect"); at != nil {
		effect = actions.Effect(b.p.OneOf(at, "effect", language.Effects))
	}
	u.Reads = func(map[string]any) bool { return effect == actions.Read }
	u.Repeatable = func(map[string]any) bool { return effect != actions.Write }
	if at := n.Get("code"); at != nil {
		u.Code = b.script(at, path)
	} else {
		at = n.Get("uses")
		u.Code = b.bundle(at, Script{Workflow: b.p.source, Step: path, File: at.Value})
	}
	return u
}

// isFile tells whether a step uses a file of code, such as ./components/x.mjs, instead
// of an action.
func isFile(uses *node) bool {
	return uses.IsText() && (strings.HasPrefix(uses.Value, "./") || strings.HasPrefix(uses.Value, "../"))
}

// script makes the code ready to run. What stands in ${{ }} is code like the rest.
func (b *builder) script(n *node, path string) *engine.Code {
	s := Script{Workflow: b.p.source, Step: path}
	at := n
	switch {
	case n.Kind == document.Object:
		if !b.p.Fields(n, "code", language.Script) {
			return &engine.Code{}
		}
		at = n.Get("file")
		s.File = b.p.Text(at, "file")
	case n.Kind != document.Scalar || n.Value == "":
		b.p.Fail(n, b.p.EmptyHint(n, "write code: | and the code below it, or { file: ./step.ts }"), "code is text, this is %s", cmp.Or(emptyText(n), n.What()))
		return &engine.Code{}
	default:
		s.Text = n.Value
		s.Place = func(line, column int) (int, int) { return b.p.PlaceInText(n, line, column) }
	}
	return b.bundle(at, s)
}

func (b *builder) bundle(at *node, s Script) *engine.Code {
	if b.p.known.Bundle == nil || s.Text == "" && s.File == "" {
		return &engine.Code{}
	}
	code, faults := b.p.known.Bundle(s)
	for _, f := range faults {
		b.fault(at, f)
	}
	if code == nil {
		return &engine.Code{}
	}
	return code
}

func emptyText(n *node) string {
	if n.Kind == document.Scalar {
		return "empty"
	}
	return ""
}

// fault reports what is wrong with code where the user wrote it.
func (b *builder) fault(at *node, f Fault) {
	line, column := f.Line, f.Column
	if f.File == "" {
		line, column = at.Line, at.Column
	}
	if f.File == "" && f.Line > 0 {
		line, column = b.p.PlaceInText(at, f.Line, f.Column)
	}
	p := b.p.Report(line, column, f.Hint, "%s", f.Message)
	if p.Warning = f.Warning; f.File != "" {
		p.File = f.File
	}
}

// Scripts returns the steps of a workflow that run code, by their paths.
func Scripts(w *engine.Workflow) map[string]*engine.Code {
	all := map[string]*engine.Code{}
	for s := range w.All() {
		if u, ok := s.Do.(*engine.Uses); ok && u.Code != nil {
			all[s.Path] = u.Code
		}
	}
	return all
}

// Stored returns what Known.Bundle is where the code of a workflow was made ready
// before: bundles by the paths of their steps.
func Stored(bundles map[string]string) func(Script) (*engine.Code, []Fault) {
	return func(s Script) (*engine.Code, []Fault) {
		name, ok := bundles[s.Step]
		if !ok {
			return nil, []Fault{{Message: "the code was not stored with this version"}}
		}
		return &engine.Code{Bundle: name}, nil
	}
}
