package connections_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"zflow/internal/connections"
	"zflow/internal/natstest"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomsim"
)

const backTo = "http://127.0.0.1:8765/oauth/callback"

// wants is what a person asks for with an app of the simulator.
func (z *virtual) wants(t testing.TB, name, kind string) connections.Wanted {
	t.Helper()
	for _, a := range z.sim.Apps() {
		if a.Kind == kind {
			return connections.Wanted{Name: name, Kind: kind, ClientID: a.ClientID, Secret: a.ClientSecret, OAuth: "http://sim", API: "http://sim/v2"}
		}
	}
	t.Fatal("no app of kind " + kind)
	return connections.Wanted{}
}

// consent opens the consent page as a browser does, and returns what comes back.
func (z *virtual) consent(t testing.TB, page string) connections.Answer {
	t.Helper()
	transport := z.pipe.Transport()
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	back, err := url.Parse(res.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(back.String(), backTo) {
		t.Fatalf("status %d, back to %q", res.StatusCode, back)
	}
	q := back.Query()
	return connections.Answer{State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error"), Description: q.Get("error_description")}
}

// connect runs the whole flow.
func (z *virtual) connect(t testing.TB, s *connections.Store, w connections.Wanted) (connections.Record, error) {
	t.Helper()
	b, err := s.Begin(t.Context(), w, backTo)
	if err != nil {
		return connections.Record{}, err
	}
	return s.Finish(t.Context(), z.consent(t, b.URL))
}

func (z *virtual) connected(t testing.TB, s *connections.Store, w connections.Wanted) connections.Record {
	t.Helper()
	r, err := z.connect(t, s, w)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func says(t testing.TB, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, not one with %q", words)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is not in %q", word, err)
		}
	}
	if strings.Contains(err.Error(), "simtoken") || strings.Contains(err.Error(), "simrefresh") {
		t.Errorf("a token is in %q", err)
	}
}

// Every kind that a person allows: connected, its token used and refreshed, in one
// process and in another.
func TestAPersonConnects(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, z *virtual) {
		a, b := z.store(t), z.store(t)
		for _, kind := range []string{zoomapi.KindUser, zoomapi.KindAdmin} {
			r := z.connected(t, a, z.wants(t, "lina-"+kind, kind))
			if r.State != connections.Connected || r.Kind != kind || len(r.Scopes) == 0 || len(r.Grant) != 0 {
				t.Errorf("%+v", r)
			}
			first := token(t, b, "lina-"+kind)
			if same := token(t, a, "lina-"+kind); same.Access != first.Access || first.Kind != kind {
				t.Error("two tokens at one time")
			}
			time.Sleep(2 * time.Hour)
			second := token(t, b, "lina-"+kind)
			if third := token(t, a, "lina-"+kind); second.Access == first.Access || third.Access != second.Access {
				t.Error("not refreshed once")
			}
		}
	})
}

// Who has not used a refresh token for long is told before it ends.
func TestExpiring(t *testing.T) {
	now := time.Now()
	for days, want := range map[int]string{1: connections.Connected, 70: connections.Connected, 80: connections.Expiring} {
		r := connections.Record{Kind: zoomapi.KindUser, State: connections.Connected, Grant: []byte("x")}
		r.Refreshed = now.Add(-time.Duration(days) * 24 * time.Hour)
		if got := r.Public(now); got.State != want || got.Grant != nil {
			t.Errorf("after %d days: %+v", days, got)
		}
	}
}

