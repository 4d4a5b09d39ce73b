package zoomsim

import (
	"net/http"
	"strings"
	"time"
	"zflow/internal/zoomsim/rest"
)

// Fault makes the next calls of a kind go wrong.
type Fault struct {
	Method  string        `json:"method"` // empty: any
	Path    string        `json:"path"`   // /v2/meetings/* or /v2/users/{userId}/meetings; empty: any
	Times   int           `json:"times"`  // 0: once
	Delay   time.Duration `json:"delay"`  // before anything else
	Do      bool          `json:"do"`     // the operation happens all the same
	Hang    bool          `json:"hang"`   // no answer until the caller gives up
	Cut     bool          `json:"cut"`    // the connection ends without an answer
	Status  int           `json:"status"` // with none of the above: this answer
	Code    int           `json:"code"`   // with Status and no Body: Zoom's error body
	Message string        `json:"message"`
	Body    string        `json:"body"`
	Header  http.Header   `json:"header"`
}

// Inject adds a fault behind those that are there.
func (s *Sim) Inject(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// ClearFaults drops the faults that have not happened yet.
func (s *Sim) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// takeFault returns the first fault for this call, used up by one, or nil.
func (s *Sim) takeFault(method, path string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if (f.Method != "" && f.Method != method) || !covers(f.Path, path) {
			continue
		}
		if f.Times--; f.Times == 0 {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		}
		taken := *f
		return &taken
	}
	return nil
}

// covers tells whether a path fits a pattern whose segments * and {name} stand
// for any one segment.
func covers(pattern, path string) bool {
	if pattern == "" {
		return true
	}
	p, q := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if p[i] != q[i] && p[i] != "*" && !strings.HasPrefix(p[i], "{") {
			return false
		}
	}
	return true
}

// onlyDelays tells that the call is to go on after the delay.
func (f *Fault) onlyDelays() bool { return !f.Hang && !f.Cut && f.Status == 0 }

// fail ends a call as the fault says.
func (s *Sim) fail(w http.ResponseWriter, r *http.Request, e Entry, f *Fault) {
	switch {
	case f.Hang:
		e.Note = "fault: hang"
		s.ledger.add(e)
		s.hang(r)
		cut(w)
	case f.Cut:
		e.Note = "fault: cut"
		s.ledger.add(e)
		cut(w)
	default:
		e.Note = "fault: status"
		s.reply(w, e, f.answer())
	}
}

func (f *Fault) answer() rest.Answer {
	a := rest.Answer{Status: f.Status, Code: f.Code, Header: f.Header}
	switch {
	case f.Body != "":
		a.Body = rest.Raw(f.Body)
	case f.Code != 0:
		a.Body = rest.Problem{Code: f.Code, Message: f.Message}
	}
	return a
}

// hang waits until the caller or the Sim ends.
func (s *Sim) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.done:
	}
}

// cut ends the connection without an answer.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // a test recorder, or HTTP/2
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	conn.Close()
}

// wait delays a call; false means that the caller or the Sim has gone.
func (s *Sim) wait(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-s.done:
	}
	return false
}
