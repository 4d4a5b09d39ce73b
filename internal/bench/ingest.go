package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"zflow/internal/app"
	"zflow/internal/app/intake"
	"zflow/internal/bench/webhooks"
	"zflow/sources/zoom"
)

// Ingest is the process that takes webhooks.
const Ingest = "ingest"

const (
	ingestRate  = 500 // webhooks a second whose answers' latency is measured
	ingestShare = .6  // of the stream's own rate
)

// ingest measures how fast webhooks are taken by an ingest beside a broker, and how
// fast the stream takes messages that nobody flushes.
func (b *bench) ingest(ctx context.Context, s *Scenario) (err error) {
	s.About = fmt.Sprintf("signed webhooks, %d senders, durable before they are answered, beside the stream's own publishes, %d callers, which nobody flushes", aimed, aimed)
	p, err := b.startPair(ctx, s.Name)
	defer func() { err = errors.Join(err, p.end()) }()
	if err != nil {
		return err
	}
	if err := errors.Join(p.worker.end(), ctx.Err()); err != nil { // it made the streams
		return err
	}
	if p.worker, err = start(ctx, b.Program, order{System: Ingest, Folder: p.folder, NATS: p.broker.at.NATS, Secret: secret}, b.Errors); err != nil {
		return err
	}
	to := webhooks.Target{URL: p.worker.at.Webhooks, Secret: secret}
	if _, err := to.Flood(ctx, aimed, b.Length/10); err != nil {
		return err
	}
	b.say("ingest: webhooks, %d senders", aimed)
	flood, err := to.Flood(ctx, aimed, b.Length/2)
	if err != nil {
		return err
	}
	b.say("ingest: the stream's own publishes")
	plain, err := b.publish(ctx, (&system{client: p.client}).acknowledged)
	if err != nil {
		return err
	}
	b.say("ingest: %d webhooks a second", ingestRate)
	paced, err := to.Pace(ctx, ingestRate, b.Length)
	if err != nil {
		return err
	}
	b.ingested(s, flood, paced, plain)
	return ctx.Err()
}

func (b *bench) ingested(s *Scenario, flood, paced webhooks.Answers, plain float64) {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	s.figure("webhooks accepted", flood.PerSecond, "/s")
	s.figure("publishes without a flush", plain, "/s")
	s.figure("refused", float64(flood.Refused+paced.Refused), "")
	s.figure(fmt.Sprintf("answer at %d/s, p50", ingestRate), ms(paced.P50), "ms")
	s.figure(fmt.Sprintf("answer at %d/s, p99", ingestRate), ms(paced.P99), "ms")
	share := flood.PerSecond / plain
	b.report.aim("webhooks at 64, of the stream's own publishes", fmt.Sprintf("≥ %.0f %%", 100*ingestShare), fmt.Sprintf("%.0f %%", 100*share), share >= ingestShare)
	b.report.aim(fmt.Sprintf("a webhook's answer at %d/s, p99, ingest alone", ingestRate), "< 10 ms", fmt.Sprintf("%.1f ms", ms(paced.P99)), paced.P99 < 10*time.Millisecond)
}

func startIngest(ctx context.Context, o order, log *zap.Logger) (served, error) {
	keys, err := app.CreateKeys(filepath.Join(o.Folder, "sealing.keys"), filepath.Join(o.Folder, "sealing.pub"))
	if err != nil {
		return nil, err
	}
	in, err := intake.New(intake.Config{Listen: "127.0.0.1:0", SealKey: keys.PublicKey, NATS: intake.NATS{URL: o.NATS},
		Apps:     []zoom.App{{Name: "default", Secrets: []string{o.Secret}}},
		Triggers: intake.Triggers{Mail: intake.Mail{Listen: "127.0.0.1:0", Domains: []string{"*"}}}}, log)
	if err != nil {
		return nil, err
	}
	p := begin(ctx, report{Webhooks: "http://" + in.Addr() + zoom.Path + "default", Mail: in.MailAddr()}, in.Run)
	select {
	case <-in.Opened():
		return p, nil
	case err := <-p.fails:
		return nil, err
	case <-ctx.Done():
		p.close()
		return nil, ctx.Err()
	}
}
