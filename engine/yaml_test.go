package engine_test

import (
	"context"
	"fmt"
	"strings"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/definition"
)

// yaml reads the workflow that follows, indented: what stands before its steps
// may be left out.
func (s *story) yaml(lines []string) []string {
	var src strings.Builder
	for len(lines) > 0 && strings.HasPrefix(lines[0], "  ") && !strings.HasPrefix(lines[0], "  →") {
		fmt.Fprintln(&s.out, lines[0])
		fmt.Fprintln(&src, lines[0][2:])
		lines = lines[1:]
	}
	s.flow = s.workflow(src.String())
	return lines
}

func (s *story) workflow(src string) *engine.Workflow {
	s.t.Helper()
	w, problems := definition.Parse("story.yaml", []byte("name: story\non: { zoom: meeting.ended }\n"+src), definition.Known{Actions: tools(s.t)})
	if w == nil || len(problems) > 0 {
		s.t.Fatalf("story: reading its workflow: %v", problems)
	}
	return w
}

// fatal is what tools needs of a test.
type fatal interface{ Fatal(...any) }

// tools are the actions of the stories: one of each effect, and one that can
// find out what it did. None of them is ever called.
func tools(t fatal) *actions.Registry {
	do := func(context.Context, actions.Call) (actions.Result, error) { return actions.Result{}, nil }
	probe := func(context.Context, actions.Call) (bool, actions.Result, error) { return false, actions.Result{}, nil }
	open := actions.Schema{Type: "object", Open: true}
	var all []*actions.Action
	for _, effect := range []actions.Effect{actions.Read, actions.Idempotent, actions.Write} {
		all = append(all, &actions.Action{Do: do, Spec: actions.Spec{Name: string(effect) + ".it", Effect: effect, Input: open, Output: open}})
	}
	all = append(all, &actions.Action{Do: do, Probe: probe, Spec: actions.Spec{Name: "probed.it", Effect: actions.Write, Input: open, Output: open}})
	reg, err := actions.NewRegistry(all...)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}
