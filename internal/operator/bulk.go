package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"zflow/engine"
)

// Selection says which runs an order is for.
type Selection struct {
	RunQuery
	States []engine.State // that the order is for
}

// Cancelable selects runs that can be canceled.
func Cancelable(q RunQuery) Selection {
	return Selection{q, []engine.State{engine.Running, engine.Waiting}}
}

// Retriable selects runs that can be retried: those that failed, unless the query
// asks for the canceled ones.
func Retriable(q RunQuery) Selection {
	if q.Status == "" {
		q.Status = string(engine.Failed)
	}
	return Selection{q, []engine.State{engine.Failed, engine.Canceled}}
}

// Check refuses a status for which the order cannot be.
func (s Selection) Check() error {
	if s.Status != "" && !slices.Contains(s.States, engine.State(s.Status)) {
		return fmt.Errorf("runs that are %s cannot be: it is for those that are %s or %s", s.Status, s.States[0], s.States[1])
	}
	return nil
}

// Select lists the runs that an order is for, the newest first.
func (o *Operator) Select(ctx context.Context, s Selection) ([]Run, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	limit := s.Limit
	s.Limit = 0
	runs, err := o.Runs(ctx, s.RunQuery)
	if err != nil {
		return nil, err
	}
	runs = slices.DeleteFunc(runs, func(r Run) bool { return !slices.Contains(s.States, engine.State(r.Status)) })
	if limit > 0 && len(runs) > limit {
		runs = runs[:limit]
	}
	return runs, nil
}

// Ordered is what became of one of many orders.
type Ordered struct {
	Run
	Problem string `json:"problem,omitempty"`
}

// atOnce is how many orders of many are under way at a time.
const atOnce = 8

// hurry is set once an order of many was not taken in time: for the others
// nobody waits then.
type hurry struct{ on atomic.Bool }

func (o *Operator) hurried() bool { return o.hurry != nil && o.hurry.on.Load() }

// Each gives an order to each of many runs, a few at a time, and returns what
// became of each, in the runs' order. Where no worker takes one, the rest is
// stored without waiting.
func (o *Operator) Each(ctx context.Context, runs []Run, order func(context.Context, *Operator, string) (Run, error)) []Ordered {
	many := &Operator{Access: o.Access, hurry: &hurry{}}
	done := make([]Ordered, len(runs))
	var work sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i, r := range runs {
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			done[i] = Ordered{Run: r}
			if ctx.Err() != nil {
				done[i].Problem = context.Cause(ctx).Error()
				return
			}
			after, err := order(ctx, many, r.ID)
			if errors.Is(err, ErrNotTaken) {
				many.hurry.on.Store(true)
			}
			if err != nil {
				done[i].Problem = err.Error()
				return
			}
			done[i].Run = after
		})
	}
	work.Wait()
	return done
}
