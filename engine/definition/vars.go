package definition

import (
	"zflow/engine/definition/document"
	"zflow/engine/definition/form"
)

// Vars reads a file of values that go over the vars of workflows: an object of
// names and fixed values, held to the same rules as vars in a workflow. It is nil
// if any problem is an error.
func Vars(file string, src []byte) (map[string]any, Problems) {
	f, root := document.Read(file, src)
	p := &parser{Reader: form.Reader{File: f}}
	var vars map[string]any
	if p.object(root, "vars are", "write a name and its value in each line") {
		p.static(root)
		vars, _ = p.JSON(root).(map[string]any)
	}
	problems := f.Problems()
	if problems.Err() != nil {
		return nil, problems
	}
	return vars, problems
}

// object tells whether a file is an object; nil: it was reported why there is
// nothing to be read.
func (p *parser) object(root *node, what, hint string) bool {
	if root != nil && root.Kind != document.Object {
		p.Fail(root, hint, "%s an object, this is %s", what, root.What())
	}
	return root != nil && root.Kind == document.Object
}
