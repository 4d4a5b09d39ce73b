package upkeep_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"zflow/internal/connections"
	"zflow/internal/connections/service"
	"zflow/internal/connections/upkeep"
	"zflow/internal/natstest"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomsim"
)

const day = 24 * time.Hour

// virtual is a simulated Zoom and a NATS server, in virtual time.
type virtual struct {
	t    *testing.T
	nats *natstest.Server
	sim  *zoomsim.Sim
	pipe *zoomsim.Pipe
	leap func(time.Duration)
	said *observer.ObservedLogs
	log  *zap.Logger
}

func inVirtualTime(t *testing.T, f func(*virtual)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		v := &virtual{t: t, leap: natstest.VirtualTime(t).Leap, sim: zoomsim.New(zoomsim.Options{}), pipe: zoomsim.NewPipe()}
		v.nats = natstest.Start(t, natstest.Dir(dir))
		v.with(func(js jetstream.JetStream) {
			if err := connections.Create(t.Context(), js, 1); err != nil {
				t.Fatal(err)
			}
		})
		core, said := observer.New(zapcore.WarnLevel)
		v.said, v.log = said, zap.New(core)
		ctx, cancel := context.WithCancel(context.Background())
		served := make(chan error, 1)
		go func() { served <- v.sim.Serve(ctx, v.pipe) }()
		defer func() {
			cancel()
			<-served
			v.sim.Close(context.Background())
		}()
		f(v)
	})
}

// with does something with JetStream.
func (v *virtual) with(do func(jetstream.JetStream)) {
	nc := v.nats.Connect(v.t)
	defer nc.Close()
	do(natstest.JetStream(v.t, nc))
}

// rest lets time pass with nothing running, which costs least.
func (v *virtual) rest(d time.Duration) {
	v.nats.Down()
	v.leap(d)
	v.nats.Up(v.t)
}

// work runs as many workers for a while, with the upkeep of connections only, or none.
func (v *virtual) work(workers int, keep bool, during func(*connections.Store)) {
	v.t.Helper()
	v.with(func(js jetstream.JetStream) { v.workOn(js, workers, keep, during) })
}

func (v *virtual) workOn(js jetstream.JetStream, workers int, keep bool, during func(*connections.Store)) {
	keys, err := connections.NewKeyring(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		v.t.Fatal(err)
	}
	var all sync.WaitGroup
	ctx, stop := context.WithCancel(v.t.Context())
	var first *connections.Store
	for range workers {
		transport := v.pipe.Transport()
		s, err := connections.Open(ctx, js, connections.Options{Keys: keys, Gate: natstest.Gate(v.t, js.Conn()), Server: "http://sim", Transport: transport})
		if err != nil {
			v.t.Fatal(err)
		}
		first = s
		defer transport.CloseIdleConnections()
		defer s.Close()
		if keep {
			all.Go(func() { upkeep.New(s, v.log).Run(ctx) })
		}
	}
	during(first)
	stop()
	all.Wait()
}

// connect connects by somebody's consent.
func (v *virtual) connect(s *connections.Store, name, kind string) {
	v.t.Helper()
	apps := v.sim.Apps()
	app := apps[slices.IndexFunc(apps, func(a zoomsim.App) bool { return a.Kind == kind })]
	if err := v.sim.SetConsent(zoomsim.Consent{App: app.ClientID, User: name}); err != nil { // else it would be a newer grant of one user
		v.t.Fatal(err)
	}
	b, err := s.Begin(v.t.Context(), connections.Wanted{Name: name, Kind: kind, ClientID: app.ClientID, Secret: app.ClientSecret, OAuth: "http://sim", API: "http://sim/v2"},
		"http://127.0.0.1:8765/oauth/callback")
	if err != nil {
		v.t.Fatal(err)
	}
	transport := v.pipe.Transport()
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, b.URL, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		v.t.Fatal(err)
	}
	res.Body.Close()
	back, err := url.Parse(res.Header.Get("Location"))
	if err == nil {
		_, err = s.Finish(v.t.Context(), connections.Answer{State: back.Query().Get("state"), Code: back.Query().Get("code")})
	}
	if err != nil {
		v.t.Fatal(err)
	}
}