func TestADeviceConnects(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, z *virtual) {
		s := z.store(t)
		b, err := s.BeginDevice(t.Context(), z.wants(t, "lina", zoomapi.KindUser))
		if err != nil || b.UserCode == "" || b.Interval < 5 {
			t.Fatalf("%+v, %v", b, err)
		}
		time.Sleep(5 * time.Second)
		if _, again, err := s.Poll(t.Context(), b.State); !errors.Is(err, connections.ErrWaits) || again < 5*time.Second {
			t.Fatal(again, err)
		}
		if _, again, err := s.Poll(t.Context(), b.State); !errors.Is(err, connections.ErrWaits) || again < 10*time.Second {
			t.Fatal(again, err)
		}
		if err := z.sim.Approve(zoomsim.Approval{UserCode: b.UserCode}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if r, _, err := s.Poll(t.Context(), b.State); err != nil || r.State != connections.Connected {
			t.Fatal(r, err)
		}
		token(t, s, "lina")
		_, _, err = s.Poll(t.Context(), b.State)
		says(t, err, "used already")

		b, err = s.BeginDevice(t.Context(), z.wants(t, "lina", zoomapi.KindUser))
		if err != nil {
			t.Fatal(err)
		}
		denied := zoomsim.Approval{UserCode: b.UserCode}
		denied.Deny = true
		if err := z.sim.Approve(denied); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		_, _, err = s.Poll(t.Context(), b.State)
		says(t, err, "denied at Zoom")
		b, err = s.BeginDevice(t.Context(), z.wants(t, "lina", zoomapi.KindUser))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		_, _, err = s.Poll(t.Context(), b.State)
		says(t, err, "begin again")
		token(t, s, "lina")
	})
}

// Whatever goes wrong with a new authorization has its message, and the connection
// stays as it was.
func TestWhatGoesWrongLeavesTheOldGrant(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, z *virtual) {
		s := z.store(t)
		w := z.wants(t, "lina", zoomapi.KindUser)
		z.connected(t, s, w)
		stays := func(t *testing.T) {
			t.Helper()
			if r, err := s.Show(t.Context(), "lina"); err != nil || r.State != connections.Connected || r.Error != "" {
				t.Errorf("%+v, %v", r, err)
			}
			if _, err := s.Token(t.Context(), "lina", ""); err != nil {
				t.Error(err)
			}
		}
		begin := func() connections.Begun {
			b, err := s.Begin(t.Context(), w, backTo)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		for _, c := range []struct {
			name string
			do   func() error
			says string
		}{
			{"wrong state", func() error {
				a := z.consent(t, begin().URL)
				a.State += "x"
				_, err := s.Finish(t.Context(), a)
				return err
			}, "no authorization that was begun here"},
			{"denied", func() error {
				z.must(t, z.sim.SetConsent(zoomsim.Consent{App: w.ClientID, Deny: true}))
				defer func() { z.must(t, z.sim.SetConsent(zoomsim.Consent{App: w.ClientID})) }()
				_, err := z.connect(t, s, w)
				return err
			}, "denied at Zoom"},
			{"no code", func() error {
				_, err := s.Finish(t.Context(), connections.Answer{State: begin().State})
				return err
			}, "has no code"},
			{"another's code", func() error {
				_, err := s.Finish(t.Context(), connections.Answer{State: begin().State, Code: "made-up-code"})
				return err
			}, "used already, or is another app's"},
			{"server error", func() error {
				_, err := s.Finish(t.Context(), connections.Answer{State: begin().State, Error: "server_error", Description: "<b>x</b>"})
				return err
			}, "server_error"},
			{"begun long ago", func() error {
				b := begin()
				time.Sleep(11 * time.Minute)
				_, err := s.Finish(t.Context(), connections.Answer{State: b.State, Code: "x"})
				return err
			}, "more than 10m0s ago"},
			{"secret wrong", func() error {
				bad := w
				bad.Secret = "not-the-secret"
				_, err := z.connect(t, s, bad)
				return err
			}, "check the client id and secret"},
			{"another kind", func() error {
				_, err := z.connect(t, s, z.wants(t, "lina", zoomapi.KindAdmin))
				return err
			}, "is there already, of kind zoom"},
			{"a server's", func() error {
				_, err := s.Begin(t.Context(), z.wants(t, "lina", zoomapi.KindServer), backTo)
				return err
			}, "nobody's consent"},
			{"in the configuration", func() error {
				_, err := s.Begin(t.Context(), z.wants(t, "school", zoomapi.KindUser), backTo)
				return err
			}, "stands in the configuration"},
			{"bad name", func() error {
				_, err := s.Begin(t.Context(), z.wants(t, "Lina.x", zoomapi.KindUser), backTo)
				return err
			}, "lower-case letters"},
		} {
			t.Log(c.name)
			says(t, c.do(), c.says)
			z.connected(t, s, w) // the simulator ends the grant before with a new consent
			stays(t)
		}
	})
}

