package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/engine/catalog"
)

const (
	pullFor   = time.Second // so that a message's age is known to a second
	pullBatch = 256
	pullPause = 250 * time.Millisecond // after a pull that failed
)

// pullAll starts the pulls of WAKES and, as they come and go, of workflows.
// They end with ctx; what they handle goes on in work.
func (w *Worker) pullAll(ctx, work context.Context, pulls *sync.WaitGroup) error {
	wakes, commands, err := w.Stores.Wakes.Consumers(ctx)
	if err != nil {
		return err
	}
	entries, err := w.Catalog.Watch(ctx)
	if err != nil {
		return err
	}
	ofRun := func(m *message) error { return m.ofRun() }
	pulls.Go(func() { w.pull(ctx, work, puller{consumer: wakes, read: ofRun}) })
	pulls.Go(func() { w.pull(ctx, work, puller{consumer: commands, read: ofRun, always: true}) })
	pulls.Go(func() { w.follow(ctx, work, entries, pulls) })
	return nil
}

// follow keeps one pull per active workflow.
func (w *Worker) follow(ctx, work context.Context, entries <-chan catalog.Entry, pulls *sync.WaitGroup) {
	stops := map[string]context.CancelFunc{}
	for e := range entries {
		if stop := stops[e.Name]; stop != nil {
			stop()
			delete(stops, e.Name)
		}
		if e.State != catalog.Active {
			continue
		}
		flow, stop := context.WithCancel(ctx)
		stops[e.Name] = stop
		pulls.Go(func() { w.pullWorkflow(flow, work, e) })
	}
	for _, stop := range stops {
		stop()
	}
}

// pullWorkflow pulls the events of one version of a workflow.
func (w *Worker) pullWorkflow(ctx, work context.Context, e catalog.Entry) {
	log := w.Log.With(zap.String("workflow", e.Name))
	for ctx.Err() == nil {
		consumer, err := w.Catalog.Consumer(ctx, e.Name)
		if err == nil && consumer == nil {
			return // no event starts it
		}
		if errors.Is(err, catalog.ErrNotDeployed) {
			return
		}
		if err == nil {
			w.pull(ctx, work, puller{consumer: consumer, read: func(m *message) error { return m.ofEvent(e.Name) }, entry: e})
			continue
		}
		if ctx.Err() == nil {
			log.Warn("the workflow's events cannot be pulled", zap.Error(err))
		}
		pause(ctx, pullPause)
	}
}

// puller is one consumer and how its messages are read.
type puller struct {
	consumer jetstream.Consumer
	read     func(*message) error
	always   bool          // pull even if no run can be held: commands
	entry    catalog.Entry // of a workflow's events
}

// pull hands out what a consumer brings until ctx ends or the consumer is gone.
func (w *Worker) pull(ctx, work context.Context, p puller) {
	for ctx.Err() == nil {
		n := w.room(ctx, p.always)
		if n == 0 {
			return
		}
		mark, asked := w.Gate.Mark(), time.Now()
		batch, err := p.consumer.Fetch(n, jetstream.FetchMaxWait(pullFor))
		if err != nil {
			pause(ctx, pullPause)
			continue
		}
		w.handOut(ctx, work, p, batch, func(m jetstream.Msg) (*message, error) { return newMessage(m, asked, mark) })
		if errors.Is(batch.Error(), jetstream.ErrConsumerDeleted) || errors.Is(batch.Error(), jetstream.ErrConsumerNotFound) {
			return
		}
		if batch.Error() != nil {
			pause(ctx, pullPause)
		}
	}
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
		w.held.Add(1)
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

// room returns how many messages may be pulled, and waits until it is one.
func (w *Worker) room(ctx context.Context, always bool) int {
	if always {
		return pullBatch
	}
	for {
		if free := int64(w.MaxHeld) - w.held.Load(); free > 0 {
			return int(min(free, pullBatch))
		}
		select {
		case <-w.freed:
		case <-time.After(pullPause):
		case <-ctx.Done():
			return 0
		}
	}
}

func (w *Worker) free() {
	w.held.Add(-1)
	select {
	case w.freed <- struct{}{}:
	default:
	}
}

// pause waits a while, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
