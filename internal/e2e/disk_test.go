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

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/internal/app"
	"zflow/internal/durable"
	"zflow/internal/operator"
	"zflow/internal/sealed"
	"zflow/internal/settings"
	"zflow/proto"
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
	intake *app.Intake
	api    *diskAPI
	client *app.Client

	mu     sync.Mutex
	broker *app.Broker
	starts int
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
	c := app.IngestConfigOf(r.config)
	c.Listen, c.MetricsListen, c.SealKey = "127.0.0.1:0", "", keys.Public().String()
	c.Apps = append(c.Apps, zoom.App{Name: "disk", Secrets: []string{diskSecret}})
	if r.intake, err = app.NewIntake(c, zap.NewNop()); err != nil {
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
	go func() {
		defer close(ended)
		for r.life() {
			if first != nil {
				close(first)
				first = nil
			}
			<-r.current().Done()
			r.mu.Lock()
			r.why = append(r.why, r.broker.Err())
			r.mu.Unlock()
			r.current().Shutdown()
		}
		if first != nil {
			close(first)
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
		b, err := app.StartBroker(context.Background(), app.BrokerConfig{
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

func (r *diskRig) current() *app.Broker {
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
	sender, err := operator.NewSender("http://"+r.intake.Addr(), "disk", diskSecret)
	if err != nil {
		r.t.Fatal(err)
	}
	body := fmt.Sprintf(`{"event":"meeting.ended","event_ts":%d,"payload":{"account_id":"A","object":{"id":%d,"uuid":"u%d==","big":%t,"pad":"%s"}}}`,
		1790000000000+n, n, n, pad > 0, strings.Repeat("x", pad))
	sent, err := sender.Send(r.t.Context(), "meeting.ended", []byte(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if sent.Status != http.StatusNoContent && sent.Status != http.StatusServiceUnavailable {
		r.t.Errorf("event %d was answered %d", n, sent.Status)
	}
	return sent.Status
}

// await waits until each of the events has one run, which has completed.
func (r *diskRig) await(workflow string, events []int) {
	r.t.Helper()
	r.eventually("runs", func() error {
		ctx, cancel := context.WithTimeout(r.t.Context(), 5*time.Second)
		defer cancel()
		runs, err := r.client.Operator().Runs(ctx, operator.RunQuery{Workflow: workflow})
		if err != nil {
			return err
		}
		done := 0
		for _, run := range runs {
			if run.Status == "completed" {
				done++
			}
		}
		if len(runs) != len(events) || done != len(events) {
			return fmt.Errorf("%d runs, %d completed, of %d events", len(runs), done, len(events))
		}
		return nil
	})
	for _, n := range events {
		for _, step := range []string{"/first", "/second"} {
			if calls := r.api.count(step, n); calls != 1 {
				r.t.Errorf("event %d: %d calls of %s", n, calls, step)
			}
		}
	}
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

// TestDiskFilledByAnother: another program takes all of the disk while a call is
// under way. Ingest answers 503, the run waits, and when there is room again all
// that was accepted ends, with each step called once.
func TestDiskFilledByAnother(t *testing.T) {
	r := newDiskRig(t, "64m")
	r.startWorker()
	r.deploy("steps", "true")
	r.api.hold = make(chan struct{})
	accepted := []int{0}
	if code := r.post(0, 0); code != 204 {
		t.Fatalf("with room: %d", code)
	}
	<-r.api.came // the first step of the first run is under way
	empty := diskFill(t, r.dir, 0)
	n := 1
	r.eventually("a refusal", func() error {
		n++
		if code := r.post(n, 0); code == 503 {
			return nil
		}
		accepted = append(accepted, n)
		return errors.New("still taken")
	})
	for range 20 {
		n++
		if code := r.post(n, 0); code != 503 {
			t.Errorf("without room: %d", code)
			accepted = append(accepted, n)
		}
	}
	close(r.api.hold)
	if calls := r.api.count("/second", 0); calls != 0 {
		t.Errorf("the second step was called %d times though the outcome of the first cannot be recorded", calls)
	}
	if code := r.post(n, 0); code != 503 {
		t.Errorf("without room: %d", code)
	}
	empty()
	r.eventually("room again", func() error {
		n++
		if code := r.post(n, 0); code != 204 {
			return fmt.Errorf("answered %d", code)
		}
		accepted = append(accepted, n)
		return nil
	})
	r.await("steps", accepted)
	ends, why := r.ends()
	t.Logf("%d events accepted; the broker ended %d times, last: %s", len(accepted), ends, why)
}

func diskStreams(t *testing.T, js jetstream.JetStream) (streams []*jetstream.StreamInfo) {
	t.Helper()
	list := js.ListStreams(t.Context())
	for s := range list.Info() {
		streams = append(streams, s)
	}
	if list.Err() != nil {
		t.Fatal(list.Err())
	}
	return streams
}

func diskSum(streams []*jetstream.StreamInfo) (sum int64) {
	for _, s := range streams {
		sum += max(s.Config.MaxBytes, 0)
	}
	return sum
}

// TestDiskFilledByEvents: with no worker, events are refused before the disk is
// full; the full store starts again; a worker makes room.
func TestDiskFilledByEvents(t *testing.T) {
	r := newDiskRig(t, "64m")
	r.startWorker()
	r.deploy("steps", "not event.payload.object.big")
	if err := r.client.Catalog.Pause(t.Context(), "steps"); err != nil {
		t.Fatal(err)
	}
	var small []int
	stored, n := 0, 0
	for code := 204; code == 204; n++ {
		pad := 0
		if n%10 != 0 {
			pad = 200 << 10
		}
		if code = r.post(n, pad); code == 204 {
			stored++
			if pad == 0 {
				small = append(small, n)
			}
		}
	}
	js := r.client.JS
	s, err := js.Stream(t.Context(), proto.Events)
	if err != nil {
		t.Fatal(err)
	}
	if info := s.CachedInfo(); info.State.Msgs != uint64(stored) || info.State.Bytes < uint64(info.Config.MaxBytes)*7/10 {
		t.Errorf("%d events were accepted, the stream has %d: %d of %d bytes", stored, info.State.Msgs, info.State.Bytes, info.Config.MaxBytes)
	}
	r.current().Shutdown() // and it is started again
	r.eventually("the full store", func() error {
		s, err := js.Stream(t.Context(), proto.Events)
		if err != nil {
			return err
		}
		if info := s.CachedInfo(); info.State.Msgs != uint64(stored) {
			t.Errorf("after the restart the stream has %d of %d events", info.State.Msgs, stored)
		}
		return nil
	})
	for range 5 {
		if n++; r.post(n, 200<<10) != 503 {
			t.Error("taken by a full stream")
		}
	}
	if err := r.client.Catalog.Resume(t.Context(), "steps"); err != nil {
		t.Fatal(err)
	}
	r.await("steps", small)
	r.eventually("room again", func() error {
		if n++; r.post(n, 200<<10) != 204 {
			return errors.New("still refused")
		}
		return nil
	})
	t.Logf("%d events of 200 KiB and less were taken, %d bytes are free", stored, diskFree(t, r.dir))
}

// TestDiskOfThreeGigabytes: zflow runs there as it comes.
func TestDiskOfThreeGigabytes(t *testing.T) {
	for _, size := range []string{"3g", "1g", "200m"} {
		r := newDiskRig(t, size) // ingest comes first
		if code := r.post(0, 0); code != 204 {
			t.Errorf("%s: without a worker: %d", size, code)
		}
		r.startWorker()
		r.deploy("steps", "true")
		r.post(1, 0)
		r.await("steps", []int{1}) // the one before came before the workflow
		streams := diskStreams(t, r.client.JS)
		if sum, free := diskSum(streams), diskFree(t, r.dir); sum > free || sum < free/2 {
			t.Errorf("%s: the limits of %d streams are %d bytes, %d are free", size, len(streams), sum, free)
		}
		if !slices.ContainsFunc(streams, func(s *jetstream.StreamInfo) bool { return s.Config.Name == proto.Bucket(proto.Leases) }) {
			t.Errorf("%s: the buckets are not there", size)
		}
	}
}

// TestDiskFullAtTheStart: the broker starts again with what little the reserve
// leaves, and on a disk without a free byte as soon as there is room.
func TestDiskFullAtTheStart(t *testing.T) {
	r := newDiskRig(t, "64m")
	r.startWorker()
	r.deploy("steps", "true")
	accepted := []int{}
	for n := range 10 {
		if r.post(n, 0) == 204 {
			accepted = append(accepted, n)
		}
	}
	r.await("steps", accepted)
	n := 100
	for _, free := range []int64{1 << 20, 0} {
		empty := diskFill(t, r.dir, free)
		starts := r.begun()
		r.current().Shutdown() // and it is started again
		r.eventually("a start", func() error {
			if r.begun() == starts {
				return errors.New("none yet")
			}
			return nil
		})
		for range 5 {
			if n++; r.post(n, 0) != 503 {
				t.Errorf("with %d bytes free: event %d was taken", free, n)
				accepted = append(accepted, n)
			}
		}
		ends, why := r.ends()
		if free == 0 && !strings.Contains(why, "the disk is full, 0 of 67108864 bytes are free") {
			t.Errorf("the broker says: %s", why)
		}
		t.Logf("with %d bytes free: ended %d times, last: %s", free, ends, why)
		empty()
		r.eventually("room again", func() error {
			if n++; r.post(n, 0) != 204 {
				return errors.New("still refused")
			}
			accepted = append(accepted, n)
			return nil
		})
		r.await("steps", accepted)
	}
}

// TestDiskIsSmallerThanBefore: what was kept on a large disk starts on a small one,
// with limits that fit there.
func TestDiskIsSmallerThanBefore(t *testing.T) {
	large, flows := t.TempDir(), t.TempDir()
	c := app.DevConfig{Dir: flows, Data: large, IngestListen: "127.0.0.1:0", SimListen: "127.0.0.1:0", Out: io.Discard}
	d, err := app.StartDev(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	small := diskMount(t, "3g")
	c.Data = filepath.Join(small, "data")
	if err := os.CopyFS(c.Data, os.DirFS(large)); err != nil {
		t.Fatal(err)
	}
	for _, keys := range []string{"sealing.keys", "connection.keys"} { // which CopyFS lets others read
		if err := os.Chmod(filepath.Join(c.Data, keys), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if d, err = app.StartDev(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if sum := diskSum(diskStreams(t, d.Client().JS)); sum > 3<<30 {
		t.Errorf("the limits are %d bytes", sum)
	}
}
