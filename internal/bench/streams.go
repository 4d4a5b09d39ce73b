package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"zflow/internal/bench/stream"
	"zflow/internal/bench/usage"
	"zflow/internal/bench/webhooks"
)

// streams measures what live streams cost a console, and how late they are.
func (b *bench) streams(ctx context.Context, s *Scenario) (err error) {
	n := b.Sizes.Streams
	s.About = fmt.Sprintf("%d live streams of all events on one console, while %g events a second come in", n, b.Rate)
	p, err := b.startPair(ctx, s.Name)
	defer func() { err = errors.Join(err, p.end()) }()
	if err != nil {
		return err
	}
	token := rand.Text()
	c, err := start(ctx, b.Program, order{System: Console, NATS: p.broker.at.NATS, Secret: token}, b.Errors)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.end()) }()
	if err := c.ready(ctx); err != nil {
		return err
	}
	b.say("streams: %d streams, %g events a second", n, b.Rate)
	l := stream.Load{URL: c.at.API, Token: token, Streams: n, Rate: b.Rate, Length: 4 * b.Length,
		Console: func() (usage.Process, error) { return usage.Read(c.pid()) }}
	l.Publish = func(ctx context.Context, n int) (uint64, error) {
		key := strconv.Itoa(n)
		ack, err := p.client.Publisher.Publish(ctx, appEvent("bench.streamed", key, webhooks.Body(key, time.Now())))
		return ack.Sequence, err
	}
	r, err := l.Run(ctx)
	if err != nil {
		return err
	}
	r.Figures(n, s.figure)
	b.report.aim(fmt.Sprintf("%d live streams: memory of the console", n), "< 150 MiB", fmt.Sprintf("%.0f MiB", mib(r.Peak)), mib(r.Peak) < 150)
	b.report.aim("live streams: each event once, in order", "0 wrong", fmt.Sprintf("%d wrong", r.Wrong), r.Wrong == 0)
	return nil
}
