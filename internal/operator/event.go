package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/sealed"
	wire "zflow/proto"
)

// Event is one line of a list of events.
type Event struct {
	ID         string    `json:"id"`
	Type       string    `json:"type"`
	Source     string    `json:"source"`
	Account    string    `json:"account"`
	Time       time.Time `json:"time"`
	ReceivedAt time.Time `json:"received_at"`
	Origin     string    `json:"origin"`
	Subject    string    `json:"subject"`
	Sequence   uint64    `json:"seq"`
	ReplayOf   string    `json:"replay_of,omitempty"`
}

// EventDetail is all of an event.
type EventDetail struct {
	Event
	ContentType string              `json:"content_type"`
	Headers     map[string][]string `json:"headers"`
	Trigger     json.RawMessage     `json:"trigger,omitempty"` // what trigger has besides, such as a request's method
	Body        json.RawMessage     `json:"body"`
}

// Received is an event with its body, as it may be shown.
type Received struct {
	Event
	Body json.RawMessage `json:"body"`
}

// ReadEvent reads a message of EVENTS.
func ReadEvent(subject string, header map[string][]string, body []byte, sequence uint64, stored time.Time) (Received, error) {
	e, err := wire.ReadEvent(subject, header, body, sequence, stored)
	if err != nil {
		return Received{}, err
	}
	return Received{eventOf(e), shownBody(e.Body)}, nil
}

// shownBody is a body without sealed values: JSON, or a JSON string of what is none.
func shownBody(raw []byte) json.RawMessage {
	body := sealed.MaskBytes(raw)
	switch {
	case len(body) == 0:
		return json.RawMessage("null")
	case json.Valid(body):
		return body
	}
	return appendText(nil, string(body))
}

// EventQuery says which events are listed. Zero values: all.
type EventQuery struct {
	Type   string    // a type, or a pattern such as meeting.*
	Since  time.Time // received at or after
	Before uint64    // stored before the one of this sequence
	Limit  int       // 0: none
}

// EventFilter is the subject of a type or pattern from any source.
func EventFilter(pattern string) (string, error) {
	if pattern == "" {
		return "zflow.event.>", nil
	}
	if !typeOK(pattern) {
		return "", classed(ErrInvalid, fmt.Errorf("the event type %.100q is not like meeting.ended or meeting.*", pattern))
	}
	_, tokens, _ := strings.Cut(wire.EventFilter("zoom", pattern), ".*.")
	return "zflow.event.*.*." + tokens, nil
}

// typeOK tells whether a text is tokens joined by dots.
func typeOK(text string) bool {
	return text != "" && !slices.ContainsFunc(strings.Split(text, "."), func(token string) bool {
		return token == "" || strings.ContainsAny(token, " \t\r\n>")
	})
}

// Events lists events, the newest first. It reads headers only.
func (o *Operator) Events(ctx context.Context, q EventQuery) ([]Event, error) {
	filter, err := EventFilter(q.Type)
	if err != nil {
		return nil, err
	}
	all := []Event{}
	err = o.backwards(ctx, extent{filter, q.Before, q.Limit}, func(window []*wire.Event, oldest time.Time) bool {
		for _, e := range slices.Backward(window) {
			if e.ReceivedAt.Before(q.Since) {
				continue
			}
			all = append(all, eventOf(e))
		}
		return (q.Limit == 0 || len(all) < q.Limit) && (q.Since.IsZero() || !oldest.Before(q.Since))
	})
	if err != nil {
		return nil, fmt.Errorf("listing events: %w", err)
	}
	if q.Limit > 0 && len(all) > q.Limit {
		all = all[:q.Limit]
	}
	return all, nil
}

func eventOf(e *wire.Event) Event {
	return Event{ID: e.ID, Type: e.Type, Source: e.Source, Account: e.Account, Time: e.Time.UTC(), ReceivedAt: e.ReceivedAt.UTC(),
		Origin: e.Origin, Subject: sealed.Mask(e.Subject), Sequence: e.Sequence, ReplayOf: e.ReplayOf}
}

// How much of EVENTS is read at a time, from its end: the first window, and how
// much larger each next one is.
const (
	firstWindow = 512
	growWindow  = 8
)

// extent is what is read of EVENTS: what a filter lets through, before a sequence
// (0: all), of which so many are expected to do.
type extent struct {
	filter string
	before uint64
	expect int
}