// asked are the times at which tokens were asked for, and how often none was given.
func (v *virtual) asked() (times []time.Time, failed int) {
	for _, e := range v.sim.Ledger(zoomsim.Filter{Kind: zoomsim.KindToken}) {
		if e.Path != "/oauth/token" {
			continue
		}
		times = append(times, e.Time)
		if e.Status != 200 {
			failed++
		}
	}
	return times, failed
}

// Eight months in which nobody uses them: the connections work all the same, each refresh
// token is traded in once, seldom, and by one of three workers that come and go.
func TestMonthsOfNobody(t *testing.T) {
	inVirtualTime(t, func(v *virtual) {
		t := v.t
		names := map[string]string{"lina": zoomapi.KindUser, "school": zoomapi.KindAdmin, "omar": zoomapi.KindUser}
		v.work(1, false, func(s *connections.Store) {
			for name, kind := range names {
				v.connect(s, name, kind)
			}
		})
		begun, _ := v.asked()
		for range 9 {
			v.rest(28 * day)
			v.work(3, true, func(*connections.Store) { v.leap(10 * time.Minute) })
		}
		times, failed := v.asked()
		if n := len(times) - len(begun); failed > 0 || n < 3*3 || n > 3*6 {
			t.Errorf("%d renewals of 3 connections in eight months, %d failed", n, failed)
		}
		v.work(1, false, func(s *connections.Store) {
			for name := range names {
				if r, err := s.Show(t.Context(), name); err != nil || r.State != connections.Connected {
					t.Errorf("%s: %s, %v", name, r.State, err)
				}
				if _, err := s.Token(t.Context(), name, ""); err != nil {
					t.Error(err)
				}
			}
		})
		if v.said.Len() > 0 {
			t.Error(v.said.All())
		}
	})
}

// After a stop of two months all are overdue: three workers that start together renew
// each once, and not all at once.
func TestOverdueAreRenewedBitByBit(t *testing.T) {
	inVirtualTime(t, func(v *virtual) {
		t := v.t
		const many = 30
		v.work(1, false, func(s *connections.Store) {
			for i := range many {
				v.connect(s, fmt.Sprint("user-", i), zoomapi.KindUser)
			}
		})
		begun, _ := v.asked()
		v.rest(60 * day)
		start := time.Now()
		v.work(3, true, func(*connections.Store) { v.leap(11 * time.Minute) })
		times, failed := v.asked()
		if times = times[len(begun):]; len(times) != many || failed > 0 {
			t.Fatalf("%d renewals of %d connections, %d failed", len(times), many, failed)
		}
		slices.SortFunc(times, time.Time.Compare)
		for i := range times[:many-5] {
			if times[i+5].Sub(times[i]) < time.Second {
				t.Errorf("six renewals within %s", times[i+5].Sub(times[i]))
			}
		}
		if wait := times[0].Sub(start); wait < time.Second {
			t.Errorf("the first came %s after the start", wait)
		}
	})
}

