package load

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"zflow/internal/bench/webhooks"
)

const secret = "a secret of the test"

// pipeline is a system under test with faults that are known: of the nth webhook
// it knows what to do.
type pipeline struct {
	t      *testing.T
	api    string
	n      atomic.Int64
	status func(n int64) int
	calls  func(n int64) []int // the steps, in order
}

func (p *pipeline) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var e struct {
		Event   string
		Payload struct{ Object struct{ UUID string } }
	}
	if err != nil || json.Unmarshal(body, &e) != nil || e.Event != "meeting.ended" || e.Payload.Object.UUID == "" {
		p.t.Errorf("webhook %q: %v", body, err)
	}
	at, err := strconv.ParseInt(r.Header.Get("x-zm-request-timestamp"), 10, 64)
	want := http.Header{}
	webhooks.Sign(want, secret, body, time.Unix(at, 0))
	if got := r.Header.Get("x-zm-signature"); err != nil || got != want.Get("x-zm-signature") {
		p.t.Errorf("signature %q, at %d", got, at)
	}
	n := p.n.Add(1)
	for _, step := range p.calls(n) {
		p.call(Call{e.Payload.Object.UUID, step})
	}
	w.WriteHeader(p.status(n))
}

func (p *pipeline) call(c Call) {
	raw, err := json.Marshal(c)
	if err != nil {
		p.t.Error(err)
	}
	res, err := http.Post(p.api, "application/json", bytes.NewReader(raw))
	if err != nil {
		p.t.Error(err)
		return
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || !json.Valid(body) {
		p.t.Errorf("the API answers %d %q: %v", res.StatusCode, body, err)
	}
}

func fault(t *testing.T, p *pipeline) (Load, *pipeline) {
	t.Helper()
	a := &API{}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	p.t, p.api = t, server.URL
	system := httptest.NewServer(p)
	t.Cleanup(system.Close)
	return Load{URL: system.URL, Secret: secret, API: a, Senders: 4, Count: 40, Patience: 20 * time.Millisecond}, p
}

// TestLoadFindsFaults: of 40 webhooks each tenth is refused, and of the others
// some are forgotten, repeated, or done the wrong way round.
func TestLoadFindsFaults(t *testing.T) {
	p := &pipeline{
		status: func(n int64) int {
			if n%10 == 0 {
				return http.StatusServiceUnavailable
			}
			return http.StatusNoContent
		},
		calls: func(n int64) []int {
			switch n % 10 {
			case 0:
				return nil
			case 1:
				return []int{1, 2} // the third is forgotten
			case 2:
				return []int{1, 1, 2, 3}
			case 3:
				return []int{2, 1, 3}
			}
			return []int{1, 2, 3}
		},
	}
	for name, change := range map[string]func(*Load){
		"as the answers come":   func(*Load) {},
		"as the runs end":       func(l *Load) { l.Whole = true },
		"at a rate":             func(l *Load) { l.Rate = 2000 },
		"one at a time":         func(l *Load) { l.Senders = 1 },
		"more senders than all": func(l *Load) { l.Senders = 100 },
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := fault(t, &pipeline{status: p.status, calls: p.calls})
			change(&l)
			o, err := l.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := Outcome{Sent: 40, Accepted: 36, Complete: 32, Lost: 4, Repeated: 4, OutOfOrder: 4}
			if !same(*o, want) || o.Refused["503"] != 4 || o.Sound() {
				t.Errorf("got %+v, want %+v", o, want)
			}
		})
	}
}

func TestLoadOfASoundSystem(t *testing.T) {
	l, p := fault(t, &pipeline{status: func(int64) int { return http.StatusNoContent }, calls: func(int64) []int { return []int{1, 2, 3} }})
	l.Whole = true
	o, err := l.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !o.Sound() || o.Complete != 40 || p.n.Load() != 40 || o.CompletePer <= 0 || o.EndToEnd.P50 <= 0 {
		t.Errorf("got %+v after %d webhooks", o, p.n.Load())
	}
}

// TestLoadOfNobody: where nobody listens, every webhook is refused, and nobody
// waits for runs.
func TestLoadOfNobody(t *testing.T) {
	l, _ := fault(t, &pipeline{})
	gone := httptest.NewServer(http.NotFoundHandler())
	l.URL = gone.URL
	gone.Close()
	o, err := l.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if o.Refused["no answer"] != 40 || o.Accepted != 0 || o.Lost != 0 {
		t.Errorf("got %+v", o)
	}
}

// TestLoadOfAStuckSystem: what takes webhooks and runs nothing is not sent more
// and more, each for as long as there is patience.
func TestLoadOfAStuckSystem(t *testing.T) {
	l, _ := fault(t, &pipeline{status: func(int64) int { return http.StatusNoContent }, calls: func(int64) []int { return nil }})
	l.Whole = true
	o, err := l.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if o.Sent > 2*l.Senders || o.Lost != o.Sent || o.Lost == 0 {
		t.Errorf("got %+v", o)
	}
}

func TestAPIRefusesWhatSaysNothing(t *testing.T) {
	a := &API{}
	l := newLedger()
	a.ledger.Store(l)
	for _, body := range []string{``, `{`, `{"run":"a"}`, `{"step":1}`, `{"run":"a","step":4}`, `{"run":"a","step":0}`,
		`{"run":"a","step":1` + strings.Repeat(" ", maxCall) + `}`} {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
		if w.Code != http.StatusBadRequest {
			t.Errorf("%.40q is answered %d", body, w.Code)
		}
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", strings.NewReader(`{"run":"a","step":1}`)))
	if w.Code != http.StatusBadRequest || a.bad.Load() != 8 || len(l.traces) != 0 {
		t.Errorf("a GET is answered %d; %d bad calls, %d runs", w.Code, a.bad.Load(), len(l.traces))
	}
}
