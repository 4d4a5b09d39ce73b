package connections

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// resealEvery is how often the keys' file is looked at for a new primary key.
const resealEvery = 10 * time.Second

// keepSealed seals every grant anew that was sealed with another key than the
// primary one, so that old keys can go.
func (s *Store) keepSealed(ctx context.Context) {
	tick := time.NewTicker(resealEvery)
	defer tick.Stop()
	for first := true; ; first = false {
		if s.keys.refresh() || first {
			s.reseal(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// reseal goes over all stored connections. What another does at the same time
// needs it no more; what fails is sealed anew by its next refresh, or start.
func (s *Store) reseal(ctx context.Context) {
	for _, name := range s.stale() {
		err := s.change(ctx, name, func(r *Record) error {
			if !s.keys.stale(r.Grant) {
				return nil
			}
			number, plain, err := s.keys.open(r.Name, r.Grant)
			if err != nil || !json.Valid(plain) {
				return errors.Join(err, errors.New("sealing a grant anew"))
			}
			r.Grant = s.keys.seal(r.Name, number+1, plain)
			return nil
		})
		if err != nil && ctx.Err() != nil {
			return
		}
	}
}

// stale are the connections whose grant is not sealed with the primary key.
func (s *Store) stale() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var names []string
	for name, c := range s.byName {
		if c.stored != nil && s.keys.stale(c.stored.Grant) {
			names = append(names, name)
		}
	}
	return names
}
