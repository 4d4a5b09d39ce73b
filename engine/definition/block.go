package definition

import (
	"zflow/engine"
	"zflow/engine/definition/document"
	"zflow/engine/definition/form"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
)

// block compiles a step that is made of others.
func (b *builder) block(n *node, kind, path string) (*engine.Block, result) {
	block, all := &engine.Block{Mode: engine.Mode(kind)}, map[string]expr.Type{}
	r := result{seen: map[string]expr.Type{}}
	if !b.shape(n.Get(kind), kind) {
		return block, r
	}
	for i, part := range branchesOf(n) {
		branch := &engine.Branch{Name: part.name}
		prefix := path + "."
		if kind == "switch" {
			branch.If = b.caseOf(part.at, i+1 == len(n.Get(kind).Items))
		}
		if part.name != "" {
			prefix += part.name + "."
		}
		block.Branches = append(block.Branches, branch)
		if part.steps == nil {
			continue
		}
		var m made
		branch.Steps, m = b.list(part.steps, listName(kind, part.name), prefix)
		added(r.seen, m.seen)
		if kind == "parallel" {
			all[part.name] = expr.Object(m.outputs, false)
		} else {
			added(all, m.outputs)
		}
	}
	r.output = expr.Object(all, false)
	return block, r
}

// listName is what messages call the steps of a branch.
func listName(kind, branch string) string {
	switch {
	case kind == "parallel":
		return "the branch " + branch
	case branch == "else":
		return "else"
	}
	return "steps"
}

// shape tells whether a block has branches at all.
func (b *builder) shape(n *node, kind string) bool {
	p := b.p
	switch {
	case kind == "parallel" && (n.Kind != document.Object || len(n.Fields) == 0):
		p.Fail(n, p.EmptyHint(n, "write parallel: { one: [ … ], other: [ … ] }"), "parallel is an object of branches, this is %s", emptyObject(n))
		return false
	case kind == "switch" && (n.Kind != document.List || len(n.Items) == 0):
		p.Fail(n, p.EmptyHint(n, "write - if: … with steps:, and - else:"), "switch is a list of cases, this is %s", emptyOr(n))
		return false
	case kind == "parallel":
		b.branchNames(n)
	}
	return true
}

func emptyObject(n *node) string {
	if n.Kind == document.Object {
		return "empty"
	}
	return n.What()
}

func (b *builder) branchNames(n *node) {
	for _, f := range n.Fields {
		name := f.Key.Value
		switch {
		case !validID.MatchString(name):
			b.p.Fail(f.Key, "a-z, 0-9 and _, beginning with a letter", "%q is no name for a branch", name)
		case name == "undo":
			b.p.Fail(f.Key, "", "a branch cannot be called undo, which means something else")
		}
	}
}

// caseOf checks a case of a switch, and returns its condition; nil: else.
func (b *builder) caseOf(n *node, last bool) *expr.Program {
	p := b.p
	if !p.Fields(n, "a case", language.Case) {
		return nil
	}
	switch {
	case n.Get("else") == nil:
		for _, name := range []string{"if", "steps"} {
			if n.Get(name) == nil && !form.Misspelt(n, name, language.Case) {
				p.Fail(n, "", "a case needs the key %s", name)
			}
		}
		return b.condition(n.Get("if"), inStep)
	case n.Get("if") != nil || n.Get("steps") != nil:
		p.Fail(n.KeyOf("else"), "make it a case of its own: - else: [ … ]", "else cannot stand together with if and steps")
	case !last:
		p.Fail(n.KeyOf("else"), "move it to the end", "else is the last case")
	}
	return nil
}
