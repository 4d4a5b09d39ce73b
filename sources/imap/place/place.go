// Package place keeps how far the mailboxes on other servers were read.
package place

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zflow/internal/durable"
	"zflow/proto"

	"github.com/nats-io/nats.go/jetstream"
)

// Position is how far a mailbox was read.
type Position struct {
	Mailbox  string `json:"mailbox"`
	Validity uint32 `json:"uid_validity"` // with another, its uids are others
	UID      uint32 `json:"uid"`          // all mails up to it were taken, or passed by

	// Mails up to Until that came before From are passed by: they were there already.
	Until uint32    `json:"until,omitempty"`
	From  time.Time `json:"from,omitzero"`

	Recent  []string  `json:"recent,omitempty"` // the keys of the mails that were taken last
	Looked  time.Time `json:"looked,omitzero"`  // when it was read last
	Mails   int64     `json:"mails"`            // that were taken in all
	Problem *Problem  `json:"problem,omitempty"`

	Unmarked string `json:"unmarked,omitempty"` // why mails that were taken cannot be marked, or moved
	Note     string `json:"note,omitempty"`     // what a person should know, and when it was
}

// Problem is why a mailbox cannot be read, or a mail in it not be marked.
type Problem struct {
	Message string    `json:"message"`
	Since   time.Time `json:"since"`
}

// mostRecent is how many keys are kept.
const mostRecent = 200

// Took notes that a mail was taken.
func (p *Position) Took(uid uint32, key string) {
	p.UID, p.Mails = uid, p.Mails+1
	if p.Recent = append(p.Recent, key); len(p.Recent) > mostRecent {
		p.Recent = append([]string(nil), p.Recent[len(p.Recent)-mostRecent:]...)
	}
}

// Store keeps positions in the bucket MAILBOXES.
type Store struct{ bucket *durable.Bucket }

// Create makes the bucket.
func Create(ctx context.Context, js jetstream.JetStream, replicas int) error {
	return durable.CreateBucket(ctx, js, proto.Mailboxes, "how far mailboxes were read", replicas)
}

// Open looks the bucket up.
func Open(ctx context.Context, js jetstream.JetStream, gate *durable.Gate) (*Store, error) {
	b, err := durable.OpenBucket(ctx, js, gate, proto.Mailboxes)
	if err != nil {
		return nil, err
	}
	return &Store{b}, nil
}

func key(mailbox string) string { return prefix + "." + proto.Hash(mailbox) }

const prefix = "mailbox"

// Of returns the position of a mailbox as it is seen now; one without a Mailbox where
// it was never read.
func (s *Store) Of(ctx context.Context, mailbox string) (Position, error) {
	return s.read(ctx, key(mailbox))
}

func (s *Store) read(ctx context.Context, key string) (Position, error) {
	e, err := s.bucket.Get(ctx, key)
	if err != nil {
		return Position{}, err
	}
	return decode(e.Value)
}

func decode(raw []byte) (p Position, err error) {
	if len(raw) == 0 {
		return p, nil
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return p, fmt.Errorf("reading how far a mailbox was read: %w", err)
	}
	return p, nil
}

// Load is Of for who acts on it: what it returns is durable.
func (s *Store) Load(ctx context.Context, mailbox string) (p Position, err error) {
	err = s.bucket.Durably(ctx, func() (err error) {
		p, err = s.Of(ctx, mailbox)
		return err
	})
	return p, err
}

// ErrOvertaken says that another has read more of a mailbox.
var ErrOvertaken = errors.New("another reads the mailbox at the same time")

// Save writes a position, and returns when it is durable. It never goes back.
func (s *Store) Save(ctx context.Context, p Position) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return s.bucket.Durably(ctx, func() error {
		return s.bucket.Change(ctx, key(p.Mailbox), func(old []byte) ([]byte, error) {
			was, err := decode(old)
			if err == nil && was.Validity == p.Validity && was.UID > p.UID {
				err = ErrOvertaken
			}
			return raw, err
		})
	})
}

// All returns the mailboxes that have a position.
func (s *Store) All(ctx context.Context) ([]Position, error) {
	keys, err := s.bucket.Below(ctx, prefix)
	if err != nil {
		return nil, err
	}
	var all []Position
	for _, k := range keys {
		p, err := s.read(ctx, k)
		if err != nil {
			return nil, err
		}
		if p.Mailbox != "" { // else it was removed
			all = append(all, p)
		}
	}
	return all, nil
}

// Forget removes the position of a mailbox: it would begin anew.
func (s *Store) Forget(ctx context.Context, mailbox string) error {
	return s.bucket.Durably(ctx, func() error {
		return s.bucket.Change(ctx, key(mailbox), func([]byte) ([]byte, error) { return nil, nil })
	})
}
