package pipedream

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"zflow/actions"
	"zflow/engine/definition/document"
)

// Options say how to translate.
type Options struct {
	Actions  *actions.Registry
	Triggers []Trigger
	// Read returns a file of the workflow's folder; the path is relative to it.
	Read func(path string) ([]byte, error)
	// Likely returns types of Zoom's events that have all these fields, the likeliest first.
	Likely func(fields []string) []string
	// Check returns what is wrong with a workflow that was written.
	Check func(name string, src []byte) document.Problems
	// Folder is where the code of steps will stand, beside the workflow; empty: where it is.
	Folder string
}

// Workflow is what became of one.
type Workflow struct {
	Name  string
	YAML  []byte
	Copy  []string // files of its folder that it needs, in Options.Folder
	Notes []Note
}

// Translate translates a workflow.
func Translate(name string, src []byte, o Options) (*Workflow, error) {
	f, err := read(name, src)
	if err != nil {
		return nil, err
	}
	rows, err := table()
	if err != nil {
		return nil, err
	}
	t := &translation{
		Options: o, file: f, source: name, rows: rows, out: &Workflow{Name: workflowName(f.name)}, ids: map[string]bool{},
		done: map[string]*done{}, secrets: map[string]bool{}, accounts: map[string]string{},
	}
	t.name = t.out.Name
	return t.out, t.workflow()
}

// translation is one workflow on its way.
type translation struct {
	Options
	file   *file
	source string // the file's name
	name   string // the workflow's
	rows   map[string]row
	out    *Workflow

	ids      map[string]bool
	done     map[string]*done // steps by the names that they had
	secrets  map[string]bool
	accounts map[string]string // connections by what they were
	read     []string          // fields of the event that the workflow reads
	failed   bool              // the step that is being translated cannot be
	at       *document.Node    // that step
}

// done is a step that was translated.
type done struct {
	id   string
	shim bool // its output has $return_value and what it exported
}

func (t *translation) note(n *document.Node, hint bool, what, do string) {
	line, column := 1, 1
	if n != nil {
		line, column = n.Line, n.Column
	}
	t.out.Notes = append(t.out.Notes, Note{File: t.source, Line: line, Column: column, What: what, Do: do, Hint: hint})
}

func (t *translation) workflow() error {
	t.read = t.eventFields()
	flow := newObject().put("name", t.name)
	if t.file.name != "" && t.file.name != t.name {
		flow.put("description", "Pipedream's workflow "+strings.Join(strings.Fields(t.file.name), " "))
	}
	t.triggers(flow)
	t.settings(flow)
	var steps []object
	for i := range t.file.steps {
		s := t.file.steps[i]
		s.id = t.id(s)
		steps = append(steps, t.step(s)...)
	}
	flow.put("steps", steps)
	t.afterwards(flow)
	src, err := write(flow)
	if err != nil {
		return fmt.Errorf("writing %s: %w", t.name, err)
	}
	t.out.YAML = src
	slices.SortStableFunc(t.out.Notes, func(a, b Note) int { return a.Line - b.Line })
	t.check()
	return nil
}

// id is the id of a step; code that reads steps by their old names finds them by the
// same rule, unless two come out as one.
func (t *translation) id(s step) string {
	id := ID(s.name)
	got := unique(id, t.ids)
	switch {
	case got != id:
		t.note(s.at.Get("namespace"), false, fmt.Sprintf("two steps would have the id %s: this one got %s", id, got), "code that reads steps."+s.name+" finds the other one: change it there")
	case got != s.name:
		t.note(s.at.Get("namespace"), true, fmt.Sprintf("the step %s is called %s", s.name, got), "")
	}
	return got
}

// check adds what the loader says of what was written. The same was never said of the
// file that was read, so its places are those of the YAML.
func (t *translation) check() {
	if t.Check == nil {
		return
	}
	name := t.name + ".yaml"
	for _, p := range t.Check(name, t.out.YAML) {
		t.out.Notes = append(t.out.Notes, Note{File: name, Line: p.Line, Column: p.Column, What: p.Message, Do: cmp.Or(p.Hint, "mend it there"), Hint: p.Warning})
	}
}

// secret is the name of a secret for what was an environment variable.
func (t *translation) secret(variable string) string {
	id := ID(strings.ToLower(variable))
	if !t.secrets[id] {
		t.secrets[id] = true
		t.note(t.at, true, fmt.Sprintf("the environment variable %s is secrets.%s", variable, id), "write its value under secrets: in the configuration")
	}
	return id
}

// Name returns the name that a workflow will have.
func Name(file string, src []byte) (string, error) {
	f, err := read(file, src)
	if err != nil {
		return "", err
	}
	return workflowName(f.name), nil
}
