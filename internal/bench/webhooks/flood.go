// Package webhooks sends signed webhooks and measures their answers.
package webhooks

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Target is an ingest.
type Target struct {
	URL, Secret string
}

// Answers is what a target did with webhooks.
type Answers struct {
	PerSecond float64 // accepted
	P50, P99  time.Duration
	Refused   int // answered other than 204, or not at all
}

// Flood keeps a number of senders busy for a while.
func (t Target) Flood(ctx context.Context, senders int, length time.Duration) (Answers, error) {
	s, err := newSender(t, senders)
	if err != nil {
		return Answers{}, err
	}
	defer s.lines.close()
	begun := time.Now()
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for time.Since(begun) < length && ctx.Err() == nil {
				s.one(ctx, time.Now())
			}
		})
	}
	all.Wait()
	return s.answers(time.Since(begun)), nil
}

// Pace sends so many a second, whatever the answers do.
func (t Target) Pace(ctx context.Context, rate float64, length time.Duration) (Answers, error) {
	s, err := newSender(t, 1024)
	if err != nil {
		return Answers{}, err
	}
	defer s.lines.close()
	begun := time.Now()
	var all sync.WaitGroup
	for i := 0; ctx.Err() == nil; i++ {
		due := begun.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		if due.Sub(begun) >= length {
			break
		}
		time.Sleep(time.Until(due))
		all.Go(func() { s.one(ctx, due) })
	}
	all.Wait()
	return s.answers(time.Since(begun)), nil
}

type sender struct {
	Target
	lines  *lines
	prefix string
	next   atomic.Int64

	mu      sync.Mutex
	took    []time.Duration
	refused int
}

func newSender(t Target, most int) (*sender, error) {
	l, err := newLines(t.URL, most)
	if err != nil {
		return nil, err
	}
	return &sender{Target: t, prefix: rand.Text()[:10], lines: l}, nil
}

// one sends a webhook that was due at a time.
func (s *sender) one(ctx context.Context, due time.Time) {
	err := s.post(ctx, Body(s.prefix+"-"+strconv.FormatInt(s.next.Add(1), 10), due))
	took := time.Since(due)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.refused++
		return
	}
	s.took = append(s.took, took)
}

func (s *sender) post(ctx context.Context, body []byte) error {
	h := make(http.Header, 2)
	Sign(h, s.Secret, body, time.Now())
	status, err := s.lines.post(ctx, h, body)
	if err == nil && status != http.StatusNoContent {
		err = fmt.Errorf("answered %d", status)
	}
	return err
}

func (s *sender) answers(within time.Duration) Answers {
	slices.Sort(s.took)
	a := Answers{PerSecond: float64(len(s.took)) / within.Seconds(), Refused: s.refused}
	if n := len(s.took); n > 0 {
		a.P50, a.P99 = s.took[n/2], s.took[min(n*99/100, n-1)]
	}
	return a
}
