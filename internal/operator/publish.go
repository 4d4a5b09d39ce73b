package operator

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"zflow/engine/expr"
	wire "zflow/proto"
)

// Published is an event that was stored.
type Published struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Sequence  uint64 `json:"seq"`
	Duplicate bool   `json:"duplicate"`
	ReplayOf  string `json:"replay_of,omitempty"`
}

// Publish stores an app event. Two of one type and key are one event; without a
// key each is its own.
func (o *Operator) Publish(ctx context.Context, eventType, key string, data []byte) (Published, error) {
	if !typeOK(eventType) || strings.Contains(eventType, "*") {
		return Published{}, fmt.Errorf("publishing event: the type %q is not like order.paid", eventType)
	}
	if !json.Valid(data) {
		return Published{}, fmt.Errorf("publishing event: the data is not JSON")
	}
	if key == "" {
		key = rand.Text()
	}
	now := time.Now().UTC()
	e := &wire.Event{ID: wire.EventID(wire.SourceApp, eventType, key), Type: eventType, Source: wire.SourceApp, Origin: wire.FromPublish,
		ContentType: "application/json", Time: now, ReceivedAt: now, Body: data}
	ack, err := o.Publisher.Publish(ctx, e)
	if err != nil {
		return Published{}, err
	}
	return Published{ID: e.ID, Type: e.Type, Sequence: ack.Sequence, Duplicate: ack.Duplicate}, nil
}

// Replay stores an event once more, as a new one that starts runs of its own.
func (o *Operator) Replay(ctx context.Context, id string) (Published, error) {
	e, _, err := o.event(ctx, id)
	if err != nil {
		return Published{}, err
	}
	original := e.ID
	if e.ReplayOf != "" {
		original = e.ReplayOf
	}
	n, err := o.replays(ctx, e, original)
	if err != nil {
		return Published{}, fmt.Errorf("replaying event %s: %w", e.ID, err)
	}
	again := *e
	again.Origin, again.ReplayOf, again.ReceivedAt = wire.FromReplay, original, time.Now().UTC()
	for n++; ; n++ {
		again.ID = wire.ReplayID(original, n)
		used, err := o.startedRuns(ctx, again.ID)
		if err != nil {
			return Published{}, fmt.Errorf("replaying event %s: %w", e.ID, err)
		}
		if used {
			continue
		}
		ack, err := o.Publisher.Publish(ctx, &again)
		if err != nil {
			return Published{}, err
		}
		if !ack.Duplicate {
			return Published{ID: again.ID, Type: again.Type, Sequence: ack.Sequence, ReplayOf: original}, nil
		}
	}
}

// replays returns the highest number of a replay of an event that is stored.
func (o *Operator) replays(ctx context.Context, e *wire.Event, original string) (highest int, err error) {
	filter := wire.EventSubject(e.Kind(), e.Account, e.Type)
	_, err = o.between(ctx, filter, 1, ^uint64(0), func(other *wire.Event) {
		number, of := strings.CutPrefix(other.ID, original+"~")
		if n, err := strconv.Atoi(number); of && err == nil {
			highest = max(highest, n)
		}
	})
	return highest, err
}

// startedRuns tells whether a workflow that is deployed has had an event with
// this id, which may have left EVENTS since.
func (o *Operator) startedRuns(ctx context.Context, id string) (bool, error) {
	entries, err := o.Catalog.List(ctx)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		h, err := o.History.Head(ctx, e.Name, wire.RunID(e.Name, id))
		if err != nil || h.Sequence > 0 {
			return h.Sequence > 0, err
		}
	}
	return false, nil
}

// ParseDuration reads a duration as workflows have it: 90s, 24h, 7d, 2w.
func ParseDuration(text string) (time.Duration, error) { return expr.ParseDuration(text) }
