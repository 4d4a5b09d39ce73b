package durable_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	"zflow/internal/natstest"
	"zflow/proto"
)

var events = jetstream.StreamConfig{Name: proto.Events, Subjects: []string{"zflow.event.>"}}

func create(t testing.TB, js jetstream.JetStream, c jetstream.StreamConfig) {
	t.Helper()
	if _, err := js.CreateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func publish(t testing.TB, js jetstream.JetStream) {
	t.Helper()
	if _, err := js.Publish(t.Context(), "zflow.event.x", []byte("x")); err != nil {
		t.Fatal(err)
	}
}

// valve is a Sync that can be held.
type valve struct {
	entered chan string // names of files and folders
	release chan error
	held    atomic.Bool
}

func newValve() *valve { return &valve{entered: make(chan string, 1000), release: make(chan error)} }

func (v *valve) sync(f *os.File) error {
	if !v.held.Load() {
		return nil
	}
	v.entered <- f.Name()
	return <-v.release
}

// TestPassesShareFlushes: those who wait share the next flush, those who come
// during it the one after.
func TestPassesShareFlushes(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		v := newValve()
		v.release = make(chan error)
		s := natstest.Start(t, natstest.Dir(dir), natstest.Flusher(durable.FlusherOptions{Sync: v.sync, Sweep: time.Hour, Reserve: 1}))
		js, g := s.JetStream(t), s.Gate(t)
		create(t, js, events)
		m := g.Mark()
		publish(t, js)
		if err := g.Pass(t.Context(), proto.Events, m); err != nil {
			t.Fatal(err)
		}
		v.held.Store(true)
		publish(t, js)
		before := g.Flushes()
		var passed atomic.Int32
		var all sync.WaitGroup
		pass := func() {
			all.Go(func() {
				if err := g.Pass(t.Context(), proto.Events, m); err != nil {
					t.Error(err)
				}
				passed.Add(1)
			})
		}
		pass()
		<-v.entered // the first flush is under way
		for range 50 {
			pass()
		}
		synctest.Wait()
		if passed.Load() != 0 {
			t.Fatalf("%d passed before the flush ended", passed.Load())
		}
		publish(t, js) // so that the second flush has something to do
		v.release <- nil
		<-v.entered
		synctest.Wait()
		if passed.Load() != 1 {
			t.Errorf("%d passed after the first flush, want 1: those who came during it need the next", passed.Load())
		}
		v.release <- nil
		v.held.Store(false)
		all.Wait()
		if n := g.Flushes() - before; n != 2 {
			t.Errorf("51 passes took %d flushes, want 2", n)
		}
	})
}

// TestRestartVoidsMarks: a mark of before is worth nothing after.
func TestRestartVoidsMarks(t *testing.T) {
	s := natstest.Start(t, natstest.Listen)
	back := make(chan struct{}, 10)
	nc := connect(t, s.URL(), nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} }))
	js, g := natstest.JetStream(t, nc), natstest.Gate(t, nc)
	create(t, js, events)

	t.Run("reconnected to the same server", func(t *testing.T) {
		m := g.Mark()
		publish(t, js)
		if err := nc.ForceReconnect(); err != nil {
			t.Fatal(err)
		}
		<-back
		if err := g.Pass(t.Context(), proto.Events, m); !errors.Is(err, durable.ErrChanged) {
			t.Errorf("Pass = %v, want ErrChanged", err)
		}
	})
	t.Run("the server restarted", func(t *testing.T) {
		m := g.Mark()
		publish(t, js)
		s.Restart(t)
		<-back
		if err := g.Pass(t.Context(), proto.Events, m); !errors.Is(err, durable.ErrChanged) {
			t.Errorf("Pass = %v, want ErrChanged", err)
		}
		m = g.Mark()
		publish(t, js)
		if err := g.Pass(t.Context(), proto.Events, m); err != nil {
			t.Errorf("Pass with a new mark = %v", err)
		}
	})
	t.Run("the server went during the flush", func(t *testing.T) {
		m := g.Mark()
		publish(t, js)
		s.Down()
		if err := g.Pass(t.Context(), proto.Events, m); !errors.Is(err, durable.ErrChanged) {
			t.Errorf("Pass = %v, want ErrChanged", err)
		}
		s.Up(t)
		<-back
	})
}

// TestLostConnectionEndsWaiting: who waits learns of the loss, not of a time-out.
func TestLostConnectionEndsWaiting(t *testing.T) {
	v := newValve()
	s := natstest.Start(t, natstest.Listen, natstest.Flusher(durable.FlusherOptions{Sync: v.sync, Sweep: time.Hour, Reserve: 1}))
	nc := connect(t, s.URL())
	js, g := natstest.JetStream(t, nc), natstest.Gate(t, nc)
	create(t, js, events)
	m := g.Mark()
	publish(t, js)
	v.held.Store(true)
	passed := make(chan error, 1)
	go func() { passed <- g.Pass(t.Context(), proto.Events, m) }()
	<-v.entered
	nc.Close()
	if err := <-passed; !errors.Is(err, durable.ErrChanged) {
		t.Errorf("Pass = %v, want ErrChanged", err)
	}
	v.held.Store(false)
	v.release <- nil
}

// TestPassEndsWithItsContext while others wait on.
func TestPassEndsWithItsContext(t *testing.T) {
	v := newValve()
	s := natstest.Start(t, natstest.Flusher(durable.FlusherOptions{Sync: v.sync, Sweep: time.Hour, Reserve: 1}))
	js, g := s.JetStream(t), s.Gate(t)
	create(t, js, events)
	m := g.Mark()
	publish(t, js)
	v.held.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	passed := make(chan error, 1)
	go func() { passed <- g.Pass(ctx, proto.Events, m) }()
	<-v.entered
	cancel()
	if err := <-passed; !errors.Is(err, context.Canceled) {
		t.Errorf("Pass = %v, want canceled", err)
	}
	v.held.Store(false)
	v.release <- nil
}

