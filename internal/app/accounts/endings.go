package accounts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/internal/connections"
	"zflow/internal/connections/forget"
	"zflow/internal/pause"
	"zflow/proto"
)

// consumerName is that of the consumer on EVENTS that brings what Zoom says of
// apps that were removed; no workflow can have such a name.
const consumerName = "ZFLOW_deauthorized"

const (
	sweepEvery = time.Minute      // how often orders to forget are looked at
	tryAgain   = 10 * time.Second // after an event that could not be handled
	pullFor    = 30 * time.Second
)

// endings ends the connections of apps that accounts remove at Zoom, and deletes
// what is stored of these accounts when that is due.
type endings struct {
	c         Config
	store     *connections.Store
	forgetter *forget.Forgetter
	stop      func()
	work      sync.WaitGroup
}

func follow(ctx context.Context, js jetstream.JetStream, c Config, store *connections.Store, f *forget.Forgetter) (*endings, error) {
	consumer, err := js.CreateOrUpdateConsumer(ctx, proto.Events, jetstream.ConsumerConfig{
		Name: consumerName, Durable: consumerName, Description: "zflow: brings what Zoom says of apps that were removed",
		FilterSubject: "zflow.event.zoom.*.app_deauthorized", DeliverPolicy: jetstream.DeliverNewPolicy,
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Minute, MaxDeliver: -1, MaxAckPending: 16,
	})
	if err != nil {
		return nil, fmt.Errorf("creating consumer %s on %s: %w", consumerName, proto.Events, err)
	}
	e := &endings{c: c, store: store, forgetter: f}
	live, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e.stop = cancel
	e.work.Go(func() { e.pull(live, consumer) })
	e.work.Go(func() { e.sweeps(live) })
	return e, nil
}

func (e *endings) close() {
	e.stop()
	e.work.Wait()
}

// pull handles events until ctx ends; what it cannot fetch now it fetches later.
func (e *endings) pull(ctx context.Context, consumer jetstream.Consumer) {
	for ctx.Err() == nil {
		asking, cancel := context.WithTimeout(ctx, pullFor)
		m, err := consumer.Next(jetstream.FetchContext(asking))
		cancel()
		if err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				pause.For(ctx, time.Second)
			}
			continue
		}
		if err := e.removed(ctx, m); err != nil {
			e.c.Log.Warn("an app's removal is not handled yet", zap.Error(err))
			_ = m.NakWithDelay(tryAgain) // it comes again at the latest after the ack wait
			continue
		}
		_ = m.Ack() // else it comes again, and nothing is left to do
	}
}

// removed ends the connections of an app that was removed, and orders the deletion
// of the account's data where no other connection of it stands.
func (e *endings) removed(ctx context.Context, m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	event, err := proto.ReadEvent(m.Subject(), m.Headers(), m.Data(), meta.Sequence.Stream, meta.Timestamp)
	if err != nil {
		return err
	}
	var said struct {
		Payload struct {
			Account string `json:"account_id"`
			User    string `json:"user_id"`
			Client  string `json:"client_id"`
		} `json:"payload"`
	}
	if json.Unmarshal(event.Body, &said) != nil || said.Payload.Account == "" || said.Payload.Client == "" {
		e.c.Log.Warn("an app_deauthorized does not say whose app it was", zap.String("event_id", event.ID))
		return nil
	}
	p := said.Payload
	names, err := e.store.Deauthorized(ctx, p.Account, p.User, p.Client, event.ReceivedAt)
	if err != nil {
		return err
	}
	for _, name := range names {
		e.c.Log.Warn("a connection has ended: its app was removed at Zoom", zap.String("connection", name))
	}
	if e.stands(p.Account) {
		return nil
	}
	return e.forgetter.Want(ctx, p.Account, "the app was removed from the account at Zoom", event.ReceivedAt.Add(time.Duration(e.c.Zoom.ForgetAfter)))
}

// stands tells whether a connection of the account is not revoked.
func (e *endings) stands(account string) bool {
	return slices.ContainsFunc(e.store.All(), func(r connections.Record) bool {
		return r.Account == account && r.State != connections.Revoked
	})
}

// sweeps carries out orders to forget, those too that were cut short.
func (e *endings) sweeps(ctx context.Context) {
	for ctx.Err() == nil {
		done, err := e.forgetter.Sweep(ctx)
		for _, o := range done {
			e.c.Log.Info("what was stored of an account is deleted", zap.String("account", o.Account), zap.String("why", o.Why),
				zap.Uint64("events", o.Events), zap.Uint64("runs", o.Runs), zap.Uint64("values", o.Values))
		}
		if err != nil && ctx.Err() == nil {
			e.c.Log.Warn("what is to be deleted of an account is not gone yet", zap.Error(err))
		}
		pause.For(ctx, sweepEvery)
	}
}
