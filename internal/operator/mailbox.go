package operator

import (
	"context"
	"time"

	"zflow/engine"
	"zflow/sources/imap/place"
)

// Mailbox is how the reading of a mailbox on another server goes.
type Mailbox struct {
	place.Position
	Name  string        `json:"name"`
	Every time.Duration `json:"every"` // between two looks
}

// quiet is how long a mailbox may not be read before that is worth a word.
const quiet = 10 * time.Minute

// Quiet tells whether a mailbox was not read for long, though it should be.
func (m *Mailbox) Quiet(now time.Time) bool {
	return !m.Looked.IsZero() && now.Sub(m.Looked) > max(quiet, 3*m.Every)
}

// MailboxesOf tells how the reading of a workflow's mailboxes goes.
func (o *Operator) MailboxesOf(ctx context.Context, def *engine.Workflow) (all []Mailbox, err error) {
	if o.Places == nil {
		return nil, nil
	}
	for _, t := range def.Triggers {
		if t.Email == nil || t.Email.IMAP == nil {
			continue
		}
		m := Mailbox{Name: t.Email.Name(), Every: t.Email.IMAP.Every}
		if m.Position, err = o.Places.Of(ctx, m.Name); err != nil {
			return nil, err
		}
		m.Recent = nil
		all = append(all, m)
	}
	return all, nil
}
