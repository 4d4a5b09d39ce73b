package zoomsim

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"syscall"
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
	ID      string      `json:"id"`
	Name    string      `json:"name,omitempty"`
	URL     string      `json:"url,omitempty"`
	Socket  bool        `json:"socket,omitempty"`     // events go over a WebSocket instead
	Events  []string    `json:"events,omitempty"`     // types or patterns; none: all
	App     string      `json:"app,omitempty"`        // a client id; empty: the first app's
	Account string      `json:"account_id,omitempty"` // empty: all that have the app
	Users   []string    `json:"user_ids,omitempty"`   // whose events; none: the whole account's
	Header  http.Header `json:"header,omitempty"`     // sent besides: Zoom can be told to authenticate itself so
	Source  string      `json:"created_source"`       // default: made in the portal; openapi: by the API
	// What has become of it:
	Disabled bool `json:"disabled"`
	Failures int  `json:"failures"` // validations that failed in a row
}

// Sources of subscriptions.
const (
	sourcePortal = "default"
	sourceAPI    = "openapi"
)

// mostSubscriptions is how many an app may have.
const mostSubscriptions = 20

// subscription is guarded by the Sim's lock but for what stays: id, URL and app.
type subscription struct {
	Subscription
	gone   chan struct{} // closed when it ends
	events uint64        // that were to be sent so far
	next   chan struct{} // closed when the next one is due; nil: none waits for it
}

// Subscribe validates a URL and sends it events from then on; it refuses one
// that fails the validation.
func (s *Sim) Subscribe(ctx context.Context, want Subscription) (Subscription, error) {
	want.Source = sourcePortal
	return s.subscribe(ctx, want)
}

func (s *Sim) subscribe(ctx context.Context, want Subscription) (Subscription, error) {
	fail := func(err error) (Subscription, error) {
		return Subscription{}, fmt.Errorf("subscribing %s: %w", cmp.Or(want.URL, "a WebSocket"), err)
	}
	a, found := s.oauth.App(want.App)
	if !found {
		return fail(noApp(want.App))
	}
	want.ID, want.App, want.Disabled, want.Failures = rest.Random(9), a.ClientID, false, 0
	sub := &subscription{Subscription: want, gone: make(chan struct{})}
	if !want.Socket {
		if err := s.validate(ctx, sub); err != nil {
			return fail(err)
		}
	}
	made := sub.Subscription
	if err := s.enter(sub); err != nil {
		return fail(err)
	}
	if !want.Socket {
		s.start(func() { s.revalidate(sub) })
	}
	return made, nil
}

// enter lists a subscription unless its app has as many as it may.
func (s *Sim) enter(sub *subscription) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, other := range s.subs {
		if other.App == sub.App {
			n++
		}
	}
	if n >= mostSubscriptions {
		return fmt.Errorf("the app has %d event subscriptions, which is the limit", n)
	}
	s.subs = append(s.subs, sub)
	return nil
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
	r := s.post(ctx, sub, body, time.Now())
	err := r.err
	switch {
	case err != nil:
	case r.status != http.StatusOK:
		err = fmt.Errorf("the URL's validation was answered %d", r.status)
	default:
		err = checkValidation(s.secretOf(sub), plain, r.answer)
	}
	e.Status = r.status
	if err != nil {
		e.Note = err.Error()
	}
	s.ledger.add(e)
	return err
}

// deliver sends an event, in so many copies, to all who subscribed to it.
func (s *Sim) deliver(h rest.Happened, copies int) {
	for _, sub := range s.subscribers(h) {
		f := s.fateOf(sub)
		body := h.Body
		for range copies + f.extra {
			d := delivery{sub: sub, kind: h.Type, body: body, fate: f}
			s.start(func() { s.ship(d) })
			body = world.Vary(h.Body)
			f = f.ofCopy()
		}
	}
}

// delivery is an event on its way to a URL.
type delivery struct {
	sub  *subscription
	kind string
	body []byte
	fate
}

