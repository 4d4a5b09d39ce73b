package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/engine/leases"
	"zflow/internal/durable"
	"zflow/internal/natstest"
	"zflow/internal/operator"
	"zflow/internal/operator/operatortest"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// rig is a server on which something may be wrong.
type rig struct {
	*operatortest.House
	t *testing.T
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return &rig{operatortest.New(t), t}
}

func (r *rig) deploy(name string) {
	r.Deploy("name: " + name + "\non: [ { zoom: meeting.ended } ]\nsteps:\n  - { id: say, uses: log, with: { message: hi } }\n")
}

// asking is a run that waits for a person to say what an attempt did.
func (r *rig) asking(event string) string {
	return r.Run("hello", "v1", event, engine.Waiting,
		&v1.Fact{Step: "call", Kind: &v1.Fact_StepStarted{StepStarted: &v1.StepStarted{Attempt: 1, Uses: "log"}}},
		&v1.Fact{Step: "call", Kind: &v1.Fact_StepFailed{StepFailed: &v1.StepFailed{Attempt: 1, Class: "unknown", Next: "ask", Error: &v1.Error{Message: "nobody knows"}}}})
}

// doctor examines a rig as a healthy zflow would be: with a worker's lease.
func (r *rig) doctor() Doctor {
	r.t.Helper()
	store, err := leases.Open(context.Background(), r.JS)
	r.Must(err)
	r.Must(store.Put(context.Background(), "w1"))
	return Doctor{
		Dial: func(context.Context) (*nats.Conn, error) { return r.Server.Connect(r.t), nil },
		Open: func(context.Context, *nats.Conn) (*operator.Operator, error) { return r.Operator, nil },
	}
}

// finds checks that exactly this is found.
func finds(t *testing.T, d Doctor, want ...string) Report {
	t.Helper()
	report := d.Examine(context.Background())
	for _, f := range report.Findings {
		if f.Advice == "" || f.Wrong == "" || strings.Contains(f.Wrong, "\n") {
			t.Errorf("no finding for people: %+v", f)
		}
	}
	for _, w := range want {
		found := false
		for _, f := range report.Findings {
			found = found || strings.Contains(f.Check+" "+f.About+": "+f.Wrong, w)
		}
		if !found {
			t.Errorf("%q is not among %+v", w, report.Findings)
		}
	}
	if len(report.Findings) != len(want) {
		t.Errorf("%d findings, want %d: %+v", len(report.Findings), len(want), report.Findings)
	}
	return report
}

func TestADoctorFindsNothingWhereNothingIsWrong(t *testing.T) {
	r := newRig(t)
	r.deploy("hello")
	r.Run("hello", "v1", "e", engine.Completed, &v1.Fact{Kind: &v1.Fact_RunCompleted{RunCompleted: &v1.RunCompleted{}}})
	report := finds(t, r.doctor())
	if report.Durability != "group" || report.Version == "" {
		t.Errorf("reported %+v", report)
	}
}

func TestADoctorFindsServersThatAreNoneForUs(t *testing.T) {
	d := Doctor{Dial: func(context.Context) (*nats.Conn, error) { return nil, errors.New("nobody there") }}
	finds(t, d, "server : it does not answer: nobody there")
	stock := natstest.Start(t, natstest.NoFlusher)
	d.Dial = func(context.Context) (*nats.Conn, error) { return stock.Connect(t), nil }
	report := d.Examine(context.Background())
	if f := report.Findings[0]; f.Check != "durability" || !strings.Contains(f.Wrong, "would lose acknowledged events") {
		t.Errorf("found %+v", report.Findings)
	}
	d.Declared = durable.Always
	d.Open = func(context.Context, *nats.Conn) (*operator.Operator, error) { return nil, errors.New("no streams") }
	report = d.Examine(context.Background())
	if len(report.Notes) == 0 || !strings.Contains(strings.Join(report.Notes, " "), "cannot be verified") || report.Durability != "always" {
		t.Errorf("notes %v", report.Notes)
	}
	missing := 0
	for _, f := range report.Findings {
		if f.Check == "stream" && strings.Contains(f.Wrong, "it is not there") {
			missing++
		}
	}
	if missing != len(design()) {
		t.Errorf("%d of %d streams are said to be missing", missing, len(design()))
	}
}

func (r *rig) change(stream string, f func(*jetstream.StreamConfig)) {
	r.t.Helper()
	s, err := r.JS.Stream(context.Background(), stream)
	r.Must(err)
	c := s.CachedInfo().Config
	f(&c)
	_, err = r.JS.UpdateStream(context.Background(), c)
	r.Must(err)
}

func TestADoctorFindsStreamsThatDiffer(t *testing.T) {
	r := newRig(t)
	r.change(proto.Events, func(c *jetstream.StreamConfig) { c.Discard, c.Duplicates = jetstream.DiscardOld, time.Minute })
	r.change(proto.Runs, func(c *jetstream.StreamConfig) { c.AllowDirect, c.MaxAge = true, 24*time.Hour })
	r.change(proto.Wakes, func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour })
	r.change(proto.Bucket(proto.Leases), func(c *jetstream.StreamConfig) { c.MaxAge = time.Minute })
	finds(t, r.doctor(),
		"stream EVENTS: it discards DiscardOld messages when full, not DiscardNew",
		"stream EVENTS: it knows duplicates for 1m0s only",
		"stream RUNS: it has direct get",
		"stream RUNS: it keeps runs for 24 h 0 min, events are kept for 28 d 0 h",
		"stream WAKES: it drops what is older than 1h0m0s",
		"stream KV_LEASES: it keeps messages for 1m0s, not 6s")
}

