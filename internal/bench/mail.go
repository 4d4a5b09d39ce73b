package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zflow/internal/bench/load"
	"zflow/internal/bench/mail"
	"zflow/internal/bench/stage"
	"zflow/internal/bench/usage"
	wire "zflow/proto"
)

const (
	mailbox   = "desk"
	mailers   = 16  // connections at once
	mailsAim  = 200 // a second
	mailWarms = 10  // the part of the length in which caches are filled
)

// mailed is a workflow that a mail starts, and that makes a call.
func (b *bench) mailed() string {
	return fmt.Sprintf(`name: mailed
on: [ { email: %s } ]
steps:
  - uses: http.request
    on_unknown: retry
    with: { method: POST, url: %q, json: { subject: "${{ event.subject }}", file: "${{ event.attachments[0].file }}" } }
`, mailbox, b.url+stage.Path)
}

// mail measures how fast mails are taken, durably, and how fast their runs are through.
func (b *bench) mail(ctx context.Context, s *Scenario) (err error) {
	s.About = fmt.Sprintf("mails with an attachment of 8 KiB over %d SMTP connections; each is answered once its event and its file are durable, and starts a run of one call", mailers)
	p, err := b.startPair(ctx, s.Name, b.mailed())
	defer func() { err = errors.Join(err, p.end()) }()
	if err != nil {
		return err
	}
	in, err := start(ctx, b.Program, order{System: Ingest, Folder: p.folder, NATS: p.broker.at.NATS, Secret: secret}, b.Errors)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.end()) }()
	b.stage.Set(0, 0)
	to := mail.Target{Server: in.at.Mail, To: mailbox + "@example.org"}
	warm := to.Flood(ctx, mailers, b.Length/mailWarms)
	if err := b.through(ctx, p, warm.Sent); err != nil || warm.Problem != nil {
		return errors.Join(warm.Problem, err)
	}
	before, err := usage.Read(in.pid())
	if err != nil {
		return err
	}
	b.say("mail: %d connections", mailers)
	begun := time.Now()
	got := to.Flood(ctx, mailers, b.Length)
	after, err := usage.Read(in.pid())
	if err := errors.Join(err, got.Problem); err != nil {
		return err
	}
	if err := b.through(ctx, p, warm.Sent+got.Sent); err != nil {
		return err
	}
	took := time.Since(begun)
	if err := b.kept(ctx, p, warm.Sent+got.Sent); err != nil {
		return err
	}
	s.figure("ingest's CPU per mail", 1000*(after.CPU-before.CPU).Seconds()/float64(got.Sent), "ms")
	b.mailsTaken(s, got, took)
	return nil
}

func (b *bench) mailsTaken(s *Scenario, got mail.Answers, took time.Duration) {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	taken := load.Per(got.Sent, got.Within)
	s.figure("mails taken, durable", taken, "/s")
	s.figure("mails whose runs are through", load.Per(got.Sent, took), "/s")
	s.figure("answer to a mail, p50", ms(got.P50), "ms")
	s.figure("answer to a mail, p99", ms(got.P99), "ms")
	b.report.aim(fmt.Sprintf("mails a second over %d connections, durable", mailers), fmt.Sprintf("≥ %d/s", mailsAim), fmt.Sprintf("%.0f/s", taken), taken >= mailsAim)
}

// through waits until the runs of so many mails are.
func (b *bench) through(ctx context.Context, p *pair, n int) error {
	return b.follow(ctx, "mail: runs that are through", n, func(ctx context.Context) (int, error) { return p.count(ctx, "runs_completed") })
}

// kept checks that every mail is one event, and that its run made its call.
func (b *bench) kept(ctx context.Context, p *pair, n int) error {
	events, err := p.client.JS.Stream(ctx, wire.Events)
	if err != nil {
		return err
	}
	have := events.CachedInfo().State.Msgs
	if calls, _ := b.stage.Seen(); have != uint64(n) || calls < n {
		return fmt.Errorf("of %d mails that were taken there are %d events, and %d calls", n, have, calls)
	}
	return nil
}