// TestFlushErrorEndsTheFlusher: and nobody passes on it.
func TestFlushErrorEndsTheFlusher(t *testing.T) {
	v := newValve()
	s := natstest.Start(t, natstest.Flusher(durable.FlusherOptions{Sync: v.sync, Sweep: time.Hour, Reserve: 1}))
	js, g := s.JetStream(t), s.Gate(t)
	create(t, js, events)
	m := g.Mark()
	publish(t, js)
	v.held.Store(true)
	passed := make(chan error, 1)
	go func() { passed <- g.Pass(t.Context(), proto.Events, m) }()
	<-v.entered
	v.release <- errors.New("input/output error")
	if err := <-passed; err == nil || !strings.Contains(err.Error(), "input/output error") {
		t.Errorf("Pass = %v, want the disk's error", err)
	}
	if err := s.FlusherError(); err == nil || !strings.Contains(err.Error(), "flushing the files of stream EVENTS: input/output error") {
		t.Errorf("Run = %v, want the disk's error", err)
	}
}

func TestPassOfNoStream(t *testing.T) {
	s := natstest.Start(t)
	g := s.Gate(t)
	if err := g.Pass(t.Context(), "NOTHING", g.Mark()); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("Pass = %v, want stream not found", err)
	}
	m, err := s.Connect(t).RequestWithContext(t.Context(), "zflow.flush./etc", nil)
	if err != nil || !strings.Contains(string(m.Data), "there is no stream") {
		t.Errorf("a request for a path = %v, %v", m, err)
	}
}

// TestRoom: below the reserve nothing new is accepted.
func TestRoom(t *testing.T) {
	if err := natstest.Start(t).Gate(t).Room(t.Context()); err != nil {
		t.Errorf("Room = %v", err)
	}
	full := natstest.Start(t, natstest.Flusher(durable.FlusherOptions{Reserve: 1 << 62})).Gate(t)
	if err := full.Room(t.Context()); !errors.Is(err, durable.ErrNoRoom) {
		t.Errorf("Room of a full disk = %v, want ErrNoRoom", err)
	}
	d, err := full.Disk(t.Context())
	if err != nil || d.Size == 0 || d.Free == 0 || d.Reserve != 1<<62 {
		t.Errorf("Disk = %+v, %v", d, err)
	}
}

func connect(t testing.TB, url string, opts ...nats.Option) *nats.Conn {
	t.Helper()
	opts = append(opts, nats.ReconnectWait(time.Millisecond), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1))
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func TestModes(t *testing.T) {
	stock := natstest.Start(t, natstest.NoFlusher, natstest.Configure(func(o *server.Options) { o.SyncAlways = true }))
	js := stock.JetStream(t)
	create(t, js, events)
	create(t, js, jetstream.StreamConfig{Name: "ASYNC", PersistMode: jetstream.AsyncPersistMode})
	create(t, js, jetstream.StreamConfig{Name: "MEMORY", Storage: jetstream.MemoryStorage})
	quick := time.Millisecond

	for name, c := range map[string]struct {
		o    durable.Options
		want string // of the error
	}{
		"nothing declared":       {durable.Options{Find: quick}, "would lose acknowledged events"},
		"replicated, but is not": {durable.Options{Declared: durable.Replicated, Streams: []string{proto.Events}}, "it has 1 replica(s)"},
		"async":                  {durable.Options{Declared: durable.Always, Streams: []string{"ASYNC"}}, "persist_mode is async"},
		"in memory":              {durable.Options{Declared: durable.Always, Streams: []string{"MEMORY"}}, "kept in memory"},
		"always":                 {durable.Options{Declared: durable.Always, Streams: []string{proto.Events, "LATER"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := durable.Open(t.Context(), stock.Connect(t), c.o)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("Open = %v, want %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if g.Mode() != durable.Always || g.Warning() == "" {
				t.Errorf("mode %s, warning %q", g.Mode(), g.Warning())
			}
			m := g.Mark()
			if err := g.Pass(t.Context(), proto.Events, m); err != nil {
				t.Errorf("Pass = %v", err)
			}
			if err := g.Pass(t.Context(), proto.Events, durable.Mark{}); !errors.Is(err, durable.ErrChanged) {
				t.Errorf("Pass with another's mark = %v, want ErrChanged", err)
			}
			if g.Flushes() != 0 {
				t.Error("a flush was asked for")
			}
		})
	}
	if g := natstest.Start(t).Gate(t); g.Mode() != durable.Group || g.Warning() != "" {
		t.Errorf("mode %s, warning %q", g.Mode(), g.Warning())
	}
}

// TestLayoutUnknown: a Flusher that looks in the wrong place does not start.
func TestLayoutUnknown(t *testing.T) {
	s := natstest.Start(t, natstest.NoFlusher)
	create(t, s.JetStream(t), events)
	for name, dir := range map[string]string{
		"no such folder":             filepath.Join(t.TempDir(), "elsewhere"),
		"a store that does not grow": s.Image(t) + "/jetstream/$G",
	} {
		t.Run(name, func(t *testing.T) {
			err := durable.NewFlusher(s.Connect(t), dir, durable.FlusherOptions{}).Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), "starting the flush service") {
				t.Errorf("Run = %v, want a refusal", err)
			}
		})
	}
}