func TestADoctorFindsAStreamThatIsNotWritten(t *testing.T) {
	c := jetstream.StreamConfig{PersistMode: jetstream.AsyncPersistMode, Storage: jetstream.MemoryStorage, Retention: jetstream.InterestPolicy, Replicas: 1, MaxMsgsPerSubject: 5}
	all := strings.Join(design()[3].differs(c, 3), "; ")
	for _, want := range []string{"persist_mode is async", "kept in memory", "retention is Interest", "1 of 3 replicas", "5 messages a subject, not 1"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in %q", want, all)
		}
	}
	if got := design()[2].differs(jetstream.StreamConfig{Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardOld, Replicas: 1}, 1); len(got) != 1 || !strings.Contains(got[0], "no timer works") {
		t.Errorf("WAKES without schedules: %v", got)
	}
}

func TestADoctorFindsConsumersThatDiffer(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	r.deploy("hello")
	r.deploy("gone")
	r.Deploy("name: called\non: [ { call: {} } ]\nsteps:\n  - { id: say, uses: log, with: { message: hi } }\n") // has none, as it must
	r.Must(r.JS.DeleteConsumer(ctx, proto.Events, "gone"))
	r.Must(r.JS.DeleteConsumer(ctx, proto.Wakes, "wakes"))
	hello, err := r.JS.Consumer(ctx, proto.Events, "hello")
	r.Must(err)
	c := hello.CachedInfo().Config
	c.MaxDeliver, c.FilterSubjects, c.FilterSubject = 5, nil, "zflow.event.zoom.*.meeting.started"
	_, err = r.JS.UpdateConsumer(ctx, proto.Events, c)
	r.Must(err)
	finds(t, r.doctor(),
		"consumer gone: it is not there",
		"consumer wakes: it cannot be read",
		"consumer hello: it gives up after 5 deliveries",
		"consumer hello: it gets events of zflow.event.zoom.*.meeting.started, its triggers want zflow.event.zoom.*.meeting.ended")
}

func TestADoctorFindsWorkThatDoesNotGoOn(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	r.deploy("hello")
	r.deploy("paused")
	r.Must(r.Catalog.Pause(ctx, "paused"))
	r.Event("meeting.ended", 1, "{}")
	asks := r.asking("a")
	broken := r.Run("hello", "v1", "b", engine.Waiting)
	_, err := r.NC.Request(proto.RunSubject("hello", broken, "waiting"), []byte{0xff}, time.Second)
	r.Must(err)
	d := r.doctor()
	store, err := leases.Open(ctx, r.JS)
	r.Must(err)
	r.Must(store.Delete(ctx, "w1"))
	report := finds(t, d,
		"worker : none is running",
		"workflow hello: 1 event waits, and no worker asks for them",
		"workflow paused: it is paused, and 1 event waits",
		"run "+asks+": workflow hello: step call waits for a person",
		"run "+broken+": loading run")
	for _, f := range report.Findings {
		if f.About == asks && f.Advice != "zflow runs approve "+f.About+" call --choice retry|done|fail" {
			t.Errorf("the advice is %q", f.Advice)
		}
	}
}

func TestADoctorAsksForTokens(t *testing.T) {
	r := newRig(t)
	d := r.doctor()
	d.Apps, d.Connections = []App{{"school", 1}, {"office", 0}}, []string{"a", "b"}
	d.Token = func(_ context.Context, _ *durable.Gate, _ jetstream.JetStream, name string) error {
		if name == "b" {
			return errors.New("invalid client")
		}
		return nil
	}
	finds(t, d, "app office: it has no secret token", "connection b: it gets no token: invalid client")
}

const metrics = `# HELP zflow_webhooks_total Webhooks by app and what became of them.
zflow_webhooks_total{app="good",outcome="accepted"} 12
zflow_webhooks_total{app="good",outcome="bad_signature"} 1
zflow_webhooks_total{app="good",outcome="unavailable"} 2
zflow_webhook_validated_timestamp_seconds{app="good"} %d
zflow_webhook_validated_timestamp_seconds{app="late"} 1.79e+09
zflow_webhooks_total{app="late",outcome="bad_credential"} 5
zflow_webhooks_total{app="new",outcome="accepted"} 0
zflow_webhooks_total{app="wrong",outcome="bad_signature"} 3
zflow_webhooks_total{app="late",outcome="accepted"} 1
zflow_webhooks_total{app="late",outcome="stale"} 4
zflow_webhooks_total{app="",outcome="unknown_app"} 4
zflow_nats_connected 1
`

func TestADoctorReadsIngestsMetrics(t *testing.T) {
	r := newRig(t)
	body, status := fmt.Sprintf(metrics, time.Now().Add(-70*time.Hour).Unix()), http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer s.Close()
	d := r.doctor()
	d.Metrics = s.URL
	report := finds(t, d,
		"ingest new: URL validation was never seen",
		"ingest wrong: URL validation fails: all 3 requests had a wrong signature",
		"ingest late: Zoom last validated its URL",
		"ingest late: 5 requests were well signed but lacked",
		"ingest late: 4 requests were refused for their time")
	if notes := strings.Join(report.Notes, "; "); !strings.Contains(notes, "app good: 1 requests had a wrong signature") || !strings.Contains(notes, "app good: Zoom last validated its URL at") || !strings.Contains(notes, "answered 503") {
		t.Errorf("notes %s", notes)
	}
	status = http.StatusNotFound
	finds(t, d, "its metrics cannot be read: the answer is 404")
	d.Metrics = "http://127.0.0.1:1/metrics"
	finds(t, d, "its metrics cannot be read")
}
