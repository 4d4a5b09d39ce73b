package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"zflow/internal/app"
	"zflow/internal/natstest"
	"zflow/internal/operator"
	"zflow/internal/operator/live"
	"zflow/internal/settings"
	"zflow/internal/terminal"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"zflow": main})
}

// TestOffline runs the commands that need no server, and what they say where
// there is none.
func TestOffline(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/offline", RequireUniqueNames: true})
}

// TestServer runs scripts each beside a zflow dev of its own, on the workflows
// in wf/, whose dev.json the commands find in their folder.
func TestServer(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/server", RequireUniqueNames: true,
		Setup: startDev,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await":   await,
			"asks":    asks,
			"damage":  damage,
			"request": request,
		},
	})
}

// devKey finds the script's zflow dev.
type devKey struct{}

func startDev(e *testscript.Env) error {
	api := httptest.NewServer(newAPI())
	e.Defer(api.Close)
	dir := filepath.Join(e.WorkDir, "wf")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	files, err := app.WorkflowFiles(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, bytes.ReplaceAll(src, []byte("API_URL"), []byte(api.URL)), 0o644); err != nil {
			return err
		}
	}
	config, err := settings.Load(settings.Setup{})
	if err != nil {
		return err
	}
	config.HTTPAllow = []string{"127.0.0.0/8"}
	dev, err := app.StartDev(context.Background(), app.DevConfig{
		Dir: dir, Data: filepath.Join(e.WorkDir, ".zflow"), IngestListen: "127.0.0.1:0", NATSListen: "127.0.0.1:0",
		Config: config, Out: io.Discard, Log: zap.NewNop(),
	})
	if err != nil {
		return err
	}
	e.Defer(dev.Close)
	e.Values[devKey{}] = dev
	e.Setenv("API", api.URL)
	e.Setenv("INGEST", dev.IngestURL())
	e.Setenv("SERVER", dev.NATSURL())
	e.Setenv("USER", "tester")
	return nil
}

// newAPI is an API for workflows to call: /hang never answers, /ok always does,
// /flaky only the second time.
func newAPI() http.Handler {
	var calls atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// What is left of a body is no matter of this API's.
		_, _ = io.Copy(io.Discard, r.Body)
		switch r.URL.Path {
		case "/hang":
			<-r.Context().Done()
		case "/flaky":
			if calls.Add(1) == 1 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}
	})
}

func operatorOf(ts *testscript.TestScript) *operator.Operator {
	return ts.Value(devKey{}).(*app.Dev).Client().Operator()
}

// await WORKFLOW STATUS [N] waits until N runs of a workflow have a status; without
// N until one has, whose id it puts into $RUN and its event's into $EVENT.
func await(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o := operatorOf(ts)
	want := 1
	if len(args) > 2 {
		var err error
		want, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	news := make(chan error, 1)
	changed := make(chan struct{}, 1)
	go func() {
		news <- live.WatchAll(ctx, o, live.Query{}, func(operator.Append) error {
			select {
			case changed <- struct{}{}:
			default:
			}
			return nil
		})
	}()
	for {
		runs, err := o.Runs(ctx, operator.RunQuery{Workflow: args[0], Status: args[1]})
		ts.Check(err)
		if len(runs) >= want {
			if len(args) == 2 {
				ts.Setenv("RUN", runs[0].ID)
				ts.Setenv("EVENT", runs[0].EventID)
			}
			return
		}
		select {
		case <-changed:
		case err := <-news:
			ts.Fatalf("following runs: %v", err)
		case <-time.After(100 * time.Millisecond): // it may have changed before Watch began
		}
	}
}

// asks RUN STEP waits until a step of a run asks a person.
func asks(ts *testscript.TestScript, _ bool, args []string) {
	o := operatorOf(ts)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	there := errors.New("it asks")
	err := live.Watch(ctx, o, args[0], func(operator.Append) error {
		d, err := o.Show(ctx, args[0])
		if err == nil && slices.ContainsFunc(d.Waits, func(w operator.Wait) bool { return w.Step == args[1] && w.For == "approval" }) {
			err = there
		}
		return err
	})
	if !errors.Is(err, there) {
		ts.Fatalf("following run %s: %v", args[0], err)
	}
}

// damage RUN writes an append into a run's history that cannot follow.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	o := operatorOf(ts)
	head, err := o.History.Find(context.Background(), args[0])
	ts.Check(err)
	data, err := proto.Marshal(&v1.Facts{Number: 99, Facts: []*v1.Fact{{Number: 99}}})
	ts.Check(err)
	_, err = o.JS.Publish(context.Background(), wire.RunSubject(head.Workflow, head.Run, head.State), data)
	ts.Check(err)
}

// here executes a command line in this process.
func here(t *testing.T, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	sh := &shell{&terminal.Shell{In: strings.NewReader(in), Out: &o, Err: &e, Env: func(string) string { return "" }}}
	code = execute(context.Background(), sh, args)
	return code, o.String(), e.String()
}

// TestStockServer is about servers that zflow's broker did not make: what they
// lack is said in one line, before anything is done.
func TestStockServer(t *testing.T) {
	s := natstest.Start(t, natstest.Listen, natstest.NoFlusher)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"runs", "list"}, "would lose acknowledged events at a power failure"},
		{[]string{"runs", "list", "--durability", "always"}, "zflow's streams are not on this server yet"},
		{[]string{"runs", "list", "--durability", "maybe"}, `durability "maybe" is none of auto, always and replicated`},
		{[]string{"events", "publish", "a.b", "--data", "1"}, "would lose acknowledged events"},
	} {
		code, out, errs := here(t, "", append(c.args, "--server", s.URL())...)
		if code != exitFailed || out != "" || !strings.Contains(errs, c.want) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: exit %d, %q, %q, want %q", c.args, code, out, errs, c.want)
		}
	}
	if code, out, _ := here(t, "", "doctor", "--server", s.URL()); code != exitFailed || !strings.Contains(out, "durability") {
		t.Errorf("doctor: exit %d, %q", code, out)
	}
}

// TestSilentServer is about a server that takes the connection and says nothing.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	code, _, errs := here(t, "", "runs", "list", "--server", "nats://"+l.Addr().String())
	if code != exitFailed || !strings.Contains(errs, "--server") || strings.Count(errs, "\n") != 1 {
		t.Errorf("exit %d, %q", code, errs)
	}
}

// TestUsers connects as the configuration's users do: with a password in the
// address, and answers in an inbox of their own.
func TestUsers(t *testing.T) {
	s := natstest.Start(t, natstest.Listen, natstest.NoFlusher, natstest.Configure(func(o *server.Options) {
		o.Users = []*server.User{
			{Username: "test", Password: "test"},
			{Username: "admin", Password: "hunter2", Permissions: &server.Permissions{
				Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX_admin.>"}}}},
		}
		o.NoAuthUser = "test"
	}))
	at := strings.Replace(s.URL(), "nats://", "nats://admin:hunter2@", 1)
	if _, _, errs := here(t, "", "runs", "list", "--durability", "always", "--server", at); !strings.Contains(errs, "streams are not on this server yet") {
		t.Errorf("with the password: %q", errs)
	}
	at = strings.Replace(s.URL(), "nats://", "nats://admin:hunter3@", 1)
	code, _, errs := here(t, "", "runs", "list", "--server", at)
	if code != exitFailed || !strings.Contains(errs, "Authorization Violation") || strings.Contains(errs, "hunter") || strings.Contains(errs, "zflow dev") {
		t.Errorf("with another: exit %d, %q", code, errs)
	}
}
