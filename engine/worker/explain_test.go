package worker

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/encoding/protojson"

	"zflow/engine"
	"zflow/proto"
)

// explain tells all that could say why a run does not go on, or went on too early:
// its history with times and claims, who is at its gate, what is in WAKES and
// LEASES, what consumers wait for, and what each worker has in memory.
func (c *chaos) explain(workflow, id string) string {
	var b strings.Builder
	run := proto.RunID(workflow, id)
	fmt.Fprintf(&b, "at %s, run %s of %s\n", time.Now().Format(clockTime), run, workflow)
	c.explainHistory(&b, workflow, id)
	c.explainStreams(&b, run)
	for _, h := range c.all {
		h.explain(&b, run)
	}
	return b.String()
}

const clockTime = "04:05.000"

func (c *chaos) explainHistory(b *strings.Builder, workflow, id string) {
	h, err := c.load(workflow, id)
	if err != nil {
		fmt.Fprintln(b, err)
		return
	}
	for i, a := range h.Appends {
		fmt.Fprintf(b, "  %d stored %s %s epoch %d:", h.Sequences[i], h.Stored[i].UTC().Format(clockTime), a.State, a.Epoch)
		for _, f := range a.Facts {
			fmt.Fprintf(b, " %s@%s", strings.TrimSpace(engine.Kind(f)+" "+f.Step), time.Unix(0, f.At).UTC().Format(clockTime))
			if f.Claim != nil {
				fmt.Fprintf(b, " claim %s", protojson.Format(f.Claim))
			}
		}
		b.WriteString("\n")
	}
}

// explainStreams tells what GATES, LEASES and WAKES hold, and what consumers wait for.
func (c *chaos) explainStreams(b *strings.Builder, run string) {
	ctx := context.Background()
	for _, bucket := range []string{proto.Gates, proto.Leases} {
		kv, err := c.js.KeyValue(ctx, bucket)
		if err != nil {
			fmt.Fprintln(b, err)
			continue
		}
		keys, _ := kv.Keys(ctx)
		for _, key := range keys {
			if e, err := kv.Get(ctx, key); err == nil {
				fmt.Fprintf(b, "  %s %s of %s: %s\n", bucket, key, e.Created().UTC().Format(clockTime), e.Value())
			}
		}
	}
	for _, name := range []string{proto.Events, proto.Wakes} {
		s, err := c.js.Stream(ctx, name)
		if err != nil {
			fmt.Fprintln(b, err)
			continue
		}
		if i, err := s.Info(ctx, jetstream.WithSubjectFilter(">")); err == nil && name == proto.Wakes {
			fmt.Fprintf(b, "  %s %d to %d: %v\n", name, i.State.FirstSeq, i.State.LastSeq, i.State.Subjects)
			c.explainWakes(b, s, run, i.State.FirstSeq, i.State.LastSeq)
		}
		for i := range s.ListConsumers(ctx).Info() {
			fmt.Fprintf(b, "  consumer %s of %s: pending %d, unacked %d, redelivered %d, waiting %d, delivered %+v, floor %+v\n",
				i.Name, name, i.NumPending, i.NumAckPending, i.NumRedelivered, i.NumWaiting, i.Delivered, i.AckFloor)
		}
	}
}

func (c *chaos) explainWakes(b *strings.Builder, s jetstream.Stream, run string, first, last uint64) {
	for n := first; n <= last; n++ {
		m, err := s.GetMsg(context.Background(), n)
		if err == nil && strings.Contains(m.Subject, run) {
			fmt.Fprintf(b, "  message %d of %s, stored %s: %s %q\n", n, proto.Wakes, m.Time.UTC().Format(clockTime), m.Subject, m.Data)
		}
	}
}

// explain tells what a worker has in memory.
func (h *hand) explain(b *strings.Builder, run string) {
	fmt.Fprintf(b, "  worker %s: lease fresh %v, %d messages in hand, %d slots taken, stopping %v, holds", h.ID(), h.lease.Fresh(), h.held.now.Load(), len(h.slots), h.Worker.stop.is())
	for _, o := range h.Worker.all() {
		m, kept := o.carrier()
		fmt.Fprintf(b, " %s by %s %d kept %s", o.run.ID(), m.stream, m.sequence, kept.Format(clockTime))
	}
	if n := h.busy.Users(run); n > 0 {
		fmt.Fprintf(b, "; %d handlers of the run", n)
	}
	fmt.Fprintf(b, "; %d released; %v\n", len(h.released), h.Counts())
}

// stacks tells what goroutines of ours do.
func stacks() string {
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		return err.Error()
	}
	all := strings.Split(b.String(), "\n\n")
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return !strings.Contains(s, "zflow/engine/") }), "\n\n")
}
