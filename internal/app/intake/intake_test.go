package intake

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"zflow/internal/natstest"
	"zflow/internal/sealed"
	"zflow/internal/settings"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/zoom"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

const hookSecret = "a-secret-of-the-app"

// intake is an Intake that runs until the test ends.
type intake struct {
	*Intake
	logs  *observer.ObservedLogs
	said  chan string // each message that is logged
	stop  context.CancelFunc
	ended chan error
}

func ingestConfig(t testing.TB, url string) Config {
	t.Helper()
	keys, err := sealed.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Listen: "127.0.0.1:0", MetricsListen: "127.0.0.1:0", SealKey: keys.Public().String(),
		NATS:   NATS{URL: url, OpenEvery: 20 * time.Millisecond},
		Apps:   []zoom.App{{Name: "main", Secrets: []string{hookSecret}}},
		Limits: sources.Limits{MaxBytes: 64 << 20},
	}
}

func startIntake(t testing.TB, c Config) *intake {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	said := make(chan string, 1000)
	in, err := New(c, zap.New(core, zap.Hooks(func(e zapcore.Entry) error {
		said <- e.Message
		return nil
	})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	i := &intake{Intake: in, logs: logs, said: said, stop: stop, ended: make(chan error, 1)}
	go func() { i.ended <- in.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		i.ended <- <-i.ended
	})
	return i
}

func (i *intake) get(t testing.TB, path string) (int, string) {
	t.Helper()
	r, err := http.Get("http://" + i.MetricsAddr() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, _ := io.ReadAll(r.Body)
	return r.StatusCode, string(text)
}

// headers are those that sign a body.
func headers(body string) http.Header {
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	h := hmac.New(sha256.New, []byte(hookSecret))
	io.WriteString(h, "v0:"+stamp+":"+body)
	return http.Header{"X-Zm-Request-Timestamp": {stamp}, "X-Zm-Signature": {"v0=" + hex.EncodeToString(h.Sum(nil))}}
}

func (i *intake) post(t testing.TB, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest("POST", "http://"+i.Addr()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = headers(body)
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	text, _ := io.ReadAll(w.Body)
	return w.StatusCode, string(text)
}

func hook(n int) string {
	return fmt.Sprintf(`{"event":"meeting.ended","event_ts":%d,"payload":{"account_id":"A","object":{"uuid":"u=="}}}`, 1790000000000+n)
}

const validationHook = `{"event":"endpoint.url_validation","event_ts":1,"payload":{"plainToken":"plain-1"}}`

func TestIngestStartsWhileNATSIsAway(t *testing.T) {
	server := natstest.Start(t, natstest.Listen)
	url := server.URL()
	server.Down()
	in := startIntake(t, ingestConfig(t, url))
	if code, text := in.post(t, "/hooks/zoom/main", validationHook); code != 200 || !strings.Contains(text, "encryptedToken") {
		t.Errorf("URL validation without NATS: %d %s", code, text)
	}
	if code, _ := in.post(t, "/hooks/zoom/main", hook(1)); code != 503 {
		t.Errorf("an event without NATS: %d", code)
	}
	if code, _ := in.get(t, "/readyz"); code != 503 {
		t.Errorf("ready without NATS: %d", code)
	}
	if code, _ := in.get(t, "/healthz"); code != 200 {
		t.Errorf("not healthy without NATS: %d", code)
	}
	server.Up(t)
	<-in.Opened()
	if code, _ := in.post(t, "/hooks/zoom/main", hook(1)); code != 204 {
		t.Errorf("with NATS: %d", code)
	}
	if code, text := in.get(t, "/readyz"); code != 200 {
		t.Errorf("not ready with NATS: %d %s", code, text)
	}
	if code, _ := in.post(t, "/elsewhere", hook(1)); code != 404 {
		t.Errorf("another path: %d", code)
	}
	_, metrics := in.get(t, "/metrics")
	for _, line := range []string{
		`zflow_webhooks_total{app="main",outcome="accepted"} 1`, `zflow_webhooks_total{app="main",outcome="validation"} 1`,
		`zflow_webhooks_total{app="main",outcome="unavailable"} 1`, `zflow_webhook_validated_timestamp_seconds{app="main"}`,
		`zflow_nats_connected 1`, `zflow_gate_passes_total`, `zflow_ingest_not_found_total 1`, `zflow_webhook_seconds_count 3`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
	in.expectNothingSecret(t, metrics)
}

func (i *intake) expectNothingSecret(t testing.TB, more string) {
	t.Helper()
	text := more
	for _, l := range i.logs.All() {
		text += fmt.Sprint(l.Message, l.ContextMap())
	}
	for _, s := range []string{hookSecret, "plain-1", "u=="} {
		if strings.Contains(text, s) {
			t.Errorf("%q stands in a log or a metric", s)
		}
	}
}

// half opens a connection that has sent all of a webhook but its last byte.
func (i *intake) half(t testing.TB, body string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", i.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	h := headers(body)
	fmt.Fprintf(c, "POST /hooks/zoom/main HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\nX-Zm-Signature: %s\r\nX-Zm-Request-Timestamp: %s\r\n\r\n",
		len(body), h.Get("X-Zm-Signature"), h.Get("X-Zm-Request-Timestamp"))
	goOn := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	if _, err := io.ReadFull(c, goOn); err != nil { // sent when the handler begins to read
		t.Fatal(err)
	}
	io.WriteString(c, body[:len(body)-1])
	return c
}

func TestIngestFinishesWhatIsUnderWay(t *testing.T) {
	in := startIntake(t, ingestConfig(t, natstest.Start(t, natstest.Listen).URL()))
	<-in.Opened()
	c := in.half(t, hook(1))
	in.stop()
	for !in.draining.Load() {
		select {
		case err := <-in.ended:
			in.ended <- err
			t.Fatalf("ended with a request under way: %v", err)
		default:
		}
	}
	if code, text := in.get(t, "/readyz"); code != 503 || !strings.Contains(text, "stopping") {
		t.Errorf("ready while stopping: %d %s", code, text)
	}
	io.WriteString(c, "}")
	answer := make([]byte, 12)
	if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "HTTP/1.1 204" {
		t.Errorf("answered %q, %v", answer, err)
	}
	if err := <-in.ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	in.ended <- nil
	if _, err := net.Dial("tcp", in.Addr()); err == nil {
		t.Error("still listening")
	}
}

func TestIngestStopsThoughASenderHangs(t *testing.T) {
	c := ingestConfig(t, natstest.Start(t, natstest.Listen).URL())
	c.Drain = 30 * time.Millisecond
	in := startIntake(t, c)
	<-in.Opened()
	in.half(t, hook(1))
	in.stop()
	err := <-in.ended
	in.ended <- nil
	if err == nil || !strings.Contains(err.Error(), "waiting for the webhooks under way") {
		t.Errorf("ended with %v", err)
	}
}

// TestIngestStopsThoughAConnectionIsUnused: clients dial connections that they
// then do not need.
func TestIngestStopsThoughAConnectionIsUnused(t *testing.T) {
	in := startIntake(t, ingestConfig(t, "nats://127.0.0.1:1"))
	unused, err := net.Dial("tcp", in.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer unused.Close()
	in.post(t, "/hooks/zoom/main", validationHook) // so the one before was accepted
	begin := time.Now()
	in.stop()
	err = <-in.ended
	in.ended <- err
	if took := time.Since(begin); err != nil || took > 3*time.Second {
		t.Errorf("stopped after %v: %v", took, err)
	}
}

func TestIngestRefusesToStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, change := range map[string]func(*Config){
		"port taken":         func(c *Config) { c.Listen = taken.Addr().String() },
		"metrics port taken": func(c *Config) { c.MetricsListen = taken.Addr().String() },
		"no sealing key":     func(c *Config) { c.SealKey = "" },
		"empty secret":       func(c *Config) { c.Apps[0].Secrets = []string{""} },
		"no credentials":     func(c *Config) { c.NATS.Creds = "/nowhere/x.creds" },
	} {
		c := ingestConfig(t, "nats://127.0.0.1:1")
		change(&c)
		if in, err := New(c, zap.NewNop()); err == nil {
			in.close()
			t.Errorf("%s: started", name)
		}
	}
}

func TestIngestMakesRoom(t *testing.T) {
	server := natstest.Start(t, natstest.Listen)
	js := server.JetStream(t)
	c := ingestConfig(t, server.URL())
	c.Limits.MaxBytes = 64 << 10
	if err := sources.Create(t.Context(), js, c.Limits); err != nil {
		t.Fatal(err)
	}
	p := sources.NewPublisher(js, server.Gate(t))
	for i := range 15 {
		at := time.UnixMilli(1790000000000)
		e := &proto.Event{ID: strconv.Itoa(i), Type: "a", Source: "zoom/main", Origin: proto.FromTest, Time: at, ReceivedAt: at, Body: make([]byte, 3900)}
		if _, err := p.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	_, err := js.CreateConsumer(t.Context(), proto.Events, jetstream.ConsumerConfig{Durable: "w", AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverNewPolicy})
	if err != nil {
		t.Fatal(err)
	}
	in := startIntake(t, c)
	<-in.Opened()
	for text := range in.said {
		if strings.Contains(text, "purged") {
			break
		}
	}
	if _, metrics := in.get(t, "/metrics"); strings.Contains(metrics, "zflow_events_purged_total 0\n") || !strings.Contains(metrics, "zflow_events_max_bytes 65536") {
		t.Error("the purge is not counted")
	}
	if code, _ := in.post(t, "/hooks/zoom/main", hook(1)); code != 204 {
		t.Errorf("with room again: %d", code)
	}
}

// TestIngestNeedsNoMoreThanItsRights runs it as the user that configs/nats.conf
// gives it: it makes the stream, stores events and makes room.
func TestIngestNeedsNoMoreThanItsRights(t *testing.T) {
	for _, user := range []string{"INGEST", "WORKER", "CONSOLE", "ADMIN"} {
		t.Setenv("ZFLOW_"+user+"_PASSWORD", "p-"+strings.ToLower(user))
	}
	shipped, err := server.ProcessConfigFile("../../../configs/nats.conf")
	if err != nil {
		t.Fatal(err)
	}
	s := natstest.Start(t, natstest.Listen, natstest.NoFlusher, natstest.Configure(func(o *server.Options) { o.Users = shipped.Users }))
	c := settings.Default()
	c.NATS = settings.NATS{URL: s.URL(), User: "ingest", Password: settings.NewSecret("p-ingest"), Durability: settings.DurabilityAlways}
	c.Streams.EventsBytes = 64 << 10
	base := ingestConfig(t, "")
	config := ConfigOf(c)
	config.Listen, config.MetricsListen, config.SealKey, config.Apps = base.Listen, base.MetricsListen, base.SealKey, base.Apps
	in := startIntake(t, config)
	<-in.Opened()
	big := strings.Replace(hook(0), `"payload"`, `"pad":"`+strings.Repeat("x", 8<<10)+`","payload"`, 1)
	n := 0
	for ; n < 20; n++ {
		if code, _ := in.post(t, "/hooks/zoom/main", strings.Replace(big, "1790000000000", strconv.Itoa(1790000000000+n), 1)); code != 204 {
			break
		}
	}
	if n == 0 || n == 20 {
		t.Fatalf("%d events were taken", n)
	}
	admin := natstest.JetStream(t, s.Connect(t, nats.UserInfo("admin", "p-admin")))
	if _, err := admin.CreateConsumer(t.Context(), proto.Events, jetstream.ConsumerConfig{Durable: "w", AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverLastPolicy}); err != nil {
		t.Fatal(err)
	}
	in.makeRoom(t.Context())
	if code, _ := in.post(t, "/hooks/zoom/main", hook(99)); code != 204 {
		t.Errorf("after making room: %d", code)
	}
	for _, l := range in.logs.All() {
		if strings.Contains(fmt.Sprint(l.ContextMap()), "ermissions") {
			t.Errorf("logged %s %v", l.Message, l.ContextMap())
		}
	}
}

func TestIngestConfigOf(t *testing.T) {
	c := settings.Default()
	c.NATS.User, c.NATS.Password = "ingest", settings.NewSecret("pw")
	c.NATS.Durability = settings.DurabilityAlways
	c.Ingest.Apps = map[string]settings.App{"main": {Secrets: []settings.Secret{settings.NewSecret("a"), settings.NewSecret("b")}}}
	c.Ingest.PublicKey = settings.NewText("zflow-seal-x")
	got := ConfigOf(c)
	if got.Listen != ":8080" || got.MaxBody != 1<<20 || got.Past != 2*time.Hour || got.Future != 5*time.Minute || got.SealKey != "zflow-seal-x" ||
		got.NATS.Declared != "always" || len(got.NATS.Options) != 2 || len(got.Apps) != 1 || strings.Join(got.Apps[0].Secrets, ",") != "a,b" ||
		got.Limits.MaxBytes != 20<<30 || got.Limits.MaxAge != 28*24*time.Hour {
		t.Errorf("got %+v", got)
	}
	c.NATS.Durability = settings.DurabilityAuto
	if got := ConfigOf(c); got.NATS.Declared != "" {
		t.Errorf("auto declares %q", got.NATS.Declared)
	}
}

// TestIntakeEndsWithItsListener: who started it is told.
func TestIntakeEndsWithItsListener(t *testing.T) {
	srv := natstest.Start(t, natstest.Listen)
	in := startIntake(t, ingestConfig(t, srv.URL()))
	if err := in.public.Close(); err != nil {
		t.Fatal(err)
	}
	err := <-in.ended
	in.ended <- err
	if err == nil || !strings.Contains(err.Error(), "serving webhooks") {
		t.Errorf("it ended with %v", err)
	}
}
