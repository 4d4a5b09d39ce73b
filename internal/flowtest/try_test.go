package flowtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// Answers are told in the order of the orders, whoever is faster.
func TestTryAllTellsInOrder(t *testing.T) {
	orders := make([]Order, 40)
	for i := range orders {
		orders[i].Test = i
	}
	last := make(chan struct{})
	slow := func(_ context.Context, o Order) (Answer, error) {
		if o.Test == len(orders)-1 {
			close(last)
		}
		if o.Test == 0 { // the first ends as the last
			<-last
		}
		return Answer{Tried: Tried{Point: o.Test}}, nil
	}
	var told []int
	var done []string
	o := Verification{Hands: []func(context.Context, Order) (Answer, error){slow, slow, slow}, Done: func(n, all int) { done = append(done, fmt.Sprintf("%d/%d", n, all)) }}
	err := tryAll(t.Context(), o, orders, func(a []Answer) {
		for _, one := range a[len(told):] {
			told = append(told, one.Tried.Point)
		}
	})
	if err != nil || len(told) != len(orders) || !slices.IsSorted(told) || done[len(done)-1] != "40/40" {
		t.Errorf("%v, %v, %v", told, done, err)
	}
}

func TestTryAllEndsWithTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	hand := func(ctx context.Context, o Order) (Answer, error) {
		if o.Test == 0 {
			return Answer{}, broken
		}
		<-ctx.Done()
		return Answer{}, ctx.Err()
	}
	orders := []Order{{}, {Test: 1}, {Test: 2}, {Test: 3}}
	err := tryAll(t.Context(), Verification{Hands: []func(context.Context, Order) (Answer, error){hand, hand}}, orders, func(a []Answer) {
		if len(a) > 0 {
			t.Errorf("told of %v", a)
		}
	})
	if err == nil || !errors.Is(err, broken) {
		t.Error(err)
	}
}
