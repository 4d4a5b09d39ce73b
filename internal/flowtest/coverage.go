package flowtest

import (
	"zflow/engine"
	"zflow/engine/steppath"
)

// Coverage says which parts of a workflow its tests have reached.
type Coverage struct {
	Workflow string   `json:"workflow"`
	Steps    int      `json:"steps"`
	Branches int      `json:"branches"` // of switches
	Never    []string `json:"never"`    // paths of steps, and of branches, that no test has reached
	NeverIn  Counted  `json:"-"`
}

// Counted is how much of what there is was not reached.
type Counted struct{ Steps, Branches int }

// covers counts, workflow by workflow in the order of their files.
type covers struct {
	names   []string
	flows   map[string]*engine.Workflow
	reached map[string]map[part]bool
}

func (c *covers) add(s *Suite, seen *Seen) {
	name := s.Flow.Name
	if c.flows == nil {
		c.flows, c.reached = map[string]*engine.Workflow{}, map[string]map[part]bool{}
	}
	if c.flows[name] == nil {
		c.flows[name], c.reached[name] = s.Flow, map[part]bool{}
		c.names = append(c.names, name)
	}
	if seen == nil || seen.Run == nil {
		return
	}
	for path, state := range seen.Run.Steps {
		if state.Status == "" || state.Status == engine.StepSkipped {
			continue
		}
		of := part{path: steppath.Step(path)}
		c.reached[name][of] = true
		if of.branch = state.Branch; of.branch != "" {
			c.reached[name][of] = true
		}
	}
}

func (c *covers) all() (list []Coverage) {
	for _, name := range c.names {
		one := Coverage{Workflow: name, Never: []string{}}
		for _, p := range parts(c.flows[name]) {
			reached := c.reached[name][part{path: p.path, branch: p.branch}]
			switch {
			case p.branch == "":
				one.Steps++
			default:
				one.Branches++
			}
			if reached {
				continue
			}
			if p.branch == "" {
				one.NeverIn.Steps++
				one.Never = append(one.Never, p.path)
			} else {
				one.NeverIn.Branches++
				one.Never = append(one.Never, "branch "+p.path+"."+p.branch)
			}
		}
		list = append(list, one)
	}
	return list
}
