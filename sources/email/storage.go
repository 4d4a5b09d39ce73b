package email

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"zflow/actions"
	"zflow/proto"
	"zflow/sources"
)

// Put stores a file; it is durable once Settle returns.
type Put func(ctx context.Context, r io.Reader, f actions.File, most int64) (actions.File, error)

// Settle returns when what was put is durable.
type Settle func(ctx context.Context) error

// Storage is where mails become events.
type Storage struct {
	Publish    func(context.Context, *proto.Event) (sources.Ack, error) // returns once it is durable
	Files      func() (Put, Settle, error)                              // begins with the files of a mail
	Room       func(context.Context) error                              // whether there is room on the disk; nil: nobody knows
	MaxPayload func() int64                                             // of the server's messages; 0: not known
	Body       int64                                                    // of an event: 1 MiB
}

// Arrival is which mailbox a mail came to, and by which way.
type Arrival struct {
	Type   string // of the event
	Origin string
	Addressed
}

// Store publishes the events of a mail, one for each mailbox. They are durable when
// it returns.
func (s *Storage) Store(ctx context.Context, m *Mail, to []Arrival) (acks []sources.Ack, err error) {
	if s.Room != nil {
		if err := s.Room(ctx); err != nil {
			return nil, err
		}
	}
	if err := s.keep(ctx, m); err != nil {
		return nil, err
	}
	now := time.Now()
	for _, a := range to {
		e, err := m.event(a, now, s.mostBody())
		if err != nil {
			return acks, err
		}
		ack, err := s.Publish(ctx, e)
		if err != nil {
			return acks, err
		}
		acks = append(acks, ack)
	}
	return acks, nil
}

// mostBody is the longest body that an event may have.
func (s *Storage) mostBody() int64 {
	const spare = 64 << 10
	most := cmp.Or(s.Body, 1<<20)
	if n := s.MaxPayload(); n > 0 {
		return min(most, max(n-spare, n/2))
	}
	return most
}

// keep stores the attachments, and what does not fit into an event.
func (s *Storage) keep(ctx context.Context, m *Mail) error {
	m.makeRoom(s.mostBody())
	if len(m.parts) == 0 {
		return nil
	}
	put, settle, err := s.Files()
	if err != nil {
		return err
	}
	for i := range m.parts {
		p := &m.parts[i]
		f, err := put(ctx, bytes.NewReader(p.content), p.file, int64(len(p.content)))
		if err != nil {
			return fmt.Errorf("storing an attachment: %w", err)
		}
		p.file = f
	}
	return settle(ctx)
}
