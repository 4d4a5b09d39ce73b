package pipedream_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"zflow/actions/code/bundle"
	"zflow/actions/code/pipedream"
)

func node(t *testing.T, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no Node.js")
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("node %s: %v\n%s", args[0], err, out)
	}
	return out
}

// Each case of testdata/cases.js is bundled as the code of a step, and runs.
func TestShim(t *testing.T) {
	var cases []struct{ Name, Code, File string }
	if err := json.Unmarshal(node(t, "-p", `JSON.stringify(require("./testdata/cases.js"))`), &cases); err != nil || len(cases) == 0 {
		t.Fatal(err)
	}
	dir, steps := t.TempDir(), t.TempDir()
	for from, to := range map[string]string{"testdata/steps": steps, "testdata/packages": filepath.Join(steps, "node_modules")} { // a folder of that name is in no repository
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range cases {
		b, faults := bundle.Make(bundle.Source{Dir: steps, Name: "w.yaml", Text: c.Code, File: c.File, Place: func(line int) (int, int) { return line, 0 }})
		if b == nil {
			t.Fatalf("%s: %v", c.Name, faults)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)+".js"), b.Code, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out := strings.TrimSpace(string(node(t, "testdata/runner.js", dir))); out != fmt.Sprint(len(cases))+" cases" {
		t.Error(out)
	}
}

func TestShaped(t *testing.T) {
	for src, want := range map[string]bool{
		"export default defineComponent({})": true, "export default {\n run() {} }": true, "module.exports = { run }": true,
		`import { axios } from "@pipedream/platform"`: true, "export default async () => ({})": false, "export default (x) => { return x }": false,
		"": false,
	} {
		if got := pipedream.Shaped(src); got != want {
			t.Errorf("%s: %v", src, got)
		}
	}
}
