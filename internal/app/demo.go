package app

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/engine"
	"zflow/examples"
	"zflow/internal/zoomsim"
	"zflow/proto"
)

// Demo is what a demo is made of.
type Demo struct {
	Out io.Writer
	Log *zap.Logger
	// Shown is called with each run as it ends.
	Shown func(ctx context.Context, c *Client, run string) error
	Limit time.Duration // for all runs to end
	Full  bool          // with a code step, where this machine has Node.js
}

// Run starts everything in a folder that is removed again, lets the simulated
// Zoom deliver an event for each example workflow, and shows the runs. It returns
// an error unless every event became a run that completed.
func (d Demo) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, d.Limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "zflow-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the system clears what is left
	flows := filepath.Join(dir, "workflows")
	if err := writeExamples(flows, examples.Workflows); err != nil {
		return err
	}
	if d.Full {
		if d.Full, err = d.addCode(flows); err != nil {
			return err
		}
	}
	dev, err := StartDev(ctx, DevConfig{
		Dir: flows, Data: filepath.Join(dir, "data"), IngestListen: "127.0.0.1:0", SimListen: "127.0.0.1:0",
		Out: io.Discard, Log: d.Log,
	})
	if err != nil {
		return err
	}
	defer dev.Close()
	return d.play(ctx, dev)
}

// addCode adds the example with a code step; false: it cannot run here.
func (d Demo) addCode(flows string) (added bool, err error) {
	if err := NoCodeHere(); err != nil {
		fmt.Fprintf(d.Out, "without a code step: %v\n", err)
		return false, nil
	}
	return true, writeExamples(flows, examples.Code)
}

func writeExamples(dir string, from fs.FS) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	files, err := fs.Glob(from, "workflows/*.yaml")
	if err != nil {
		return err
	}
	for _, file := range files {
		src, err := fs.ReadFile(from, file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), src, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// play delivers the events and follows the runs to their ends.
func (d Demo) play(ctx context.Context, dev *Dev) error {
	events := dev.sim.Seed()
	for _, h := range events {
		fmt.Fprintf(d.Out, "zoom says %s\n", h.Type)
		dev.sim.Deliver(h)
	}
	runs := len(events)
	for _, h := range events {
		if d.Full && h.Type == "meeting.ended" { // it starts the workflow with code too
			runs++
		}
	}
	seen, failed := 0, 0
	err := endedRuns(ctx, dev.client.JS, func(run string, state engine.State) (more bool, err error) {
		seen++
		if state != engine.Completed {
			failed++
		}
		return seen < runs, d.Shown(ctx, dev.client, run)
	})
	if err != nil {
		return fmt.Errorf("waiting for %d of %d runs to end: %w", runs-seen, runs, err)
	}
	return d.sum(dev, len(events), runs, failed)
}

// endedRuns calls f for each run that has ended, in order, until f wants no more.
func endedRuns(ctx context.Context, js jetstream.JetStream, f func(run string, state engine.State) (more bool, err error)) error {
	ends := jetstream.OrderedConsumerConfig{}
	for _, s := range []engine.State{engine.Completed, engine.Failed, engine.Canceled} {
		ends.FilterSubjects = append(ends.FilterSubjects, proto.RunSubject("*", "*", string(s)))
	}
	consumer, err := js.OrderedConsumer(ctx, proto.Runs, ends)
	if err != nil {
		return err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		_, run, state, err := proto.ParseRunSubject(m.Subject())
		if err != nil {
			return err
		}
		if more, err := f(run, engine.State(state)); err != nil || !more {
			return err
		}
	}
}

func (d Demo) sum(dev *Dev, events, runs, failed int) error {
	calls := len(dev.sim.Ledger(zoomsim.Filter{Kind: zoomsim.KindCall}))
	fmt.Fprintf(d.Out, "\n%d signed events, %d runs completed, %d calls to the simulated Zoom\n", events, runs-failed, calls)
	if failed > 0 {
		return fmt.Errorf("%d of %d runs did not complete", failed, runs)
	}
	return nil
}
