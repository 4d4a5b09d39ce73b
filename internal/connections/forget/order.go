package forget

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine/history"
	"zflow/engine/leases"
	"zflow/engine/wakes"
	"zflow/internal/durable"
	"zflow/proto"
)

// keptFor is how long it is known that an account was forgotten.
const keptFor = 30 * 24 * time.Hour

// Order is that an account's data is to be deleted, and how far that is.
type Order struct {
	Account string    `json:"account_id"`
	Why     string    `json:"why"`
	Due     time.Time `json:"due"`
	Events  uint64    `json:"events"` // deleted so far
	Runs    uint64    `json:"runs"`
	Values  uint64    `json:"values"`           // large ones
	Open    uint64    `json:"open,omitempty"`   // runs that were canceled and have not ended yet
	Done    time.Time `json:"done_at,omitzero"` // zero: not yet
}

// Forgetter carries orders out.
type Forgetter struct {
	js      jetstream.JetStream
	gate    *durable.Gate
	bucket  *durable.Bucket
	history *history.Store
	wakes   *wakes.Store
	leases  *leases.Store
	holder  string // of locks
}

// Open looks up what orders are about.
func Open(ctx context.Context, js jetstream.JetStream, gate *durable.Gate) (*Forgetter, error) {
	f := &Forgetter{js: js, gate: gate, holder: rand.Text()}
	var err error
	if f.bucket, err = durable.OpenBucket(ctx, js, gate, proto.Connections); err != nil {
		return nil, err
	}
	if f.history, err = history.Open(ctx, js, gate); err != nil {
		return nil, err
	}
	if f.leases, err = leases.Open(ctx, js); err != nil {
		return nil, err
	}
	f.wakes, err = wakes.Open(ctx, js, gate)
	return f, err
}

func orderKey(account string) string { return "forget." + proto.Token(account) }

// Want stores an order; one that there is and is not done is due at the earlier of
// both times.
func (f *Forgetter) Want(ctx context.Context, account, why string, due time.Time) error {
	if account == "" {
		return fmt.Errorf("forgetting an account: which is not said")
	}
	return f.change(ctx, account, func(o *Order) {
		if !o.Done.IsZero() || o.Account == "" {
			*o = Order{Account: account, Why: why, Due: due.UTC()}
		}
		if due.Before(o.Due) {
			o.Why, o.Due = why, due.UTC()
		}
	})
}

// Cancel takes back an order that is not due yet: the account is connected again.
func (f *Forgetter) Cancel(ctx context.Context, account string) error {
	return f.bucket.Durably(ctx, func() error {
		return f.bucket.Change(ctx, orderKey(account), func(old []byte) ([]byte, error) {
			var o Order
			if old == nil || json.Unmarshal(old, &o) != nil || !o.Done.IsZero() || !time.Now().Before(o.Due) {
				return old, nil
			}
			return nil, nil
		})
	})
}

func (f *Forgetter) change(ctx context.Context, account string, edit func(*Order)) error {
	err := f.bucket.Durably(ctx, func() error {
		e, err := f.bucket.Get(ctx, orderKey(account))
		if err != nil {
			return err
		}
		var o Order
		if e.Value != nil {
			if err := json.Unmarshal(e.Value, &o); err != nil {
				return fmt.Errorf("reading an order to forget: %w", err)
			}
		}
		edit(&o)
		next, err := json.Marshal(o)
		if err != nil {
			return err
		}
		life := time.Duration(0)
		if !o.Done.IsZero() {
			life = keptFor
		}
		return f.bucket.Swap(ctx, orderKey(account), e, next, life)
	})
	if err != nil {
		return fmt.Errorf("forgetting account %s: %w", account, err)
	}
	return nil
}

// Order returns the order for an account; there need be none.
func (f *Forgetter) Order(ctx context.Context, account string) (o Order, there bool, err error) {
	e, err := f.bucket.Get(ctx, orderKey(account))
	if err != nil || e.Value == nil {
		return o, false, err
	}
	return o, true, json.Unmarshal(e.Value, &o)
}

// Sweep carries out what is due. It returns what is done with that, and the first
// error, having tried all.
func (f *Forgetter) Sweep(ctx context.Context) (done []Order, first error) {
	keys, err := f.bucket.Below(ctx, "forget")
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		e, err := f.bucket.Get(ctx, key)
		var o Order
		if err != nil || e.Value == nil || json.Unmarshal(e.Value, &o) != nil || !o.Done.IsZero() || time.Now().Before(o.Due) {
			continue
		}
		o, mine, err := f.try(ctx, o.Account)
		switch {
		case err != nil && first == nil:
			first = err
		case err == nil && mine && !o.Done.IsZero():
			done = append(done, o)
		}
	}
	return done, first
}
