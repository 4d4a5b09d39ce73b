package broker_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"zflow/engine/gates"
	"zflow/engine/waits"
	"zflow/internal/app/broker"
	"zflow/internal/durable"
	"zflow/proto"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// password makes every password of the shipped configuration this, for the test.
const password = "p-of-the-test"

// startShipped starts the broker of configs/nats.conf, on a port of its own.
func startShipped(t *testing.T) *broker.Broker {
	t.Helper()
	for _, role := range []string{"INGEST", "WORKER", "CONSOLE", "ADMIN"} {
		t.Setenv("ZFLOW_"+role+"_PASSWORD", password)
	}
	return startBroker(t, broker.Config{File: "../../../configs/nats.conf", Listen: "127.0.0.1:0", Data: t.TempDir(), MetricsListen: "127.0.0.1:0"})
}

func startBroker(t *testing.T, c broker.Config) *broker.Broker {
	t.Helper()
	b, err := broker.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Shutdown)
	return b
}

// as connects as a user of the shipped configuration; refusals come on the channel.
func as(t *testing.T, b *broker.Broker, user string) (*nats.Conn, jetstream.JetStream, chan error) {
	t.Helper()
	refused := make(chan error, 100)
	nc, err := nats.Connect(b.URL(), nats.UserInfo(user, password), nats.CustomInboxPrefix("_INBOX_"+user),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return nc, js, refused
}

// pass publishes one message through a Gate.
func pass(t *testing.T, nc *nats.Conn, js jetstream.JetStream, stream, subject string) {
	t.Helper()
	g, err := durable.Open(t.Context(), nc, durable.Options{Streams: []string{stream}})
	if err != nil {
		t.Fatal(err)
	}
	m := g.Mark()
	if _, err := js.Publish(t.Context(), subject, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := g.Pass(t.Context(), stream, m); err != nil {
		t.Fatal(err)
	}
}

// TestRoles: the users of configs/nats.conf can do their work, and ingest can
// neither read a run nor write one.
func TestRoles(t *testing.T) {
	b := startShipped(t)
	worker, workerJS, _ := as(t, b, "worker")
	for _, c := range []jetstream.StreamConfig{
		{Name: proto.Runs, Subjects: []string{"zflow.run.>"}},
		{Name: "KV_DEFINITIONS", Subjects: []string{"$KV.DEFINITIONS.>"}, MaxMsgsPerSubject: 1},
	} {
		if _, err := workerJS.CreateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	ingest, ingestJS, refused := as(t, b, "ingest")
	if _, err := ingestJS.CreateStream(t.Context(), jetstream.StreamConfig{Name: proto.Events, Subjects: []string{"zflow.event.>"}}); err != nil {
		t.Fatal(err)
	}
	pass(t, ingest, ingestJS, proto.Events, "zflow.event.zoom.a.meeting.ended")
	pass(t, worker, workerJS, proto.Runs, "zflow.run.w.r.running")
	if err := errors.Join(waits.Create(t.Context(), workerJS, 1), gates.Create(t.Context(), workerJS, 1)); err != nil {
		t.Fatal(err)
	}
	pass(t, worker, workerJS, proto.Bucket(proto.Waiters), "$KV.WAITERS.wait.zoom.t.p.v")
	pass(t, worker, workerJS, proto.Bucket(proto.Gates), "$KV.GATES.own.w.k.holders")
	console, consoleJS, _ := as(t, b, "console")
	pass(t, console, consoleJS, "KV_DEFINITIONS", "$KV.DEFINITIONS.w")

	inbox := "_INBOX_ingest.x"
	for name, subject := range map[string]string{
		"writing a run":             "zflow.run.w.r.completed",
		"writing a wake":            "zflow.wake.w.r",
		"a command to a run":        "zflow.command.w.r",
		"reading a run":             "$JS.API.STREAM.MSG.GET.RUNS",
		"reading a run directly":    "$JS.API.DIRECT.GET.RUNS",
		"a consumer of runs":        "$JS.API.CONSUMER.CREATE.RUNS",
		"a consumer of events":      "$JS.API.CONSUMER.CREATE.EVENTS",
		"a source from runs":        "$JS.API.STREAM.UPDATE.EVENTS",
		"another stream":            "$JS.API.STREAM.CREATE.MIRROR",
		"a copy of runs":            "$JS.API.STREAM.SNAPSHOT.RUNS",
		"a flush of runs":           "zflow.flush.RUNS",
		"a definition":              "$KV.DEFINITIONS.w",
		"a waiter":                  "$KV.WAITERS.wait.zoom.t.p.v",
		"a gate's holders":          "$KV.GATES.own.w.k.holders",
		"the winner of a once":      "$KV.ONCE.once.w.0.k",
		"a connection's credential": "$JS.API.STREAM.MSG.GET.KV_CONNECTIONS",
	} {
		if err := ingest.PublishRequest(subject, inbox, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		wantRefusal(t, name, refused)
	}
	for _, subject := range []string{"zflow.run.>", "zflow.event.>", "_INBOX.>", "_INBOX_worker.>", "zflow.flush.>", ">"} {
		if _, err := ingest.Subscribe(subject, func(*nats.Msg) {}); err != nil {
			t.Fatal(err)
		}
		wantRefusal(t, "subscribing to "+subject, refused)
	}
	_, _, refused = consoleRefusals(t, b)
	wantRefusal(t, "console: writing a run", refused)
	admin, _, refused := as(t, b, "admin")
	if _, err := admin.Subscribe("zflow.flush.*", func(*nats.Msg) {}); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, "admin: answering for the broker", refused)
}

func consoleRefusals(t *testing.T, b *broker.Broker) (*nats.Conn, jetstream.JetStream, chan error) {
	t.Helper()
	nc, js, refused := as(t, b, "console")
	if err := nc.Publish("zflow.run.w.r.completed", nil); err != nil {
		t.Fatal(err)
	}
	return nc, js, refused
}

func wantRefusal(t *testing.T, what string, refused chan error) {
	t.Helper()
	select {
	case err := <-refused:
		if !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("%s: %v, want a permissions violation", what, err)
		}
	case <-time.After(5 * time.Second):
		t.Errorf("%s: allowed", what)
	}
}

func TestWrongPassword(t *testing.T) {
	b := startShipped(t)
	if nc, err := nats.Connect(b.URL()); err == nil {
		nc.Close()
		t.Error("connected without credentials")
	}
	if nc, err := nats.Connect(b.URL(), nats.UserInfo("zflow-broker", password)); err == nil {
		nc.Close()
		t.Error("connected as the broker itself")
	}
}

func TestBrokerHealth(t *testing.T) {
	b := startShipped(t)
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ok", "/metrics": "zflow_flush_requests_total"} {
		resp, err := http.Get("http://" + b.HealthAddr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(text), want) {
			t.Errorf("GET %s = %d %.80q, %v; want %q", path, resp.StatusCode, text, err, want)
		}
	}
}

// TestBrokerEndsWhenAFlushFails: it must not acknowledge anything more.
func TestBrokerEndsWhenAFlushFails(t *testing.T) {
	var broken atomic.Bool
	b := startBroker(t, broker.Config{Data: t.TempDir(), Listen: "127.0.0.1:0", Flusher: durable.FlusherOptions{
		Sync: func(*os.File) error {
			if broken.Load() {
				return errors.New("input/output error")
			}
			return nil
		},
	}})
	nc, err := b.Connect("test", nats.NoReconnect())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Err(); err != nil {
		t.Errorf("Err before the end = %v", err)
	}
	broken.Store(true)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: proto.Events, Subjects: []string{"zflow.event.>"}}); err != nil {
		t.Fatal(err)
	}
	<-b.Done() // the next sweep
	if err := b.Err(); err == nil || !strings.Contains(err.Error(), "input/output error") {
		t.Errorf("Err = %v, want the disk's error", err)
	}
}

