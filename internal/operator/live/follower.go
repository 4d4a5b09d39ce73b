package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Query says what is followed.
type Query struct {
	Filter Filter
	After  *uint64   // the last message that is known already; nil: what there is now
	Since  time.Time // instead: from what was stored at or after it; zero: not so
	OnGap  func(Gap) // Follow calls it first where there is a gap; nil: nothing is
}

// Beyond says that a follower's place is none of the stream.
type Beyond struct{ After, Last uint64 }

func (b Beyond) Error() string {
	return fmt.Sprintf("there is no %d yet, the last is %d: it is the place in another stream, or of what a power failure took; begin without it", b.After, b.Last)
}

// FromError says it in the words of who asked for what begins with a sequence.
func FromError(err error, from uint64) error {
	if b := (Beyond{}); errors.As(err, &b) {
		return fmt.Errorf("there is nothing from %d on, the last is %d: begin at %d, or leave --from out", from, b.Last, b.Last+1)
	}
	return err
}

// Gap is what a follower does not get, since the stream does not have it any more:
// what came after one message and before another.
type Gap struct {
	After uint64 `json:"after"`
	First uint64 `json:"first"`
}

// String says which messages these were.
func (g Gap) String() string {
	return fmt.Sprintf("%d to %d are no longer kept: it begins with %d", g.After+1, g.First-1, g.First)
}

// Follower gets the messages of a stream from a place on. It is not safe for
// concurrent use.
type Follower struct {
	hub    *Hub
	filter Filter
	gap    *Gap
	after  uint64 // the last that it had, or passed over
	epoch  int
	since  time.Time
	past   *past // nil: it follows the ring
	closed bool
}

// past is what a follower reads by itself.
type past struct {
	consumer jetstream.Consumer
	pending  uint64 // of what was there when it began
	low      uint64 // where the ring began then
}

// Open begins to follow; the caller closes the follower. An error is a Beyond, or
// the server's.
func (h *Hub) Open(ctx context.Context, q Query) (*Follower, error) {
	s, err := h.state(ctx)
	if err != nil {
		return nil, err
	}
	f := &Follower{hub: h, filter: q.Filter, after: s.LastSeq, since: q.Since}
	switch {
	case !q.Since.IsZero():
		f.after = 0
	case q.After == nil:
	case *q.After > s.LastSeq:
		return nil, Beyond{*q.After, s.LastSeq}
	default:
		f.after = *q.After
		if f.after+1 < s.FirstSeq {
			f.gap = &Gap{After: f.after, First: s.FirstSeq}
			f.after = s.FirstSeq - 1
		}
	}
	f.epoch = h.join(s)
	return f, nil
}

// Gap returns what the follower does not get, nil if there is nothing.
func (f *Follower) Gap() *Gap { return f.gap }

// Close ends it.
func (f *Follower) Close() {
	if !f.closed {
		f.closed = true
		f.leavePast()
		f.hub.leave()
	}
}

// Next returns what comes next, at least one message; none when ctx ends. An error
// is ErrReset: the follower is of no use then.
func (f *Follower) Next(ctx context.Context) ([]*Message, error) {
	for ctx.Err() == nil {
		var got []*Message
		var news <-chan struct{}
		behind, err := f.past != nil || !f.since.IsZero(), error(nil)
		if !behind {
			got, news, behind, err = f.hub.take(f)
		}
		if behind {
			got, news, err = f.catchUp(ctx)
		}
		if err != nil || len(got) > 0 {
			return got, err
		}
		select {
		case <-ctx.Done():
		case <-news:
		}
	}
	return nil, nil
}

// soon is closed after a while, for what is to be tried again.
func soon(ctx context.Context) <-chan struct{} {
	c := make(chan struct{})
	t := time.AfterFunc(readAgain, func() { close(c) })
	context.AfterFunc(ctx, func() { t.Stop() })
	return c
}

// atOnce is closed.
var atOnce = func() <-chan struct{} { c := make(chan struct{}); close(c); return c }()

// catchUp reads what is before the ring. What fails is tried again from where the
// follower is; more says when.
func (f *Follower) catchUp(ctx context.Context) (got []*Message, more <-chan struct{}, err error) {
	if f.past == nil {
		if err := f.openPast(ctx); err != nil {
			return nil, soon(ctx), nil
		}
	}
	if f.past.pending == 0 {
		f.after = max(f.after, f.past.low)
		f.since = time.Time{}
		f.leavePast()
		return nil, atOnce, nil
	}
	asked, read := min(f.past.pending, batch), uint64(0)
	messages, err := f.past.consumer.Fetch(int(asked), jetstream.FetchMaxWait(fetchWithin))
	if err != nil {
		f.leavePast()
		return nil, soon(ctx), nil
	}
	for m := range messages.Messages() {
		meta, err := m.Metadata()
		if err != nil {
			continue // no message of a stream
		}
		read++
		f.after, f.since = meta.Sequence.Stream, time.Time{}
		if f.filter.lets(m.Subject()) {
			got = append(got, &Message{Subject: m.Subject(), Header: m.Headers(), Data: m.Data(), Sequence: meta.Sequence.Stream, Time: meta.Timestamp})
		}
	}
	f.past.pending -= read
	if messages.Error() != nil || read < asked {
		f.leavePast() // it is gone, or some of it is: another begins where this ended
		return got, soon(ctx), nil
	}
	return got, atOnce, nil
}

// fetchWithin is how long the server may take for messages that it has.
const fetchWithin = 5 * time.Second

// openPast makes a consumer of what is before the ring. How much there is, is known
// once it is made: that is all up to the ring's beginning of now, at least.
func (f *Follower) openPast(ctx context.Context) error {
	low := f.hub.begins()
	config := jetstream.ConsumerConfig{FilterSubjects: f.filter.subjects(), OptStartSeq: f.after + 1}
	if !f.since.IsZero() {
		config.OptStartSeq, config.OptStartTime = 0, &f.since
	}
	c, err := f.hub.js.CreateConsumer(ctx, f.hub.stream, ephemeral(config))
	if err != nil {
		return err
	}
	if !f.since.IsZero() {
		f.after = c.CachedInfo().Delivered.Stream // that before the first of the time
	}
	f.past = &past{consumer: c, pending: c.CachedInfo().NumPending, low: low}
	return nil
}

func (f *Follower) leavePast() {
	if f.past != nil {
		remove(f.hub.js, f.hub.stream, f.past.consumer)
		f.past = nil
	}
}

// Follow calls f for what comes until f says that it was the last, or ctx ends.
func (h *Hub) Follow(ctx context.Context, q Query, f func(*Message) (more bool, err error)) error {
	follower, err := h.Open(ctx, q)
	if err != nil {
		if ctx.Err() != nil && !errors.As(err, new(Beyond)) {
			return nil
		}
		return err
	}
	defer follower.Close()
	if follower.gap != nil && q.OnGap != nil {
		q.OnGap(*follower.gap)
	}
	for ctx.Err() == nil {
		got, err := follower.Next(ctx)
		if err != nil {
			return fmt.Errorf("following %s: %w", h.stream, err)
		}
		for _, m := range got {
			if more, err := f(m); err != nil || !more {
				return err
			}
		}
	}
	return nil
}
