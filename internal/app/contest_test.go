package app

import (
	"strings"
	"testing"
)

func asking(name, path string) string {
	return "name: " + name + "\non:\n  - http: { path: " + path + " }\nsteps:\n  - uses: log\n    with: { message: a }\n"
}

// TestDevWhoseWorkflowsWantOnePath: who has the path keeps it, another gets it once it
// is free, and what is deployed from elsewhere is not robbed.
func TestDevWhoseWorkflowsWantOnePath(t *testing.T) {
	d, out, put := folderDev(t, map[string]string{"b.yaml": asking("b", "p")})
	out.await(t, "workflow b created")
	put("a.yaml", asking("a", "p"))
	if line := out.await(t, "is taken"); !strings.HasSuffix(line, "b.yaml (give one of them another path, or other methods)") || !strings.Contains(line, "a.yaml:3:11: POST /http/p is taken by workflow b, which stands in ") {
		t.Errorf("%q", line)
	}
	if got := names(deployed(t, d)); got != "b" {
		t.Errorf("deployed: %s", got)
	}
	put("b.yaml", asking("b", "q")) // a comes before b
	out.await(t, "workflow a created")
	out.await(t, "workflow b updated")
	if _, _, err := d.Client().Catalog.Deploy(t.Context(), "elsewhere/y.yaml", []byte(asking("y", "r"))); err != nil {
		t.Fatal(err)
	}
	put("c.yaml", asking("c", "r"))
	if line := out.await(t, "which is deployed"); !strings.Contains(line, "c.yaml:3:11: POST /http/r is taken by workflow y, which is deployed") {
		t.Errorf("%q", line)
	}
	put("x.yaml", saying("x", "1")) // what is wrong keeps nothing else back, and is said once
	out.await(t, "workflow x created")
	put("b.yaml", "name: b\n") // the last good version of b stays, with its path
	put("x.yaml", asking("x", "q"))
	if line := out.await(t, "/http/q is taken"); !strings.Contains(line, "by workflow b, which is deployed") {
		t.Errorf("%q", line)
	}
	if got := names(deployed(t, d)); got != "a b x y" || strings.Count(out.String(), "/http/r is taken") != 1 {
		t.Errorf("deployed: %s\n%s", got, out)
	}
}
