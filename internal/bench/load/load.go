// Package load sends webhooks, or events, that start runs, and accounts for every call that the runs make.
package load

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"zflow/internal/bench/webhooks"
)

// Load is what to send, and how.
type Load struct {
	URL, Secret string
	Send        func(ctx context.Context, run string, body []byte) error // instead of a webhook to URL; nil: none
	API         *API
	Senders     int           // at a time; with a rate: requests in flight at most
	Rate        float64       // webhooks a second whatever the answers do; 0: as the answers come
	Whole       bool          // a sender awaits its run's third call before it sends again
	Count       int           // webhooks; 0: as many as fit into Length
	Length      time.Duration // how long to send
	Patience    time.Duration // with runs that make no progress
}

// sender is a load under way.
type sender struct {
	Load
	http   *http.Client
	ledger *ledger
	prefix string
	next   atomic.Int64
	stuck  atomic.Bool // nothing moved for as long as there is patience: no more is sent

	mu   sync.Mutex
	sent map[string]*sending
}

// sending is one webhook.
type sending struct {
	due    time.Time
	took   time.Duration // from then to the answer
	status int           // 0: none came
}

// Run sends and waits until every accepted run is complete or nothing moves any
// more, and accounts for it.
func (l Load) Run(ctx context.Context) (*Outcome, error) {
	s := &sender{Load: l, ledger: newLedger(), prefix: rand.Text()[:10], sent: map[string]*sending{}}
	s.http = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConns: l.Senders, MaxIdleConnsPerHost: l.Senders}}
	defer s.http.CloseIdleConnections()
	l.API.ledger.Store(s.ledger)
	defer l.API.ledger.Store(nil)
	start := time.Now()
	if l.Rate > 0 {
		s.paced(ctx, start)
	} else {
		s.closed(ctx, start)
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	return account(s.sent, s.ledger, start), nil
}

// closed keeps a number of senders busy.
func (s *sender) closed(ctx context.Context, start time.Time) {
	var all sync.WaitGroup
	for range s.Senders {
		all.Go(func() {
			for i := s.take(start); i >= 0 && ctx.Err() == nil; i = s.take(start) {
				s.one(ctx, i, time.Now())
			}
		})
	}
	all.Wait()
}

// take returns the number of the next webhook, or -1.
func (s *sender) take(start time.Time) int {
	i := int(s.next.Add(1)) - 1
	if s.stuck.Load() || s.Count > 0 && i >= s.Count || s.Count == 0 && time.Since(start) >= s.Length {
		return -1
	}
	return i
}

// paced sends at a rate, whatever the answers do.
func (s *sender) paced(ctx context.Context, start time.Time) {
	var all sync.WaitGroup
	defer all.Wait()
	free := make(chan struct{}, s.Senders)
	for i := s.take(start); i >= 0; i = s.take(start) {
		due := start.Add(time.Duration(float64(i) / s.Rate * float64(time.Second)))
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(due)):
		}
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			s.one(ctx, i, due)
		})
	}
}

// one sends a webhook and notes the answer.
func (s *sender) one(ctx context.Context, i int, due time.Time) {
	run := s.prefix + "-" + strconv.Itoa(i)
	ended := s.ledger.expect(run)
	status, err := s.hand(ctx, run, webhooks.Body(run, due))
	note := &sending{due: due, took: time.Since(due), status: status}
	if err != nil {
		note.status = 0
	}
	s.mu.Lock()
	s.sent[run] = note
	s.mu.Unlock()
	if !s.Whole || !note.accepted() {
		return
	}
	limit := time.NewTimer(s.Patience)
	defer limit.Stop()
	select {
	case <-ended:
	case <-limit.C:
		_, last := s.ledger.progress()
		s.stuck.Store(time.Since(last) > s.Patience)
	case <-ctx.Done():
	}
}

func (s *sending) accepted() bool { return s.status/100 == 2 }

// hand brings an event to where it goes.
func (s *sender) hand(ctx context.Context, run string, body []byte) (int, error) {
	if s.Send == nil {
		return s.post(ctx, body)
	}
	return http.StatusNoContent, s.Send(ctx, run, body)
}

func (s *sender) post(ctx context.Context, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	webhooks.Sign(req.Header, s.Secret, body, time.Now())
	res, err := s.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body) // an answer that breaks off is none
	return res.StatusCode, err
}

// settle waits until as many runs are complete as were accepted, or until no call
// has come for a while.
func (s *sender) settle(ctx context.Context) error {
	begun := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		complete, last := s.ledger.progress()
		if last.Before(begun) {
			last = begun
		}
		if complete >= s.acceptedRuns() || time.Since(last) > s.Patience {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting for runs to complete: %w", ctx.Err())
		}
	}
}

func (s *sender) acceptedRuns() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.sent {
		if one.accepted() {
			n++
		}
	}
	return n
}
