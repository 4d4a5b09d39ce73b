// Package recording copies the history of one run, as it lies in RUNS, under other
// ids: copies are stored much faster than they could be run, and every reader takes
// them for runs. It is for measuring only: engine/history alone writes RUNS else.
package recording

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"zflow/internal/app"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// unanswered is how many publishes of copies are under way at a time.
const unanswered = 2000

// Headers of an append that differ from run to run.
const (
	expects     = "Nats-Expected-" // how it was to be the run's next
	headerHash  = "zflow-hash"
	headerEvent = "zflow-event-id"
)

// Recording is the history of a run.
type Recording struct {
	Workflow string
	Appends  []Append
	client   *app.Client
}

// Append is one of its appends.
type Append struct {
	State  string
	Header nats.Header
	Facts  *v1.Facts
}

// Open reads the history of the run of an event.
func Open(ctx context.Context, c *app.Client, workflow, event string) (*Recording, error) {
	stream, err := c.JS.Stream(ctx, wire.Runs)
	if err != nil {
		return nil, fmt.Errorf("recording a run of %s: %w", workflow, err)
	}
	r := &Recording{Workflow: workflow, client: c}
	filter := wire.RunFilter(workflow, wire.RunID(workflow, event))
	for next := uint64(1); ; {
		m, err := stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(filter))
		if errors.Is(err, jetstream.ErrMsgNotFound) && next > 1 {
			return r, nil
		}
		if err != nil {
			return nil, fmt.Errorf("recording a run of %s: %w", workflow, err)
		}
		if err := r.add(m); err != nil {
			return nil, fmt.Errorf("recording a run of %s: %w", workflow, err)
		}
		next = m.Sequence + 1
	}
}

func (r *Recording) add(m *jetstream.RawStreamMsg) error {
	_, _, state, err := wire.ParseRunSubject(m.Subject)
	if err != nil {
		return err
	}
	one := Append{State: state, Header: nats.Header{}, Facts: &v1.Facts{}}
	for name, values := range m.Header {
		if !strings.HasPrefix(name, expects) { // a copy is stored without asking what was before
			one.Header[name] = values
		}
	}
	if len(r.Appends) == 0 {
		one.Header[nats.ExpectedLastSubjSeqHdr] = []string{"0"} // but that it is a run's first is known
	}
	if err := proto.Unmarshal(m.Data, one.Facts); err != nil {
		return err
	}
	r.Appends = append(r.Appends, one)
	return nil
}

// Copy is the run of an event in place of the recorded one.
type Copy struct {
	Event  *wire.Event
	Change func(*Append) // what else differs; nil: nothing
}

// messages returns what the copy's history is made of, each chained to the one
// before as engine/history has it.
func (r *Recording) messages(c Copy) ([]*nats.Msg, error) {
	run, previous := wire.RunID(r.Workflow, c.Event.ID), []byte(nil)
	all := make([]*nats.Msg, len(r.Appends))
	for i, a := range r.Appends {
		one := Append{State: a.State, Header: maps.Clone(a.Header), Facts: proto.CloneOf(a.Facts)}
		one.Facts.Previous = previous
		one.Header[headerEvent] = []string{c.Event.ID}
		if started := one.Facts.Facts[0].GetRunStarted(); started != nil {
			started.Event.Id, started.Event.Body = c.Event.ID, &v1.Value{Json: c.Event.Body, Size: uint64(len(c.Event.Body))}
		}
		if c.Change != nil {
			c.Change(&one)
		}
		if i == 0 {
			one.Header[jetstream.ExpectedLastSubjSeqSubjHeader] = []string{wire.RunFilter(r.Workflow, run)}
		}
		data, err := proto.Marshal(one.Facts)
		if err != nil {
			return nil, err
		}
		hash := sha256.Sum256(data)
		previous, one.Header[headerHash] = hash[:], []string{hex.EncodeToString(hash[:])}
		all[i] = &nats.Msg{Subject: wire.RunSubject(r.Workflow, run, one.State), Header: one.Header, Data: data}
	}
	return all, nil
}

// Fill stores copies, as fast as the server takes them, and returns once they are
// durable. sent is called after each that was sent.
func (r *Recording) Fill(ctx context.Context, n int, copyOf func(i int) Copy, sent func()) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	mark := r.client.Gate.Mark()
	answers := make(chan jetstream.PubAckFuture, unanswered)
	done := make(chan struct{})
	go func() {
		defer close(done)
		answered(ctx, answers, stop)
	}()
	for i := 0; i < n && ctx.Err() == nil; i++ {
		if err := r.store(ctx, copyOf(i), answers); err != nil {
			stop(err)
		}
		sent()
	}
	close(answers)
	<-done
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("storing copies of a run of %s: %w", r.Workflow, cause)
	}
	return r.client.Gate.Pass(ctx, wire.Runs, mark)
}

// store sends the appends of one copy.
func (r *Recording) store(ctx context.Context, c Copy, answers chan<- jetstream.PubAckFuture) error {
	all, err := r.messages(c)
	if err != nil {
		return err
	}
	for _, m := range all {
		if err := send(ctx, r.client.JS, m, answers); err != nil {
			return err
		}
	}
	return nil
}

// send publishes without waiting for the answer, unless many are awaited.
func send(ctx context.Context, js jetstream.JetStream, m *nats.Msg, answers chan<- jetstream.PubAckFuture) error {
	ack, err := js.PublishMsgAsync(m)
	if err != nil {
		return err
	}
	select {
	case answers <- ack:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answered waits for all answers, and stops at the first error.
func answered(ctx context.Context, answers <-chan jetstream.PubAckFuture, stop func(error)) {
	for ack := range answers {
		select {
		case <-ack.Ok():
		case err := <-ack.Err():
			stop(err)
		case <-ctx.Done():
		}
	}
}
