package pipedream_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"zflow/actions"
	"zflow/engine/definition"
	"zflow/engine/definition/document"
	"zflow/internal/app"
	"zflow/internal/pipedream"
)

var rewrite = flag.Bool("rewrite", false, "write what came out into testdata")

var registry = sync.OnceValues(func() (*actions.Registry, error) { return app.Actions(app.ActionsConfig{}) })

// Each archive holds a workflow as it was, and as it became, with the notes.
func TestWorkflows(t *testing.T) {
	names, err := filepath.Glob("testdata/workflows/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no workflows", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			w := translate(t, a)
			compare(t, name, a, map[string][]byte{"want.yaml": w.YAML, "want.txt": notes(w)})
			loads(t, w)
		})
	}
}

func translate(t *testing.T, a *txtar.Archive) *pipedream.Workflow {
	t.Helper()
	registry, err := registry()
	if err != nil {
		t.Fatal(err)
	}
	o := pipedream.Options{Actions: registry, Read: func(name string) ([]byte, error) {
		if src := part(a, name); src != nil {
			return src, nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}}
	for line := range strings.Lines(string(part(a, "args"))) {
		trigger, err := pipedream.ReadTrigger(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		o.Triggers = append(o.Triggers, trigger)
	}
	w, err := pipedream.Translate("workflow.yaml", part(a, "workflow.yaml"), o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := pipedream.Translate("workflow.yaml", part(a, "workflow.yaml"), o)
	if err != nil || !bytes.Equal(w.YAML, again.YAML) || !slices.Equal(w.Notes, again.Notes) {
		t.Error("the same workflow became two", err)
	}
	return w
}

func part(a *txtar.Archive, name string) []byte {
	for _, f := range a.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

func notes(w *pipedream.Workflow) []byte {
	var b bytes.Buffer
	for _, n := range w.Notes {
		fmt.Fprintln(&b, n)
	}
	return b.Bytes()
}

func compare(t *testing.T, name string, a *txtar.Archive, want map[string][]byte) {
	t.Helper()
	for file, data := range want {
		if !*rewrite && !bytes.Equal(part(a, file), data) {
			t.Errorf("%s is now:\n%s", file, data)
		}
	}
	if !*rewrite {
		return
	}
	a.Files = slices.DeleteFunc(a.Files, func(f txtar.File) bool { return want[f.Name] != nil })
	for file, data := range want {
		a.Files = append(a.Files, txtar.File{Name: file, Data: data})
	}
	slices.SortStableFunc(a.Files, func(x, y txtar.File) int { return cmp.Compare(rank(x.Name), rank(y.Name)) })
	if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
		t.Fatal(err)
	}
}

func rank(name string) int { return slices.Index([]string{"want.yaml", "want.txt"}, name) }

// loads says that what came out can be loaded.
// Code is bundled where the example is.
func loads(t *testing.T, w *pipedream.Workflow) {
	t.Helper()
	registry, err := registry()
	if err != nil {
		t.Fatal(err)
	}
	known := app.Known(registry, nil)
	known.Bundle = nil
	_, problems := definition.Parse(w.Name+".yaml", w.YAML, known)
	for _, p := range problems {
		if !p.Warning {
			t.Error(p)
		}
	}
}

func TestBadFiles(t *testing.T) {
	for name, want := range map[string]string{
		"no_schema.yaml":    "no_schema.yaml: it is no workflow of Pipedream: it has no schema: workflow/2022.04",
		"other_schema.yaml": "other_schema.yaml:1:9: the schema workflow/2099.01 is not known (there is workflow/2022.04)",
		"not_yaml.yaml":     "not_yaml.yaml:",
		"list.yaml":         "list.yaml: it is no workflow of Pipedream",
		"empty.yaml":        "the file is empty",
		"no_steps.yaml":     "no_steps.yaml:1:1: it has no steps",
		"steps_object.yaml": "steps_object.yaml:2:8: steps is a list, this is an object\nsteps_object.yaml:3:13: triggers has objects, this is text",
		"step_text.yaml":    "step_text.yaml:2:10: steps has objects, this is text",
		"no_namespace.yaml": "no_namespace.yaml:2:10: the step has no namespace\nno_namespace.yaml:3:11: settings is an object, this is a list",
		"outside.yaml":      "outside.yaml:2:32: ./../../etc/passwd is outside of the workflow's folder",
	} {
		src, err := os.ReadFile(filepath.Join("testdata/bad", name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pipedream.Translate(name, src, pipedream.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the loader says of what was written is told with its place there.
func TestChecked(t *testing.T) {
	o := pipedream.Options{Check: func(name string, _ []byte) document.Problems {
		return document.Problems{{File: name, Line: 3, Column: 4, Message: "it is wrong", Hint: "make it right"}, {File: name, Line: 1, Column: 1, Message: "odd", Warning: true}}
	}}
	src := "schema: workflow/2022.04\nname: Checked Flow\nsteps: [ { namespace: a, uses: zoom-get-current-user@1 } ]\n"
	w, err := pipedream.Translate("x.yaml", []byte(src), o)
	if err != nil || w.Name != "checked-flow" {
		t.Fatal(w, err)
	}
	got := string(notes(w))
	for _, want := range []string{"checked-flow.yaml:3:4: it is wrong (make it right)", "checked-flow.yaml:1:1: hint: odd", "the workflow has no trigger"} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
}

func TestID(t *testing.T) {
	for name, want := range map[string]string{
		"getUser": "get_user", "HTTPCall": "http_call", "Get-User": "get_user", "2fa": "step_2fa", "a_b": "a_b", "": "step_", "_x": "step_x",
		"é": "step_", "parseJSON": "parse_json", "get2Users": "get2_users", "already_fine_1": "already_fine_1",
	} {
		if got := pipedream.ID(name); got != want {
			t.Errorf("%q became %q, not %q", name, got, want)
		}
	}
}

func TestReadTrigger(t *testing.T) {
	for s, want := range map[string]pipedream.Trigger{
		"zoom: meeting.ended":                           {YAML: "zoom: meeting.ended"},
		"dc_1=zoom: meeting.ended":                      {ID: "dc_1", YAML: "zoom: meeting.ended"},
		"{ zoom: meeting.ended, if: event.a == 'b=c' }": {YAML: "{ zoom: meeting.ended, if: event.a == 'b=c' }"},
	} {
		if got, err := pipedream.ReadTrigger(s); err != nil || got != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "meeting.ended", "[a]", "a: [", "dc_1=x"} {
		if got, err := pipedream.ReadTrigger(s); err == nil {
			t.Errorf("%s is the trigger %v", s, got)
		}
	}
}
