package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"zflow/internal/bench/load"
	"zflow/internal/bench/recording"
	"zflow/internal/bench/usage"
	"zflow/internal/bench/webhooks"
	"zflow/proto"
)

const (
	few       = 1000 // finished runs in the smaller store
	roundRuns = 1500 // of three calls
)

// flowName is that of the workflow of three calls.
const flowName = "bench"

// store is a pair with runs that have finished.
type store struct {
	*pair
	name     string
	finished int
	costs    []float64 // CPU in ms per run, by round
	bad      int       // runs lost, repeated or out of order
}

// finished measures what a run of three calls costs beside few and beside many
// runs that have finished. Two stores take turns, so that what is compared is of
// one time.
func (b *bench) finished(ctx context.Context, s *Scenario) (err error) {
	s.About = fmt.Sprintf("runs of three HTTP calls, %d at a time, in stores with %d and with %d finished runs", aimed, few, b.Sizes.Finished)
	var stores []*store
	defer func() {
		for _, one := range stores {
			err = errors.Join(err, one.end())
		}
	}()
	for _, n := range []int{few, b.Sizes.Finished} {
		one := &store{name: fmt.Sprintf("finished-%d", n), finished: n}
		var err error
		one.pair, err = b.startPair(ctx, one.name, source(b.url))
		stores = append(stores, one)
		if err != nil {
			return err
		}
		if err := b.stock(ctx, one); err != nil {
			return err
		}
	}
	for i := range b.Sizes.Rounds {
		b.say("finished: round %d of %d", i+1, b.Sizes.Rounds)
		for _, one := range stores {
			if err := b.round(ctx, one, b.roundRuns()); err != nil {
				return err
			}
		}
	}
	return b.compareStores(s, stores[0], stores[1])
}

// roundRuns is smaller where a store is: the runs of the rounds stay in it too.
func (b *bench) roundRuns() int { return min(roundRuns, max(b.Sizes.Finished/10, aimed)) }

// stock fills a store, and warms up.
func (b *bench) stock(ctx context.Context, one *store) error {
	if err := b.round(ctx, one, aimed); err != nil {
		return err
	}
	e := one.event("template", webhooks.Body("template", time.Now()))
	if _, err := one.client.Publisher.Publish(ctx, e); err != nil {
		return err
	}
	if _, err := one.ended(ctx, flowName, proto.RunID(flowName, e.ID)); err != nil {
		return err
	}
	r, err := recording.Open(ctx, one.client, flowName, e.ID)
	if err != nil {
		return err
	}
	copyOf := func(i int) recording.Copy {
		key := "copy-" + strconv.Itoa(i)
		return recording.Copy{Event: one.event(key, webhooks.Body(key, e.Time))}
	}
	if err := b.fill(ctx, "finished: runs stored", r, one.finished, copyOf); err != nil {
		return err
	}
	one.costs, one.bad = nil, 0
	return one.checkCopy(ctx, copyOf(one.finished-1))
}

// checkCopy reads a copy as every reader does: what a store is full of must be runs.
func (s *store) checkCopy(ctx context.Context, c recording.Copy) error {
	h, err := s.client.History.Load(ctx, flowName, proto.RunID(flowName, c.Event.ID))
	if err == nil && (len(h.Appends) == 0 || h.Appends[len(h.Appends)-1].State != "completed") {
		err = fmt.Errorf("a copy of a run has %d appends and no end", len(h.Appends))
	}
	return err
}

// event is Zoom's about a meeting of its own, as ingest stores it.
func (s *store) event(key string, body []byte) *proto.Event {
	now := time.Now().UTC()
	return &proto.Event{ID: proto.EventID("default", "meeting.ended", key), Type: "meeting.ended", Source: "zoom/default", Account: "AAAAAABBBB",
		Origin: proto.FromTest, ContentType: "application/json", Time: now, ReceivedAt: now, Body: body}
}

// round runs some runs and notes what one cost.
func (b *bench) round(ctx context.Context, one *store, n int) error {
	before, err := one.cpu()
	if err != nil {
		return err
	}
	l := load.Load{API: b.api, Senders: aimed, Count: n, Whole: true, Patience: 30 * time.Second}
	l.Send = func(ctx context.Context, run string, body []byte) error {
		_, err := one.client.Publisher.Publish(ctx, one.event(run, body))
		return err
	}
	o, err := l.Run(ctx)
	if err != nil {
		return err
	}
	if err := wait(ctx, 200*time.Millisecond); err != nil { // the third call is not a run's last append
		return err
	}
	after, err := one.cpu()
	if err != nil {
		return err
	}
	if !o.Sound() {
		one.bad += o.Lost + o.Repeated + o.OutOfOrder + o.Unasked + o.Sent - o.Accepted
	}
	one.costs = append(one.costs, float64(after-before)/float64(time.Millisecond)/float64(max(o.Complete, 1)))
	return nil
}

func (b *bench) compareStores(s *Scenario, small, large *store) error {
	ratios := make([]float64, len(small.costs))
	for i := range ratios {
		if small.costs[i] > 0 {
			ratios[i] = large.costs[i] / small.costs[i]
		}
	}
	for _, one := range []*store{small, large} {
		u, err := usage.Read(one.broker.pid())
		if err != nil {
			return err
		}
		s.figure(fmt.Sprintf("CPU of worker and server per run, %d finished", one.finished), middle(one.costs), "ms")
		s.figure(fmt.Sprintf("server, %d finished", one.finished), mib(u.RSS), "MiB")
		if one.bad > 0 {
			return fmt.Errorf("beside %d finished runs %d were refused, lost, repeated or out of order", one.finished, one.bad)
		}
	}
	ratio := middle(ratios)
	s.figure(fmt.Sprintf("the second ÷ the first, p50 of %d rounds", len(ratios)), ratio, "")
	s.figure("least", slices.Min(ratios), "")
	s.figure("most", slices.Max(ratios), "")
	if small.costs[0] > 0 {
		b.report.aim(fmt.Sprintf("CPU per run, %d to %d finished runs", large.finished, small.finished), "≤ 1.2", fmt.Sprintf("%.2f", ratio), ratio <= 1.2)
	}
	return nil
}

func middle(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
