//go:build linux

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"zflow/internal/app"
	"zflow/internal/app/broker"
	"zflow/internal/app/intake"
	"zflow/internal/durable"
	"zflow/internal/operator"
	"zflow/internal/operator/send"
	"zflow/internal/sealed"
	"zflow/internal/settings"
	"zflow/sources/zoom"
)

const diskSecret = "the-secret-of-the-disk-tests"

// diskMount makes a small disk, and removes it after all that was started since.
func diskMount(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) {
		t.Skipf("a small disk cannot be mounted here (%v): run this as root", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// diskFill writes a file of another program, until so many bytes are free.
func diskFill(t *testing.T, dir string, leave int64) (empty func()) {
	t.Helper()
	name := filepath.Join(dir, "of-another-program")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for diskFree(t, dir) > leave {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return func() { _ = os.Remove(name) }
}

func diskFree(t *testing.T, dir string) int64 {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	return int64(s.Bavail) * s.Bsize
}

// diskRig is a broker on a small disk, started again whenever it ends, ingest and,
// once it is asked for, a worker.
type diskRig struct {
	t      *testing.T
	dir    string
	config *settings.Config
	keys   string
	intake *intake.Intake
	api    *diskAPI
	client *app.Client

	mu     sync.Mutex
	broker *broker.Broker
	starts int
	posted []int
	why    []error // why the broker ended
	over   bool
}

func newDiskRig(t *testing.T, size string) *diskRig {
	t.Helper()
	r := &diskRig{t: t, dir: diskMount(t, size), config: settings.Default(), keys: filepath.Join(t.TempDir(), "sealing.keys"), api: newDiskAPI(t)}
	keys, err := sealed.LoadOrCreateKeys(r.keys)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.config.NATS.URL = "nats://" + l.Addr().String()
	_ = l.Close()
	r.config.HTTPAllow = []string{"127.0.0.0/8"}
	r.config.Worker.SealingKeysFile, r.config.Worker.MetricsListen = r.keys, ""
	r.startBroker()
	c := intake.ConfigOf(r.config)
	c.Listen, c.MetricsListen, c.SealKey = "127.0.0.1:0", "", keys.Public().String()
	c.Apps = append(c.Apps, zoom.App{Name: "disk", Secrets: []string{diskSecret}})
	if r.intake, err = intake.New(c, zap.NewNop()); err != nil {
		t.Fatal(err)
	}
	r.run("ingest", r.intake.Run)
	select {
	case <-r.intake.Opened():
	case <-time.After(20 * time.Second):
		t.Fatal("ingest stores nothing")
	}
	return r
}

// run runs a process until the test ends.
func (r *diskRig) run(name string, process func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := process(ctx); err != nil {
			r.t.Errorf("%s: %v", name, err)
		}
	}()
	r.t.Cleanup(func() { cancel(); <-done })
}

// startBroker keeps a broker running, as docker compose does.
func (r *diskRig) startBroker() {
	first, ended := make(chan struct{}), make(chan struct{})
	begun := sync.OnceFunc(func() { close(first) })
	go func() {
		defer close(ended)
		defer begun()
		for r.life() {
			begun()
			<-r.current().Done()
			r.mu.Lock()
			r.why = append(r.why, r.broker.Err())
			r.mu.Unlock()
			r.current().Shutdown()
		}
	}()
	<-first
	r.t.Cleanup(func() {
		r.mu.Lock()
		r.over = true
		b := r.broker
		r.mu.Unlock()
		b.Shutdown()
		<-ended
	})
}

// life starts the broker, again and again while that fails; false: the test is over.
func (r *diskRig) life() bool {
	for {
		r.mu.Lock()
		over := r.over
		r.mu.Unlock()
		if over {
			return false
		}
		b, err := broker.Start(context.Background(), broker.Config{
			Data: r.dir, Listen: strings.TrimPrefix(r.config.NATS.URL, "nats://"),
			Flusher: durable.FlusherOptions{Sweep: 50 * time.Millisecond, Patience: time.Second},
		})
		r.mu.Lock()
		r.starts++
		if err != nil {
			r.why = append(r.why, err)
		} else {
			r.broker = b
		}
		r.mu.Unlock()
		if err == nil {
			return true
		}
		<-time.After(100 * time.Millisecond) // who starts it again waits, too
	}
}

func (r *diskRig) current() *broker.Broker {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broker
}

// ends says how often the broker ended and why last.
func (r *diskRig) ends() (n int, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.why) == 0 {
		return 0, ""
	}
	return len(r.why), fmt.Sprint(r.why[len(r.why)-1])
}

// begun says how often the broker was started.
func (r *diskRig) begun() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.starts
}

