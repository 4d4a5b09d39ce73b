//go:build unix

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// procCall is a call in the ledger of the called API.
type procCall struct {
	procBegin
	arrived time.Time
}

// procAPI is what the workflows of a rig call. It keeps a ledger.
type procAPI struct {
	*httptest.Server
	latency func(*rand.Rand) time.Duration

	mu     sync.Mutex
	random *rand.Rand
	calls  map[string][]procCall // by run, in order of arrival
	strays int                   // calls that named no attempt
	long   chan procCall         // calls that take a while, as they arrive, for whoever listens
}

// procLong is how long a call takes at least that is to meet a fault.
const procLong = 500 * time.Millisecond

func newProcAPI(seed uint64, latency func(*rand.Rand) time.Duration) *procAPI {
	a := &procAPI{latency: latency, random: rand.New(rand.NewPCG(seed, 1)), calls: map[string][]procCall{}, long: make(chan procCall)}
	a.Server = httptest.NewServer(a)
	return a
}

func (a *procAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	_, _ = io.Copy(io.Discard, r.Body) // a body that breaks off does not undo the call
	after := time.NewTimer(a.note(arrived, r.Header.Get(procBeginHeader)))
	defer after.Stop()
	select {
	case <-after.C:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"ok":true}`)) // who does not read it has died
	case <-r.Context().Done():
	}
}

// note enters a call into the ledger and says how long it takes.
func (a *procAPI) note(arrived time.Time, begin string) time.Duration {
	c := procCall{arrived: arrived}
	err := json.Unmarshal([]byte(begin), &c.procBegin)
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.strays++
		return 0
	}
	a.calls[c.Run] = append(a.calls[c.Run], c)
	d := a.latency(a.random)
	if d >= procLong {
		select {
		case a.long <- c:
		default:
		}
	}
	return d
}

// inCall waits until a worker is in the middle of a call.
func (a *procAPI) inCall(ctx context.Context, worker string) error {
	for {
		select {
		case c := <-a.long:
			if c.Worker == worker {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("waiting for a call of worker %s: %w", worker, ctx.Err())
		}
	}
}

// ledger returns the calls of a run.
func (a *procAPI) ledger(run string) []procCall {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls[run]
}
