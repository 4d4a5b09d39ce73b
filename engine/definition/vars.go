package definition

import "slices"

// Vars reads a file of values that go over the vars of workflows: an object of
// names and fixed values, held to the same rules as vars in a workflow. It is nil
// if any problem is an error.
func Vars(file string, src []byte) (map[string]any, Problems) {
	p := &parser{file: file, vars: true}
	var vars map[string]any
	if root := p.load(src); root != nil {
		p.static(root)
		vars, _ = p.json(root).(map[string]any)
	}
	slices.SortStableFunc(p.problems, func(a, b Problem) int { return a.Line - b.Line })
	if p.problems.Err() != nil {
		return nil, p.problems
	}
	return vars, p.problems
}

// noObject reports a file that is no object.
func (p *parser) noObject(root *node) {
	what, hint := "a workflow is", "it begins with name:, on: and steps:"
	if p.vars {
		what, hint = "vars are", "write a name and its value in each line"
	}
	p.fail(root, hint, "%s an object, this is %s", what, root.what())
}
