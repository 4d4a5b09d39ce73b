package record

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"zflow/engine/definition"
	"zflow/internal/app"
	"zflow/internal/operator"
)

// writer makes the files of a recorded run.
type writer struct {
	folder
	known  definition.Known
	find   finder // nil: what the history says is all there is
	prefix string // of fixtures
}

// run adds the files of a run and returns the name of the test.
func (w *writer) run(ctx context.Context, r *run) (test string, err error) {
	for _, one := range r.all() {
		name, err := w.workflow(one)
		if err != nil {
			return "", err
		}
		if one == r {
			test = name
		}
	}
	w.prefix = strings.ReplaceAll(r.flow.Name, "-", "_") + "_"
	o, err := w.test(ctx, r, test)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# Recorded from run %s of %s: its event, what its calls brought, and what came when.\n# Not compared: credentials, the run's id, and times within the run.\n", r.ID(), r.Started.UTC().Format(time.DateTime))
	for _, one := range r.all() {
		for _, n := range one.notes {
			fmt.Fprintf(&b, "# %s\n", n)
		}
	}
	writeBlock(&b, o, 0)
	ext := filepath.Ext(test)
	test = strings.TrimSuffix(test, ext) + "_test" + ext
	w.add(test, w.hidden.out([]byte(b.String())))
	return test, nil
}

// test is the file of tests.
func (w *writer) test(ctx context.Context, r *run, flow string) (object, error) {
	e := r.Start.Event
	event, err := w.event(w.prefix, happened{Type: e.GetType(), Source: e.GetSource(), Body: maskedBody(e.GetBody().GetJson()), Trigger: e.GetTrigger()})
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", e.GetId(), err)
	}
	if c := e.GetConnection(); c != "" {
		event.add("connection", c)
	}
	for _, name := range w.hidden.names {
		r.note("The value of %s in the request may be a credential and was left out: write another where the workflow looks at it.", operator.Line(name))
	}
	test := object{{"name", "as it went in run " + r.ID()}}
	then, err := w.then(ctx, r)
	if err != nil {
		return nil, err
	}
	if len(then) > 0 {
		test.add("then", then)
	}
	steps, err := outcomesOf(r)
	if err != nil {
		return nil, err
	}
	if len(steps) > 0 {
		test.add("steps", steps)
	}
	expect, err := r.expect()
	if err != nil {
		return nil, err
	}
	test.add("expect", expect)
	start := instant(e.GetReceivedAt()).Truncate(time.Millisecond).Format(time.RFC3339Nano)
	return object{{"workflow", flow}, {"start", start}, {"event", event}, {"tests", []any{test}}}, nil
}

// outcomesOf is what the calls of a run brought, and of those that it called: these
// are told apart by nothing but their paths.
func outcomesOf(r *run) (object, error) {
	all := object{}
	said := map[string]string{}
	for _, one := range r.all() {
		for _, s := range one.steps {
			if s.itself() {
				continue
			}
			o, err := s.outcomes(one.At)
			if err != nil {
				return nil, err
			}
			text := flow(o)
			if before, there := said[s.path]; !there {
				all.add(s.path, o)
				said[s.path] = text
			} else if before != text {
				r.note("Step %s of run %s, of the called workflow %s, brought something else than what stands here for that path.", s.path, one.ID(), one.flow.Name)
			}
		}
		if one != r {
			r.noteOrders(one)
		}
	}
	return all, nil
}

// noteOrders says what a person ordered a called run, which a test cannot.
func (r *run) noteOrders(called *run) {
	for _, f := range called.facts {
		if what, err := order(f); err == nil && what != nil {
			r.note("Run %s, of the called workflow %s, was given an order (%s), which a test cannot state.", called.ID(), called.flow.Name, what.key)
		}
	}
}

// workflow adds the file of a run's workflow, unless the folder has it, and returns
// its name.
func (w *writer) workflow(r *run) (string, error) {
	name := r.flow.Name + ".yaml"
	files, err := app.WorkflowFiles(w.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("looking for workflows: %w", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("looking for workflows: %w", err)
		}
		there, _ := definition.Parse(file, text, w.known)
		if there == nil || there.Name != r.flow.Name {
			continue
		}
		if name, err = filepath.Rel(w.dir, file); err != nil {
			return "", fmt.Errorf("looking for workflows: %w", err)
		}
		if !w.force && !bytes.Equal(text, []byte(r.text)) {
			return "", fmt.Errorf("%s is another version of workflow %s than the run's, %.12s: --force replaces it, --to names another folder", file, r.flow.Name, r.flow.Version)
		}
	}
	w.add(filepath.ToSlash(name), []byte(r.text))
	return name, nil
}
