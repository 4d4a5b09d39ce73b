// Package compose runs what docker-compose.yml says without Docker: the same
// programs with the same arguments, environment, volumes and health checks, as
// processes of this machine. It holds no code but tests.
package compose

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const root = "../../.." // of the repository

// project is a compose file, or several laid over each other.
type project struct {
	Services map[string]*service `yaml:"services"`
	Volumes  map[string]any      `yaml:"volumes"`
}

type service struct {
	Image       string               `yaml:"image"`
	Build       any                  `yaml:"build"`
	Entrypoint  []string             `yaml:"entrypoint"`
	Command     []string             `yaml:"command"`
	Environment map[string]string    `yaml:"environment"`
	Volumes     []string             `yaml:"volumes"`
	Ports       []string             `yaml:"ports"`
	Profiles    []string             `yaml:"profiles"`
	Health      health               `yaml:"healthcheck"`
	DependsOn   map[string]condition `yaml:"depends_on"`
	Confined    `yaml:",inline"`
}

// Confined is what a container may not do.
type Confined struct {
	User        string   `yaml:"user"`
	ReadOnly    bool     `yaml:"read_only"`
	CapAdd      []string `yaml:"cap_add"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	Privileged  bool     `yaml:"privileged"`
	Network     string   `yaml:"network_mode"`
	PID         string   `yaml:"pid"`
	Restart     string   `yaml:"restart"`
}

type health struct {
	Test []string `yaml:"test"`
}

type condition struct {
	Condition string `yaml:"condition"`
}

// load reads compose files with the variables of a .env.
func load(t testing.TB, env map[string]string, files ...string) *project {
	t.Helper()
	var all *project
	for _, file := range files {
		src, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		text, err := interpolate(string(src), env)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		p := &project{}
		if err := yaml.Unmarshal([]byte(text), p); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if all == nil {
			all = p
		} else {
			all.lay(p)
		}
	}
	return all
}

var variable = regexp.MustCompile(`\$\{(\w+)(?:(:-|:\?)([^}]*))?\}`)

// interpolate fills in variables as compose does.
func interpolate(text string, env map[string]string) (string, error) {
	var missing error
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		lines[i] = variable.ReplaceAllStringFunc(line, func(v string) string {
			m := variable.FindStringSubmatch(v)
			switch value := env[m[1]]; {
			case value != "":
				return value
			case m[2] == ":-":
				return m[3]
			case m[2] == ":?":
				missing = fmt.Errorf("%s is not set: %s", m[1], m[3])
			}
			return ""
		})
	}
	return strings.Join(lines, ""), missing
}

// lay puts another file's services over these, as far as our files need it.
func (p *project) lay(over *project) {
	for name, o := range over.Services {
		s := p.Services[name]
		if s == nil {
			p.Services[name] = o
			continue
		}
		if o.Image != "" {
			s.Image = o.Image
		}
		if o.Command != nil {
			s.Command = o.Command
		}
		if o.Health.Test != nil {
			s.Health = o.Health
		}
		s.Volumes = append(s.Volumes, o.Volumes...)
		s.Environment = joined(s.Environment, o.Environment)
		s.DependsOn = joined(s.DependsOn, o.DependsOn)
	}
}

func joined[V any](a, b map[string]V) map[string]V {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return all
}

// names are those of all services, sorted.
func (p *project) names() []string { return slices.Sorted(maps.Keys(p.Services)) }

// mounts returns what a service has at which path, and whether it may write there.
func (s *service) mounts() (all []mount) {
	for _, v := range s.Volumes {
		parts := strings.Split(v, ":")
		all = append(all, mount{from: parts[0], to: parts[1], writable: len(parts) < 3 || parts[2] != "ro"})
	}
	return all
}

type mount struct {
	from, to string
	writable bool
}
