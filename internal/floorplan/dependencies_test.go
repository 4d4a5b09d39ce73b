package floorplan

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDependencies compares what go.mod requires directly with the table of
// docs/dependencies.md, where each module has its reason.
func TestDependencies(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range unexplained(string(mod), string(page)) {
		t.Error(p)
	}
}

func TestUnexplained(t *testing.T) {
	mod := "module zflow\n\nrequire example.org/one v1.0.0\n\nrequire (\n\texample.org/two v1.0.0\n\texample.org/far v0.1.0 // indirect\n)\n\ntool example.org/two/cmd\n"
	page := "| module | for | why this one |\n|---|---|---|\n| example.org/one | tests | it is good |\n| example.org/far | tests |  |\n| example.org/gone | x | y |\n"
	got := unexplained(mod, page)
	want := []string{
		"docs/dependencies.md explains example.org/far, which go.mod does not require directly",
		"docs/dependencies.md explains example.org/gone, which go.mod does not require directly",
		"docs/dependencies.md gives no reason for example.org/far",
		"go.mod requires example.org/two, which docs/dependencies.md does not explain",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

var required = regexp.MustCompile(`(?m)^(?:require |\t)(\S+\.\S+/\S+) v\S+$`)

// unexplained returns how a go.mod and a table of modules differ, sorted.
func unexplained(mod, page string) []string {
	var out, explained []string
	for _, line := range strings.Split(page, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || !strings.Contains(cells[1], ".") {
			continue
		}
		name := strings.TrimSpace(cells[1])
		explained = append(explained, name)
		if strings.TrimSpace(cells[2]) == "" || strings.TrimSpace(cells[3]) == "" {
			out = append(out, "docs/dependencies.md gives no reason for "+name)
		}
	}
	var direct []string
	for _, m := range required.FindAllStringSubmatch(mod, -1) {
		direct = append(direct, m[1])
		if !slices.Contains(explained, m[1]) {
			out = append(out, "go.mod requires "+m[1]+", which docs/dependencies.md does not explain")
		}
	}
	for _, name := range explained {
		if !slices.Contains(direct, name) {
			out = append(out, "docs/dependencies.md explains "+name+", which go.mod does not require directly")
		}
	}
	slices.Sort(out)
	return out
}
