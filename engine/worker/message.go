package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"zflow/internal/durable"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

const (
	claimWithin = 6 * time.Second // of the pull that brought the message
	ackWithin   = 8 * time.Second // of that, or of the last in-progress
)

// message is a delivery: an event for a workflow, a wake or a command of a run.
type message struct {
	jetstream.Msg
	stream        string
	sequence      uint64
	stored        time.Time
	asked         time.Time    // when the pull that brought it was sent; monotonic
	mark          durable.Mark // of the connection that pulled it
	seen          uint64       // the Gate's moment when it came
	first         bool         // it was never delivered before
	ordered       func()       // not nil: its workflow's events go one by one; stops the pull of them
	workflow, run string

	event   *wire.Event // one of the three
	wake    *v1.Wake
	command *v1.Command
}

func newMessage(g *durable.Gate, m jetstream.Msg, asked time.Time, mark durable.Mark) (*message, error) {
	meta, err := m.Metadata()
	if err != nil {
		return nil, fmt.Errorf("reading a delivery on %s: %w", m.Subject(), err)
	}
	return &message{
		Msg: m, stream: meta.Stream, sequence: meta.Sequence.Stream, stored: meta.Timestamp,
		asked: asked, mark: mark, first: meta.NumDelivered == 1, seen: g.Moment(meta.Stream),
	}, nil
}

// ofEvent makes it the delivery of an event to a workflow.
func (m *message) ofEvent(workflow string) error {
	e, err := wire.ReadEvent(m.Subject(), m.Headers(), m.Data(), m.sequence, m.stored)
	if err != nil {
		return err
	}
	m.event, m.workflow, m.run = e, workflow, wire.RunID(workflow, e.ID)
	return nil
}

// ofRun makes it a wake or a command.
func (m *message) ofRun() error {
	workflow, run, command, err := wire.ParseWakeSubject(m.Subject())
	if err != nil {
		return err
	}
	m.workflow, m.run = workflow, run
	if command {
		m.command = &v1.Command{}
		return proto.Unmarshal(m.Data(), m.command)
	}
	m.wake = &v1.Wake{}
	return proto.Unmarshal(m.Data(), m.wake)
}

// claimable says that a claim may still name this message.
func (w *Worker) claimable(m *message) bool {
	return w.lease.Fresh() && time.Since(m.asked) < claimWithin && w.Gate.Mark() == m.mark
}

// flushed waits until the message itself is durable.
func (w *Worker) flushed(ctx context.Context, m *message) error {
	return w.Gate.PassSince(ctx, m.stream, m.seen, m.mark)
}

// ack acknowledges a message that is no carrier, unless it is too late to.
func (w *Worker) ack(m *message) { w.ackSince(m, m.asked) }

func (w *Worker) ackSince(m *message, since time.Time) {
	if time.Since(since) >= ackWithin || w.Gate.Mark() != m.mark {
		w.counts.add("acks_left", m.workflow)
		return
	}
	if err := m.Ack(); err != nil {
		w.counts.add("acks_failed", m.workflow)
	}
}