// backwards calls f for windows of EVENTS, the newest first, each in order of
// its events, with when the window's first was stored, until f says enough. What
// comes in meanwhile is left out.
func (o *Operator) backwards(ctx context.Context, x extent, f func([]*wire.Event, time.Time) (more bool)) error {
	stream, err := o.JS.Stream(ctx, wire.Events)
	if err != nil {
		return err
	}
	state := stream.CachedInfo().State
	size, last := uint64(max(x.expect, firstWindow)), state.LastSeq
	if x.before > 0 {
		last = min(last, x.before-1)
	}
	for end := last; end >= state.FirstSeq && end > 0; {
		start := state.FirstSeq
		if end-state.FirstSeq >= size {
			start = end - size + 1
		}
		var window []*wire.Event
		oldest, err := o.between(ctx, x.filter, start, end, func(e *wire.Event) { window = append(window, e) })
		if err != nil || !f(window, oldest) {
			return err
		}
		end, size = start-1, size*growWindow
	}
	return nil
}

// batch is how many messages are fetched at a time; a consumer that nobody asks
// any more is gone after idle.
const (
	batch = 5000
	idle  = 30 * time.Second
)

// between calls f for the events of a range of EVENTS, without their bodies, and
// returns when the first was stored; the present where there is none.
func (o *Operator) between(ctx context.Context, filter string, start, end uint64, f func(*wire.Event)) (time.Time, error) {
	oldest := time.Now()
	c, err := o.JS.CreateConsumer(ctx, wire.Events, jetstream.ConsumerConfig{
		FilterSubject: filter, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: start, HeadersOnly: true,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: idle,
	})
	if err != nil {
		return oldest, err
	}
	// One that cannot be deleted is gone when it has been idle.
	defer func() { _ = o.JS.DeleteConsumer(context.WithoutCancel(ctx), wire.Events, c.CachedInfo().Name) }()
	pending := c.CachedInfo().NumPending
	for first := true; pending > 0; {
		got, past, err := fetch(c, min(pending, batch), end, func(e *wire.Event, stored time.Time) {
			if first {
				oldest, first = stored, false
			}
			f(e)
		})
		if err != nil || past {
			return oldest, err
		}
		pending -= min(got, pending)
	}
	return oldest, nil
}

// fetch reads some events; past says that one behind the end was met.
func fetch(c jetstream.Consumer, most, end uint64, f func(*wire.Event, time.Time)) (got uint64, past bool, err error) {
	messages, err := c.Fetch(int(most), jetstream.FetchMaxWait(10*time.Second))
	if err != nil {
		return 0, false, err
	}
	for m := range messages.Messages() {
		got++
		meta, err := m.Metadata()
		if err != nil {
			return got, false, err
		}
		if past = past || meta.Sequence.Stream > end; past {
			continue
		}
		e, err := wire.ReadEvent(m.Subject(), m.Headers(), nil, meta.Sequence.Stream, meta.Timestamp)
		if err != nil {
			return got, false, err
		}
		f(e, meta.Timestamp)
	}
	if got == 0 {
		return 0, false, errors.Join(errors.New("the server stopped in between"), messages.Error())
	}
	return got, past, nil
}

// Event shows an event by its id or its sequence in EVENTS.
func (o *Operator) Event(ctx context.Context, id string) (*EventDetail, error) {
	e, header, err := o.event(ctx, id)
	if err != nil {
		return nil, err
	}
	d := &EventDetail{Event: eventOf(e), ContentType: e.ContentType, Headers: map[string][]string{}, Body: shownBody(e.Body)}
	if len(e.Trigger) > 0 {
		d.Trigger = shownBody(e.Trigger)
	}
	for name, values := range header {
		for _, v := range values {
			d.Headers[name] = append(d.Headers[name], oneLine(sealed.Mask(v)))
		}
	}
	return d, nil
}

// event loads an event with its body.
func (o *Operator) event(ctx context.Context, id string) (*wire.Event, map[string][]string, error) {
	sequence, err := strconv.ParseUint(id, 10, 64)
	if err != nil || len(id) >= runIDLength {
		if sequence, err = o.locate(ctx, id); err != nil {
			return nil, nil, fmt.Errorf("looking for event %.60q: %w", id, err)
		}
	}
	stream, err := o.JS.Stream(ctx, wire.Events)
	if err != nil {
		return nil, nil, fmt.Errorf("looking for event %.60q: %w", id, err)
	}
	m, err := stream.GetMsg(ctx, sequence)
	if sequence == 0 || errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil, classed(ErrNotFound, fmt.Errorf("looking for event %.60q: there is none in %s, or not any more", id, wire.Events))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("looking for event %.60q: %w", id, err)
	}
	e, err := wire.ReadEvent(m.Subject, m.Header, m.Data, m.Sequence, m.Time)
	return e, m.Header, err
}

// locate returns the sequence of the event with an id, 0 where there is none.
func (o *Operator) locate(ctx context.Context, id string) (sequence uint64, err error) {
	err = o.backwards(ctx, extent{filter: "zflow.event.>"}, func(window []*wire.Event, _ time.Time) bool {
		for _, e := range window {
			if e.ID == id {
				sequence = e.Sequence
			}
		}
		return sequence == 0
	})
	return sequence, err
}
