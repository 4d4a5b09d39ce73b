package record

import (
	"context"
	"fmt"
	"io"

	"zflow/engine"
	"zflow/internal/app"
	"zflow/internal/flowtest"
	"zflow/internal/flowtest/share"
	"zflow/internal/operator"
	"zflow/internal/sealed"
)

// RunOrder says which run is recorded, and where.
type RunOrder struct {
	Run   string
	To    string // the folder of the workflow and its test
	Force bool   // files that are there may be replaced
}

// RunMade is a recorded run.
type RunMade struct {
	ID       string   `json:"id"`
	Workflow string   `json:"workflow"`
	Test     string   `json:"test"` // its file
	Files    []string `json:"files"`
	Notes    []string `json:"notes"`   // what the test cannot state
	Passed   bool     `json:"passed"`  // the test, when it was played
	Differs  []string `json:"differs"` // what went otherwise
}

func maskedBody(raw []byte) []byte {
	if len(raw) == 0 {
		return []byte("null")
	}
	return sealed.MaskBytes(raw)
}

// Run writes the test of a run that has ended, with its fixtures and workflow.
func Run(ctx context.Context, o *operator.Operator, order RunOrder) (*RunMade, error) {
	head, err := o.Find(ctx, order.Run)
	if err != nil {
		return nil, err
	}
	if !engine.State(head.State).Ended() {
		return nil, fmt.Errorf("recording run %s: it has not ended, it is %s", head.Run, head.State)
	}
	m, err := recorded(ctx, o, head.Run, order)
	if err != nil {
		return nil, fmt.Errorf("recording run %s: %w", head.Run, err)
	}
	return m, nil
}

func recorded(ctx context.Context, o *operator.Operator, id string, order RunOrder) (*RunMade, error) {
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		return nil, err
	}
	head, err := o.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	l := loader{o, map[string]bool{}}
	r, err := l.load(ctx, head)
	if err != nil {
		return nil, err
	}
	w := &writer{folder: folder{dir: order.To, force: order.Force}, known: app.Known(registry, nil), find: o.Event}
	test, err := w.run(ctx, r)
	if err != nil {
		return nil, err
	}
	m := &RunMade{ID: r.ID(), Workflow: r.flow.Name, Test: w.path(test), Notes: []string{}, Differs: []string{}}
	for _, one := range r.all() {
		m.Notes = append(m.Notes, one.notes...)
	}
	m.Files, err = w.write()
	return m, err
}

// Play plays the test, in a process of its own, and says what went otherwise than in
// the run. What that process has to say goes to errs.
func (m *RunMade) Play(ctx context.Context, errs io.Writer) error {
	s := share.Runner{Jobs: 1, Err: errs, Command: func(files []string) []string {
		return append([]string{"test", "--share", "--"}, files...)
	}}
	report, err := s.Test(ctx, [][]string{{m.Test}})
	if err != nil {
		return fmt.Errorf("playing the test of run %s: %w", m.ID, err)
	}
	m.Passed, m.Differs = report.Passed, differs(report)
	return nil
}

// differs is what is wrong with the tests of a report.
func differs(report *flowtest.Report) []string {
	all := []string{}
	for _, p := range report.Problems {
		if !p.Warning {
			all = append(all, p.String())
		}
	}
	for _, t := range report.Tests {
		if t.Failure != "" {
			all = append(all, t.Failure)
		}
		for _, w := range t.Wrong {
			all = append(all, w.String())
		}
	}
	return all
}