// While Zoom is away it is tried ever more rarely, said once, and works in the end; what
// Zoom refuses for good is said, and asked no more.
func TestWhatCannotBeRenewed(t *testing.T) {
	inVirtualTime(t, func(v *virtual) {
		t := v.t
		v.work(1, false, func(s *connections.Store) {
			v.connect(s, "away", zoomapi.KindUser)
		})
		v.rest(45 * day)
		v.sim.Inject(zoomsim.Fault{Path: "/oauth/token", Status: 503, Times: 1000})
		before, _ := v.asked()
		v.work(1, true, func(s *connections.Store) {
			v.leap(3 * time.Hour)
			r, err := s.Show(t.Context(), "away")
			if err != nil || r.State != connections.Connected || !strings.Contains(r.Error, "could not be renewed ahead of its end") {
				t.Errorf("%s, %q, %v", r.State, r.Error, err)
			}
			if during, _ := v.asked(); len(during)-len(before) < 2 || len(during)-len(before) > 5 {
				t.Errorf("asked %d times in three hours", len(during)-len(before))
			}
			if v.said.Len() != 1 {
				t.Errorf("said %d times", v.said.Len())
			}
		})
		v.sim.ClearFaults()
		v.work(1, true, func(s *connections.Store) {
			v.leap(20 * time.Minute)
			r, err := s.Show(t.Context(), "away")
			if err != nil || r.State != connections.Connected || r.Error != "" || time.Since(r.Refreshed) > 2*day {
				t.Errorf("%s, %q, renewed %s ago, %v", r.State, r.Error, time.Since(r.Refreshed), err)
			}
		})
		v.rest(100 * day) // longer than the refresh token lives
		before, _ = v.asked()
		v.work(1, true, func(s *connections.Store) {
			v.leap(20 * time.Minute)
			r, err := s.Show(t.Context(), "away")
			if err != nil || r.State != connections.NeedsReconnect || r.Error == "" {
				t.Errorf("%s, %q, %v", r.State, r.Error, err)
			}
		})
		if after, _ := v.asked(); len(after)-len(before) != 1 || v.said.Len() != 2 {
			t.Errorf("asked %d times, said %d times", len(after)-len(before), v.said.Len()-1)
		}
	})
}

// When a renewal is due: in good time before the end, and at another time for each name.
func TestDue(t *testing.T) {
	made := time.Now()
	oauth := func(o service.OAuth) *service.Service {
		o.Grant = service.Code
		return &service.Service{Auth: service.OAuth2, OAuth: &o}
	}
	record := func(change func(*connections.Record)) connections.Record {
		r := connections.Record{Kind: zoomapi.KindUser, State: connections.Connected, Times: connections.Times{Refreshed: made}}
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		of       connections.Record
		from, to time.Duration
	}{
		"zoom":         {record(func(*connections.Record) {}), 30 * day, 40 * day},
		"expiring":     {record(func(r *connections.Record) { r.State = connections.Expiring }), 30 * day, 40 * day},
		"to be mended": {record(func(r *connections.Record) { r.State, r.Mendable = connections.NeedsReconnect, true }), 30 * day, 40 * day},
		"a service":    {record(func(r *connections.Record) { r.Kind, r.Service = "http", oauth(service.OAuth{}) }), 7 * day, 9 * day},
		"of half an hour": {record(func(r *connections.Record) {
			r.Kind, r.Service, r.RefreshEnds = "http", oauth(service.OAuth{}), made.Add(30*time.Minute)
		}), 12 * time.Minute, 15 * time.Minute},
		"of half a year": {record(func(r *connections.Record) {
			r.Kind, r.Service, r.RefreshEnds = "http", oauth(service.OAuth{}), made.Add(182*day)
		}), 7 * day, 9 * day},
		"ended":           {record(func(r *connections.Record) { r.State = connections.NeedsReconnect }), 0, 0},
		"revoked":         {record(func(r *connections.Record) { r.State = connections.Revoked }), 0, 0},
		"a server's":      {record(func(r *connections.Record) { r.Kind = zoomapi.KindServer }), 0, 0},
		"a key":           {record(func(r *connections.Record) { r.Kind, r.Service = "http", &service.Service{Auth: service.Bearer} }), 0, 0},
		"without refresh": {record(func(r *connections.Record) { r.Kind, r.Service = "http", oauth(service.OAuth{NoRefresh: true}) }), 0, 0},
	} {
		at := map[time.Time]bool{}
		for i := range 100 {
			c.of.Name = fmt.Sprint(name, i)
			due, ever := upkeep.Due(c.of)
			if ever != (c.to > 0) || ever && (due.Before(made.Add(c.from)) || due.After(made.Add(c.to))) {
				t.Errorf("%s: after %s, %v", name, due.Sub(made), ever)
			}
			at[due] = true
		}
		if c.to > 0 && len(at) < 90 {
			t.Errorf("%s: 100 connections have %d times", name, len(at))
		}
	}
}