func (s *Sim) subscribers(h rest.Happened) []*subscription {
	installed := s.oauth.Installed()
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*subscription
	for _, sub := range s.subs {
		wanted := len(sub.Events) == 0 || slices.ContainsFunc(sub.Events, func(p string) bool { return zoomcatalog.Match(p, h.Type) })
		if wanted && !sub.Disabled && s.covers(sub, h.Account, installed) && concerns(h.Body, sub.Users) {
			found = append(found, sub)
		}
	}
	return found
}

// covers tells whether a subscription gets the events of an account: of the one
// that it names, else of the app's own and of those that have the app.
func (s *Sim) covers(sub *subscription, account string, installed []Installed) bool {
	if sub.Account != "" {
		return sub.Account == account
	}
	a, _ := s.oauth.App(sub.App)
	return a.AccountID == account || slices.ContainsFunc(installed, func(i Installed) bool { return i.App == sub.App && i.Account == account })
}

// concerns tells whether an event is about one of these users or done by one.
func concerns(body []byte, users []string) bool {
	if len(users) == 0 {
		return true
	}
	v, _ := rest.DecodeObject(body)
	payload, _ := v["payload"].(map[string]any)
	object, _ := payload["object"].(map[string]any)
	for _, id := range []any{payload["operator_id"], payload["user_id"], object["host_id"], object["owner_id"], object["id"]} {
		if slices.Contains(users, rest.Text(id)) {
			return true
		}
	}
	return false
}

// climb tries a delivery until it is answered below 500 or the ladder ends.
func (s *Sim) climb(d delivery) {
	first := time.Now()
	for i, after := range ladder {
		if i > 0 && !s.pauseFor(d.sub, first.Add(after)) {
			return
		}
		stamp := time.Now()
		if s.o.KeepTimestamp {
			stamp = first
		}
		if s.attempt(d, i, stamp) {
			return
		}
	}
}

// attempt tries once and tells whether that was the last time.
func (s *Sim) attempt(d delivery, retry int, stamp time.Time) (done bool) {
	e := Entry{Kind: KindDelivery, Event: d.kind, App: d.sub.App, Method: http.MethodPost, Path: d.sub.URL, Attempt: retry + 1, Body: wordOf(d.body), Time: time.Now()}
	var r receipt
	if d.fail {
		r = receipt{err: errors.New("chaos: never arrives"), code: -1}
	} else {
		r = s.post(context.Background(), d.sub, d.body, stamp)
	}
	e.Status = r.status
	if r.err != nil {
		e.Note = r.err.Error()
	}
	s.weblog.add(d, retry, r)
	s.ledger.add(e)
	return r.err == nil && r.status < http.StatusInternalServerError
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

// receipt is what came of sending a body.
type receipt struct {
	header http.Header // that was sent
	status int
	answer []byte
	err    error
	code   int // of err: Zoom's for failures of transport
}

// post sends a signed body and reads the answer, all within 3 seconds.
func (s *Sim) post(ctx context.Context, sub *subscription, body []byte, stamp time.Time) receipt {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.URL, bytes.NewReader(body))
	if err != nil {
		return receipt{err: err, code: -5}
	}
	r.Header = Header(s.secretOf(sub), stamp, body)
	maps.Copy(r.Header, sub.Header)
	a, err := s.client.Do(r)
	if err != nil {
		return receipt{header: r.Header, err: explain(err), code: transportCode(err)}
	}
	defer a.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(a.Body, 64<<10))
	if err != nil {
		return receipt{header: r.Header, err: explain(err), code: transportCode(err)}
	}
	return receipt{header: r.Header, status: a.StatusCode, answer: answer}
}

// transportCode is Zoom's number of a failure of transport.
func transportCode(err error) int {
	var dns *net.DNSError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return -1
	case errors.Is(err, syscall.ECONNREFUSED):
		return -2
	case errors.As(err, &dns):
		return -13
	}
	return -3
}

// secretOf is asked for each time: an app's secret token may be replaced.
func (s *Sim) secretOf(sub *subscription) string {
	a, _ := s.oauth.App(sub.App)
	return a.SecretToken
}

func explain(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer within 3 seconds")
	}
	return fmt.Errorf("reaching the URL: %w", err)
}
