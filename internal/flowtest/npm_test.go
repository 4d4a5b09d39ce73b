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

// TestExampleWithPackages runs the tests of workflows whose code imports npm packages,
// one of JavaScript and one of TypeScript with its types, which are installed as the
// lockfile says, in a copy of the folder.
func TestExampleWithPackages(t *testing.T) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("there is no npm here: the example that needs packages of npm's registry is not tested")
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "kind.ts",
		"meeting-length.yaml", "meeting-length_test.yaml", "meeting-kind.yaml", "meeting-kind_test.yaml"} {
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
		t.Skipf("npm's registry is out of reach: the example that needs packages of it is not tested:\n%s", said)
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
	if err != nil || len(report.Problems) > 0 || len(report.Tests) != 4 {
		t.Fatal(err, report.Problems, report.Tests)
	}
	for _, one := range report.Tests {
		if !one.Passed {
			t.Error(one.Text())
		}
	}
}
