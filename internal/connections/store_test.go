package connections_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/connections"
	"zflow/internal/natstest"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomsim"
	"zflow/proto"
)

const secret = "cl1ent-s3cret-value"

var school = connections.App{Name: "school", AccountID: "acc", ClientID: "client", ClientSecret: secret}

func keyring(t testing.TB) *connections.Keyring {
	t.Helper()
	k, err := connections.NewKeyring(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// bucket starts a NATS server with the bucket in it.
func bucket(t testing.TB, opts ...natstest.Option) jetstream.JetStream {
	t.Helper()
	js := natstest.Start(t, opts...).JetStream(t)
	if err := connections.Create(t.Context(), js, 1); err != nil {
		t.Fatal(err)
	}
	return js
}

func open(t testing.TB, js jetstream.JetStream, o connections.Options) *connections.Store {
	t.Helper()
	if o.Keys == nil {
		o.Keys = keyring(t)
	}
	if o.Gate == nil {
		o.Gate = natstest.Gate(t, js.Conn())
	}
	s, err := connections.Open(t.Context(), js, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// endpoint is a token endpoint that says what it is told to.
type endpoint struct {
	*httptest.Server
	asked  atomic.Int64
	status int
	body   string
	header http.Header
	gate   chan struct{} // where not nil, an answer waits for it
	begun  chan struct{}
	form   url.Values
	auth   [2]string
}

func newEndpoint(t testing.TB) *endpoint {
	e := &endpoint{status: 200, begun: make(chan struct{}, 100)}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := e.asked.Add(1)
	r.ParseForm()
	e.form = r.Form
	e.auth[0], e.auth[1], _ = r.BasicAuth()
	e.begun <- struct{}{}
	if e.gate != nil {
		<-e.gate
	}
	for name, values := range e.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	if e.body != "" {
		fmt.Fprint(w, e.body)
		return
	}
	fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"bearer","expires_in":3600,"scope":"a:b c:d","api_url":"https://api-eu.zoom.us"}`, n)
}

func options(e *endpoint) connections.Options {
	return connections.Options{Apps: []connections.App{school}, Server: e.URL}
}

func token(t testing.TB, s *connections.Store, name string) zoomapi.Token {
	t.Helper()
	tok, err := s.Token(t.Context(), name, "")
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func outcome(t testing.TB, err error) *zoomapi.Error {
	t.Helper()
	var e *zoomapi.Error
	if !errors.As(err, &e) {
		t.Fatalf("not a *zoomapi.Error: %v", err)
	}
	if strings.Contains(e.Error(), secret) || strings.Contains(e.Error(), "token-1") {
		t.Errorf("the error shows a credential: %v", e)
	}
	return e
}

func TestToken(t *testing.T) {
	e := newEndpoint(t)
	js := bucket(t)
	tok := token(t, open(t, js, options(e)), "school")
	if tok.Access != "token-1" || tok.Kind != zoomapi.KindServer || tok.Account != "acc" || tok.Connection != "school" ||
		tok.API != "https://api-eu.zoom.us" || strings.Join(tok.Scopes, ",") != "a:b,c:d" || time.Until(tok.Expires) < 59*time.Minute {
		t.Errorf("%#v of %s", tok, tok.Account)
	}
	if e.auth != [2]string{"client", secret} || e.form.Get("grant_type") != "account_credentials" || e.form.Get("account_id") != "acc" {
		t.Errorf("asked with %v, %v", e.auth, e.form)
	}
	if e.form.Has("client_secret") {
		t.Error("the secret was sent in the form too")
	}
	again := token(t, open(t, js, options(e)), "")
	if again.Access != "token-1" || e.asked.Load() != 1 {
		t.Errorf("another process got %q after %d fetches", again.Access, e.asked.Load())
	}
}

func TestNothingReadableIsStored(t *testing.T) {
	e := newEndpoint(t)
	js := bucket(t)
	tok := token(t, open(t, js, options(e)), "school")
	kv, err := js.KeyValue(t.Context(), proto.Connections)
	if err != nil {
		t.Fatal(err)
	}
	entry, err := kv.Get(t.Context(), "token."+connections.AppOwner("acc", "client", e.URL))
	if err != nil || bytes.Contains(entry.Value(), []byte("token-1")) || bytes.Contains(entry.Value(), []byte(secret)) {
		t.Errorf("stored %q, %v", entry.Value(), err)
	}
	for _, text := range []string{fmt.Sprint(tok), fmt.Sprintf("%+v %#v", tok, tok), fmt.Sprintf("%+v %#v", school, school)} {
		if strings.Contains(text, "token-1") || strings.Contains(text, secret) {
			t.Errorf("printed as %s", text)
		}
	}
}

func TestBucketHasNoDirectGet(t *testing.T) {
	s, err := bucket(t).Stream(t.Context(), proto.Bucket(proto.Connections))
	if err != nil || s.CachedInfo().Config.AllowDirect {
		t.Errorf("direct get is allowed, %v", err)
	}
}

func TestWhichConnection(t *testing.T) {
	e := newEndpoint(t)
	app := func(name, account string) connections.App {
		return connections.App{Name: name, AccountID: account, ClientID: name, ClientSecret: "s"}
	}
	for _, c := range []struct {
		apps          []connections.App
		name, account string
		want, problem string
	}{
		{[]connections.App{app("a", "1"), app("b", "2")}, "b", "1", "b", ""},
		{[]connections.App{app("a", "1"), app("b", "2")}, "", "2", "b", ""},
		{[]connections.App{app("a", "1")}, "", "9", "a", ""},
		{[]connections.App{app("a", "1")}, "", "", "a", ""},
		{[]connections.App{app("a", "1"), app("b", "2")}, "", "9", "", `no connection is of the event's account "9": name one at the step (there are: a, b)`},
		{[]connections.App{app("b", "1"), app("a", "1")}, "", "1", "", "several connections"},
		{[]connections.App{app("a", "1")}, "c", "1", "", `no connection "c" (there are: a)`},
		{nil, "", "1", "", "none is there"},
	} {
		s := open(t, bucket(t), connections.Options{Apps: c.apps, Server: e.URL})
		tok, err := s.Token(t.Context(), c.name, c.account)
		if c.problem == "" {
			if err != nil || tok.Connection != c.want {
				t.Errorf("%q, %q: %s, %v", c.name, c.account, tok.Connection, err)
			}
			continue
		}
		if e := outcome(t, err); e.Outcome != zoomapi.Refused || !strings.Contains(e.Message, c.problem) {
			t.Errorf("%q, %q: %v", c.name, c.account, err)
		}
	}
}

func TestBadApps(t *testing.T) {
	js := bucket(t)
	for name, apps := range map[string][]connections.App{
		"no name":    {{AccountID: "a", ClientID: "b", ClientSecret: "c"}},
		"no account": {{Name: "x", ClientID: "b", ClientSecret: "c"}},
		"no client":  {{Name: "x", AccountID: "a", ClientSecret: "c"}},
		"no secret":  {{Name: "x", AccountID: "a", ClientID: "b"}},
		"twice":      {school, school},
	} {
		if _, err := connections.Open(t.Context(), js, connections.Options{Apps: apps, Keys: keyring(t)}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := connections.Open(t.Context(), js, connections.Options{}); err == nil {
		t.Error("no keys: accepted")
	}
}

func TestWhatZoomSaysOfTheCredentials(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   zoomapi.Outcome
		says   string
	}{
		"bad client":   {400, `{"reason":"Invalid client_id or client_secret","error":"invalid_client"}`, zoomapi.Refused, "connect again"},
		"code":         {401, `{"code":4702,"message":"Invalid client."}`, zoomapi.Refused, "code 4702"},
		"app off":      {400, `{"reason":"The app has been disabled","error":"invalid_client"}`, zoomapi.Refused, "has been disabled"},
		"echoes":       {400, `{"reason":"no client with secret ` + secret + `","error":"invalid_client"}`, zoomapi.Refused, "••••"},
		"not JSON":     {403, `<html>`, zoomapi.Refused, "403 forbidden"},
		"redirect":     {302, `{}`, zoomapi.Refused, "302"},
		"server error": {500, `{"reason":"try later","error":"server_error"}`, zoomapi.Again, "try later"},
		"gateway":      {504, ``, zoomapi.Again, ""},
		"limit":        {429, `{"reason":"too many","error":"x"}`, zoomapi.Again, "too many"},
		"no token":     {200, `{"token_type":"bearer"}`, zoomapi.Again, "access_token"},
		"not a token":  {200, `<html>`, zoomapi.Again, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t)
			e.status, e.body, e.header = c.status, c.body, http.Header{"Retry-After": {"90"}, "Location": {"https://example.org"}}
			s := open(t, bucket(t), options(e))
			_, err := s.Token(t.Context(), "school", "")
			got := outcome(t, err)
			if got.Outcome != c.want || !strings.Contains(got.Error(), c.says) {
				t.Errorf("%s: %v", got.Outcome, got)
			}
			if c.status == 429 && time.Until(got.RetryAt) < 80*time.Second {
				t.Errorf("not before %v", got.RetryAt)
			}
			_, _ = s.Token(t.Context(), "school", "")
			if e.asked.Load() != 1 {
				t.Errorf("asked %d times in a row", e.asked.Load())
			}
		})
	}
}

func TestNobodyAnswers(t *testing.T) {
	e := newEndpoint(t)
	e.Close()
	_, err := open(t, bucket(t), options(e)).Token(t.Context(), "school", "")
	if got := outcome(t, err); got.Outcome != zoomapi.Again {
		t.Errorf("%v", got)
	}
}

// Whoever waits for a token leaves when its context ends; what was asked for is
// stored all the same, for Zoom has voided the last one.
func TestCallerLeavesFetchStays(t *testing.T) {
	e := newEndpoint(t)
	e.gate = make(chan struct{})
	js := bucket(t)
	s := open(t, js, options(e))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-e.begun
		cancel()
	}()
	_, err := s.Token(ctx, "school", "")
	if got := outcome(t, err); got.Outcome != zoomapi.Again {
		t.Errorf("%v", got)
	}
	late, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	if _, err := s.Token(late, "school", ""); outcome(t, err).Outcome != zoomapi.Again {
		t.Error(err)
	}
	close(e.gate)
	s.Close()
	if tok := token(t, open(t, js, options(e)), "school"); tok.Access != "token-1" || e.asked.Load() != 1 {
		t.Errorf("%d fetches", e.asked.Load())
	}
}

