//go:build unix

package e2e

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"math/rand/v2"
	"zflow/engine"
	"zflow/engine/history"
	"zflow/internal/app"
	"zflow/internal/app/streams"
	"zflow/internal/durable"
)

// procRig is a broker, two workers, an API that they call, and a load.
type procRig struct {
	*procStarter
	broker  *process
	workers []*process
	api     *procAPI
	load    *procLoad
}

func startProcRig(ctx context.Context, seed uint64, latency func(*rand.Rand) time.Duration) (*procRig, error) {
	s, err := newProcStarter()
	if err != nil {
		return nil, err
	}
	r := &procRig{procStarter: s, broker: s.newBroker(), api: newProcAPI(seed, latency)}
	if err := r.broker.run(); err != nil {
		return nil, err
	}
	if r.load, err = procSetUp(ctx, s.url, r.api.URL); err != nil {
		r.close(false)
		return nil, fmt.Errorf("%w\n%s", err, r.tail("broker", 10))
	}
	for _, name := range []string{"worker-a", "worker-b"} {
		w := s.newWorker(name)
		if err := w.run(); err != nil {
			r.close(false)
			return nil, err
		}
		r.workers = append(r.workers, w)
	}
	return r, nil
}

// procOpen makes the streams over a connection and opens them.
func procOpen(ctx context.Context, cc app.ClientConfig, nc *nats.Conn) (*app.Client, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	for {
		if err = streams.Make(ctx, js, procStreams()); err == nil {
			break
		}
		select { // the broker listens before it can make anything durable
		case <-ctx.Done():
			return nil, err
		case <-time.After(100 * time.Millisecond):
		}
	}
	if cc.Gate, err = durable.Open(ctx, nc, durable.Options{Find: 10 * time.Second}); err != nil {
		return nil, err
	}
	return app.OpenOn(ctx, nc, cc)
}

// up waits until a worker holds its lease, and returns its id.
func (r *procRig) up(ctx context.Context, w *process) (string, error) {
	for {
		id, puts, _ := procReadLog(r.logOf(w.name, w.life())) // there is none at first
		if len(puts) > 0 {
			return id, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("waiting for %s: %w\n%s", w.name, ctx.Err(), r.tail(w.name, 5))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// finished waits until every accepted event has an ended run.
func (r *procRig) finished(ctx context.Context) error {
	var seen error
	for {
		err := r.unfinished(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			seen = err
		}
		select {
		case <-ctx.Done():
			return seen
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// unfinished says what has not ended.
func (r *procRig) unfinished(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second) // the broker may be killed under it
	defer cancel()
	ended, open := 0, ""
	err := r.load.client.History.Heads(ctx, "", nil, func(h history.Head) error {
		switch {
		case engine.State(h.State).Ended() && h.Workflow == procChild: // no event began it
		case engine.State(h.State).Ended():
			ended++
		default:
			open += fmt.Sprintf("\n%s %s is %s since %s, owner %s", h.Workflow, h.Run, h.State, procClock(h.At), h.Header.Get("zflow-worker"))
		}
		return nil
	})
	if accepted := len(r.load.runs()); err != nil || open != "" || ended < accepted {
		return fmt.Errorf("%d of %d runs have ended (%v), but not%s", ended, accepted, err, open)
	}
	return nil
}

// close ends all processes. The workers are asked to; it returns who did not go.
func (r *procRig) close(keep bool) (stuck []string) {
	for _, w := range r.workers {
		if !w.end(syscall.SIGTERM, 30*time.Second) { // its drain may take 20
			stuck = append(stuck, w.name)
		}
	}
	if r.load != nil {
		r.load.client.Close()
	}
	if !r.broker.end(syscall.SIGTERM, 10*time.Second) {
		stuck = append(stuck, r.broker.name)
	}
	r.api.CloseClientConnections()
	r.api.Close()
	if !keep && len(stuck) == 0 {
		_ = os.RemoveAll(r.dir) // in a temporary folder
	}
	return stuck
}
