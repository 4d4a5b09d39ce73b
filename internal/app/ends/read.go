package ends

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"zflow/engine"
	"zflow/engine/trigger"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

const (
	atOnce  = 32      // ends that are told at a time: they share flushes
	largest = 1 << 20 // bytes of an output that an event has
	retry   = 5 * time.Second
)

// read makes events of ends until ctx ends, or something else is wanted.
func (o Options) read(ctx context.Context, changed <-chan struct{}, w *wishes) error {
	if len(w.filters) == 0 {
		if err := o.JS.DeleteConsumer(ctx, wire.Runs, durable); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return fmt.Errorf("deleting consumer %s: %w", durable, err)
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
		return nil
	}
	c, err := o.consumer(ctx, w)
	if err != nil {
		return err
	}
	messages, err := c.Messages(jetstream.PullMaxMessages(atOnce))
	if err != nil {
		return fmt.Errorf("reading runs that ended: %w", err)
	}
	done := make(chan struct{})
	defer close(done)
	go end(ctx, changed, done, messages)
	var all sync.WaitGroup
	defer all.Wait()
	for free := make(chan struct{}, atOnce); ; {
		m, err := messages.Next()
		if errors.Is(err, jetstream.ErrMsgIteratorClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading runs that ended: %w", err)
		}
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			o.take(ctx, w, m)
		})
	}
}

// end stops the reading; where only something else is wanted, what was given out already
// is read to its end.
func end(ctx context.Context, changed, done <-chan struct{}, messages jetstream.MessagesContext) {
	select {
	case <-changed:
		messages.Drain()
	case <-ctx.Done():
		messages.Stop()
	case <-done:
		messages.Stop()
	}
}

// take tells of an end, and acknowledges it; what fails comes again.
func (o Options) take(ctx context.Context, w *wishes, m jetstream.Msg) {
	err := o.tell(ctx, w, m)
	switch {
	case err == nil:
		err = m.Ack()
	case ctx.Err() != nil:
		err = m.Nak() // for who goes on
	default:
		o.Log.Warn("no event of a run that ended yet; it is tried again", zap.String("subject", m.Subject()), zap.Error(err))
		err = m.NakWithDelay(retry)
	}
	if err != nil && ctx.Err() == nil {
		o.Log.Debug("a run that ended comes again", zap.Error(err))
	}
}

func (o Options) tell(ctx context.Context, w *wishes, m jetstream.Msg) error {
	name, id, state, err := wire.ParseRunSubject(m.Subject())
	if err != nil {
		return nil // nobody of ours stored it
	}
	meta, err := m.Metadata()
	if err != nil || !w.want(name, state, meta.Timestamp) {
		return err
	}
	end, err := o.end(ctx, name, id, m.Data())
	if err != nil || end == nil {
		return err
	}
	if end.TooLong() {
		o.Log.Warn("runs have started one another too often; this one starts none",
			zap.String("workflow", name), zap.String("run", id), zap.Int("most", trigger.MostInChain))
		return nil
	}
	e, err := end.Event(time.Now())
	if err == nil {
		_, err = o.Publish(ctx, e)
	}
	return err
}

// end is what is to be told of a run, nil where its facts say no end.
func (o Options) end(ctx context.Context, name, id string, stored []byte) (*trigger.Ended, error) {
	facts := &v1.Facts{}
	if err := proto.Unmarshal(stored, facts); err != nil {
		return nil, fmt.Errorf("reading how run %s ended: %w", id, err)
	}
	h, err := o.History.Load(ctx, name, id)
	if err != nil {
		return nil, err
	}
	r := engine.NewRun(id)
	if err := r.Replay(h.Appends); err != nil {
		return nil, fmt.Errorf("reading run %s: %w", id, err)
	}
	for i := len(facts.Facts) - 1; i >= 0; i-- {
		if end := trigger.NewEnded(name, id, facts.Facts[i], r); end != nil {
			return end, o.output(ctx, end, facts.Facts[i].GetRunCompleted().GetOutput())
		}
	}
	return nil, nil
}

// output fetches an output that is too large for a history, if it is not for an event.
func (o Options) output(ctx context.Context, end *trigger.Ended, v *v1.Value) error {
	if v.GetBlob() == "" || v.GetSize() > largest {
		return nil
	}
	raw, err := o.Blobs.Get(ctx, v.Blob)
	end.Output = json.RawMessage(raw)
	return err
}