// A refused token is first looked up: another process may have a newer one.
func TestRenewLooksBeforeItFetches(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, z *virtual) {
		a, b := z.store(t), z.store(t)
		first := token(t, a, "school")
		token(t, b, "school")
		time.Sleep(time.Minute)
		second, err := b.Renew(t.Context(), first)
		if err != nil || second.Access == first.Access {
			t.Fatalf("renewed to the same, %v", err)
		}
		third, err := a.Renew(t.Context(), first)
		if err != nil || third.Access != second.Access || len(z.fetches()) != 2 {
			t.Errorf("%v after %d fetches", err, len(z.fetches()))
		}
		again, err := a.Renew(t.Context(), first)
		if err != nil || again.Access != second.Access || len(z.fetches()) != 2 {
			t.Errorf("%v after %d fetches", err, len(z.fetches()))
		}
	})
}

// A token that is refused as soon as it was given is not replaced again and again.
func TestRenewDoesNotSpin(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, z *virtual) {
		s := z.store(t)
		tok := token(t, s, "school")
		for range 100 {
			_, err := s.Renew(t.Context(), tok)
			if got := outcome(t, err); got.Outcome != zoomapi.Again {
				t.Fatalf("%v", got)
			}
		}
		if n := len(z.fetches()); n != 1 {
			t.Errorf("%d fetches", n)
		}
		time.Sleep(3 * time.Second)
		if fresh, err := s.Renew(t.Context(), tok); err != nil || fresh.Access == tok.Access {
			t.Errorf("%v", err)
		}
	})
}

