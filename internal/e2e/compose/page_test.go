package compose

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"zflow/internal/settings"
)

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")

// TestOperatingPage: what docs/operating.md tells people to write is taken by who
// reads it, and what it names is there.
func TestOperatingPage(t *testing.T) {
	src, err := os.ReadFile(filepath.Join(root, "docs/operating.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(src)
	blocks := yamlBlock.FindAllStringSubmatch(page, -1)
	if len(blocks) != 3 {
		t.Fatalf("the page has %d blocks of YAML", len(blocks))
	}
	dir := t.TempDir()
	for _, name := range []string{"school", "crm_token"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range blocks {
		if strings.HasPrefix(b[1], "services:") {
			override(t, b[1])
			continue
		}
		file := filepath.Join(dir, "zflow.yaml")
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(b[1], "/run/secrets", dir)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := settings.Load(settings.Setup{File: file}); err != nil {
			t.Errorf("%v in\n%s", err, b[1])
		}
	}
	for _, name := range []string{"configs/zflow.yaml", "configs/roles.conf", "docker-compose.nats.yml", ".env.example", "docs/promises.md"} {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil || !strings.Contains(page, filepath.Base(name)) {
			t.Errorf("%s: %v, or the page does not name it", name, err)
		}
	}
}

// override reads a part of a compose file: its services are ours, and their
// programs take the variables.
func override(t *testing.T, text string) {
	t.Helper()
	over := &project{}
	if err := yaml.Unmarshal([]byte(text), over); err != nil {
		t.Fatal(err)
	}
	p := load(t, someEnv(), shipped)
	for name, s := range over.Services {
		if p.Services[name] == nil {
			t.Errorf("there is no service %s", name)
		}
		for key, value := range s.Environment {
			if strings.HasPrefix(key, "ZFLOW_BROKER_") {
				continue // a flag's
			}
			if _, err := settings.Load(settings.Setup{Environ: []string{key + "=" + value}}); err != nil {
				t.Error(err)
			}
		}
	}
}
