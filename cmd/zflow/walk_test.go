package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"zflow/internal/app"
	"zflow/internal/settings"
	"zflow/internal/terminal"
)

const walkFolder = "../../examples/zoom-apps"

// TestTheWalkThroughZoomsApps runs what the page says, in order, against the
// simulator: each line below a command stands in what the command says.
func TestTheWalkThroughZoomsApps(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(walkFolder, "README.md"))
	check(t, err)
	w := startWalk(t)
	blocks := regexp.MustCompile("(?ms)^```console\n(.*?)^```$").FindAllStringSubmatch(string(page), -1)
	if len(blocks) < 8 {
		t.Fatalf("%d blocks of commands", len(blocks))
	}
	for _, block := range blocks {
		for _, step := range strings.Split(w.real.Replace(block[1]), "$ ")[1:] {
			command, want, _ := strings.Cut(step, "\n")
			w.step(t, command, strings.Split(strings.TrimSpace(want), "\n"))
		}
	}
}

// walk is a zflow dev with the page's configuration, at addresses of its own.
type walk struct {
	dev      *app.Dev
	real     *strings.Replacer // of what stands in the page
	callback string
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	return l.Addr().String()
}

func startWalk(t *testing.T) *walk {
	t.Helper()
	dir := t.TempDir()
	check(t, os.CopyFS(dir, os.DirFS(walkFolder)))
	t.Chdir(dir)
	w := &walk{callback: freeAddress(t)}
	ingest, sim := freeAddress(t), freeAddress(t)
	at := strings.NewReplacer("127.0.0.1:8080", ingest)
	text, err := os.ReadFile("zflow.yaml")
	check(t, err)
	check(t, os.WriteFile("zflow.yaml", []byte(at.Replace(string(text))), 0o600))
	for _, name := range []string{"user.token", "admin.token", "s2s.token"} {
		check(t, os.WriteFile(name, []byte("same"), 0o600))
	}
	config, err := settings.Load(settings.Setup{File: "zflow.yaml"})
	check(t, err)
	w.dev, err = app.StartDev(t.Context(), app.DevConfig{Dir: "workflows", Data: ".zflow", IngestListen: ingest, NATSListen: "127.0.0.1:0",
		SimListen: sim, ZoomSecret: "same", Config: config, Out: io.Discard, Log: zap.NewNop()})
	check(t, err)
	t.Cleanup(w.dev.Close)
	pairs := []string{"127.0.0.1:8080", ingest, "127.0.0.1:8090", sim}
	for _, a := range w.dev.Sim().Apps() {
		name := map[string]string{"zoom": "user", "zoom_admin": "admin", "zoom_s2s": "s2s"}[a.Kind]
		check(t, os.WriteFile(name+".secret", []byte(a.ClientSecret), 0o600))
		pairs = append(pairs, "$"+strings.ToUpper(name)+"_ID", a.ClientID, "$"+strings.ToUpper(name)+"_ACCOUNT", a.AccountID)
	}
	w.real = strings.NewReplacer(pairs...)
	return w
}

func (w *walk) step(t *testing.T, command string, want []string) {
	t.Helper()
	args := shellWords(command)
	said, without := "", ""
	for range patience {
		switch args[0] {
		case "zflow":
			said = w.zflow(t, args[1:])
		case "curl":
			said = w.curl(t, args[1:])
		default:
			t.Fatalf("the page has a command %q", command)
		}
		if without = lacks(said, want); without == "" {
			return
		}
		if args[1] != "doctor" {
			break
		}
		<-time.After(100 * time.Millisecond) // a person is not as fast: Zoom's newest token counts as good for two seconds
	}
	t.Errorf("$ %s\nsays\n%s\nwithout %q", command, said, without)
}

// patience is how often doctor is asked.
const patience = 50

func lacks(said string, want []string) string {
	for _, line := range want {
		if !strings.Contains(said, strings.TrimSpace(line)) {
			return line
		}
	}
	return ""
}

// shellWords splits a command line; only single quotes are used in it.
func shellWords(line string) (args []string) {
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			args = append(args, part)
			continue
		}
		args = append(args, strings.Fields(part)...)
	}
	return args
}

// zflow runs a command; whoever it asks to open a page does.
func (w *walk) zflow(t *testing.T, args []string) string {
	t.Helper()
	if args[0] == "connect" {
		args = append(args, "--listen", w.callback)
	}
	o := &browser{}
	sh := &shell{&terminal.Shell{In: strings.NewReader(""), Out: o, Err: o, Env: func(name string) string {
		return map[string]string{"ZFLOW_SERVER": w.dev.NATSURL()}[name]
	}}}
	code := execute(context.Background(), sh, args)
	o.opened.Wait()
	if code == exitUsage {
		t.Errorf("zflow %s: %s", strings.Join(args, " "), o)
	}
	return o.String()
}

// browser opens the address that it is told.
type browser struct {
	mu     sync.Mutex
	text   bytes.Buffer
	opened sync.WaitGroup
}

var consentPage = regexp.MustCompile(`http://\S+/oauth/authorize\?\S+`)

func (b *browser) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if page := consentPage.Find(p); page != nil {
		b.opened.Go(func() {
			if res, err := http.Get(string(page)); err == nil { // else connect says that nobody came back
				_ = res.Body.Close()
			}
		})
	}
	return b.text.Write(p)
}

func (b *browser) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// curl is as `curl -X METHOD URL -d BODY`.
func (w *walk) curl(t *testing.T, args []string) string {
	t.Helper()
	if len(args) != 5 || args[0] != "-X" || args[3] != "-d" {
		t.Fatalf("curl %q", args)
	}
	q, err := http.NewRequestWithContext(t.Context(), args[1], args[2], strings.NewReader(args[4]))
	check(t, err)
	res, err := http.DefaultClient.Do(q)
	check(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	check(t, err)
	if res.StatusCode >= 300 {
		t.Fatalf("curl %q: %s: %s", args, res.Status, text)
	}
	return string(text)
}