// A process that died with the lease holds the others up only until it expires.
func TestLeaseOfTheDead(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, z *virtual) {
		kv, err := z.js.KeyValue(t.Context(), proto.Connections)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.Create(t.Context(), "lease."+connections.AppOwner(z.app.AccountID, z.app.ClientID, "http://sim"), nil, jetstream.KeyTTL(20*time.Second)); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		token(t, z.store(t), "school")
		if took := time.Since(begun); took < 15*time.Second || took > 25*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// Final errors are asked about again after a while: somebody may have mended them.
func TestMendedApp(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, z *virtual) {
		s := z.store(t)
		z.sim.Disable(z.app.ClientID, true)
		if _, err := s.Token(t.Context(), "school", ""); outcome(t, err).Outcome != zoomapi.Refused {
			t.Error(err)
		}
		z.sim.Disable(z.app.ClientID, false)
		time.Sleep(20 * time.Second)
		token(t, s, "school")
	})
}

// virtual is a simulated Zoom and a NATS server within a synctest bubble.
type virtual struct {
	server *natstest.Server
	js     jetstream.JetStream
	sim    *zoomsim.Sim
	app    zoomsim.App
	pipe   *zoomsim.Pipe
}

func inVirtualTime(t *testing.T, f func(*testing.T, *virtual)) {
	inVirtualTimeOf(t, zoomsim.Options{}, f)
}

