package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"zflow/engine"
	"zflow/internal/operator/send"
	"zflow/internal/settings"
	"zflow/internal/zoomsim"
	"zflow/sources/zoom"
)

// output is what a person is told; each line is also sent.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	lines chan string
}

func newOutput() *output { return &output{lines: make(chan string, 1000)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	for line := range strings.Lines(string(p)) {
		o.lines <- strings.TrimSuffix(line, "\n")
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await reads lines until one has the text, and returns it.
func (o *output) await(t *testing.T, text string) string {
	t.Helper()
	for limit := time.After(10 * time.Second); ; {
		select {
		case line := <-o.lines:
			if strings.Contains(line, text) {
				return line
			}
		case <-limit:
			t.Fatalf("nobody said %q:\n%s", text, o)
		}
	}
}

// devConfig is that of a dev in folders of its own, on free ports.
func devConfig(t *testing.T) (DevConfig, *output) {
	t.Helper()
	out, dir := newOutput(), t.TempDir()
	c := DevConfig{
		Dir: filepath.Join(dir, "wf"), Data: filepath.Join(dir, "data"), Out: out,
		IngestListen: "127.0.0.1:0", NATSListen: "127.0.0.1:0", SimListen: "127.0.0.1:0",
	}
	if err := os.Mkdir(c.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return c, out
}

func startDev(t *testing.T, c DevConfig) *Dev {
	t.Helper()
	d, err := StartDev(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// kept is what dev left in its data folder, as other programs read it.
func kept(t *testing.T, c DevConfig) (s devState) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(c.Data, "dev.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// sendAll posts made-up events of a type as `zflow events send` does.
func sendAll(t *testing.T, s devState, eventType string, n int) {
	t.Helper()
	sender, err := send.New(s.Ingest, "default", s.ZoomSecret)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i := range n {
		body, _, _ := send.Payload(eventType, now, i)
		sent, err := sender.Send(t.Context(), eventType, body)
		if err != nil || !sent.Accepted {
			t.Fatalf("event %d: %+v, %v", i, sent, err)
		}
	}
}

// awaitRuns waits until so many runs have ended, each completed.
func awaitRuns(t *testing.T, d *Dev, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	seen := 0
	err := endedRuns(ctx, d.Client().JS, func(run string, state engine.State) (bool, error) {
		if seen++; state != engine.Completed {
			t.Errorf("run %s %s", run, state)
		}
		return seen < n, nil
	})
	if err != nil {
		t.Fatalf("%d of %d runs have ended: %v", seen, n, err)
	}
}

// TestDevInAnEmptyFolder: a first workflow is written, and the events that `zflow
// events send` makes become runs of it, which call the simulator.
func TestDevInAnEmptyFolder(t *testing.T) {
	c, out := devConfig(t)
	d := startDev(t, c)
	src, err := os.ReadFile(filepath.Join(c.Dir, "hello.yaml"))
	if err != nil || !bytes.Equal(src, starter) || !strings.Contains(out.String(), "workflow hello created") {
		t.Fatalf("%v: %s\n%s", err, src, out)
	}
	s := kept(t, c)
	if s.NATS != d.NATSURL() || s.Ingest != d.IngestURL() || s.Sim != d.SimURL() || s.ZoomSecret == "" {
		t.Errorf("dev.json: %+v", s)
	}
	sendAll(t, s, "meeting.ended", 3)
	awaitRuns(t, d, 3)
	if n := len(d.Sim().Ledger(zoomsim.Filter{Kind: zoomsim.KindCall, Operation: "create_meeting"})); n != 3 {
		t.Errorf("%d meetings were created", n)
	}
	client, err := Connect(t.Context(), s.NATS, "", "")
	if err != nil {
		t.Fatalf("no other program can connect: %v", err)
	}
	client.Close()
}

// TestDevStartsAgain: secrets and histories are those of the start before, and
// dev.json is for its owner alone, whatever lay there.
func TestDevStartsAgain(t *testing.T) {
	c, _ := devConfig(t)
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.Data, "dev.json.new"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := startDev(t, c)
	first, key := kept(t, c), d.state.public
	sendAll(t, first, "meeting.ended", 1)
	d.Close()
	for _, file := range []string{"dev.json", "sealing.keys", "connection.keys"} {
		info, err := os.Stat(filepath.Join(c.Data, file))
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	d = startDev(t, c)
	if s := kept(t, c); s.ZoomSecret != first.ZoomSecret || d.state.public != key {
		t.Error("the secrets have changed")
	}
	awaitRuns(t, d, 1) // it may have been under way when dev was closed
	d.Close()
	c.ZoomSecret = "given-by-a-flag"
	startDev(t, c)
	if s := kept(t, c); s.ZoomSecret != c.ZoomSecret {
		t.Errorf("dev.json has the secret %q", s.ZoomSecret)
	}
	sendAll(t, kept(t, c), "meeting.started", 1)
}

// TestDevKeepsTheConfiguration: the simulator and the secret of app default come
// beside what is configured.
func TestDevKeepsTheConfiguration(t *testing.T) {
	c, _ := devConfig(t)
	c.Config = settings.Default()
	c.Config.Connections = map[string]settings.Connection{"mine": {Kind: "zoom_s2s", AccountID: "a", ClientID: "c", ClientSecret: settings.NewSecret("s")}}
	c.Config.Ingest.Apps = map[string]settings.App{"mine": {Secrets: []settings.Secret{settings.NewSecret("of-mine")}}}
	d := startDev(t, c)
	sendAll(t, kept(t, c), "meeting.ended", 1)
	sender, err := send.New(d.IngestURL(), "mine", "of-mine")
	if err != nil {
		t.Fatal(err)
	}
	body, _, _ := send.Payload("meeting.ended", time.Now(), 0)
	if sent, err := sender.Send(t.Context(), "meeting.ended", body); err != nil || !sent.Accepted {
		t.Errorf("an event of the configured app: %+v, %v", sent, err)
	}
	if all := d.config.Config.Connections; len(all) != 2 || all["mine"].AccountID != "a" || all["zoom"].APIURL == "" {
		t.Errorf("connections: %v", all)
	}
	if len(c.Config.Connections) != 1 {
		t.Error("the caller's configuration was changed")
	}
	apps := withDefault([]zoom.App{{Name: "default", Secrets: []string{"configured"}}}, "kept")
	if len(apps) != 1 || len(apps[0].Secrets) != 2 {
		t.Errorf("apps: %v", apps)
	}
}

// TestDevDoesNotStart: what is wrong is said in one line, and nothing is left
// running: neither goroutine nor listener nor lock.
func TestDevDoesNotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	good, _ := devConfig(t)
	startDev(t, good)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*DevConfig){
		"reading workflows: stat":                 func(c *DevConfig) { c.Dir = filepath.Join(c.Dir, "none") },
		"is not a folder":                         func(c *DevConfig) { c.Dir = file },
		"making the data folder":                  func(c *DevConfig) { c.Data = filepath.Join(file, "data") },
		"remove the file, a new one is made":      func(c *DevConfig) { c.Data = spoiled(t) },
		"in use by another broker":                func(c *DevConfig) { c.Data = good.Data },
		"starting the broker: Error listening on": func(c *DevConfig) { c.NATSListen = taken.Addr().String() },
		"so it listens on loopback only":          func(c *DevConfig) { c.NATSListen = "0.0.0.0:0" },
		"starting ingest: listen tcp":             func(c *DevConfig) { c.IngestListen = taken.Addr().String() },
		"starting the simulator: listen tcp":      func(c *DevConfig) { c.SimListen = taken.Addr().String() },
		"writing a first workflow":                func(c *DevConfig) { c.Dir = "/proc/self/map_files" },
	} {
		c, _ := devConfig(t)
		before := runtime.NumGoroutine()
		change(&c)
		d, err := StartDev(t.Context(), c)
		if err == nil {
			d.Close()
			t.Errorf("started, want %q", want)
			continue
		}
		if text := err.Error(); !strings.Contains(text, want) || strings.Contains(text, "\n") {
			t.Errorf("%q, want %q", text, want)
		}
		noneLeft(t, want, before)
	}
}

// spoiled is a data folder with a dev.json that is none.
func spoiled(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dev.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// noneLeft waits for as many goroutines as there were.
func noneLeft(t *testing.T, what string, before int) {
	t.Helper()
	for limit := time.After(10 * time.Second); runtime.NumGoroutine() > before; {
		select {
		case <-limit:
			stacks := make([]byte, 1<<20)
			t.Errorf("%s: %d goroutines, %d before:\n%s", what, runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestDevCloses: all goroutines end, the ports are free, and dev starts again on
// the same ports and data. It is closed once though asked twice.
func TestDevCloses(t *testing.T) {
	before := runtime.NumGoroutine()
	c, _ := devConfig(t)
	d, err := StartDev(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	addresses := []string{d.NATSURL(), d.IngestURL(), d.SimURL()}
	c.NATSListen, c.IngestListen, c.SimListen = host(addresses[0]), host(addresses[1]), host(addresses[2])
	begin := time.Now()
	d.Close()
	t.Logf("closed in %v", time.Since(begin))
	d.Close()
	noneLeft(t, "after Close", before)
	if d, err = StartDev(t.Context(), c); err != nil {
		t.Fatalf("starting on the same ports: %v", err)
	}
	d.Close()
	noneLeft(t, "after the second Close", before)
}

func host(address string) string { return address[strings.Index(address, "://")+3:] }

// TestDevEndsWithItsParts: a part that ends takes dev along, which still closes.
func TestDevEndsWithItsParts(t *testing.T) {
	for name, end := range map[string]func(*Dev){
		"the broker ended": func(d *Dev) { d.broker.Shutdown() },
		"a part: broken":   func(d *Dev) { d.run("a part", func(context.Context) error { return errors.New("broken") }) },
	} {
		c, _ := devConfig(t)
		d := startDev(t, c)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		end(d)
		if err := d.Wait(ctx); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		begin := time.Now()
		d.Close()
		t.Logf("%s: closed in %v", name, time.Since(begin))
	}
}

// TestDevIsCanceledWhileItStarts: nothing is left.
func TestDevIsCanceledWhileItStarts(t *testing.T) {
	before := runtime.NumGoroutine()
	c, _ := devConfig(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if d, err := StartDev(ctx, c); err == nil {
		d.Close()
		t.Error("started")
	}
	noneLeft(t, "canceled", before)
}
