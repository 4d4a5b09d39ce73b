package router

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/engine/waits"
	"zflow/proto"
)

// waitersOf are the registrations of a wait: one for each type of event.
func waitersOf(workflow, run string, w engine.OpenWait) []waits.Waiter {
	var all []waits.Waiter
	for i, a := range w.Of {
		match := make(map[string]string, len(a.Match))
		for _, m := range a.Match {
			match[m.Path] = m.Value
		}
		for _, t := range a.Types {
			all = append(all, waits.Waiter{
				Wait:   waits.Wait{Workflow: workflow, Run: run, Fact: w.Fact, Alternative: uint32(i)},
				Source: a.Source, Type: t, Match: match,
			})
		}
	}
	return all
}

// Await makes events come to a wait that stands: those from now on, and those that
// came before and count for it. Doing it again changes nothing.
func (r *Router) Await(ctx context.Context, workflow, run string, w engine.OpenWait) error {
	waiters := waitersOf(workflow, run, w)
	if len(waiters) == 0 || r.did(r.looked, workflow, run, w.Fact) {
		return nil
	}
	if err := r.Waits.Register(ctx, waiters...); err != nil {
		return err
	}
	info, err := r.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("looking for events that run %s waits for: %w", run, err)
	}
	if err := r.look(ctx, waiters, time.Unix(0, w.Since), info.State.LastSeq); err != nil {
		return fmt.Errorf("looking for events that run %s waits for: %w", run, err)
	}
	r.note(r.looked, workflow, run, w.Fact)
	return nil
}

// Drop forgets a wait that ended.
func (r *Router) Drop(ctx context.Context, workflow, run string, w engine.OpenWait) error {
	waiters := waitersOf(workflow, run, w)
	if len(waiters) == 0 || r.did(r.dropped, workflow, run, w.Fact) {
		return nil
	}
	if err := r.Waits.Drop(ctx, waiters...); err != nil {
		return err
	}
	r.note(r.dropped, workflow, run, w.Fact)
	return nil
}

func (r *Router) did(what map[seen]bool, workflow, run string, fact uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return what[r.seen(workflow, run, fact)]
}

func (r *Router) note(what map[seen]bool, workflow, run string, fact uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(what) >= remembered {
		clear(what)
	}
	what[r.seen(workflow, run, fact)] = true
}

func (r *Router) seen(workflow, run string, fact uint64) seen {
	return seen{r.js.Conn().ConnectedServerId(), workflow, run, fact}
}

// look brings the events of the past that waiters want, up to a sequence.
func (r *Router) look(ctx context.Context, waiters []waits.Waiter, since time.Time, last uint64) error {
	if last == 0 {
		return nil
	}
	found := func(e *proto.Event) error {
		entries, err := r.Waits.Match(ctx, e.Kind(), e.Type, e.Body)
		if err != nil {
			return err
		}
		return r.arrive(ctx, e.Sequence, entries)
	}
	from := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartTimePolicy, OptStartTime: &since}
	return r.scan(ctx, search{waiters, last, found}, from)
}

// search is for events up to a sequence that one of the waiters wants.
type search struct {
	waiters []waits.Waiter
	last    uint64
	found   func(*proto.Event) error
}

// scan reads events and passes on those that are searched for.
func (r *Router) scan(ctx context.Context, s search, c jetstream.OrderedConsumerConfig) error {
	for _, w := range s.waiters {
		c.FilterSubjects = append(c.FilterSubjects, proto.EventFilter(w.Source, w.Type))
	}
	c.FilterSubjects = proto.Disjoint(c.FilterSubjects)
	consumer, err := r.stream.OrderedConsumer(ctx, c)
	if err != nil {
		return err
	}
	for {
		info, err := consumer.Info(ctx)
		if err != nil {
			return err
		}
		if info.NumPending == 0 {
			return nil
		}
		over, err := s.read(ctx, consumer, int(min(info.NumPending, most)))
		if over || err != nil {
			return err
		}
	}
}

// read reads a batch; over: the last sequence was reached.
func (s search) read(ctx context.Context, consumer jetstream.Consumer, n int) (over bool, err error) {
	batch, err := consumer.Fetch(n, jetstream.FetchMaxWait(5*time.Second))
	if err != nil {
		return false, err
	}
	got := 0
	for m := range batch.Messages() {
		got++
		meta, err := m.Metadata()
		if err != nil {
			return false, err
		}
		e, err := proto.ReadEvent(m.Subject(), m.Headers(), m.Data(), meta.Sequence.Stream, meta.Timestamp)
		if err != nil || over {
			continue
		}
		if over = e.Sequence > s.last; over {
			continue
		}
		if s.wants(e) {
			if err := s.found(e); err != nil {
				return false, err
			}
		}
		over = e.Sequence == s.last
	}
	if got == 0 && batch.Error() == nil && ctx.Err() == nil {
		return false, errors.New("the events of the past do not come")
	}
	return over, errors.Join(batch.Error(), ctx.Err())
}

func (s search) wants(e *proto.Event) bool {
	return slices.ContainsFunc(s.waiters, func(w waits.Waiter) bool { return w.Wants(e.Kind(), e.Type, e.Body) })
}

// Arrived returns what came for a wait, the first first; taken drops it, where none
// of it ended the wait.
func (r *Router) Arrived(ctx context.Context, workflow, run string, w engine.OpenWait) (all []engine.Arrived, taken func(context.Context) error, err error) {
	seen := map[*waits.Waiter]waits.Arrived{}
	for _, waiter := range waitersOf(workflow, run, w) {
		a, err := r.Waits.Arrivals(ctx, waiter)
		if err != nil {
			return nil, nil, err
		}
		if len(a.Sequences) == 0 && a.From == 0 {
			continue
		}
		seen[&waiter] = a
		keep := func(e *proto.Event) error {
			if e.ReceivedAt.UnixNano() >= w.Since {
				all = append(all, engine.Arrived{Fact: w.Fact, Alternative: int(waiter.Alternative), Sequence: e.Sequence, EventID: e.ID, Body: e.Body})
			}
			return nil
		}
		for _, sequence := range a.Sequences {
			if err := r.event(ctx, sequence, keep); err != nil {
				return nil, nil, err
			}
		}
		if a.From > 0 {
			from := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: a.From}
			if err := r.scan(ctx, search{[]waits.Waiter{waiter}, a.To, keep}, from); err != nil {
				return nil, nil, err
			}
		}
	}
	slices.SortFunc(all, func(a, b engine.Arrived) int { return int(a.Sequence) - int(b.Sequence) })
	return all, func(ctx context.Context) error { return r.took(ctx, seen) }, nil
}

func (r *Router) took(ctx context.Context, seen map[*waits.Waiter]waits.Arrived) error {
	for waiter, a := range seen {
		if err := r.Waits.Took(ctx, *waiter, a); err != nil {
			return err
		}
	}
	return nil
}

// event reads an event; one that has aged away cannot end a wait any more.
func (r *Router) event(ctx context.Context, sequence uint64, f func(*proto.Event) error) error {
	m, err := r.stream.GetMsg(ctx, sequence)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading event %d: %w", sequence, err)
	}
	e, err := proto.ReadEvent(m.Subject, m.Header, m.Data, m.Sequence, m.Time)
	if err != nil {
		return err
	}
	return f(e)
}