func (z *virtual) must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A code is good once, and a call-back too.
func TestCallbackOnce(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, z *virtual) {
		s, other := z.store(t), z.store(t)
		b, err := s.Begin(t.Context(), z.wants(t, "lina", zoomapi.KindUser), backTo)
		if err != nil {
			t.Fatal(err)
		}
		answer := z.consent(t, b.URL)
		if _, err := other.Finish(t.Context(), answer); err != nil {
			t.Fatal(err)
		}
		_, err = s.Finish(t.Context(), answer)
		says(t, err, "used already")
		b, err = s.Begin(t.Context(), z.wants(t, "lina", zoomapi.KindUser), backTo)
		if err != nil {
			t.Fatal(err)
		}
		answer = z.consent(t, b.URL)
		time.Sleep(6 * time.Minute)
		_, err = s.Finish(t.Context(), answer)
		says(t, err, "5 minutes")
	})
}

// The same person's new consent ends the grant before, at Zoom: one with fewer scopes is
// better than none, and that is said.
func TestFewerScopesOfTheSamePerson(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, z *virtual) {
		s := z.store(t)
		w := z.wants(t, "lina", zoomapi.KindUser)
		before := z.connected(t, s, w)
		time.Sleep(time.Minute)
		z.must(t, z.sim.SetConsent(zoomsim.Consent{App: w.ClientID, Scopes: before.Scopes[:2]}))
		_, err := z.connect(t, s, w)
		says(t, err, "fewer scopes", before.Scopes[2], "Zoom ended the grant it had", "connect it again")
		if r, err := s.Show(t.Context(), "lina"); err != nil || r.State != connections.Connected || len(r.Scopes) != 2 {
			t.Errorf("%+v, %v", r, err)
		}
		time.Sleep(2 * time.Hour)
		if _, err := s.Test(t.Context(), "lina"); err != nil {
			t.Error(err)
		}
		_, err = z.connect(t, z.store(t), z.wants(t, "other", zoomapi.KindUser)) // ends that of lina
		z.must(t, err)
		time.Sleep(2 * time.Hour)
		_, err = s.Test(t.Context(), "lina")
		says(t, err, "Zoom takes its grant no more")
	})
}

func TestAnotherAccountOrFewerScopes(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, z *virtual) {
		s := z.store(t)
		w := z.wants(t, "office", zoomapi.KindAdmin)
		before := z.connected(t, s, w)
		first := token(t, s, "office")
		z.must(t, z.sim.SetConsent(zoomsim.Consent{App: w.ClientID, Account: "another"}))
		_, err := z.connect(t, s, w)
		says(t, err, before.Account, "another")
		if same := token(t, s, "office"); same.Access != first.Access {
			t.Error("the grant was replaced")
		}
		z.must(t, z.sim.SetConsent(zoomsim.Consent{App: w.ClientID, User: "somebody-else", Scopes: before.Scopes[:2]}))
		_, err = z.connect(t, s, w)
		says(t, err, "fewer scopes", before.Scopes[2], "--force", "could not be tried") // Zoom gave its token just now
		time.Sleep(3 * time.Second)
		_, err = z.connect(t, s, w)
		says(t, err, "fewer scopes", before.Scopes[2], "it stays as it was")
		if r, err := s.Show(t.Context(), "office"); err != nil || len(r.Scopes) != len(before.Scopes) || r.User != before.User {
			t.Errorf("the grant was replaced: %+v, %v", r, err)
		}
		token(t, s, "office")
		w.Force = true
		if r := z.connected(t, s, w); len(r.Scopes) != 2 {
			t.Errorf("%v", r.Scopes)
		}
		z.must(t, z.sim.SetConsent(zoomsim.Consent{App: w.ClientID, Scopes: []string{"user:read:user"}}))
		_, err = z.connect(t, s, z.wants(t, "second", zoomapi.KindAdmin))
		says(t, err, "no account-level scope")
		w = z.wants(t, "third", zoomapi.KindUser)
		w.Account = "where-i-work"
		_, err = z.connect(t, s, w)
		says(t, err, "not from where-i-work")
	})
}