// TestBrokerKeepsWhatItStored over a restart on the same folder.
func TestBrokerKeepsWhatItStored(t *testing.T) {
	c := broker.Config{Data: t.TempDir()}
	for want := range uint64(3) {
		b := startBroker(t, c)
		if b.URL() != "" {
			t.Errorf("URL = %q though nothing listens", b.URL())
		}
		nc, err := b.Connect("test")
		if err != nil {
			t.Fatal(err)
		}
		js, err := jetstream.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		s, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: proto.Events, Subjects: []string{"zflow.event.>"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.CachedInfo().State.LastSeq; got != want {
			t.Errorf("last sequence = %d, want %d", got, want)
		}
		pass(t, nc, js, proto.Events, "zflow.event.x")
		nc.Close()
		b.Shutdown()
		if err := b.Err(); err != nil {
			t.Errorf("Err after Shutdown = %v", err)
		}
	}
}

func TestBrokerRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	startBroker(t, broker.Config{Data: filepath.Join(dir, "taken")})
	t.Setenv("ZFLOW_TEST_NUMBER", "12345")
	for name, c := range map[string]struct {
		c    broker.Config
		want string
	}{
		"no folder":          {broker.Config{}, "no data folder is given"},
		"folder is a file":   {broker.Config{Data: write("file", "")}, "making the data folder"},
		"folder in use":      {broker.Config{Data: filepath.Join(dir, "taken")}, "is in use by another broker"},
		"open to the world":  {broker.Config{Data: dir, Listen: "0.0.0.0:0"}, "listens on loopback only"},
		"no address":         {broker.Config{Data: dir, Listen: "4222"}, "reading the listen address"},
		"no such file":       {broker.Config{Data: dir, File: filepath.Join(dir, "none.conf")}, "none.conf"},
		"open configuration": {broker.Config{Data: dir, File: write("open.conf", "host: 0.0.0.0\njetstream {}")}, "asks for no credentials"},
		"unset variable":     {broker.Config{Data: dir, File: write("unset.conf", "authorization { users: [ {user: a, password: $ZFLOW_TEST_UNSET} ] }")}, "ZFLOW_TEST_UNSET"},
		"numeric password":   {broker.Config{Data: dir, File: write("number.conf", "authorization { users: [ {user: a, password: $ZFLOW_TEST_NUMBER} ] }")}, "let it begin with a letter"},
		"no such account":    {broker.Config{Data: filepath.Join(dir, "a"), Account: "B", File: write("account.conf", "host: 127.0.0.1\nport: -1\naccounts { A { users: [ {user: a, password: b} ] } }")}, `no account "B"`},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			b, err := broker.Start(ctx, c.c)
			if err == nil {
				b.Shutdown()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Start = %v, want %q", err, c.want)
			}
		})
	}
}
