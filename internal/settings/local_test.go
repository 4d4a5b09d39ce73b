package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLocal(t *testing.T) {
	at := filepath.Join(t.TempDir(), "zflow.yaml")
	load := func(text string) (*Config, error) {
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Load(Setup{File: at, Environ: []string{"ZFLOW_WORKER_FOLDERS_MORE=/srv/more"}})
	}
	c, err := load("worker:\n  folders: { reports: /srv/reports }\n  exec:\n    py: { path: /usr/bin/python3, args: [-I], timeout: 2m, memory: 64MiB, effect: read }\n")
	if err != nil {
		t.Fatal(err)
	}
	py := c.Worker.Exec["py"]
	if c.Worker.Folders["reports"] != "/srv/reports" || c.Worker.Folders["more"] != "/srv/more" || py.Path != "/usr/bin/python3" || py.Args[0] != "-I" || time.Duration(py.Timeout) != 2*time.Minute || py.Memory != 64<<20 {
		t.Errorf("%+v", c.Worker)
	}
	for says, text := range map[string]string{
		"must be an absolute path": "worker: { folders: { a: data } }",
		"and not /":                "worker: { folders: { a: / } }",
		"a folder's name has":      "worker: { folders: { A: /srv } }",
		"needs path":               "worker: { exec: { py: { timeout: 1m } } }",
		"less than 1MiB":           "worker: { exec: { py: { path: /bin/cat, memory: 64 } } }",
		"is \"never\", not one of": "worker: { exec: { py: { path: /bin/cat, effect: never } } }",
		"a program's name has":     "worker: { exec: { Py: { path: /bin/cat } } }",
	} {
		if _, err := load(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v; want %q", text, err, says)
		}
	}
}
