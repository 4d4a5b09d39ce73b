package compose

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"zflow/internal/settings"
)

const (
	shipped = "docker-compose.yml"
	onNATS  = "docker-compose.nats.yml"
)

// someEnv is a .env as .env.example has it, filled in.
func someEnv() map[string]string {
	return map[string]string{
		"ZFLOW_INGEST_PASSWORD": "p-of-ingest", "ZFLOW_WORKER_PASSWORD": "p-of-worker", "ZFLOW_CONSOLE_PASSWORD": "p-of-console",
		"ZFLOW_ADMIN_PASSWORD": "p-of-admin", "ZOOM_SECRET_TOKEN": "token-of-the-app", "ZFLOW_API_TOKEN": "token-of-the-api-0",
	}
}

// TestConfined: no container is root, writes elsewhere than in its volumes, or has
// a right that it does not need.
func TestConfined(t *testing.T) {
	for _, files := range [][]string{{shipped}, {shipped, onNATS}} {
		p := load(t, someEnv(), files...)
		for _, name := range p.names() {
			s := p.Services[name]
			if s.User != "65532:65532" || !s.ReadOnly || s.Privileged || len(s.CapAdd) != 0 || s.PID != "" || s.Network == "host" ||
				!slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
				t.Errorf("%s is not confined: %+v", name, s.Confined)
			}
			for _, m := range s.mounts() {
				if strings.Contains(m.from, "docker.sock") || m.writable && strings.HasPrefix(m.from, ".") {
					t.Errorf("%s has %s, writable %v", name, m.from, m.writable)
				}
			}
			if !slices.Contains([]string{"zflow:local", "zflow-worker:local"}, s.Image) && !regexp.MustCompile(`^nats:\d+\.\d+\.\d+`).MatchString(s.Image) {
				t.Errorf("%s runs %q", name, s.Image)
			}
		}
	}
}

// TestWhoHoldsWhat: private keys and passwords are where they are needed only.
func TestWhoHoldsWhat(t *testing.T) {
	for _, files := range [][]string{{shipped}, {shipped, onNATS}} {
		p := load(t, someEnv(), files...)
		for volume, want := range map[string]string{
			"private-keys": "keys worker", "public-key": "ingest keys", "./secrets": "worker",
			"data": map[bool]string{true: "broker keys", false: "broker"}[len(files) > 1],
		} {
			if got := strings.Join(p.with(func(s *service) bool { return s.has(volume) }), " "); got != want {
				t.Errorf("%v: %s is mounted by %q, want %q", files, volume, got, want)
			}
		}
		for _, m := range p.Services["worker"].mounts() {
			if m.writable {
				t.Errorf("workers may write to %s", m.from)
			}
		}
		for secret, want := range map[string]string{
			"p-of-ingest": "broker ingest", "p-of-worker": "broker worker", "p-of-console": "broker console", "token-of-the-api-0": "console",
			"p-of-admin": "broker zflow", "token-of-the-app": "ingest",
		} {
			if got := strings.Join(p.with(func(s *service) bool { return s.knows(secret) }), " "); got != want {
				t.Errorf("%v: %s is known to %q, want %q", files, secret, got, want)
			}
		}
	}
}

func (p *project) with(has func(*service) bool) (names []string) {
	for _, name := range p.names() {
		if has(p.Services[name]) {
			names = append(names, name)
		}
	}
	return names
}

func (s *service) has(volume string) bool {
	return slices.ContainsFunc(s.mounts(), func(m mount) bool { return m.from == volume })
}

func (s *service) knows(secret string) bool {
	for _, value := range s.Environment {
		if strings.Contains(value, secret) {
			return true
		}
	}
	return slices.ContainsFunc(slices.Concat(s.Command, s.Entrypoint), func(a string) bool { return strings.Contains(a, secret) })
}

// TestPublished: strangers reach ingest's webhooks and nothing else.
func TestPublished(t *testing.T) {
	p := load(t, someEnv(), shipped, onNATS)
	for _, name := range p.names() {
		want := map[string][]string{"ingest": {"8080:8080"}, "broker": {"127.0.0.1:4222:4222"}, "console": {"127.0.0.1:8081:8081"}}[name]
		if got := p.Services[name].Ports; !slices.Equal(got, want) {
			t.Errorf("%s publishes %v, want %v", name, got, want)
		}
	}
	for _, path := range []string{"nats.conf", "nats-always.conf"} {
		text, err := os.ReadFile(filepath.Join(root, "configs", path))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "include ./roles.conf") || strings.Contains(string(text), "no_auth_user") {
			t.Errorf("%s lets in whoever comes", path)
		}
	}
	if c, err := settings.Load(settings.Setup{File: filepath.Join(root, "configs/zflow.yaml")}); err != nil ||
		!strings.HasPrefix(c.Ingest.MetricsListen, "127.0.0.1:") || !strings.HasPrefix(c.Console.Listen, "127.0.0.1:") || !strings.HasPrefix(c.Console.MetricsListen, "127.0.0.1:") || !strings.HasPrefix(c.Worker.MetricsListen, "127.0.0.1:") {
		t.Errorf("metrics are served beyond loopback: %+v, %v", c, err)
	}
}

