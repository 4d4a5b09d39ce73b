package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"zflow/proto"
	"zflow/sources/zoom/event"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// before is how much earlier than asked for EVENTS is looked at: a retry that
	// Zoom's log shows may be of an event that came with the first try.
	before = 3 * time.Hour
	// batch is how many events are fetched at a time.
	batch     = 2000
	fetchWait = 5 * time.Second
)

// held is what EVENTS holds of an app.
type held struct {
	from    time.Time // what is older may have been dropped
	ids     map[string]struct{}
	objects map[string]struct{} // by type and what it is about; nil: not asked for
}

func (h *held) has(id string) bool {
	_, there := h.ids[id]
	return there
}

func (h *held) hasObject(key string) bool {
	_, there := h.objects[key]
	return there
}

// look reads which events of an app EVENTS holds since a time. Their bodies are read
// only where objects are asked for.
func (r *Reconciler) look(ctx context.Context, since time.Time, objects bool) (*held, error) {
	h := &held{from: since, ids: map[string]struct{}{}}
	info, err := r.Stream.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading stream %s: %w", proto.Events, err)
	}
	if s := info.State; s.FirstSeq > 1 && s.Msgs > 0 && s.FirstTime.After(since) {
		h.from = s.FirstTime
	} else if s.FirstSeq > 1 && s.Msgs == 0 {
		h.from = time.Now() // all was dropped
	}
	if info.State.Msgs == 0 {
		return h, nil
	}
	start := since.Add(-before)
	c := jetstream.OrderedConsumerConfig{FilterSubjects: []string{"zflow.event.zoom.>"}, HeadersOnly: true,
		DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &start}
	if err := r.read(ctx, c, info.State.LastSeq, func(e *proto.Event) { h.ids[e.ID] = struct{}{} }); err != nil {
		return nil, err
	}
	if !objects {
		return h, nil
	}
	h.objects = map[string]struct{}{}
	c.HeadersOnly, c.FilterSubjects = false, nil
	for _, kind := range listed {
		c.FilterSubjects = append(c.FilterSubjects, proto.EventFilter("zoom", kind))
	}
	return h, r.read(ctx, c, info.State.LastSeq, func(e *proto.Event) {
		if body, err := event.Read(e.Body); err == nil {
			for _, key := range keysOf(&body) {
				h.objects[key] = struct{}{}
			}
		}
	})
}

// read calls f for the app's events up to a sequence.
func (r *Reconciler) read(ctx context.Context, c jetstream.OrderedConsumerConfig, last uint64, f func(*proto.Event)) error {
	consumer, err := r.Stream.OrderedConsumer(ctx, c)
	if err != nil {
		return fmt.Errorf("reading stream %s: %w", proto.Events, err)
	}
	for {
		info, err := consumer.Info(ctx)
		if err != nil {
			return fmt.Errorf("reading stream %s: %w", proto.Events, err)
		}
		if info.NumPending == 0 {
			return nil
		}
		over, err := r.fetch(consumer, int(min(info.NumPending, batch)), last, f)
		if over || err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}

// fetch reads a batch; over: the last sequence was reached.
func (r *Reconciler) fetch(c jetstream.Consumer, n int, last uint64, f func(*proto.Event)) (over bool, err error) {
	messages, err := c.Fetch(n, jetstream.FetchMaxWait(fetchWait))
	if err != nil {
		return false, fmt.Errorf("reading stream %s: %w", proto.Events, err)
	}
	got := 0
	for m := range messages.Messages() {
		got++
		meta, err := m.Metadata()
		if err != nil {
			return false, fmt.Errorf("reading stream %s: %w", proto.Events, err)
		}
		e, err := proto.ReadEvent(m.Subject(), m.Headers(), m.Data(), meta.Sequence.Stream, meta.Timestamp)
		if err == nil && e.Source == "zoom/"+r.App {
			f(e)
		}
		over = over || meta.Sequence.Stream >= last
	}
	if err = messages.Error(); err != nil {
		err = fmt.Errorf("reading stream %s: %w", proto.Events, err)
	} else if got == 0 {
		err = fmt.Errorf("reading stream %s: its events do not come", proto.Events)
	}
	return over, err
}

func key(kind string, about ...string) string { return kind + "\x00" + strings.Join(about, "\x00") }
