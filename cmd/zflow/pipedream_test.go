package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestPipedream brings the example workflows of Pipedream over, and runs them.
func TestPipedream(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("there is no Node.js")
	}
	testscript.Run(t, testscript.Params{Dir: "testdata/pipedream", Setup: func(e *testscript.Env) error {
		return os.CopyFS(filepath.Join(e.WorkDir), os.DirFS("../../examples/pipedream"))
	}})
}
