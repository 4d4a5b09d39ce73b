package house

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/actions"
	"zflow/engine/history"
	"zflow/engine/router"
	"zflow/engine/waits"
	"zflow/engine/worker"
	"zflow/internal/app"
	"zflow/internal/durable"
)

// hand is a running worker.
type hand struct {
	worker *worker.Worker
	nc     *nats.Conn
	line   *line
	dead   atomic.Bool
	cancel context.CancelFunc
	done   chan struct{}
	err    error // of Run; read after done

	once  sync.Mutex
	inner map[string]*actions.Action // nil: none was called yet
	js    jetstream.JetStream
	gate  *durable.Gate
}

func (h *House) startWorker(ctx context.Context) error {
	one := &hand{line: &line{broker: h.broker}, done: make(chan struct{})}
	var err error
	if one.nc, err = connect(one.line); err != nil {
		return fmt.Errorf("connecting the worker: %w", err)
	}
	if one.worker, err = h.newWorker(ctx, one); err != nil {
		one.nc.Close()
		return fmt.Errorf("starting the worker: %w", err)
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	one.cancel = cancel
	go func() {
		defer close(one.done)
		one.err = one.worker.Run(run)
	}()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hand = one
	return nil
}

func (h *House) newWorker(ctx context.Context, one *hand) (*worker.Worker, error) {
	gate, err := durable.Open(ctx, one.nc, durable.Options{})
	if err != nil {
		return nil, err
	}
	known, err := h.world.known(h.Known, one)
	if err != nil {
		return nil, err
	}
	client, err := app.OpenOn(ctx, one.nc, app.ClientConfig{Known: known, Gate: gate})
	if err != nil {
		return nil, err
	}
	if client.History, err = history.Open(ctx, &hooked{client.JS, h, one}, gate); err != nil {
		return nil, err
	}
	waiters, err := waits.Open(ctx, client.JS, gate)
	if err != nil {
		return nil, err
	}
	events, err := router.Open(ctx, client.JS, gate, router.Stores{Waits: waiters, Wakes: client.Wakes}, zap.NewNop())
	if err != nil {
		return nil, err
	}
	one.js, one.gate = client.JS, gate
	client.Ticks = nil // nothing is polled: a test says what a poll finds
	return worker.New(worker.Config{
		NC: one.nc, Gate: gate, Catalog: client.Catalog, Router: events, Stores: client.Stores, Actions: known.Actions, Keys: h.keys,
		Secrets: func() map[string]any { return h.secrets }, Log: zap.NewNop(), Watch: worker.Watch{Calling: h.world.calling},
		Outside: worker.Outside{Account: h.world.account, Connection: h.world.connection},
	}), nil
}

// stop drains the worker.
func (o *hand) stop() {
	o.cancel()
	<-o.done
	o.nc.Close()
}

// kill cuts the worker off for good, as a process that dies is; it ends later.
func (o *hand) kill() {
	if o.dead.Swap(true) {
		return
	}
	o.line.cut()
	o.nc.Close()
	o.worker.Drain = time.Millisecond // its calls end with it
	o.cancel()
}

// hooked is JetStream with a place to crash at before and after each append.
type hooked struct {
	jetstream.JetStream
	house *House
	hand  *hand
}

// PublishMsg publishes, unless the worker dies before.
func (j *hooked) PublishMsg(ctx context.Context, m *nats.Msg, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	what := m.Header.Get("zflow-facts")
	if step := m.Header.Get("zflow-step"); step != "" {
		what += " (" + step + ")"
	}
	if j.house.at(j.hand, Point{Before, Append, what}) {
		return nil, nats.ErrConnectionClosed
	}
	ack, err := j.JetStream.PublishMsg(ctx, m, opts...)
	if err == nil && j.house.at(j.hand, Point{After, Append, what}) {
		return nil, nats.ErrConnectionClosed
	}
	return ack, err
}