// TestOrder: what a service waits for is there, says when it is well, and comes
// back when it falls.
func TestOrder(t *testing.T) {
	p := load(t, someEnv(), shipped)
	for _, name := range p.names() {
		s := p.Services[name]
		oneOff := name == "keys" || name == "zflow"
		if oneOff != (s.Restart == "no") || !oneOff && s.Restart != "unless-stopped" {
			t.Errorf("%s: restart is %q", name, s.Restart)
		}
		if !oneOff && (len(s.Health.Test) < 3 || s.Health.Test[0] != "CMD" || s.Health.Test[1] != s.Command[0]) {
			t.Errorf("%s: the health check is %v", name, s.Health.Test)
		}
		for on, c := range s.DependsOn {
			want := map[bool]string{true: "service_completed_successfully", false: "service_healthy"}[on == "keys"]
			if p.Services[on] == nil || c.Condition != want {
				t.Errorf("%s waits for %s to be %s", name, on, c.Condition)
			}
		}
		if name == "ingest" || name == "worker" {
			if len(s.DependsOn) != 2 {
				t.Errorf("%s waits for %v", name, s.DependsOn)
			}
		}
	}
	if got := strings.Join(p.with(func(s *service) bool { return s.Build != nil }), " "); got != "keys worker" {
		t.Errorf("%s build the images: once is enough for each", got)
	}
}

// TestEnvExample: the example names all that is needed, and what is left out is
// said before anything starts.
func TestEnvExample(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, ".env.example"))
	if err != nil {
		t.Fatal(err)
	}
	example := map[string]bool{}
	for _, line := range strings.Split(string(text), "\n") {
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "# ") {
			example[strings.TrimPrefix(name, "#")] = true
			if value != "" && line[0] != '#' {
				t.Errorf(".env.example has a value for %s: somebody would use it", name)
			}
		}
	}
	src, err := os.ReadFile(filepath.Join(root, shipped))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range variable.FindAllStringSubmatch(string(src), -1) {
		if !example[m[1]] && m[1] != "ZFLOW_VERSION" {
			t.Errorf(".env.example lacks %s", m[1])
		}
	}
	for name := range someEnv() {
		env := someEnv()
		delete(env, name)
		if _, err := interpolate(string(src), env); err == nil || !strings.Contains(err.Error(), ".env") {
			t.Errorf("without %s: %v", name, err)
		}
	}
	for file, want := range map[string][]string{".gitignore": {"/.env"}, ".dockerignore": {".env", "secrets", ".git"}, "secrets/.gitignore": {"*"}} {
		lines, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !slices.Contains(strings.Split(string(lines), "\n"), w) {
				t.Errorf("%s lacks %s", file, w)
			}
		}
	}
}

// TestImage: the Dockerfile's image runs what the compose file starts, as a user
// who owns what it may write.
func TestImage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"FROM scratch", "USER 65532:65532", "COPY --from=build --chown=65532:65532 /image/data /data", "COPY --from=build --chown=65532:65532 /image/keys /keys",
		"COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/",
		"FROM gcr.io/distroless/cc-debian12:nonroot AS worker-node", "COPY --from=node /usr/local/bin/node /usr/bin/", "COPY --from=build /image/bin/worker /usr/bin/",
	} {
		if !slices.Contains(strings.Split(string(text), "\n"), line) {
			t.Errorf("the Dockerfile lacks %q", line)
		}
	}
	if !strings.Contains(string(text), "CGO_ENABLED=0") || !strings.Contains(string(text), "-trimpath") {
		t.Error("the programs need more than the kernel, or tell where they were built")
	}
	p := load(t, someEnv(), shipped)
	for _, name := range p.names() {
		s := p.Services[name]
		program := append(slices.Clone(s.Entrypoint), s.Command...)[0]
		if _, err := os.Stat(filepath.Join(root, "cmd", program)); err != nil {
			t.Errorf("%s runs %s: %v", name, program, err)
		}
		for _, m := range s.mounts() {
			if m.writable && !strings.Contains(string(text), "/image"+m.to) {
				t.Errorf("%s writes to %s, whose owner the image does not set", name, m.to)
			}
		}
	}
}
