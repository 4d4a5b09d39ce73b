package zoomsim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"zflow/internal/zoomcatalog"
	"zflow/internal/zoomsim/rest"
	"zflow/internal/zoomsim/world"
)

// Zoom's rules for webhooks.
const (
	answerWithin  = 3 * time.Second
	validateEvery = 72 * time.Hour
	mostFailures  = 6 // validations that fail in a row until the subscription ends
)

// ladder is when a delivery is tried, from the first time on.
var ladder = [...]time.Duration{0, 5 * time.Minute, 25 * time.Minute, 85 * time.Minute}

// Subscription says which events go to a URL.
type Subscription struct {
	ID     string   `json:"id"`
	URL    string   `json:"url"`
	Events []string `json:"events,omitempty"` // types or patterns; none: all
	App    string   `json:"app,omitempty"`    // a client id; empty: the first app's
	// What has become of it:
	Disabled bool `json:"disabled"`
	Failures int  `json:"failures"` // validations that failed in a row
}

// subscription is guarded by the Sim's lock but for what stays: id, URL and app.
type subscription struct {
	Subscription
	gone chan struct{} // closed when it ends
}

// Subscribe validates a URL and sends it events from then on; it refuses one
// that fails the validation.
func (s *Sim) Subscribe(ctx context.Context, want Subscription) (Subscription, error) {
	sub, err := s.newSubscription(want)
	if err != nil {
		return Subscription{}, err
	}
	if err := s.validate(ctx, sub); err != nil {
		return Subscription{}, fmt.Errorf("subscribing %s: %w", want.URL, err)
	}
	made := sub.Subscription
	s.mu.Lock()
	s.subs = append(s.subs, sub)
	s.mu.Unlock()
	s.start(func() { s.revalidate(sub) })
	return made, nil
}

func (s *Sim) newSubscription(want Subscription) (*subscription, error) {
	a, found := s.oauth.App(want.App)
	if !found {
		return nil, fmt.Errorf("subscribing %s: %w", want.URL, noApp(want.App))
	}
	want.ID, want.App, want.Disabled, want.Failures = rest.Random(9), a.ClientID, false, 0
	return &subscription{Subscription: want, gone: make(chan struct{})}, nil
}

// Unsubscribe ends a subscription; its retries are dropped.
func (s *Sim) Unsubscribe(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subs = slices.DeleteFunc(s.subs, func(sub *subscription) bool {
		if sub.ID != id {
			return false
		}
		close(sub.gone)
		return true
	})
}

// Subscriptions returns what is subscribed.
func (s *Sim) Subscriptions() []Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Subscription, len(s.subs))
	for i, sub := range s.subs {
		all[i] = sub.Subscription
	}
	return all
}

// revalidate checks the URL every 72 hours until the subscription ends.
func (s *Sim) revalidate(sub *subscription) {
	for due := time.Now().Add(validateEvery); s.pauseFor(sub, due); due = due.Add(validateEvery) {
		err := s.validate(context.Background(), sub)
		if s.judge(sub, err) {
			return
		}
	}
}

// judge counts a validation; true means that it was one failure too many.
func (s *Sim) judge(sub *subscription, err error) (disabled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		sub.Failures = 0
		return false
	}
	sub.Failures++
	sub.Disabled = sub.Failures >= mostFailures
	return sub.Disabled
}

func (s *Sim) validate(ctx context.Context, sub *subscription) error {
	plain := rest.Random(16)
	body := rest.Encode(map[string]any{
		"event": "endpoint.url_validation", "event_ts": time.Now().UnixMilli(),
		"payload": map[string]any{"plainToken": plain},
	})
	e := Entry{Kind: KindValidation, Event: "endpoint.url_validation", App: sub.App, Method: http.MethodPost, Path: sub.URL, Time: time.Now(), Attempt: 1}
	status, answer, err := s.post(ctx, sub, body, time.Now())
	switch {
	case err != nil:
	case status != http.StatusOK:
		err = fmt.Errorf("the URL's validation was answered %d", status)
	default:
		err = checkValidation(s.secretOf(sub), plain, answer)
	}
	e.Status = status
	if err != nil {
		e.Note = err.Error()
	}
	s.ledger.add(e)
	return err
}

// deliver sends an event, in so many copies, to all who subscribed to it.
func (s *Sim) deliver(h rest.Happened, copies int) {
	for _, sub := range s.subscribers(h) {
		body := h.Body
		for range copies {
			sent := body
			s.start(func() { s.climb(sub, h.Type, sent) })
			body = world.Vary(h.Body)
		}
	}
}

func (s *Sim) subscribers(h rest.Happened) []*subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*subscription
	for _, sub := range s.subs {
		wanted := len(sub.Events) == 0 || slices.ContainsFunc(sub.Events, func(p string) bool { return zoomcatalog.Match(p, h.Type) })
		if wanted && !sub.Disabled && s.accountOf(sub) == h.Account {
			found = append(found, sub)
		}
	}
	return found
}

// climb tries a delivery until it is answered below 500 or the ladder ends.
func (s *Sim) climb(sub *subscription, kind string, body []byte) {
	first := time.Now()
	for i, after := range ladder {
		if i > 0 && !s.pauseFor(sub, first.Add(after)) {
			return
		}
		stamp := time.Now()
		if s.o.KeepTimestamp {
			stamp = first
		}
		e := Entry{Kind: KindDelivery, Event: kind, App: sub.App, Method: http.MethodPost, Path: sub.URL, Attempt: i + 1, Body: wordOf(body), Time: time.Now()}
		status, _, err := s.post(context.Background(), sub, body, stamp)
		e.Status = status
		if err != nil {
			e.Note = err.Error()
		}
		s.ledger.add(e)
		if err == nil && status < http.StatusInternalServerError {
			return
		}
	}
}

// pauseFor waits for a moment; false means that the subscription has ended.
func (s *Sim) pauseFor(sub *subscription, until time.Time) bool {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
		return !s.ended(sub)
	case <-sub.gone:
	case <-s.done:
	}
	return false
}

func (s *Sim) ended(sub *subscription) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sub.Disabled
}

// post sends a signed body and reads the answer, all within 3 seconds.
func (s *Sim) post(ctx context.Context, sub *subscription, body []byte, stamp time.Time) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.URL, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header = Header(s.secretOf(sub), stamp, body)
	a, err := s.client.Do(r)
	if err != nil {
		return 0, nil, explain(err)
	}
	defer a.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(a.Body, 64<<10))
	if err != nil {
		return 0, nil, explain(err)
	}
	return a.StatusCode, answer, nil
}

// secretOf is asked for each time: an app's secret token may be replaced.
func (s *Sim) secretOf(sub *subscription) string {
	a, _ := s.oauth.App(sub.App)
	return a.SecretToken
}

func (s *Sim) accountOf(sub *subscription) string {
	a, _ := s.oauth.App(sub.App)
	return a.AccountID
}

func explain(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer within 3 seconds")
	}
	return fmt.Errorf("reaching the URL: %w", err)
}
