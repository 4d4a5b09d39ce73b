package definition

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"zflow/engine/definition/document"
	"zflow/engine/definition/form"
	"zflow/engine/definition/language"
)

// Limits of a workflow.
const (
	maxSteps = 1000
	maxDepth = 20 // blocks in blocks
)

// sections are the lists of steps of a workflow, in the order in which they run.
var sections = []string{"steps", "on_failure", "finally"}

// tree knows where each step stands, before any is compiled.
type tree struct {
	p     *parser
	spots map[*node]*spot
	ids   map[string][]*spot // more than one in exclusive branches only
	deep  bool               // reported
}

// spot is the place of a step.
type spot struct {
	above  *spot  // the block around it; nil: it is at the top
	branch string // of that block; at the top: its section
	order  int    // in its list
	depth  int
	id     string // empty: it has none that is good
	label  string // what messages call it
	kind   string
	loops  bool
	line   int
}

// survey finds the places of all steps; false, after a report, if they are more
// or nested deeper than they may be.
func (p *parser) survey(root *node) (*tree, bool) {
	t := &tree{p: p, spots: map[*node]*spot{}, ids: map[string][]*spot{}}
	for _, name := range sections {
		t.list(root.Get(name), &spot{branch: name})
	}
	if len(t.spots) > maxSteps {
		p.Fail(root.KeyOf("steps"), "let some of them be a workflow of their own, and call it", "the workflow has %d steps: at most %d", len(t.spots), maxSteps)
		return t, false
	}
	return t, !t.deep
}

// list surveys the steps of a list; like says what they have in common.
func (t *tree) list(n *node, like *spot) {
	if n == nil || n.Kind != document.List {
		return
	}
	for i, s := range n.Items {
		if s.Kind != document.Object || t.deep {
			continue
		}
		if like.depth > maxDepth {
			t.deep = true
			t.p.Fail(s, "let some of them be a workflow of their own, and call it", "the steps are nested too deep: more than %d levels", maxDepth)
			continue
		}
		t.step(s, &spot{above: like.above, branch: like.branch, depth: like.depth, order: i})
	}
}

func (t *tree) step(n *node, s *spot) {
	s.loops, s.line = n.Get("for_each") != nil, n.Line
	if k := form.Present(n, language.Kinds); len(k) > 0 {
		s.kind = k[0]
	}
	s.label = fmt.Sprintf("%s#%d", tokenOf(n, s.kind), s.order+1)
	if id := n.Get("id"); id != nil {
		t.id(id, s)
	}
	t.spots[n] = s
	for _, b := range branchesOf(n) {
		t.list(b.steps, &spot{above: s, branch: b.name, depth: s.depth + 1})
	}
}

// tokenOf is what a step without an id is called by.
func tokenOf(n *node, kind string) string {
	if uses := n.Get("uses"); kind == "uses" && uses.Kind == document.Scalar && uses.Value != "" {
		if isFile(uses) {
			return "code"
		}
		return uses.Value
	}
	if kind == "" {
		return "step"
	}
	return kind
}

// reserved are ids that paths need for something else.
var reserved = []string{"on_failure", "finally", "undo"}

func (t *tree) id(n *node, s *spot) {
	id := t.p.Text(n, "id")
	switch {
	case id == "":
		return
	case !validID.MatchString(id):
		t.p.Fail(n, "a-z, 0-9 and _, beginning with a letter", "%q is no id for a step", id)
		return
	case slices.Contains(reserved, id):
		t.p.Fail(n, "", "a step cannot have the id %s, which means something else", id)
		return
	}
	for _, other := range t.ids[id] {
		if !exclusive(s, other) {
			t.p.Fail(n, "", "the id %s is there twice: first in line %d", id, other.line)
			return
		}
	}
	s.line = n.Line
	s.id, s.label, t.ids[id] = id, id, append(t.ids[id], s)
}

// part is a branch of a block in the file.
type part struct {
	name  string
	at    *node // its key, or its case
	steps *node // nil: it has none
}

// branchesOf returns the branches of a step that is a block.
func branchesOf(n *node) []part {
	if steps := n.Get("steps"); steps != nil {
		return []part{{"", n.KeyOf("steps"), steps}}
	}
	var out []part
	if parallel := n.Get("parallel"); parallel != nil {
		for _, f := range parallel.Fields {
			out = append(out, part{f.Key.Value, f.Key, f.Value})
		}
		return out
	}
	if cases := n.Get("switch"); cases != nil {
		for i, c := range cases.Items {
			if steps := c.Get("else"); steps != nil && i+1 == len(cases.Items) {
				out = append(out, part{"else", c, steps})
				continue
			}
			out = append(out, part{"case" + strconv.Itoa(i+1), c, cmp.Or(c.Get("steps"), c.Get("else"))})
		}
	}
	return out
}

// chain returns the blocks around a spot, the outermost first, and the spot.
func (s *spot) chain() []*spot {
	var out []*spot
	for ; s != nil; s = s.above {
		out = append(out, s)
	}
	slices.Reverse(out)
	return out
}

// fork returns the steps of one block, or of the top, by which the ways to a and
// b part; nil for the one that is around the other, or is the other.
func fork(a, b *spot) (*spot, *spot) {
	x, y := a.chain(), b.chain()
	i := 0
	for i < len(x) && i < len(y) && x[i] == y[i] {
		i++
	}
	at := func(c []*spot) *spot {
		if i < len(c) {
			return c[i]
		}
		return nil
	}
	return at(x), at(y)
}

// exclusive tells whether of two steps no run can have both.
func exclusive(a, b *spot) bool {
	x, y := fork(a, b)
	return x != nil && y != nil && x.above != nil && x.above.kind == "switch" && x.branch != y.branch
}

// hidden says why a step that exists cannot be named here, or "".
func (b *builder) hidden(id string) (why, hint string) {
	if len(b.tree.ids[id]) == 0 {
		return "", ""
	}
	target := b.tree.ids[id][0]
	x, y := fork(target, b.here)
	switch {
	case x == nil && target != b.here:
		return "step " + id + " is around this one, and has not ended at this place", ""
	case x != nil && y != nil && x.above != nil && x.branch != y.branch:
		return otherBranch(id, x.above), ""
	case x != nil && y != nil && slices.Index(sections, x.branch) > slices.Index(sections, y.branch):
		return "step " + id + " belongs to " + x.branch + ", which comes later", ""
	case x != nil && y != nil && x.branch == "on_failure" && y.branch == "finally":
		return "step " + id + " belongs to on_failure, which finally does not see", ""
	case x != nil && y != nil && (x.branch != y.branch || x.order < y.order):
		if loop := loopAround(target, x); loop != nil {
			return insideLoop(id, loop)
		}
	}
	return "step " + id + " has not run yet at this place", "only steps that come before can be used"
}

func otherBranch(id string, block *spot) string {
	if block.kind == "switch" {
		return "step " + id + " is in another branch of switch " + block.label + ", and only one is taken"
	}
	return "step " + id + " runs in another branch of parallel " + block.label + ", at the same time"
}

// loopAround returns the outermost loop around a spot, from x inwards.
func loopAround(target, x *spot) (loop *spot) {
	for target != x {
		if target = target.above; target.loops {
			loop = target
		}
	}
	return loop
}

func insideLoop(id string, loop *spot) (why, hint string) {
	why = "step " + id + " is inside the loop " + loop.label + ", and ran once for each element"
	if loop.id == "" {
		return why, "give the loop an id, and use its output"
	}
	return why, "use steps." + loop.id + ".output, a list"
}
