package flowtest

import (
	"context"
	"sync"
)

// trial is an order's answer with its place.
type trial struct {
	n      int
	answer Answer
	err    error
}

// tryAll gives orders to the hands as they come free, and tells of the answers in
// the order of the orders: all from the first on that have none missing. The first
// error ends all.
func tryAll(ctx context.Context, o Verification, orders []Order, tell func([]Answer)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	next, came := make(chan int), make(chan trial)
	go func() {
		defer close(next)
		for n := range orders {
			select {
			case next <- n:
			case <-ctx.Done():
				return
			}
		}
	}()
	var hands sync.WaitGroup
	for _, hand := range o.Hands {
		hands.Go(func() {
			for n := range next {
				a, err := hand(ctx, orders[n])
				came <- trial{n, a, err}
			}
		})
	}
	go func() {
		hands.Wait()
		close(came)
	}()
	return collect(o, came, len(orders), stop, tell)
}

// collect puts the answers in order.
func collect(o Verification, came <-chan trial, all int, stop func(), tell func([]Answer)) (failed error) {
	answers, there, whole := make([]Answer, all), make([]bool, all), 0
	tell(nil)
	for done := 1; ; done++ {
		t, more := <-came
		switch {
		case !more:
			return failed
		case t.err != nil && failed == nil:
			failed = t.err
			stop()
		}
		if failed != nil {
			continue
		}
		if o.Done != nil {
			o.Done(done, all)
		}
		answers[t.n], there[t.n] = t.answer, true
		for whole < all && there[whole] {
			whole++
		}
		tell(answers[:whole])
	}
}
