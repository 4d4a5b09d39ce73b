package record

import (
	"strings"

	"zflow/engine"
	"zflow/engine/steppath"
)

// atOnce says whether two steps may be under way at the same time, so that the order
// of their calls says nothing: they are in two branches of a parallel, or in two
// iterations of a loop that does several at once.
func atOnce(w *engine.Workflow, a, b string) bool {
	for s := range w.All() {
		if s.Loop != nil && s.Loop.AtOnce > 1 {
			whole, i := iteration(a, s.Path)
			other, j := iteration(b, s.Path)
			if i != "" && j != "" && whole == other && i != j {
				return true
			}
		}
		block, ok := s.Do.(*engine.Block)
		if !ok || block.Mode != engine.Parallel {
			continue
		}
		one, other := branchOf(block, s.Path, a), branchOf(block, s.Path, b)
		if one != nil && other != nil && one != other && around(a, s.Path) == around(b, s.Path) {
			return true
		}
	}
	return false
}

// around is the part of a step's path that is the path of a block around it, with
// the indexes of iterations.
func around(path, block string) string {
	static := 0
	for at := 0; at < len(path); at++ {
		switch {
		case path[at] == '[':
			at += strings.IndexByte(path[at:], ']')
		case static == len(block):
			return path[:at]
		default:
			static++
		}
	}
	return path
}

// iteration is the path of a loop around a step, and which iteration the step is in;
// empty: in none.
func iteration(path, loop string) (whole, index string) {
	if static := steppath.Static(path); static != loop && !strings.HasPrefix(static, loop+".") {
		return "", ""
	}
	whole = around(path, loop)
	open := strings.LastIndexByte(whole, '[')
	if open < 0 || !strings.HasSuffix(whole, "]") {
		return "", ""
	}
	return whole[:open], whole[open:]
}

func branchOf(block *engine.Block, path, step string) *engine.Branch {
	for _, b := range block.Branches {
		if strings.HasPrefix(steppath.Static(step), b.Prefix(path)) {
			return b
		}
	}
	return nil
}
