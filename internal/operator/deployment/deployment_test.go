package deployment_test

import (
	"fmt"
	"strings"
	"testing"

	"zflow/engine"
	"zflow/engine/catalog"
	"zflow/internal/operator/deployment"
	"zflow/internal/operator/operatortest"
	v1 "zflow/proto/zflow/v1"
)

func source(name, text string) string {
	return "name: " + name + "\non: { zoom: meeting.ended }\nsteps:\n  - { uses: log, with: { message: " + text + " } }\n"
}

// three deploys three versions of a workflow, the third is active.
func three(t *testing.T) (h *operatortest.House, one, two, three string) {
	h = operatortest.New(t)
	return h, h.Deploy(source("a", "one")), h.Deploy(source("a", "two")), h.Deploy(source("a", "three"))
}

func list(t *testing.T, h *operatortest.House, name string) string {
	t.Helper()
	all, err := deployment.List(t.Context(), h.Operator, name)
	h.Must(err)
	var lines []string
	for _, v := range all {
		lines = append(lines, fmt.Sprintf("%s %v %d", v.Version.Version, v.Active, v.OpenRuns))
	}
	return strings.Join(lines, "\n")
}

func TestListCountsWhoStillUsesAVersion(t *testing.T) {
	h, one, two, three := three(t)
	h.Run("a", one, "e1", engine.Waiting)
	h.Run("a", one, "e2", engine.Running)
	h.Run("a", two, "e3", engine.Completed, &v1.Fact{Kind: &v1.Fact_RunCompleted{RunCompleted: &v1.RunCompleted{}}})
	h.Run("b", one, "e4", engine.Running)
	if got, want := list(t, h, "a"), three+" true 0\n"+two+" false 0\n"+one+" false 2"; got != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
	h.Must(h.Catalog.Remove(t.Context(), "a"))
	if got := list(t, h, "a"); strings.Contains(got, "true") || !strings.Contains(got, one+" false 2") {
		t.Errorf("of a removed workflow:\n%s", got)
	}
	if _, err := deployment.List(t.Context(), h.Operator, "*"); err == nil {
		t.Error("* is a workflow")
	}
}

func TestDiff(t *testing.T) {
	h, one, two, three := three(t)
	for _, c := range []struct{ from, to, old, new string }{
		{"", "", two, three}, {one, "", one, three}, {one[:6], two[:6], one, two}, {three, one, three, one},
	} {
		d, err := deployment.Diff(t.Context(), h.Operator, "a", c.from, c.to)
		h.Must(err)
		if d.From != c.old || d.To != c.new || !strings.HasPrefix(d.Diff, "--- a "+c.old+"\n+++ a "+c.new+"\n@@ -1,4 +1,4 @@\n") {
			t.Errorf("%+v", d)
		}
		for _, line := range []string{"-  - { uses: log, with: { message: ", "+  - { uses: log, with: { message: ", " name: a\n"} {
			if strings.Count(d.Diff, line) != 1 {
				t.Errorf("%q stands in it %d times:\n%s", line, strings.Count(d.Diff, line), d.Diff)
			}
		}
	}
	same, err := deployment.Diff(t.Context(), h.Operator, "a", one, one)
	if err != nil || same.Diff != "" {
		t.Errorf("with itself: %+v, %v", same, err)
	}
	d, err := deployment.DiffFile(t.Context(), h.Operator, "a", "", deployment.File{Name: "new.yaml", Source: []byte(source("a", "four"))})
	if err != nil || d.From != three || !strings.Contains(d.Diff, "+++ a new.yaml\n") || !strings.Contains(d.Diff, "message: four") {
		t.Errorf("with a file: %+v, %v", d, err)
	}
}

func TestWhatIsNoVersion(t *testing.T) {
	h, one, _, _ := three(t)
	h.Deploy(source("single", "x"))
	for _, c := range []struct{ name, from, to, want string }{
		{"a", "zzz", "", "this version was never deployed here"}, {"a", "", "zzz", "this version was never deployed here"},
		{"single", "", "", "workflow single has no version before its active one"}, {"nosuch", "", "", "no such workflow is deployed"},
	} {
		if _, err := deployment.Diff(t.Context(), h.Operator, c.name, c.from, c.to); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	v := func(text string) deployment.Version {
		return deployment.Version{Version: catalog.Version{Version: text}}
	}
	if _, err := deployment.Find([]deployment.Version{v("ab1"), v("ab2")}, "a", "ab"); err == nil || !strings.Contains(err.Error(), "2 versions begin so") {
		t.Errorf("a beginning of two: %v", err)
	}
	h.Must(h.Catalog.Remove(t.Context(), "a"))
	for _, to := range []string{"", one} {
		if d, err := deployment.Rollback(t.Context(), h.Operator, "a", to); err == nil || !strings.Contains(err.Error(), "no such workflow is deployed") {
			t.Errorf("back to %q of what was removed: %+v, %v", to, d, err)
		}
	}
}

func TestRollback(t *testing.T) {
	h, one, two, three := three(t)
	for _, c := range []struct{ to, want string }{{"", two}, {"", one}, {three[:8], three}, {three, three}} {
		d, err := deployment.Rollback(t.Context(), h.Operator, "a", c.to)
		if err != nil || d.Version != c.want {
			t.Errorf("to %q: %+v, %v", c.to, d, err)
		}
		if w, err := h.Workflow(t.Context(), "a"); err != nil || w.Version != c.want {
			t.Errorf("active is %v, %v", w, err)
		}
	}
	if _, err := deployment.Rollback(t.Context(), h.Operator, "a", one); err != nil {
		t.Fatal(err)
	}
	if _, err := deployment.Rollback(t.Context(), h.Operator, "a", ""); err == nil || !strings.Contains(err.Error(), "has no version before") {
		t.Errorf("before the first: %v", err)
	}
}

func TestPlan(t *testing.T) {
	h := operatortest.New(t)
	same, old := h.Deploy(source("same", "x")), h.Deploy(source("other", "x"))
	gone, left := h.Deploy(source("gone", "x")), h.Deploy(source("left", "x"))
	h.Must(h.Catalog.Remove(t.Context(), "left"))
	h.Must(h.Catalog.Pause(t.Context(), "other"))
	h.Run("gone", gone, "e", engine.Waiting)
	h.Run("other", old, "e", engine.Waiting)
	h.Run("same", same, "e", engine.Waiting)
	files := []deployment.Candidate{{"same", same, "1.yaml"}, {"other", "v2", "2.yaml"}, {"left", left, "3.yaml"}}
	for _, prune := range []bool{false, true} {
		all, err := deployment.Plan(t.Context(), h.Operator, files, prune)
		h.Must(err)
		var lines []string
		for _, p := range all {
			lines = append(lines, fmt.Sprintf("%s %s %s %d", p.Name, p.Change, p.State, p.OpenRuns))
		}
		want := "same unchanged active 0, other changed paused 1, left new active 0"
		if prune {
			want += ", gone removed removed 1"
		}
		if got := strings.Join(lines, ", "); got != want {
			t.Errorf("prune %v: %s", prune, got)
		}
	}
	if w, err := h.Workflows(t.Context()); err != nil || len(w) != 3 {
		t.Errorf("a plan changed something: %v, %v", w, err)
	}
}
