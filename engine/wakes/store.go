// Package wakes keeps what is due in the stream WAKES: wakes, commands and
// timers. It is an index of RUNS: an entry may be lost, stale or doubled, and
// whoever gets one asks the run's history what follows.
//
// A timer is one JetStream message that the server publishes as a wake at its
// time, or at start-up if it was down then; setting it again replaces it.
package wakes

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"zflow/internal/durable"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// Names of the consumers that all workers share.
const (
	consumerWakes    = "wakes"
	consumerCommands = "commands"
)

const (
	headerSchedule       = "Nats-Schedule"
	headerScheduleTarget = "Nats-Schedule-Target"
)

// Create makes the stream WAKES and its two consumers.
func Create(ctx context.Context, js jetstream.JetStream, replicas int, bytes int64) error {
	if bytes == 0 {
		bytes = 4 << 30
	}
	stream, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: wire.Wakes, Description: "what is due: wakes, commands and timers of runs",
		Subjects: []string{"zflow.wake.*.*", "zflow.command.*.*", "zflow.timer.*.*.*"}, Storage: jetstream.FileStorage,
		// The server allows schedules only with discard old; what a full stream
		// drops, the sweep finds in RUNS.
		Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardOld, MaxBytes: bytes, Replicas: max(replicas, 1),
		AllowMsgSchedules: true, AllowMsgTTL: true, AllowRollup: true, Duplicates: 2 * time.Minute,
	})
	if err != nil {
		return fmt.Errorf("creating stream %s: %w", wire.Wakes, err)
	}
	for name, c := range map[string]jetstream.ConsumerConfig{
		consumerWakes:    {FilterSubject: "zflow.wake.*.*", MaxAckPending: -1},
		consumerCommands: {FilterSubject: "zflow.command.*.*", MaxAckPending: 1000},
	} {
		c.Durable, c.AckPolicy, c.AckWait, c.MaxDeliver = name, jetstream.AckExplicitPolicy, 10*time.Second, -1
		if _, err := stream.CreateOrUpdateConsumer(ctx, c); err != nil {
			return fmt.Errorf("creating consumer %s on %s: %w", name, wire.Wakes, err)
		}
	}
	return nil
}

// Store publishes and hands out wakes.
type Store struct {
	js     jetstream.JetStream
	stream jetstream.Stream
	gate   *durable.Gate
}

// Open looks the stream up.
func Open(ctx context.Context, js jetstream.JetStream, gate *durable.Gate) (*Store, error) {
	stream, err := js.Stream(ctx, wire.Wakes)
	if err != nil {
		return nil, fmt.Errorf("opening stream %s: %w", wire.Wakes, err)
	}
	return &Store{js, stream, gate}, nil
}

// Consumers returns those of wakes and of commands.
func (s *Store) Consumers(ctx context.Context) (wakes, commands jetstream.Consumer, err error) {
	if wakes, err = s.stream.Consumer(ctx, consumerWakes); err == nil {
		commands, err = s.stream.Consumer(ctx, consumerCommands)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("opening the consumers of %s: %w", wire.Wakes, err)
	}
	return wakes, commands, nil
}

// Wake tells a run, durably, that something is due now.
func (s *Store) Wake(ctx context.Context, workflow, run string, w *v1.Wake) error {
	return s.publish(ctx, wire.WakeSubject(workflow, run), w, nil)
}

// Start makes a worker begin a run, durably, unless it has a history: one that is
// asked for again begins once.
func (s *Store) Start(ctx context.Context, run, reason string, start *v1.RunStarted) error {
	return s.Wake(ctx, start.Workflow, run, &v1.Wake{Reason: reason, Start: start})
}

// Command gives a run, durably, an order; one with the id of an earlier one is
// dropped for two minutes, and has no effect later.
func (s *Store) Command(ctx context.Context, workflow, run string, c *v1.Command) error {
	return s.publish(ctx, wire.CommandSubject(workflow, run), c, nats.Header{nats.MsgIdHdr: {c.Id}})
}

// SetTimer makes the server wake the run at a time. Fact is the number of the
// timer_set, 0 for what the run as a whole is due for.
func (s *Store) SetTimer(ctx context.Context, workflow, run string, fact uint64, due time.Time) error {
	return s.publish(ctx, wire.TimerSubject(workflow, run, fact), &v1.Wake{Reason: "timer", Fact: fact}, nats.Header{
		headerSchedule:       {"@at " + due.UTC().Format(time.RFC3339Nano)},
		headerScheduleTarget: {wire.WakeSubject(workflow, run)},
	})
}

// SetTick makes the server wake the workflow at a time, in place of its tick that was
// set before.
func (s *Store) SetTick(ctx context.Context, workflow string, due time.Time) error {
	return s.publish(ctx, wire.TickSubject(workflow), &v1.Wake{Reason: "tick"}, nats.Header{
		headerSchedule:       {"@at " + due.UTC().Format(time.RFC3339Nano)},
		headerScheduleTarget: {wire.WakeSubject(workflow, wire.None)},
	})
}

// DropTick takes a workflow's tick back; one that is not there is no error.
func (s *Store) DropTick(ctx context.Context, workflow string) error {
	if err := s.stream.Purge(ctx, jetstream.WithPurgeSubject(wire.TickSubject(workflow))); err != nil {
		return fmt.Errorf("dropping the tick of workflow %s: %w", workflow, err)
	}
	return nil
}

// DropTimer takes a timer back; one that is not there is no error.
func (s *Store) DropTimer(ctx context.Context, workflow, run string, fact uint64) error {
	if err := s.stream.Purge(ctx, jetstream.WithPurgeSubject(wire.TimerSubject(workflow, run, fact))); err != nil {
		return fmt.Errorf("dropping timer %d of run %s: %w", fact, run, err)
	}
	return nil
}

// Redeliver makes all that is unacknowledged come again now; only where nobody
// works on it.
func (s *Store) Redeliver(ctx context.Context) error {
	for _, name := range []string{consumerWakes, consumerCommands} {
		if _, err := s.stream.ResetConsumer(ctx, name); err != nil {
			return fmt.Errorf("resetting consumer %s on %s: %w", name, wire.Wakes, err)
		}
	}
	return nil
}

func (s *Store) publish(ctx context.Context, subject string, body proto.Message, header nats.Header) error {
	data, err := proto.Marshal(body)
	if err != nil {
		return fmt.Errorf("encoding a message to %s: %w", subject, err)
	}
	mark := s.gate.Mark()
	msg := &nats.Msg{Subject: subject, Header: header, Data: data}
	if _, err := s.js.PublishMsg(ctx, msg, jetstream.WithExpectStream(wire.Wakes)); err != nil {
		return fmt.Errorf("publishing to %s: %w", subject, err)
	}
	return s.gate.Pass(ctx, wire.Wakes, mark)
}
