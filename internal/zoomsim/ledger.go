package zoomsim

import (
	"context"
	"strings"
	"sync"
	"time"

	"zflow/internal/zoomcatalog"
)

// Kinds of ledger entries.
const (
	KindCall       = "call"       // to the REST API
	KindToken      = "token"      // to the token endpoint
	KindDelivery   = "delivery"   // of an event
	KindValidation = "validation" // of a subscribed URL
	KindSocket     = "socket"     // to the WebSocket
	KindDrop       = "drop"       // a delivery that chaos dropped
)

// Entry is a call that came in, or a delivery that went out.
type Entry struct {
	Seq       int           `json:"seq"`
	Time      time.Time     `json:"time"`
	Kind      string        `json:"kind"`
	Operation string        `json:"operation,omitempty"`
	Method    string        `json:"method,omitempty"`
	Path      string        `json:"path,omitempty"` // as it came, still encoded; of a delivery the URL
	Query     string        `json:"query,omitempty"`
	App       string        `json:"app,omitempty"`
	Status    int           `json:"status"` // 0: no answer
	Code      int           `json:"code,omitempty"`
	Body      string        `json:"body,omitempty"`
	Event     string        `json:"event,omitempty"`
	Attempt   int           `json:"attempt,omitempty"`
	Note      string        `json:"note,omitempty"` // the fault, or what went wrong
	Took      time.Duration `json:"took"`
}

// keep is how many entries stand in a ledger; older ones go.
const keep = 100_000

type ledger struct {
	mu      sync.Mutex
	keep    int
	entries []Entry
	last    int
	changed chan struct{} // closed at the next entry; nil: nobody waits
}

func newLedger(keep int) *ledger { return &ledger{keep: keep} }

func (l *ledger) add(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	e.Seq = l.last
	e.Took = time.Since(e.Time)
	if len(l.entries) == l.keep {
		l.entries = append(l.entries[:0], l.entries[(l.keep+9)/10:]...)
	}
	l.entries = append(l.entries, e)
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// choose returns the entries that the filter takes, oldest first, and what is
// closed when the next one comes.
func (l *ledger) choose(f Filter) ([]Entry, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	var fit []Entry
	for i := range l.entries {
		if f.takes(&l.entries[i]) {
			fit = append(fit, l.entries[i])
		}
	}
	return fit, l.changed
}

// Filter chooses entries; an empty field takes all.
type Filter struct {
	Kind      string
	Operation string // create_meeting
	Event     string // a type or a pattern: meeting.*
	After     int    // entries with a higher Seq
}

func (f Filter) takes(e *Entry) bool {
	return (f.Kind == "" || f.Kind == e.Kind) &&
		(f.Operation == "" || f.Operation == e.Operation) &&
		(f.Event == "" || zoomcatalog.Match(f.Event, e.Event)) && e.Seq > f.After
}

// Ledger returns the entries that the filter takes, oldest first.
func (s *Sim) Ledger(f Filter) []Entry {
	fit, _ := s.ledger.choose(f)
	return fit
}

// WaitLedger waits until n entries fit the filter, and returns what fits then.
func (s *Sim) WaitLedger(ctx context.Context, f Filter, n int) ([]Entry, error) {
	for {
		fit, changed := s.ledger.choose(f)
		if len(fit) >= n {
			return fit, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fit, ctx.Err()
		}
	}
}

// wordOf shortens a body for the ledger.
func wordOf(body []byte) string {
	const most = 16 << 10
	if len(body) > most {
		return strings.ToValidUTF8(string(body[:most]), "") + "…"
	}
	return string(body)
}