func inVirtualTimeOf(t *testing.T, o zoomsim.Options, f func(*testing.T, *virtual)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		z := &virtual{server: natstest.Start(t, natstest.Dir(dir)), sim: zoomsim.New(o), pipe: zoomsim.NewPipe()}
		z.js = z.server.JetStream(t)
		if err := connections.Create(t.Context(), z.js, 1); err != nil {
			t.Fatal(err)
		}
		z.app = z.sim.Apps()[0]
		ctx, cancel := context.WithCancel(context.Background())
		served := make(chan error, 1)
		go func() { served <- z.sim.Serve(ctx, z.pipe) }()
		defer func() {
			cancel()
			<-served
			z.sim.Close(context.Background())
		}()
		f(t, z)
	})
}

func (z *virtual) store(t *testing.T) *connections.Store {
	transport := z.pipe.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	return open(t, z.js, connections.Options{
		Apps:   []connections.App{{Name: "school", AccountID: z.app.AccountID, ClientID: z.app.ClientID, ClientSecret: z.app.ClientSecret}},
		Server: "http://sim", Transport: mine{transport, z.sim},
	})
}

func (z *virtual) fetches() []zoomsim.Entry {
	return z.sim.Ledger(zoomsim.Filter{Kind: zoomsim.KindToken})
}

// Eight processes call for ten hours: no call fails, none is refused for its
// token, and each hour's end is one fetch.
func TestEightProcessesOneToken(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, z *virtual) {
		var all sync.WaitGroup
		for range 8 {
			s, transport := z.store(t), z.pipe.Transport()
			c := zoomapi.New(zoomapi.Options{Base: "http://sim/v2", Token: s.Token, Renew: s.Renew, Transport: transport})
			t.Cleanup(c.Close)
			all.Go(func() {
				for range 10 * 60 {
					if _, err := c.Do(t.Context(), zoomapi.Request{Method: "GET", Path: "/users/me/meetings"}); err != nil {
						t.Errorf("after %v: %v", time.Now(), err)
						return
					}
					time.Sleep(time.Minute)
				}
			})
		}
		all.Wait()
		calls := z.sim.Ledger(zoomsim.Filter{Kind: zoomsim.KindCall})
		refused := 0
		for _, call := range calls {
			if call.Status != 200 {
				refused++
			}
		}
		if len(calls) != 8*600 || refused != 0 {
			t.Errorf("%d calls, %d refused", len(calls), refused)
		}
		fetches := z.fetches()
		if len(fetches) != 11 {
			t.Errorf("%d fetches in ten hours", len(fetches))
		}
		for i := 1; i < len(fetches); i++ {
			if d := fetches[i].Time.Sub(fetches[i-1].Time); d < 55*time.Minute {
				t.Errorf("fetch %d came %v after the one before", i, d)
			}
		}
	})
}

// Tokens made void behind everybody's back: each call is sent twice, none fails.
func TestVoidedToken(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, z *virtual) {
		var all sync.WaitGroup
		stores := make([]*connections.Store, 8)
		for i := range stores {
			stores[i] = z.store(t)
			token(t, stores[i], "school")
		}
		time.Sleep(time.Minute)
		z.sim.VoidTokens()
		for _, s := range stores {
			c := zoomapi.New(zoomapi.Options{Base: "http://sim/v2", Token: s.Token, Renew: s.Renew, Transport: z.pipe.Transport()})
			t.Cleanup(c.Close)
			all.Go(func() {
				if _, err := c.Do(t.Context(), zoomapi.Request{Method: "GET", Path: "/users/me/meetings"}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := len(z.fetches()); n != 2 {
			t.Errorf("%d fetches", n)
		}
	})
}

func BenchmarkToken(b *testing.B) {
	e := newEndpoint(b)
	s := open(b, bucket(b), options(e))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Token(b.Context(), "", "acc"); err != nil {
			b.Fatal(err)
		}
	}
}
