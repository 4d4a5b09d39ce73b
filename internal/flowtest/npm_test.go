package flowtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// offline is how npm says that it does not reach its registry.
var offline = regexp.MustCompile(`ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH`)

// TestExampleWithAPackage runs the tests of a workflow whose code imports an npm
// package, which is installed as its lockfile says, in a copy of its folder.
func TestExampleWithAPackage(t *testing.T) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("there is no npm here: the example that needs a package of npm's registry is not tested")
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "meeting-length.yaml", "meeting-length_test.yaml"} {
		text, err := os.ReadFile(filepath.Join("../../examples/npm", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.Command(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1")
	install.Dir = dir
	if said, err := install.CombinedOutput(); offline.Match(said) && err != nil {
		t.Skipf("npm's registry is out of reach: the example that needs a package of it is not tested:\n%s", said)
	} else if err != nil {
		t.Fatalf("npm ci: %v\n%s", err, said)
	}
	files, err := Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, runs := withCode(t)
	if !runs {
		t.Skip("there is no Node.js here: the example that runs code is not tested")
	}
	report, err := r.Test(t.Context(), files, Options{})
	if err != nil || len(report.Problems) > 0 || len(report.Tests) != 2 {
		t.Fatal(err, report.Problems, report.Tests)
	}
	for _, one := range report.Tests {
		if !one.Passed {
			t.Error(one.Text())
		}
	}
}
