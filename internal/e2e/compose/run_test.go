package compose

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"io/fs"
	"path"
	"zflow/examples"
	"zflow/internal/operator"
	"zflow/internal/operator/send"
	"zflow/internal/zoomsim"
	"zflow/proto"
)

// production is the stack of the compose files with a simulated Zoom, and the
// connection to it that a user would configure.
type production struct {
	*stack
	sim     *zoomsim.Sim
	zoom    []string // what the configuration of workers has beside the compose file
	ingest  string   // URL
	metrics map[string]string
	secrets []string // which no output may show
	stock   bool     // the broker is a stock nats-server
}

func newProduction(t *testing.T, files ...string) *production {
	t.Helper()
	env := someEnv()
	p := &production{metrics: map[string]string{}, sim: zoomsim.New(zoomsim.Options{Apps: []zoomsim.App{{SecretToken: env["ZOOM_SECRET_TOKEN"]}}})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- p.sim.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	env["ZFLOW_WORKFLOWS"] = "./examples/workflows"
	p.stack = newStack(t, env, files...)
	a := p.sim.Apps()[0]
	if err := os.WriteFile(filepath.Join(p.dir, "secrets", "zoom"), []byte(a.ClientSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.zoom = []string{
		"ZFLOW_CONNECTIONS_ZOOM_KIND=" + a.Kind, "ZFLOW_CONNECTIONS_ZOOM_ACCOUNT_ID=" + a.AccountID, "ZFLOW_CONNECTIONS_ZOOM_CLIENT_ID=" + a.ClientID,
		"ZFLOW_CONNECTIONS_ZOOM_CLIENT_SECRET_FILE=" + p.here("/run/secrets/zoom"),
		"ZFLOW_CONNECTIONS_ZOOM_API_URL=http://" + l.Addr().String() + "/v2", "ZFLOW_CONNECTIONS_ZOOM_OAUTH_URL=http://" + l.Addr().String(),
	}
	p.secrets = append(slices.Collect(maps.Values(someEnv())), a.ClientSecret)
	return p
}

func (p *production) startBroker(t *testing.T) {
	t.Helper()
	if p.stock {
		host, port, _ := strings.Cut(p.address["broker:4222"], ":")
		_, monitor, _ := strings.Cut(p.address["127.0.0.1:8222"], ":")
		p.startAs(t, "broker", "broker", []string{"nats-server", "-c", p.moved(t, "nats-always.conf"), "-a", host, "-p", port, "-m", monitor})
		return
	}
	p.metrics["broker"] = "127.0.0.1:" + freePort(t)
	p.start(t, "broker", "broker", "ZFLOW_BROKER_DATA="+p.here("/data"), "ZFLOW_BROKER_LISTEN="+p.address["broker:4222"], "ZFLOW_BROKER_METRICS_LISTEN="+p.metrics["broker"])
}

// moved copies a server's configuration with the folder of its data changed, the
// one thing for which a stock server takes no flag where the file has it.
func (p *production) moved(t *testing.T, name string) string {
	t.Helper()
	for _, file := range []string{name, "roles.conf"} {
		text, err := os.ReadFile(filepath.Join(root, "configs", file))
		if err != nil {
			t.Fatal(err)
		}
		moved := strings.Replace(string(text), "store_dir: /data", "store_dir: "+strconv.Quote(p.here("/data")), 1)
		if err := os.WriteFile(filepath.Join(p.dir, file), []byte(moved), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(p.dir, name)
}

func (p *production) startIngest(t *testing.T, name string) {
	t.Helper()
	p.metrics[name] = "127.0.0.1:" + freePort(t)
	listen := "127.0.0.1:" + freePort(t)
	p.start(t, "ingest", name, "ZFLOW_INGEST_LISTEN="+listen, "ZFLOW_INGEST_METRICS_LISTEN="+p.metrics[name])
	p.ready(t, name)
	p.ingest = "http://" + listen
}

func (p *production) startWorker(t *testing.T, name string) {
	t.Helper()
	p.metrics[name] = "127.0.0.1:" + freePort(t)
	p.start(t, "worker", name, append(p.zoom, "ZFLOW_WORKER_METRICS_LISTEN="+p.metrics[name])...)
}

// ready waits until a process can do its work.
func (p *production) ready(t *testing.T, name string) {
	t.Helper()
	await(t, name+" to be ready", func() error { return ask("http://" + p.metrics[name] + "/readyz") })
}

// up starts everything in the order of the compose file.
func (p *production) up(t *testing.T) {
	t.Helper()
	if out := p.must(t, "keys"); !strings.Contains(out, ": made") || !strings.Contains(out, ": written") {
		t.Errorf("keys, the first time: %s", out)
	}
	p.startBroker(t)
	p.startWorker(t, "worker-1")
	p.startWorker(t, "worker-2")
	p.startIngest(t, "ingest-1")
}

// down stops everything, and looks at what it wrote.
func (p *production) down(t *testing.T) {
	t.Helper()
	all := map[string]*running{}
	for name, r := range p.running {
		all[name] = r
	}
	for name := range all {
		if name != "broker" {
			p.stop(t, name)
		}
	}
	p.stop(t, "broker")
	for name, r := range all {
		p.silent(t, name, r.output.String())
	}
}

// silent fails where a secret is in a text.
func (p *production) silent(t *testing.T, what, text string) {
	t.Helper()
	for _, secret := range p.secrets {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows the secret %q:\n%s", what, secret, text)
		}
	}
}

// runs lists runs with the zflow command, by workflow.
func (p *production) runs(t *testing.T, args ...string) map[string][]operator.Run {
	t.Helper()
	out := p.must(t, "zflow", append([]string{"runs", "list", "--output", "json"}, args...)...)
	var all []operator.Run
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	byName := map[string][]operator.Run{}
	for _, r := range all {
		byName[r.Workflow] = append(byName[r.Workflow], r)
	}
	return byName
}

// examples deploys the example workflows and lets Zoom tell what they are about;
// each ends well.
func (p *production) examples(t *testing.T) {
	t.Helper()
	var deployed []struct{ Name, Change, State string }
	if err := json.Unmarshal([]byte(p.must(t, "zflow", "deploy", "/workflows", "--output", "json")), &deployed); err != nil || len(deployed) < 5 {
		t.Fatalf("deployed %v, %v", deployed, err)
	}
	p.must(t, "zflow", "workflows", "remove", "mailbox-to-task") // there is no such mailbox here, which doctor would say
	if _, err := p.sim.Subscribe(t.Context(), zoomsim.Subscription{URL: p.ingest + "/hooks/zoom/default"}); err != nil {
		t.Fatal(err)
	}
	for _, e := range p.sim.Seed() {
		p.sim.Deliver(e)
	}
	demo, err := fs.Glob(examples.Workflows, "workflows/*.yaml") // the others wait for people, or for days
	if err != nil {
		t.Fatal(err)
	}
	await(t, "a run of each example", func() error {
		runs := p.runs(t)
		for _, file := range demo {
			name := strings.TrimSuffix(path.Base(file), ".yaml")
			if len(runs[name]) != 1 || runs[name][0].Status != "completed" {
				return fmt.Errorf("%s: %+v", name, runs[name])
			}
		}
		return nil
	})
}

// TestProduction: the compose file's processes run the example workflows, and lose
// nothing when they are restarted one after the other.
func TestProduction(t *testing.T) {
	p := newProduction(t, shipped)
	p.up(t)
	p.examples(t)
	p.wantRights(t)
	p.wantConsole(t)
	p.wantMetrics(t)
	p.wantSound(t)
	p.wantRollingRestart(t)
	if out := p.must(t, "keys"); !strings.Contains(out, "kept as they are") || !strings.Contains(out, "up to date") {
		t.Errorf("keys, the second time: %s", out)
	}
	p.down(t)
}

var stock = flag.Bool("stock", false, "the stack on a nats-server that is not ours, too")

// TestStockServer: the same on a nats-server that is not ours, in mode always. It
// loses nothing when it is killed.
func TestStockServer(t *testing.T) {
	if !*stock {
		t.Skip("it builds a nats-server: make stock")
	}
	p := newProduction(t, shipped, onNATS)
	if err := build(programs(t), "github.com/nats-io/nats-server/v2"); err != nil {
		t.Fatal(err)
	}
	p.stock = true
	p.address["127.0.0.1:8222"] = "127.0.0.1:" + freePort(t)
	p.up(t)
	p.examples(t)
	p.wantRights(t)
	before := p.runs(t)
	p.killBroker(t)
	p.wantKept(t, before)
	// What is not declared is refused: nobody could tell that it is durable.
	if out, err := p.run(t, "zflow", []string{"runs", "list"}, "ZFLOW_DURABILITY="); err == nil || !strings.Contains(err.Error(), "would lose acknowledged events") {
		t.Errorf("undeclared: %v %s", err, out)
	}
	p.down(t)
}

// wantKept: each of these runs is still there. One that had ended is as it was;
// the others may have gone on.
func (p *production) wantKept(t *testing.T, before map[string][]operator.Run) {
	t.Helper()
	now := map[string]operator.Run{}
	for _, runs := range p.runs(t, "--limit", "10000") {
		for _, r := range runs {
			now[r.ID] = r
		}
	}
	for _, runs := range before {
		for _, r := range runs {
			if after, ok := now[r.ID]; !ok || r.EndedAt != nil && !reflect.DeepEqual(r, after) {
				t.Errorf("before the server was killed there was %+v\nafter it (found: %v) %+v", r, ok, after)
			}
		}
	}
}

// killBroker kills the broker and starts it again.
func (p *production) killBroker(t *testing.T) {
	t.Helper()
	r := p.running["broker"]
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-r.ended
	p.startBroker(t)
}

// wantRights: who takes events in cannot read what became of them.
func (p *production) wantRights(t *testing.T) {
	t.Helper()
	url := "nats://" + p.address["broker:4222"]
	if nc, err := nats.Connect(url); err == nil {
		nc.Close()
		t.Error("connected without credentials")
	}
	refused := make(chan error, 16)
	nc, err := nats.Connect(url, nats.UserInfo("ingest", someEnv()["ZFLOW_INGEST_PASSWORD"]), nats.CustomInboxPrefix("_INBOX_ingest"),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Stream(t.Context(), proto.Events); err != nil {
		t.Errorf("ingest cannot see EVENTS: %v", err)
	}
	for what, subject := range map[string]string{
		"reading a run": "$JS.API.STREAM.MSG.GET.RUNS", "listing runs": "$JS.API.CONSUMER.CREATE.RUNS", "looking at RUNS": "$JS.API.STREAM.INFO.RUNS",
		"writing a run": "zflow.run.w.r.completed",
	} {
		if err := nc.PublishRequest(subject, "_INBOX_ingest.x", []byte("{}")); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-refused:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("%s as ingest: %v", what, err)
			}
		case <-time.After(patience):
			t.Errorf("%s as ingest is allowed", what)
		}
	}
}

// wantMetrics: each process tells what it did, and nothing else.
func (p *production) wantMetrics(t *testing.T) {
	t.Helper()
	for name, want := range map[string]string{
		"broker": "zflow_flushes_total", "ingest-1": `zflow_webhooks_total{app="default",outcome="accepted"} `,
		"worker-1": "zflow_gate_passes_total", "worker-2": "zflow_gate_passes_total",
	} {
		r, err := http.Get("http://" + p.metrics[name] + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		text := readAll(t, r)
		if r.StatusCode != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %s, no %s in\n%s", name, r.Status, want, text)
		}
		p.silent(t, "the metrics of "+name, text)
	}
}

// wantSound: doctor finds nothing wrong, and ingest's own configuration is enough
// for ingest, workers' for workers.
func (p *production) wantSound(t *testing.T) {
	t.Helper()
	out, err := p.run(t, "zflow", []string{"doctor", "--ingest-metrics", "http://" + p.metrics["ingest-1"] + "/metrics"})
	if err != nil {
		t.Errorf("doctor: %v\n%s", err, out)
	}
	p.silent(t, "doctor", out)
	out, err = p.run(t, "zflow", []string{"runs", "list"}, "ZFLOW_SERVER=nats://admin:wrong-p@"+p.address["broker:4222"])
	if err == nil || !strings.Contains(err.Error(), "Authorization") || strings.Contains(err.Error()+out, "wrong-p") {
		t.Errorf("with a wrong password: %v\n%s", err, out)
	}
}

// wantRollingRestart sends events all the while both ingests take turns and the
// workers are restarted: each event ends in one run.
func (p *production) wantRollingRestart(t *testing.T) {
	t.Helper()
	file := filepath.Join(p.dir, "note.yaml")
	if err := os.WriteFile(file, []byte("name: note\non: [{zoom: meeting.started}]\nsteps:\n  - {uses: log, with: {message: hello}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.must(t, "zflow", "deploy", file)
	load := newTraffic(p.ingest, someEnv()["ZOOM_SECRET_TOKEN"])
	load.run(t)
	load.wait(t, 25)
	p.startIngest(t, "ingest-2")
	load.to(p.ingest)
	p.stop(t, "ingest-1")
	load.wait(t, 25)
	p.stop(t, "worker-1")
	p.startWorker(t, "worker-3")
	load.wait(t, 25)
	p.stop(t, "worker-2")
	load.wait(t, 25)
	if !testing.Short() {
		p.stop(t, "broker")
		p.startBroker(t)
		load.wait(t, 25)
	}
	sent := load.end()
	await(t, fmt.Sprintf("%d runs", sent), func() error {
		runs := p.runs(t, "--workflow", "note", "--limit", fmt.Sprint(10*sent))["note"]
		events := map[string]bool{}
		for _, r := range runs {
			if r.Status == "completed" {
				events[r.EventID] = true
			}
		}
		if len(runs) > sent {
			t.Fatalf("%d events became %d runs", sent, len(runs))
		}
		if len(events) < sent {
			open := ""
			for _, r := range runs {
				if r.Status != "completed" {
					open += fmt.Sprintf("\n%+v", r)
				}
			}
			return fmt.Errorf("%d of %d runs have completed, of %d that began%s", len(events), sent, len(runs), open)
		}
		return nil
	})
}

// traffic sends events, one after the other, as Zoom does: what is not accepted is
// sent again.
type traffic struct {
	secret   string
	stop     context.CancelFunc
	finished sync.WaitGroup
	accepted chan struct{}

	mu   sync.Mutex
	url  string
	sent int
}

func newTraffic(url, secret string) *traffic {
	return &traffic{url: url, secret: secret, accepted: make(chan struct{}, 1<<16)}
}

func (l *traffic) run(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l.stop = cancel
	for n := range 2 {
		l.finished.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				l.send(t, n*1_000_000+i)
			}
		})
	}
}

// send sends one event until it is accepted.
func (l *traffic) send(t *testing.T, n int) {
	body, _, _ := send.Payload("meeting.started", time.Now(), n)
	for {
		if t.Context().Err() != nil {
			return
		}
		l.mu.Lock()
		url := l.url
		l.mu.Unlock()
		to, err := send.New(url, "default", l.secret)
		if err != nil {
			t.Error(err)
			return
		}
		// An error is a connection that was refused: ingest is being replaced.
		if answer, err := to.Send(t.Context(), "meeting.started", body); err == nil && answer.Accepted {
			break
		} else if err == nil && answer.Status < 500 {
			t.Errorf("an event is answered %d %s", answer.Status, answer.Answer)
			return
		}
	}
	l.mu.Lock()
	l.sent++
	l.mu.Unlock()
	l.accepted <- struct{}{}
}

// to sends what follows elsewhere, as a load balancer would.
func (l *traffic) to(url string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.url = url
}

// wait returns when that many more events are accepted.
func (l *traffic) wait(t *testing.T, events int) {
	t.Helper()
	for range len(l.accepted) {
		<-l.accepted
	}
	for range events {
		select {
		case <-l.accepted:
		case <-time.After(patience):
			t.Fatal("no more events are accepted")
		}
	}
}

// end stops sending and returns how many events were accepted.
func (l *traffic) end() int {
	l.stop()
	l.finished.Wait()
	return l.sent
}

func readAll(t *testing.T, r *http.Response) string {
	t.Helper()
	defer func() { _ = r.Body.Close() }() // it is read to its end
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
