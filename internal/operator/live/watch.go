package live

import (
	"context"

	"zflow/engine"
	"zflow/internal/operator"
	wire "zflow/proto"
)

// ReadEvent reads a message of EVENTS as it may be shown.
func ReadEvent(m *Message) (operator.Received, error) {
	return operator.ReadEvent(m.Subject, m.Header, m.Data, m.Sequence, m.Time)
}

// ReadAppend reads a message of RUNS as it may be shown.
func ReadAppend(m *Message) (operator.Append, error) {
	return operator.ReadAppend(m.Subject, m.Header, m.Data, m.Sequence, m.Time)
}

// Watch calls f for what is appended to a run, from its beginning until it has
// ended. It ends with the context, without an error.
func Watch(ctx context.Context, o *operator.Operator, id string, f func(operator.Append) error) error {
	head, err := o.Find(ctx, id)
	if err != nil {
		return err
	}
	var all Filter
	all.add([]string{wire.RunFilter(head.Workflow, head.Run)})
	return NewHub(o.JS, wire.Runs).Follow(ctx, Query{Filter: all, After: new(uint64)}, func(m *Message) (bool, error) {
		a, err := ReadAppend(m)
		if err != nil {
			return false, err
		}
		over := engine.State(a.Status).Ended() && a.Sequence >= head.Sequence
		return !over, f(a)
	})
}

// WatchAll calls f for what is appended to any run that a query asks for. It ends
// with the context, without an error.
func WatchAll(ctx context.Context, o *operator.Operator, q Query, f func(operator.Append) error) error {
	return NewHub(o.JS, wire.Runs).Follow(ctx, q, func(m *Message) (bool, error) {
		a, err := ReadAppend(m)
		if err != nil {
			return false, err
		}
		return true, f(a)
	})
}

// Tail calls f for the events that a query asks for. It ends with the context,
// without an error.
func Tail(ctx context.Context, o *operator.Operator, q Query, f func(operator.Received) error) error {
	return NewHub(o.JS, wire.Events).Follow(ctx, q, func(m *Message) (bool, error) {
		e, err := ReadEvent(m)
		if err != nil {
			return false, err
		}
		return true, f(e)
	})
}
