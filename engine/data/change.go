package data

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"zflow/internal/durable"
	"zflow/proto"
)

// late is how long a change may be held up: later, nothing is changed.
const late = time.Minute

// Next is what a change makes of an entry.
type Next struct {
	Leave   bool            // nothing: the entry stays as it is, and no mark is left
	Value   json.RawMessage // nil: the value is deleted
	Expires time.Time       // zero: never
	Answer  any             // JSON; what the step is told, and its repeats too
}

// Answer is what came of a change.
type Answer struct {
	JSON     json.RawMessage
	Revision uint64 // of the entry after the change; 0 where it is not known any more
	Repeated bool   // the step had made it before
}

// Change changes a key for a step, once: to what decide makes of what it has. It may
// be asked several times, for others may change the key meanwhile.
func (s *Store) Change(ctx context.Context, p Place, step string, decide func(Entry) (Next, error)) (Answer, error) {
	store, key, err := p.at()
	if err != nil {
		return Answer{}, err
	}
	c := &change{Store: s, place: p, store: store, key: key, step: proto.Hash(step), begun: s.now(), decide: decide}
	err = s.bucket.Durably(ctx, func() error { return c.try(ctx) })
	if durable.Full(err) {
		err = errors.Join(ErrFull, err)
	}
	return c.answer, err
}

// change is one on its way.
type change struct {
	*Store
	place      Place
	store, key string
	step       string // its hash
	begun      time.Time
	decide     func(Entry) (Next, error)
	answer     Answer
}

func (c *change) try(ctx context.Context) error {
	release, err := c.bucket.Hold(ctx, c.key)
	if err != nil {
		return err
	}
	defer release()
	old, r, m, err := c.find(ctx)
	if err != nil {
		return err
	}
	if m != nil {
		c.answer = Answer{JSON: m.Answer, Revision: m.Revision, Repeated: true}
		return nil
	}
	now := c.now()
	next, err := c.decide(r.entry(c.place.Key, old, now))
	if err != nil {
		return err
	}
	raw, err := json.Marshal(next.Answer)
	if err != nil {
		return err
	}
	c.answer = Answer{JSON: raw, Revision: old.Revision}
	if next.Leave {
		return nil
	}
	if len(next.Value) > MaxValue {
		return ErrLarge
	}
	if old.Value == nil {
		if err := c.room(ctx, c.store); err != nil {
			return err
		}
	}
	return c.put(ctx, old, &r, next)
}

// find reads the entry, and the step's mark where that is, in that order.
func (c *change) find(ctx context.Context) (old durable.Entry, r record, m *mark, err error) {
	if old, err = c.bucket.Get(ctx, c.key); err != nil {
		return old, r, nil, err
	}
	if r, err = read(old.Value); err != nil {
		return old, r, nil, err
	}
	if m = r.find(c.step, old.Revision); m != nil || !r.lookAside(c.now()) {
		return old, r, m, nil
	}
	there, err := c.bucket.Get(ctx, proto.DataMarkKey(c.key, c.step))
	if err != nil || there.Value == nil {
		return old, r, nil, err
	}
	m = &mark{}
	return old, r, m, json.Unmarshal(there.Value, m)
}

// put swaps the entry, once the marks that lose their place are aside.
func (c *change) put(ctx context.Context, old durable.Entry, r *record, next Next) error {
	now := c.now()
	if now.Sub(c.begun) > late {
		return ErrLate
	}
	n, aside := r.next(next.Value, next.Expires, mark{Step: c.step, At: now.UnixMilli(), Answer: c.answer.JSON}, old.Revision)
	for _, m := range aside {
		if err := c.putAside(ctx, m); err != nil {
			return err
		}
	}
	raw, err := n.bytes()
	if err != nil {
		return err
	}
	c.answer.Revision, err = c.bucket.Put(ctx, c.key, old, raw, n.life(now))
	return err
}

// putAside keeps a mark under a key of its own. One that is there already is the same.
func (c *change) putAside(ctx context.Context, m mark) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	key := proto.DataMarkKey(c.key, m.Step)
	there, err := c.bucket.Get(ctx, key)
	if err != nil || there.Value != nil {
		return err
	}
	err = c.bucket.Swap(ctx, key, there, raw, kept+2*late)
	if errors.Is(err, durable.ErrConflict) {
		return nil
	}
	return err
}

// Happened tells whether a step that began at a time has changed a key, and what it
// was answered; sure is false where that cannot be told any more.
func (s *Store) Happened(ctx context.Context, p Place, step string, began time.Time) (a Answer, happened, sure bool, err error) {
	store, key, err := p.at()
	if err != nil {
		return Answer{}, false, false, err
	}
	c := &change{Store: s, place: p, store: store, key: key, step: proto.Hash(step)}
	err = s.bucket.Durably(ctx, func() error {
		old, _, m, err := c.find(ctx)
		if err != nil {
			return err
		}
		if happened = m != nil; happened {
			a = Answer{JSON: m.Answer, Revision: m.Revision, Repeated: true}
		}
		untouched := old.Revision != 0 && old.Written.Before(began.Add(-late))
		sure = happened || untouched || s.now().Sub(began) < kept
		return nil
	})
	return a, happened, sure, err
}
