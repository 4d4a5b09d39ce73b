// Package stage is an API whose calls take time.
package stage

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// Path is where the stage is called.
const Path = "/stage"

// Stage is an API whose calls take time, and which sees how many are there at once.
type Stage struct {
	mu     sync.Mutex
	length time.Duration // of each call
	wanted int           // calls: all stay until so many are there, for length at most; 0: any
	full   chan struct{} // closed then
	now    int
	most   int // at a time
	calls  int
}

// Set begins anew.
func (s *Stage) Set(length time.Duration, wanted int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.length, s.wanted, s.full, s.now, s.most, s.calls = length, wanted, make(chan struct{}), 0, 0, 0
}

// Seen says how many calls came, and how many were there at once.
func (s *Stage) Seen() (calls, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls, s.most
}

// ServeHTTP takes one call.
func (s *Stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 4<<10)) // what it says does not matter
	full, length := s.enter()
	select {
	case <-full:
	case <-time.After(length):
	case <-r.Context().Done():
	}
	s.leave()
	w.Header()["Content-Type"] = []string{"application/json"}
	_, _ = io.WriteString(w, `{"status":"ok"}`) // who asked and is gone calls again
}

func (s *Stage) enter() (full <-chan struct{}, length time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	s.now++
	s.most = max(s.most, s.now)
	if s.now == s.wanted {
		close(s.full)
		s.wanted = 0
	}
	return s.full, s.length
}

func (s *Stage) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now--
}
