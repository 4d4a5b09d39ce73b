package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/engine/catalog"
	"zflow/internal/pause"
)

const (
	pullFor   = time.Second // so that a message's age is known to a second
	pullBatch = 256
	pullPause = 250 * time.Millisecond // after a pull that failed

	findWithin = 2 * time.Second // a request that a restart of the broker left without an answer waits no longer
)

// pullAll starts the pulls of WAKES and, as they come and go, of workflows.
// They end with ctx; what they handle goes on in work.
func (w *Worker) pullAll(ctx, work context.Context, pulls *sync.WaitGroup) error {
	if _, _, err := w.Stores.Wakes.Consumers(ctx); err != nil {
		return err
	}
	wakes := func(ctx context.Context) (jetstream.Consumer, error) {
		c, _, err := w.Stores.Wakes.Consumers(ctx)
		return c, err
	}
	commands := func(ctx context.Context) (jetstream.Consumer, error) {
		_, c, err := w.Stores.Wakes.Consumers(ctx)
		return c, err
	}
	entries, err := w.Catalog.Watch(ctx)
	if err != nil {
		return err
	}
	ofRun := func(m *message) error { return m.ofRun() }
	pulls.Go(func() { w.pullOn(ctx, work, wakes, puller{read: ofRun}) })
	pulls.Go(func() { w.pullOn(ctx, work, commands, puller{read: ofRun, always: true}) })
	pulls.Go(func() { w.follow(ctx, work, entries, pulls) })
	return nil
}

// follow keeps one pull per active workflow, and its tick.
func (w *Worker) follow(ctx, work context.Context, entries <-chan catalog.Entry, pulls *sync.WaitGroup) {
	stops := map[string]context.CancelFunc{}
	for e := range entries {
		if stop := stops[e.Name]; stop != nil {
			stop()
			delete(stops, e.Name)
		}
		if e.State != catalog.Active && e.State != catalog.Removed { // of a removed one the consumer and the tick may be left
			continue
		}
		flow, stop := context.WithCancel(ctx)
		stops[e.Name] = stop
		pulls.Go(func() { w.ticks().EnsureAtLast(flow, e.Name) })
		pulls.Go(func() { w.pullWorkflow(flow, work, e) })
	}
	for _, stop := range stops {
		stop()
	}
}

// pullWorkflow pulls the events of one version of a workflow.
func (w *Worker) pullWorkflow(ctx, work context.Context, e catalog.Entry) {
	find := func(ctx context.Context) (jetstream.Consumer, error) { return w.Catalog.Consumer(ctx, e.Name) }
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w.pullOn(ctx, work, find, puller{read: func(m *message) error { return m.ofEvent(e.Name) }, entry: e, stop: stop})
}

// pullOn pulls from a consumer, and looks for it again when it is gone.
func (w *Worker) pullOn(ctx, work context.Context, find func(context.Context) (jetstream.Consumer, error), p puller) {
	log := w.Log.With(zap.String("workflow", p.entry.Name))
	for ctx.Err() == nil {
		look, done := context.WithTimeout(ctx, findWithin)
		consumer, err := find(look)
		done()
		switch {
		case err == nil && consumer == nil, errors.Is(err, catalog.ErrNotDeployed):
			return // no event starts it
		case err == nil:
			p.consumer = consumer
			w.pull(ctx, work, p)
		case ctx.Err() == nil:
			log.Warn("messages cannot be pulled", zap.Error(err))
		}
		pause.For(ctx, pullPause)
	}
}

// puller is one consumer and how its messages are read.
type puller struct {
	consumer jetstream.Consumer
	read     func(*message) error
	always   bool          // pull even if no run can be held: commands
	entry    catalog.Entry // of a workflow's events
	stop     func()        // ends the pull of them
}

// pull hands out what a consumer brings until ctx ends or the consumer is gone.
func (w *Worker) pull(ctx, work context.Context, p puller) {
	for ctx.Err() == nil {
		if !w.NC.IsConnected() { // a pull that cannot be sent would leave its subscription in the client for ever
			pause.For(ctx, pullPause)
			continue
		}
		n, done := w.room(ctx, p.always)
		if n == 0 {
			return
		}
		mark, asked := w.Gate.Mark(), time.Now()
		batch, err := p.consumer.Fetch(n, jetstream.FetchMaxWait(pullFor))
		if err != nil {
			done()
			pause.For(ctx, pullPause)
			continue
		}
		w.handOut(ctx, work, p, batch, func(raw jetstream.Msg) (*message, error) {
			m, err := newMessage(w.Gate, raw, asked, mark)
			if err == nil && catalog.Ordered(p.consumer) {
				m.ordered = p.stop
			}
			return m, err
		})
		done()
		if gone(batch.Error()) {
			return
		}
		if batch.Error() != nil {
			pause.For(ctx, pullPause)
		}
	}
}

// gone says that a pull failed because its consumer, perhaps, does not exist.
func gone(err error) bool {
	return errors.Is(err, jetstream.ErrConsumerDeleted) || errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, nats.ErrNoResponders)
}

func (w *Worker) handOut(ctx, work context.Context, p puller, batch jetstream.MessageBatch, wrap func(jetstream.Msg) (*message, error)) {
	for raw := range batch.Messages() {
		m, err := wrap(raw)
		if err == nil {
			err = p.read(m)
		}
		if err != nil {
			w.unreadable(raw, err)
			continue
		}
		if ctx.Err() != nil {
			w.giveBack(m)
			continue
		}
		w.held.now.Add(1)
		w.work.Go(func() {
			defer w.free()
			w.handle(work, m, p.entry)
		})
	}
}

// unreadable drops what no version can read: a message on our subjects that is
// none of ours. It is reported, and stays in its stream.
func (w *Worker) unreadable(m jetstream.Msg, err error) {
	w.counts.add("messages_unreadable", "")
	w.Log.Error("a message is not understood and passed over", zap.String("subject", m.Subject()), zap.Error(err))
	if err := m.Term(); err != nil {
		w.Log.Warn("passing it over failed", zap.Error(err))
	}
}

// giveBack lets another worker have a message at once.
func (w *Worker) giveBack(m *message) {
	if w.Gate.Mark() == m.mark {
		_ = m.Nak() // lost: the message comes again after its ack wait
	}
}

// room returns how many messages may be pulled, and waits until it is one; done
// is to be called after the pull. What others may bring counts too, but for one
// message a pull: of many workflows that have nothing, none is to keep another
// back.
func (w *Worker) room(ctx context.Context, always bool) (n int, done func()) {
	if always {
		return pullBatch, func() {}
	}
	for {
		if free := int64(w.MaxHeld) - w.held.now.Load(); free > 0 {
			n := min(max((free-w.held.asked.Load())/2, 1), pullBatch)
			w.held.asked.Add(n)
			return int(n), func() { w.held.asked.Add(-n) }
		}
		select {
		case <-w.held.freed:
		case <-time.After(pullPause):
		case <-ctx.Done():
			return 0, nil
		}
	}
}

func (w *Worker) free() {
	w.held.now.Add(-1)
	select {
	case w.held.freed <- struct{}{}:
	default:
	}
}
