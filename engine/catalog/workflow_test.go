package catalog

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"zflow/engine"
)

func TestWorkflow(t *testing.T) {
	h := open(t)
	one := h.deploy(t, source("a", "one", "meeting.ended"))
	two := h.deploy(t, source("a", "two", "meeting.ended"))
	for _, d := range []Deployed{one, two} {
		w, err := another(t, h.server).Workflow(t.Context(), "a", d.Version)
		if err != nil || w.Name != "a" || w.Version != d.Version || len(w.Steps) != 1 {
			t.Errorf("got %+v, %v", w, err)
		}
	}
	first, err := h.Workflow(t.Context(), "a", one.Version)
	must(t, err)
	if again, err := h.Workflow(t.Context(), "a", one.Version); err != nil || again != first {
		t.Errorf("compiled anew: %v", err)
	}
}

func TestNoVersion(t *testing.T) {
	h := open(t)
	h.deploy(t, source("a", "one", "meeting.ended"))
	for _, v := range [][2]string{{"a", "0123"}, {"b", "0123"}, {"a", ""}, {"a", "*"}, {"", "0123"}, {"a.b", "c"}} {
		if _, err := h.Workflow(t.Context(), v[0], v[1]); !errors.Is(err, ErrNoVersion) {
			t.Errorf("%q: got %v", v, err)
		}
	}
}

func TestForeignVersions(t *testing.T) {
	h := open(t)
	d := h.deploy(t, source("a", "one", "meeting.ended"))
	for value, want := range map[string]string{
		`{"level":2,"source":"x"}`:       "it is for a newer zflow: it needs engine level 2, this one has 1",
		`{"level":1,"source":"name: a"}`: "a.yaml:",
		`{"level":1,"source":"name: b\non: { zoom: meeting.ended }\nsteps: [ { uses: say } ]\n"}`: "what is stored under it is b",
		`nothing`: "invalid character",
	} {
		_, err := h.bucket.PutString(t.Context(), versionKey("a", d.Version), value)
		must(t, err)
		_, err = another(t, h.server).Workflow(t.Context(), "a", d.Version)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "loading workflow a, version "+d.Version) {
			t.Errorf("%s: got %v", value, err)
		}
	}
}

// TestVersionsNeverChange finds another source under a version, and does not
// deploy over it.
func TestVersionsNeverChange(t *testing.T) {
	h := open(t)
	src := source("a", "one", "meeting.ended")
	d := h.deploy(t, src)
	_, err := h.bucket.PutString(t.Context(), versionKey("a", d.Version), `{"level":1,"source":"other"}`)
	must(t, err)
	if _, _, err := h.Deploy(t.Context(), "w.yaml", src); err == nil || !strings.Contains(err.Error(), "another source is stored under it") {
		t.Errorf("got %v", err)
	}
}

func TestCompiledAreBounded(t *testing.T) {
	c := &Catalog{compiled: map[workflowVersion]*engine.Workflow{}}
	for i := range maxCompiled + 10 {
		c.keep(workflowVersion{"a", fmt.Sprint(i)}, &engine.Workflow{})
	}
	if len(c.compiled) != maxCompiled || c.compiled[workflowVersion{"a", fmt.Sprint(maxCompiled + 9)}] == nil {
		t.Errorf("%d are kept", len(c.compiled))
	}
}

func BenchmarkWorkflow(b *testing.B) {
	h := open(b)
	d := h.deploy(b, source("a", "one", "meeting.ended"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Workflow(b.Context(), "a", d.Version); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	h := open(b)
	h.deploy(b, source("a", "one", "meeting.ended"))
	for b.Loop() {
		h.get(b, "a")
	}
}