func (r *diskRig) startWorker() {
	r.run("worker", func(ctx context.Context) error { return app.RunWorker(ctx, r.config, zap.NewNop()) })
	r.eventually("streams", func() error {
		client, err := app.Connect(r.t.Context(), r.config.NATS.URL, "", "")
		if err == nil {
			r.client = client
			r.t.Cleanup(client.Close)
		}
		return err
	})
}

// eventually tries until there is no error; each try takes its time or is due again
// soon.
func (r *diskRig) eventually(what string, try func() error) {
	r.t.Helper()
	limit := time.After(60 * time.Second)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-limit:
			n, why := r.ends()
			r.t.Fatalf("%s: %v (the broker ended %d times: %s)", what, err, n, why)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (r *diskRig) deploy(name, condition string) {
	r.t.Helper()
	src := fmt.Sprintf(`name: %s
on: { zoom: meeting.ended, if: "%s" }
steps:
  - id: first
    uses: http.request
    with: { method: POST, url: "%[3]s/first", json: { n: "${{ event.payload.object.id }}" } }
  - id: second
    uses: http.request
    with: { method: POST, url: "%[3]s/second", json: { n: "${{ event.payload.object.id }}" } }
`, name, condition, r.api.URL)
	if _, problems, err := r.client.Catalog.Deploy(r.t.Context(), name+".yaml", []byte(src)); err != nil {
		r.t.Fatal(err, problems)
	}
}

// post sends an event and returns the status of the answer.
func (r *diskRig) post(n, pad int) int {
	r.t.Helper()
	sender, err := send.New("http://"+r.intake.Addr(), "disk", diskSecret)
	if err != nil {
		r.t.Fatal(err)
	}
	body := fmt.Sprintf(`{"event":"meeting.ended","event_ts":%d,"payload":{"account_id":"A","object":{"id":%d,"uuid":"u%d==","big":%t,"pad":"%s"}}}`,
		1790000000000+n, n, n, pad > 0, strings.Repeat("x", pad))
	r.posted = append(r.posted, n)
	sent, err := sender.Send(r.t.Context(), "meeting.ended", []byte(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if sent.Status != http.StatusNoContent && sent.Status != http.StatusServiceUnavailable {
		r.t.Errorf("event %d was answered %d", n, sent.Status)
	}
	return sent.Status
}

// await waits until each of the events has one run, which has completed. One that was
// answered 503 may have one too: it was stored before the disk was full, or the
// connection lost.
func (r *diskRig) await(workflow string, events []int) {
	r.t.Helper()
	r.eventually("runs", func() error {
		ctx, cancel := context.WithTimeout(r.t.Context(), 5*time.Second)
		defer cancel()
		runs, err := r.client.Operator().Runs(ctx, operator.RunQuery{Workflow: workflow})
		if err != nil {
			return err
		}
		for _, run := range runs {
			if run.Status != "completed" {
				return fmt.Errorf("a run is %s", run.Status)
			}
		}
		if ended := r.api.ended(); len(ended) != len(runs) || !within(events, ended) {
			return fmt.Errorf("%d runs, which called for %v, of events %v", len(runs), ended, events)
		}
		return nil
	})
	for _, n := range r.posted {
		for _, step := range []string{"/first", "/second"} {
			if calls := r.api.count(step, n); calls > 1 || calls == 0 && slices.Contains(events, n) {
				r.t.Errorf("event %d: %d calls of %s", n, calls, step)
			}
		}
	}
}

func within(some, all []int) bool {
	return !slices.ContainsFunc(some, func(n int) bool { return !slices.Contains(all, n) })
}

// diskAPI is what steps call. It keeps a ledger, and can hold calls back.
type diskAPI struct {
	*httptest.Server
	mu    sync.Mutex
	calls []string
	hold  chan struct{} // not nil: calls wait for it
	came  chan struct{} // a token for each call
}

func newDiskAPI(t *testing.T) *diskAPI {
	a := &diskAPI{came: make(chan struct{}, 1000)}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body) // what is cut off is in no ledger
		a.mu.Lock()
		a.calls = append(a.calls, q.URL.Path+" "+string(body))
		hold := a.hold
		a.mu.Unlock()
		a.came <- struct{}{}
		if hold != nil {
			<-hold
		}
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *diskAPI) count(step string, n int) (calls int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.calls {
		if c == fmt.Sprintf(`%s {"n":%d}`, step, n) {
			calls++
		}
	}
	return calls
}

// ended are the events whose runs have made their last call.
func (a *diskAPI) ended() (events []int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.calls {
		var n int
		if _, err := fmt.Sscanf(c, `/second {"n":%d}`, &n); err == nil && !slices.Contains(events, n) {
			events = append(events, n)
		}
	}
	return events
}
