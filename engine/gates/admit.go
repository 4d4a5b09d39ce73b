package gates

import (
	"context"
	"fmt"
	"slices"

	"zflow/proto"
)

// Admit drops the holders that are over, lets the lowest places in up to the limit,
// durably, and returns all holders: those that have not entered are to be woken.
func (s *Store) Admit(ctx context.Context, gate string, limit int, over Over) ([]Place, error) {
	if limit < 1 {
		return nil, fmt.Errorf("admitting to gate %s: a limit of %d lets nobody in", gate, limit)
	}
	a := &admission{Store: s, gate: gate, limit: limit, over: over, asked: map[Place]bool{}}
	if err := s.gates.Durably(ctx, func() error { return a.admit(ctx) }); err != nil {
		return nil, fmt.Errorf("admitting to gate %s: %w", gate, err)
	}
	return a.holders, nil
}

// admission is one call of Admit.
type admission struct {
	*Store
	gate    string
	limit   int
	over    Over
	asked   map[Place]bool // what over said: a conflict does not ask for it again
	holders []Place
}

func (a *admission) admit(ctx context.Context) error {
	before, old, err := a.Store.holders(ctx, a.gate)
	if err != nil {
		return err
	}
	a.holders = nil
	for _, h := range before {
		over, err := a.isOver(ctx, h)
		if err != nil {
			return err
		}
		if !over {
			a.holders = append(a.holders, h)
		}
	}
	if len(a.holders) < a.limit {
		if err := a.letIn(ctx); err != nil {
			return err
		}
	}
	if slices.Equal(a.holders, before) {
		return nil
	}
	return a.setHolders(ctx, a.gate, old, a.holders)
}

// letIn adds the lowest places to the holders.
func (a *admission) letIn(ctx context.Context) error {
	places, err := a.places(ctx, a.gate)
	if err != nil {
		return err
	}
	for _, sequence := range places {
		if len(a.holders) >= a.limit {
			return nil
		}
		if slices.ContainsFunc(a.holders, func(h Place) bool { return h.Sequence == sequence }) {
			continue
		}
		if err := a.take(ctx, sequence); err != nil {
			return err
		}
	}
	return nil
}

// take makes the run of a place a holder, or removes the place if that is over.
func (a *admission) take(ctx context.Context, sequence uint64) error {
	p, there, err := a.place(ctx, a.gate, sequence)
	if err != nil || !there {
		return err
	}
	over, err := a.isOver(ctx, p)
	switch {
	case err != nil:
		return err
	case over:
		return a.gates.Remove(ctx, proto.PlaceKey(a.gate, sequence))
	}
	a.holders = append(a.holders, p)
	return nil
}

func (a *admission) isOver(ctx context.Context, p Place) (bool, error) {
	if over, ok := a.asked[p]; ok {
		return over, nil
	}
	over, err := a.over(ctx, p)
	if err != nil {
		return false, fmt.Errorf("asking whether run %s is over: %w", p.Run, err)
	}
	a.asked[p] = over
	return over, nil
}
