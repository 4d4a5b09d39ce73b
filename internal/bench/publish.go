package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"zflow/internal/bench/load"
	"zflow/internal/bench/webhooks"
	"zflow/proto"
)

// publishes measures what zflow's streams take: events that start nothing,
// acknowledged, and acknowledged and durable.
func (b *bench) publishes(ctx context.Context) error {
	for _, s := range b.systems {
		if s.client == nil {
			continue
		}
		b.say("publishing, %d callers: %s", aimed, s.name)
		p := Publish{System: s.name, Callers: aimed}
		var err error
		if p.Acknowledged, err = b.publish(ctx, s.acknowledged); err != nil {
			return err
		}
		before, all := s.client.Gate.Flushes(), s.client.Gate.Passes()
		if p.Durable, err = b.publish(ctx, s.durable); err != nil {
			return err
		}
		if n := s.client.Gate.Passes() - all; n > 0 {
			p.Flushes = float64(s.client.Gate.Flushes()-before) / float64(n)
		}
		b.report.Publishes = append(b.report.Publishes, p)
	}
	return nil
}

// publish returns how often a second something is done by many callers.
func (b *bench) publish(ctx context.Context, do func(context.Context, *proto.Event) error) (float64, error) {
	prefix, begun := rand.Text()[:10], time.Now()
	body := webhooks.Body(prefix, begun)
	var done atomic.Int64
	var all sync.WaitGroup
	errs := make(chan error, aimed)
	for range aimed {
		all.Go(func() {
			for time.Since(begun) < b.Length/3 {
				e := &proto.Event{ID: prefix + strconv.FormatInt(done.Add(1), 10), Type: "bench.published", Source: "bench",
					Origin: proto.FromTest, ContentType: "application/json", Time: begun, ReceivedAt: begun, Body: body}
				if err := do(ctx, e); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-errs:
		return 0, fmt.Errorf("measuring publishes: %w", err)
	default:
		return load.Per(int(done.Load()), time.Since(begun)), nil
	}
}

func (s *system) acknowledged(ctx context.Context, e *proto.Event) error {
	subject, _ := e.Wire()
	_, err := s.client.JS.Publish(ctx, subject, e.Body)
	return err
}

func (s *system) durable(ctx context.Context, e *proto.Event) error {
	_, err := s.client.Publisher.Publish(ctx, e)
	return err
}
