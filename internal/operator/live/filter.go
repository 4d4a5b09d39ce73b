package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"zflow/engine"

	"zflow/internal/operator"
	wire "zflow/proto"
)

// Filter says which messages of a stream are wanted: those whose subject is let
// through by one of each group. Without groups all are.
type Filter struct{ groups [][]string }

// mostSubjects is how many subjects a filter may have in a group.
const mostSubjects = 32

// Triggers are those of a deployed workflow.
func Triggers(ctx context.Context, o *operator.Operator, name string) ([]engine.Trigger, error) {
	if !operator.Name(name) {
		return nil, fmt.Errorf("%.60q is no name of a workflow", name)
	}
	e, err := o.Catalog.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	def, err := o.Catalog.Workflow(ctx, name, e.Version)
	if err != nil {
		return nil, err
	}
	return append([]engine.Trigger{}, def.Triggers...), nil
}

// Events returns the filter of events of any of some types, or patterns such as
// meeting.*, that the triggers of a workflow take. No types: any; nil triggers: any.
func Events(types []string, triggers []engine.Trigger) (Filter, error) {
	var f Filter
	if len(types) > mostSubjects {
		return f, fmt.Errorf("there are %d types, at most %d can be asked for: use a pattern such as meeting.*", len(types), mostSubjects)
	}
	var wanted []string
	for _, pattern := range types {
		subject, err := operator.EventFilter(pattern)
		if err == nil && pattern == "" {
			err = errors.New("the event type is empty: it is like meeting.ended or meeting.*")
		}
		if err != nil {
			return f, err
		}
		wanted = append(wanted, subject)
	}
	f.add(wanted)
	if triggers == nil {
		return f, nil
	}
	var taken []string
	for _, t := range triggers {
		if t.Source == engine.SourceCall {
			continue // what calls it is no event of EVENTS
		}
		for _, pattern := range t.Types {
			taken = append(taken, wire.EventFilter(t.Source, pattern))
		}
	}
	if len(taken) == 0 {
		return f, errors.New("it has no trigger that takes events")
	}
	f.add(taken)
	return f, nil
}

// Runs returns the filter of appends to runs of some workflows after which they
// have one of some statuses. None: any.
func Runs(workflows, statuses []string) (Filter, error) {
	var f Filter
	for _, status := range statuses {
		if !slices.Contains(operator.Statuses(), status) {
			return f, fmt.Errorf("a run is never %.40q: it is one of %s", status, strings.Join(operator.Statuses(), ", "))
		}
	}
	if len(workflows) > mostSubjects {
		return f, fmt.Errorf("there are %d workflows, at most %d can be asked for", len(workflows), mostSubjects)
	}
	var wanted []string
	for _, name := range workflows {
		if !operator.Name(name) {
			return f, fmt.Errorf("%.60q is no name of a workflow", name)
		}
	}
	for _, name := range orAny(workflows) {
		for _, status := range orAny(statuses) {
			wanted = append(wanted, wire.RunSubject(name, "*", status))
		}
	}
	f.add(wanted)
	return f, nil
}

func orAny(names []string) []string {
	if len(names) == 0 {
		return []string{"*"}
	}
	return names
}

func (f *Filter) add(subjects []string) {
	if len(subjects) > 0 {
		f.groups = append(f.groups, subjects)
	}
}

// subjects are what a consumer is to let through: at least all that the filter does.
func (f *Filter) subjects() []string {
	if len(f.groups) == 0 {
		return nil
	}
	return wire.Disjoint(f.groups[0])
}

// lets tells whether a subject is wanted.
func (f *Filter) lets(subject string) bool {
	for _, group := range f.groups {
		if !slices.ContainsFunc(group, func(filter string) bool { return within(filter, subject) }) {
			return false
		}
	}
	return true
}

// within tells whether a subject is one that a filter stands for, as NATS does.
func within(filter, subject string) bool {
	for {
		f, moreFilter, more := strings.Cut(filter, ".")
		s, moreSubject, left := strings.Cut(subject, ".")
		switch {
		case f == ">":
			return s != ""
		case f != "*" && f != s || more != left:
			return false
		case !more:
			return true
		}
		filter, subject = moreFilter, moreSubject
	}
}
