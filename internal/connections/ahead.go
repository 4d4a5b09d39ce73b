package connections

import (
	"context"
	"time"

	"zflow/internal/zoomapi"
)

// Renewable tells that somebody lent the connection a grant that can be renewed, and
// that it is to be: it has not ended, unless mending the app would make it work again.
func (r *Record) Renewable() bool {
	return !r.Configured && r.lent() && !r.Refreshed.IsZero() && r.stopped() == nil && (r.Kind != KindHTTP || !r.Service.OAuth.NoRefresh)
}

// RenewAhead renews a grant whose token nobody has refused, unless that was done since
// the last time that the caller knows of. What fails stands in the record.
func (s *Store) RenewAhead(ctx context.Context, name string, last time.Time) (renewed bool, err error) {
	c, err := s.named(ctx, name)
	if err != nil {
		return false, err
	}
	r, p, err := s.read(ctx, name)
	if err != nil || !r.Renewable() || r.Refreshed.After(last) {
		return false, err
	}
	if _, err := s.tokenOf(ctx, c, p.Access); err != nil {
		s.note(ctx, c, err)
		return false, err
	}
	now, _, err := s.read(ctx, name)
	return err == nil && now.Refreshed.After(r.Refreshed), err
}

// note writes down what kept a grant from being renewed, where that may pass: what is
// final was marked. It is written once, and goes with the next renewal.
func (s *Store) note(ctx context.Context, c *connection, why error) {
	text := "it could not be renewed ahead of its end: " + zoomapi.AsError(why).Message
	// One that cannot be written is found out again by the next try.
	_ = s.change(ctx, c.name, func(r *Record) error {
		if r.State == Connected && r.Error == "" {
			r.Error = text
		}
		return nil
	})
}
