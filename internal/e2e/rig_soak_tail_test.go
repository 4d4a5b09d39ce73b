//go:build unix

package e2e

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/proto"
)

// soakClock tells for how long the broker was up between two moments.
type soakClock struct {
	mu   sync.Mutex
	down []procSpan
}

func (c *soakClock) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = append(c.down, procSpan{from: time.Now()})
}

func (c *soakClock) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down[len(c.down)-1].to = time.Now()
}

func (c *soakClock) between(from, to time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	up := to.Sub(from)
	for _, s := range c.down {
		begin, end := s.from, s.to
		if begin.Before(from) {
			begin = from
		}
		if end.IsZero() || end.After(to) {
			end = to
		}
		up -= max(end.Sub(begin), 0)
	}
	return up
}

// soakRun is a run as RUNS tells of it.
type soakRun struct {
	workflow, id, version string
	worker                string    // that began it
	begun                 time.Time // when the server stored that
	state                 string
}

// soakTail reads RUNS as it grows, whatever happens to the broker.
type soakTail struct {
	mu     sync.Mutex
	runs   map[string]*soakRun
	byFlow map[string][]*soakRun // in the order of their begin
}

func (t *soakTail) follow(ctx context.Context, js jetstream.JetStream) {
	var stream jetstream.Stream
	for next := uint64(1); ctx.Err() == nil; {
		try, cancel := context.WithTimeout(ctx, time.Second)
		m, err := t.read(try, js, &stream, next)
		cancel()
		switch {
		case err == nil:
			t.note(m)
			next++
		case errors.Is(err, jetstream.ErrMsgNotFound):
			<-time.After(20 * time.Millisecond)
		default: // the broker is down
			<-time.After(100 * time.Millisecond)
		}
	}
}

func (t *soakTail) read(ctx context.Context, js jetstream.JetStream, stream *jetstream.Stream, seq uint64) (*jetstream.RawStreamMsg, error) {
	if *stream == nil {
		var err error
		if *stream, err = js.Stream(ctx, proto.Runs); err != nil {
			*stream = nil
			return nil, err
		}
	}
	return (*stream).GetMsg(ctx, seq)
}

// note enters an append. The first of a run is by who began it.
func (t *soakTail) note(m *jetstream.RawStreamMsg) {
	part := strings.Split(m.Subject, ".") // zflow.run.<workflow>.<run>.<state>
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.runs[part[3]]
	if r == nil {
		r = &soakRun{workflow: part[2], id: part[3], version: m.Header.Get("zflow-version"), worker: m.Header.Get("zflow-worker"), begun: m.Time}
		t.runs[r.id] = r
		t.byFlow[r.workflow] = append(t.byFlow[r.workflow], r)
	}
	r.state = part[4]
}

// first returns when a worker first began a run with a version after a moment.
func (t *soakTail) first(workflow, version, worker string, after time.Time) (time.Time, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.byFlow[workflow] {
		if r.version == version && r.worker == worker && r.begun.After(after) {
			return r.begun, true
		}
	}
	return time.Time{}, false
}

// get returns a run, a zero one where there is none.
func (t *soakTail) get(id string) soakRun {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.runs[id]; r != nil {
		return *r
	}
	return soakRun{}
}

// of returns the runs of a workflow.
func (t *soakTail) of(workflow string) (all []soakRun) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.byFlow[workflow] {
		all = append(all, *r)
	}
	return all
}
