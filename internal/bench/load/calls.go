package load

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// steps is how many calls make a run.
const steps = 3

// maxCall is how large a call's body may be.
const maxCall = 4 << 10

// answer is what the API says to each call.
const answer = `{"id":"85746065432","status":"ok","note":"this is about as much as a small API call answers"}`

// Call is the body of a call: which step of which run makes it.
type Call struct {
	Run  string `json:"run"`
	Step int    `json:"step"`
}

// API is the API that runs call. It answers at once and notes every call.
type API struct {
	ledger atomic.Pointer[ledger]
	bad    atomic.Int64 // calls that say no run and step
}

// ServeHTTP takes one call.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxCall))
	var c Call
	if err == nil {
		err = json.Unmarshal(body, &c)
	}
	if err != nil || c.Run == "" || c.Step < 1 || c.Step > steps || r.Method != http.MethodPost {
		a.bad.Add(1)
		http.Error(w, "the call says no run and step", http.StatusBadRequest)
		return
	}
	if l := a.ledger.Load(); l != nil {
		l.note(c, now)
	}
	w.Header()["Content-Type"] = []string{"application/json"}
	_, _ = io.WriteString(w, answer) // who asked and is gone calls again
}

// ledger has the calls of one load, by run.
type ledger struct {
	mu       sync.Mutex
	traces   map[string]*trace
	complete int
	last     time.Time // a call was noted
}

// trace is what was seen of one run.
type trace struct {
	counts   [steps]int
	disorder int
	done     time.Time     // when its last missing step was called
	ended    chan struct{} // closed then
}

func newLedger() *ledger { return &ledger{traces: map[string]*trace{}} }

// expect returns what is closed when the run has made all of its calls.
func (l *ledger) expect(run string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trace(run).ended
}

func (l *ledger) trace(run string) *trace {
	t := l.traces[run]
	if t == nil {
		t = &trace{ended: make(chan struct{})}
		l.traces[run] = t
	}
	return t
}

func (l *ledger) note(c Call, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = at
	t := l.trace(c.Run)
	t.counts[c.Step-1]++
	if c.Step > 1 && t.counts[c.Step-2] == 0 {
		t.disorder++
	}
	if t.done.IsZero() && t.whole() {
		t.done = at
		l.complete++
		close(t.ended)
	}
}

func (t *trace) whole() bool {
	for _, n := range t.counts {
		if n == 0 {
			return false
		}
	}
	return true
}

// repeated is how many calls came beyond the first of each step.
func (t *trace) repeated() (n int) {
	for _, c := range t.counts {
		n += max(c-1, 0)
	}
	return n
}

func (t *trace) calls() (n int) {
	for _, c := range t.counts {
		n += c
	}
	return n
}

// progress says how many runs are complete, and when the last call came.
func (l *ledger) progress() (complete int, last time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.complete, l.last
}
