package definition

import (
	"fmt"

	"zflow/engine"
)

// Requests are those that start the workflows of files: each has one workflow.
type Requests struct{ takers []taker }

type taker struct {
	file string
	flow *engine.Workflow
}

// Take gives a workflow its requests, unless another has one of them: then it returns
// what is wrong with it.
func (r *Requests) Take(file string, w *engine.Workflow) (all Problems) {
	t := taker{file, w}
	for _, other := range r.takers {
		if other.flow.Name != w.Name { // who reads files says that the names are one
			all = append(all, t.against(other.flow, "which stands in "+other.file)...)
		}
	}
	if len(all) == 0 {
		r.takers = append(r.takers, t)
	}
	return all
}

// None says that there are no requests.
func (r *Requests) None() bool {
	for _, t := range r.takers {
		for _, on := range t.flow.Triggers {
			if on.HTTP != nil {
				return false
			}
		}
	}
	return true
}

// Against returns what is wrong with those who take requests of a workflow that is
// deployed.
func (r *Requests) Against(deployed *engine.Workflow) (all Problems) {
	for _, t := range r.takers {
		if t.flow.Name != deployed.Name {
			all = append(all, t.against(deployed, "which is deployed")...)
		}
	}
	return all
}

func (t *taker) against(other *engine.Workflow, of string) (all Problems) {
	for _, mine := range t.flow.Triggers {
		for _, its := range other.Triggers {
			if mine.HTTP == nil || its.HTTP == nil {
				continue
			}
			if request := mine.HTTP.Meets(its.HTTP); request != "" {
				all = append(all, Problem{File: t.file, Line: mine.HTTP.Line, Column: mine.HTTP.Column, Hint: "give one of them another path, or other methods",
					Message: fmt.Sprintf("%s is taken by workflow %s, %s", request, other.Name, of)})
			}
		}
	}
	return all
}
