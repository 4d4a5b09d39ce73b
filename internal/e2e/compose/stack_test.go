package compose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// stack runs the services of a project as processes.
type stack struct {
	*project
	dir     string
	mounted []mount           // where containers' paths are here, longest first
	address map[string]string // host:port of the compose network → ours
	running map[string]*running
}

// running is a service's process.
type running struct {
	name   string
	cmd    *exec.Cmd
	output *output
	ended  chan struct{} // closed once err is there
	err    error
}

// patience is how long anything may take on a busy machine.
const patience = 60 * time.Second

// binaries builds all programs once, as the Makefile does.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "zflow-compose-bin-")
	if err != nil {
		return "", err
	}
	return dir, build(dir, "zflow/cmd/...")
})

func build(dir, what string) error {
	cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", dir+"/", what)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", what, err, out)
	}
	return nil
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built) // in the temporary folder
	}
	os.Exit(code)
}

var built string // where the programs are, for TestMain

func programs(t testing.TB) string {
	t.Helper()
	dir, err := binaries()
	built = dir
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// newStack lays out the volumes of compose files in a temporary folder. secrets
// and workflows stand for the folders that a user would fill.
func newStack(t *testing.T, env map[string]string, files ...string) *stack {
	t.Helper()
	s := &stack{project: load(t, env, files...), dir: t.TempDir(), running: map[string]*running{}}
	s.address = map[string]string{"broker:4222": "127.0.0.1:" + freePort(t)}
	for name := range s.Volumes {
		if err := os.Mkdir(filepath.Join(s.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(s.dir, "secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range s.names() {
		for _, m := range s.Services[name].mounts() {
			m.from = s.place(m.from)
			s.mounted = append(s.mounted, m)
		}
	}
	slices.SortFunc(s.mounted, func(a, b mount) int { return len(b.to) - len(a.to) })
	t.Cleanup(func() { s.kill(t) })
	return s
}

// place returns where a volume or folder is on this machine.
func (s *stack) place(from string) string {
	switch {
	case from == "./secrets":
		return filepath.Join(s.dir, "secrets")
	case strings.HasPrefix(from, "./"):
		return filepath.Join(root, from)
	case filepath.IsAbs(from):
		return from
	}
	return filepath.Join(s.dir, from)
}

// freePort returns a port that no outgoing connection takes while nobody listens.
func freePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := fmt.Sprint(10000 + rand.N(10000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return port
		}
	}
	t.Fatal("there is no free port")
	return ""
}

// here turns a container's paths and addresses into this machine's.
func (s *stack) here(text string) string {
	for name, address := range s.address {
		text = strings.ReplaceAll(text, name, address)
	}
	for _, m := range s.mounted {
		if text == m.to || strings.HasPrefix(text, m.to+"/") {
			return m.from + strings.TrimPrefix(text, m.to)
		}
	}
	return text
}

// command makes a service's process: with its environment, and nothing of ours
// but what is added.
func (s *stack) command(t testing.TB, name string, command []string, added ...string) *exec.Cmd {
	t.Helper()
	v := s.Services[name]
	if command == nil {
		command = v.Command
	}
	words := append(slices.Clone(v.Entrypoint), command...)
	for i := range words {
		words[i] = s.here(words[i])
	}
	var env []string
	for key, value := range v.Environment {
		env = append(env, key+"="+s.here(value))
	}
	if strings.HasPrefix(v.Image, "zflow-worker:") { // which has Node.js
		env = append(env, "PATH="+os.Getenv("PATH"))
	}
	env = append(env, added...)
	cmd := exec.Command(filepath.Join(programs(t), words[0]), words[1:]...)
	cmd.Env = env
	return cmd
}

// start runs a service under a name of its own, and waits until its health check
// passes.
func (s *stack) start(t testing.TB, service, name string, added ...string) *running {
	t.Helper()
	return s.startAs(t, service, name, nil, added...)
}

// startAs is start with another command than the service's, if any.
func (s *stack) startAs(t testing.TB, service, name string, command []string, added ...string) *running {
	t.Helper()
	cmd := s.command(t, service, command, added...)
	r := &running{name: name, cmd: cmd, output: &output{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = r.output, r.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.running[name] = r
	go func() {
		r.err = cmd.Wait()
		close(r.ended)
	}()
	await(t, name+" to be well", func() error {
		select {
		case <-r.ended:
			t.Fatalf("%s ended: %v\n%s", name, r.err, r.output)
		default:
		}
		return s.well(t, service, added...)
	})
	return r
}

// well runs a service's health check.
func (s *stack) well(t testing.TB, service string, added ...string) error {
	check := s.Services[service].Health.Test[1:]
	if check[0] == "wget" { // of the official image
		return ask(s.here(check[len(check)-1]))
	}
	cmd := s.command(t, service, check, added...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// ask wants a URL to be answered well.
func ask(url string) error {
	r, err := http.Get(url)
	if err != nil {
		return err
	}
	if err := r.Body.Close(); err != nil || r.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, r.Status)
	}
	return nil
}

// run runs a service's command to its end.
func (s *stack) run(t testing.TB, service string, command []string, added ...string) (string, error) {
	t.Helper()
	cmd := s.command(t, service, command, added...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args[1:], " "), err, errs.String())
	}
	return out.String(), nil
}

// must is run for what cannot fail.
func (s *stack) must(t testing.TB, service string, command ...string) string {
	t.Helper()
	out, err := s.run(t, service, command)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// stop asks a process to end: that is no failure, and it takes no longer than
// compose waits.
func (s *stack) stop(t testing.TB, name string) {
	t.Helper()
	r := s.running[name]
	delete(s.running, name)
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("stopping %s: %v\n%s", name, err, r.output)
	}
	select {
	case <-r.ended:
	case <-time.After(patience):
		t.Errorf("%s does not end\n%s", name, r.output)
		_ = r.cmd.Process.Kill() // it may end just now
		<-r.ended
	}
	if r.err != nil {
		t.Errorf("%s was stopped: %v, want exit code 0\n%s", name, r.err, r.output)
	}
}

// kill ends what a failed test has left.
func (s *stack) kill(t testing.TB) {
	for _, r := range s.running {
		_ = r.cmd.Process.Kill() // it may have ended
		<-r.ended
		if t.Failed() {
			t.Logf("%s wrote\n%s", r.name, r.output)
		}
	}
}

// await tries again until there is no error.
func await(t testing.TB, what string, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waiting for %s: %v", what, errors.Join(ctx.Err(), err))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// output collects what a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
