package ends

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"zflow/actions"
	"zflow/engine/blobs"
	"zflow/engine/catalog"
	"zflow/engine/definition"
	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/internal/natstest"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
	"zflow/sources"
)

// rig is a server, who makes events of ends on it, and the events.
type rig struct {
	t       testing.TB
	js      jetstream.JetStream
	catalog *catalog.Catalog // of who deploys
	history *history.Store
	line    line // of who makes events

	mu     sync.Mutex
	told   []string // the workflow and run of each event, in order
	slow   time.Duration
	events map[string]string
}

// line loses what is asked with a text in it.
type line struct {
	server *natstest.Server
	lose   atomic.Pointer[string]
	lost   atomic.Int64
}

func (l *line) InProcessConn() (net.Conn, error) {
	c, err := l.server.InProcessConn()
	return &lineConn{c, l}, err
}

type lineConn struct {
	net.Conn
	*line
}

func (c *lineConn) Write(p []byte) (int, error) {
	if text := c.lose.Load(); text != nil && bytes.Contains(p, []byte(*text)) {
		c.lost.Add(1)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func newRig(t testing.TB) *rig {
	natstest.VirtualTime(t)
	s := natstest.Start(t)
	r := &rig{t: t, js: s.JetStream(t), line: line{server: s}, events: map[string]string{}}
	ctx := t.Context()
	r.must(sources.Create(ctx, r.js, sources.Limits{MaxBytes: 1 << 26}))
	r.must(history.Create(ctx, r.js, history.Limits{Bytes: 1 << 26}))
	r.must(leases.Create(ctx, r.js, 1))
	r.must(blobs.Create(ctx, r.js, 24*time.Hour, 1))
	r.must(catalog.Create(ctx, r.js, 1))
	var err error
	r.catalog = r.open(s.JetStream(t), s.Connect(t))
	r.history, err = history.Open(ctx, r.js, s.Gate(t))
	r.must(err)
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) open(js jetstream.JetStream, nc *nats.Conn) *catalog.Catalog {
	registry, err := actions.NewRegistry()
	r.must(err)
	c, err := catalog.Open(r.t.Context(), js, natstest.Gate(r.t, nc), definition.Known{Actions: registry})
	r.must(err)
	return c
}

// run makes events until the test ends or stop is called; what it warns of is recorded.
func (r *rig) run(holder string) (stop func(), said *observer.ObservedLogs) {
	nc := r.line.server.Connect(r.t, nats.InProcessServer(&r.line))
	js := natstest.JetStream(r.t, nc)
	ctx, cancel := context.WithCancel(r.t.Context())
	core, said := observer.New(zapcore.WarnLevel)
	o := Options{JS: js, Catalog: r.open(js, nc), Holder: holder, Publish: r.publishSlowly, Log: zap.New(core)}
	var err error
	o.History, err = history.Open(ctx, js, natstest.Gate(r.t, nc))
	r.must(err)
	o.Blobs, err = blobs.Open(ctx, js, natstest.Gate(r.t, nc))
	r.must(err)
	o.Leases, err = leases.Open(ctx, js)
	r.must(err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.Run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-done
	})
	r.t.Cleanup(stop)
	return stop, said
}

func (r *rig) publish(ctx context.Context, e *proto.Event) (sources.Ack, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	what := e.Type + " " + e.Subject
	if id := r.events[what]; id != "" && id != e.ID {
		return sources.Ack{}, errors.New(what + " has two ids")
	}
	r.events[what] = e.ID
	r.told = append(r.told, what)
	return sources.Ack{}, ctx.Err()
}

// publishSlowly is publish, which takes its time.
func (r *rig) publishSlowly(ctx context.Context, e *proto.Event) (sources.Ack, error) {
	time.Sleep(r.slow)
	return r.publish(ctx, e)
}

// deploy deploys a workflow that ends of others start.
func (r *rig) deploy(name, on string) {
	r.t.Helper()
	_, _, err := r.catalog.Deploy(r.t.Context(), name+".yaml", fmt.Appendf(nil, "name: %s\non: [ { run: %s } ]\nsteps: [ { id: a, set: 1 } ]\n", name, on))
	r.must(err)
}

// end stores a run that has completed.
func (r *rig) end(workflow, id string) {
	r.t.Helper()
	now := time.Now().UnixNano()
	facts := []*v1.Fact{
		{Number: 1, At: now, Kind: &v1.Fact_RunStarted{RunStarted: &v1.RunStarted{Workflow: workflow}}},
		{Number: 2, At: now, Kind: &v1.Fact_RunCompleted{RunCompleted: &v1.RunCompleted{}}},
	}
	r.must(r.history.Append(r.t.Context(), &history.Cursor{}, history.Append{Workflow: workflow, Run: id, State: "completed", Epoch: 1, Facts: facts}))
}

// want compares what was told, each once, with what was to be.
func (r *rig) want(all ...string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var got []string
	for what := range r.events {
		got = append(got, strings.ReplaceAll(what, ".completed", ""))
	}
	slices.Sort(got)
	slices.Sort(all)
	if !slices.Equal(got, all) {
		r.t.Errorf("told of %v, want %v", got, all)
	}
}

// A definition of which the server does not say what it is keeps all waiting, and what
// ends meanwhile is told when it does: nothing is passed by.
func TestNothingIsPassedByWhileADefinitionIsNotToBeHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.deploy("other", "thing")
		stop, _ := r.run("one")
		time.Sleep(time.Minute)
		r.end("thing", "1")
		time.Sleep(time.Second)
		r.want("thing 1")
		stop()
		text := "$KV.DEFINITIONS.results." // the version's key, not the entry's
		r.line.lose.Store(&text)
		r.deploy("results", "work")
		_, said := r.run("two")
		for i := range 20 {
			r.end("work", fmt.Sprint(i))
			r.end("thing", fmt.Sprint(i+2))
			time.Sleep(3 * time.Second)
		}
		if n := r.line.lost.Load(); n < 3 || n > 30 {
			t.Errorf("in a minute it was asked for %d times", n)
		}
		if said.FilterMessageSnippet("stopped and is begun again").Len() == 0 {
			t.Error("nobody said why")
		}
		r.line.lose.Store(nil)
		time.Sleep(time.Minute)
		all := []string{"thing 1"}
		for i := range 20 {
			all = append(all, fmt.Sprint("work ", i), fmt.Sprint("thing ", i+2))
		}
		r.want(all...)
		if len(r.told) != len(all) {
			t.Errorf("told %d times of %d ends", len(r.told), len(all))
		}
	})
}

