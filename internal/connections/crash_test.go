package connections_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zflow/internal/connections"
	"zflow/internal/natstest"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomsim"
)

// mortal is a process that may die while it refreshes: before Zoom was asked, or
// once its answer is stored. What dies while the answer is under way loses the
// grant, which is another test.
type mortal struct {
	http.RoundTripper
	die func() bool
}

var errDead = errors.New("the process is dead")

func (m mortal) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/oauth/token" && m.die() {
		return nil, errDead
	}
	time.Sleep(200 * time.Millisecond) // others come meanwhile
	return m.RoundTripper.RoundTrip(r)
}

// life runs one process after another in a worker's place: each asks for a token
// every few seconds, until it dies.
func (z *virtual) life(t *testing.T, ends time.Time, chance int, crashed *atomic.Int64) {
	for time.Now().Before(ends) {
		dead := &atomic.Bool{}
		nc := z.server.Connect(t)
		s, err := connections.Open(t.Context(), natstest.JetStream(t, nc), connections.Options{
			Keys: keyring(t), Gate: natstest.Gate(t, nc), Transport: mortal{z.pipe.Transport(), func() bool {
				if rand.N(chance) == 0 {
					dead.Store(true)
					crashed.Add(1)
					go nc.Close() // with its lease in hand
				}
				return dead.Load()
			}},
		})
		if err != nil {
			t.Error(err)
			return
		}
		z.use(t, s, ends, dead)
		nc.Close()
		s.Close()
	}
}

// use calls for a token again and again, and believes none that Zoom does not.
func (z *virtual) use(t *testing.T, s *connections.Store, ends time.Time, dead *atomic.Bool) {
	for time.Now().Before(ends) && !dead.Load() {
		tok, err := s.Token(t.Context(), "lina", "")
		if dead.Load() {
			return
		}
		if err != nil && zoomapi.AsError(err).Outcome == zoomapi.Refused {
			t.Errorf("at %v: %v", time.Now(), err)
			return
		}
		if err == nil && !time.Now().Before(tok.Expires) {
			t.Errorf("an expired token")
		}
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) // all at one instant
	}
}

// Eight workers share one connection over two hundred expiries, and die as they
// refresh: no refresh token is traded in twice, and each expiry is one refresh.
func TestEightWorkersRefreshOneConnection(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const life, expiries = 48 * time.Second, 200
	inVirtualTimeOf(t, zoomsim.Options{TokenLife: life}, func(t *testing.T, z *virtual) {
		z.connected(t, z.store(t), z.wants(t, "lina", zoomapi.KindUser))
		begun := time.Now()
		crashed := &atomic.Int64{}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { z.life(t, begun.Add(expiries*life), 10, crashed) })
		}
		all.Wait()
		refreshes, last := 0, begun
		for _, e := range z.fetches() {
			if e.Path != "/oauth/token" {
				continue
			}
			if e.Status != http.StatusOK {
				t.Errorf("status %d, code %d after %v", e.Status, e.Code, e.Time.Sub(begun))
			}
			if refreshes++; refreshes > 1 && e.Time.Sub(last) < life*11/12-2*time.Second {
				t.Errorf("refresh %d came %v after the one before", refreshes, e.Time.Sub(last))
			}
			last = e.Time
		}
		t.Logf("%d refreshes, %d crashes", refreshes, crashed.Load())
		if refreshes < expiries*8/10 || crashed.Load() == 0 {
			t.Errorf("%d refreshes, %d crashes", refreshes, crashed.Load())
		}
	})
}

// Ten thousand connections are no reason for a cached token to take long.
func BenchmarkTokenOfTenThousand(b *testing.B) {
	e := newEndpoint(b)
	js := bucket(b)
	apps := make([]connections.App, 10_000)
	for i := range apps {
		apps[i] = connections.App{Name: fmt.Sprintf("c%d", i), AccountID: fmt.Sprintf("acc%d", i), ClientID: "c", ClientSecret: "secret"}
	}
	s := open(b, js, connections.Options{Apps: apps, Server: e.URL})
	if _, err := s.Token(context.Background(), "c7", ""); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Token(b.Context(), "", "acc7"); err != nil {
			b.Fatal(err)
		}
	}
}