// Whoever ends it, runs that need it are told at once, in every process, and
// connecting again is enough.
func TestEndedFromEitherSide(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, z *virtual) {
		s, other := z.store(t), z.store(t)
		w := z.wants(t, "lina", zoomapi.KindUser)
		r := z.connected(t, s, w)
		stopped := func(words ...string) {
			t.Helper()
			time.Sleep(time.Second)
			for _, store := range []*connections.Store{s, other} {
				_, err := store.Token(t.Context(), "lina", "")
				if got := outcome(t, err); got.Outcome != zoomapi.Refused {
					t.Errorf("%v", got)
				}
				says(t, err, append(words, "connection lina", "zflow connect zoom lina", "zflow runs retry")...)
			}
		}
		token(t, other, "lina")
		if _, told, err := s.Revoke(t.Context(), "lina", "with zflow"); err != nil || told != nil {
			t.Fatal(told, err)
		}
		stopped("was revoked", "with zflow")
		if n := len(z.sim.Installed()); n != 0 {
			t.Errorf("Zoom was not told: %d consents stand", n)
		}
		z.connected(t, other, w)
		old := token(t, s, "lina")

		time.Sleep(time.Minute)
		z.sim.Remove(zoomsim.Removal{App: w.ClientID})
		if _, err := s.Renew(t.Context(), old); err == nil {
			t.Error("renewed")
		}
		stopped("needs to be connected again", "Invalid Token!")
		z.connected(t, s, w)
		time.Sleep(time.Second)
		token(t, other, "lina")

		names, err := other.Deauthorized(t.Context(), r.Account, r.User, w.ClientID, time.Now())
		if err != nil || len(names) != 1 {
			t.Fatal(names, err)
		}
		stopped("removed from the account at Zoom")
		if _, err := s.Delete(t.Context(), "lina"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		_, err = other.Token(t.Context(), "lina", "")
		says(t, err, `no connection "lina"`)
	})
}

// An answer of Zoom's that is lost may have used the refresh token up: then it
// takes a person, and the error says what happened.
func TestLostRefresh(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, z *virtual) {
		s := z.store(t)
		z.connected(t, s, z.wants(t, "lina", zoomapi.KindUser))
		token(t, s, "lina")
		time.Sleep(time.Hour)
		cut := &cutting{RoundTripper: z.pipe.Transport(), after: true}
		unlucky := z.storeOver(t, cut)
		if _, err := unlucky.Token(t.Context(), "lina", ""); outcome(t, err).Outcome != zoomapi.Again {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		_, err := s.Token(t.Context(), "lina", "")
		says(t, err, "4740", "cut short", "connect it again")
		if r, err := s.Show(t.Context(), "lina"); err != nil || r.State != connections.NeedsReconnect {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// cutting loses what is asked, or what is answered.
type cutting struct {
	http.RoundTripper
	after bool
}

func (c *cutting) RoundTrip(r *http.Request) (*http.Response, error) {
	if !c.after {
		return nil, errors.New("the network is gone")
	}
	res, err := c.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body.Close()
		err = errors.New("the network is gone")
	}
	return nil, err
}

func (z *virtual) storeOver(t *testing.T, transport http.RoundTripper) *connections.Store {
	return open(t, z.js, connections.Options{
		Apps:   []connections.App{{Name: "school", AccountID: z.app.AccountID, ClientID: z.app.ClientID, ClientSecret: z.app.ClientSecret}},
		Server: "http://sim", Transport: transport, Gate: natstest.Gate(t, z.js.Conn()),
	})
}

// mine answers whose a token is as the API does.
type mine struct {
	http.RoundTripper
	sim *zoomsim.Sim
}

func (m mine) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/v2/users/me" {
		return m.RoundTripper.RoundTrip(r)
	}
	all := m.sim.Installed()
	last := all[len(all)-1]
	w := httptest.NewRecorder()
	fmt.Fprintf(w, `{"id":%q,"account_id":%q}`, last.User, last.Account)
	return w.Result(), nil
}