// One that is wrong for good keeps nobody waiting.
func TestWhatCannotBeRunKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.deploy("results", "work")
		r.deploy("wrong", "work")
		e, err := r.catalog.Get(t.Context(), "wrong")
		r.must(err)
		kv, err := r.js.KeyValue(t.Context(), proto.Definitions)
		r.must(err)
		_, err = kv.PutString(t.Context(), "wrong."+e.Version, `{"level":1,"source":"name: wrong\non: [ { none: x } ]\n"}`)
		r.must(err)
		_, said := r.run("one")
		r.end("work", "1")
		time.Sleep(10 * time.Second)
		r.want("work 1")
		if said.FilterMessageSnippet("not known").Len() == 0 {
			t.Error("nobody said what is wrong")
		}
	})
}

// What ends in the moment of a deployment, before it is seen here, is told too; what
// ended before is not, and a workflow that is paused and resumed brings nothing again.
func TestEndsOfTheMomentOfADeployment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.deploy("first", "one")
		r.run("one")
		time.Sleep(10 * time.Second)
		r.end("two", "before")
		time.Sleep(time.Second)
		r.deploy("second", "two")
		for i := range 50 { // at once: the change takes 100 ms and more to be seen
			r.end("two", fmt.Sprint(i))
			r.end("one", fmt.Sprint(i))
		}
		time.Sleep(10 * time.Second)
		var all []string
		for i := range 50 {
			all = append(all, fmt.Sprint("two ", i), fmt.Sprint("one ", i))
		}
		r.want(all...)
		told := len(r.told)
		r.must(r.catalog.Pause(t.Context(), "second"))
		time.Sleep(10 * time.Second)
		r.must(r.catalog.Resume(t.Context(), "second"))
		time.Sleep(time.Minute)
		if len(r.told) != told {
			t.Errorf("%d ends were told again", len(r.told)-told)
		}
	})
}

// What a workflow wants of now on brings nothing that ended before, and takes nothing
// from what others, or it, still have to come.
func TestADeploymentCountsFromThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.deploy("first", "one")
		r.deploy("second", "thing")
		stop, _ := r.run("one")
		time.Sleep(time.Second)
		r.end("two", "before")
		time.Sleep(time.Second)
		stop() // nobody reads for an hour
		r.end("one", "a")
		r.end("thing", "a")
		r.end("two", "meanwhile")
		time.Sleep(time.Hour)
		r.deploy("second", "{ workflow: [thing, two] }")
		r.end("two", "after")
		r.run("two")
		time.Sleep(10 * time.Second)
		r.want("one a", "thing a", "two after")
	})
}

// What was given out when something changes is told, and does not have to come again.
func TestAChangeKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.slow = time.Second
		r.deploy("always", "work")
		r.deploy("more", "thing")
		r.run("one")
		time.Sleep(time.Second)
		var all []string
		for i := range 100 {
			r.end("work", fmt.Sprint(i))
			all = append(all, fmt.Sprint("work ", i))
		}
		time.Sleep(100 * time.Millisecond)
		r.must(r.catalog.Pause(t.Context(), "more"))
		time.Sleep(20 * time.Second) // less than what was given out and lost takes to come again
		r.want(all...)
		if len(r.told) != len(all) {
			t.Errorf("told %d times of %d ends", len(r.told), len(all))
		}
	})
}

// While workflows come and go, one worker takes over from another and ends come all the
// time, each end that is wanted is told, with one identity.
func TestEndsWhileWorkflowsChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.deploy("always", "work")
		stop, _ := r.run("one")
		r.run("two")
		time.Sleep(time.Second)
		var all []string
		for i := range 36 {
			switch i % 6 {
			case 1:
				r.deploy("more", fmt.Sprintf("{ workflow: [thing, thing-%d] }", i))
			case 4:
				r.must(r.catalog.Remove(t.Context(), "more"))
			}
			if i == 20 {
				stop()
			}
			for k := range 3 {
				id := fmt.Sprint(i, "-", k)
				r.end("work", id)
				all = append(all, "work "+id)
				if m := i % 6; m >= 1 && m < 4 {
					r.end("thing", id)
					all = append(all, "thing "+id)
				}
				time.Sleep(37 * time.Millisecond)
			}
		}
		time.Sleep(time.Minute)                                 // what was given out to the one that went comes again
		left := slices.DeleteFunc(all, func(what string) bool { // of a workflow that was removed meanwhile
			r.mu.Lock()
			defer r.mu.Unlock()
			return strings.HasPrefix(what, "thing ") && r.events[strings.Replace(what, " ", ".completed ", 1)] == ""
		})
		r.want(left...)
	})
}
