package connections_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/connections"
	"zflow/internal/connections/service"
	"zflow/internal/natstest"
	"zflow/internal/zoomapi"
)

// provider is another service than Zoom: a refresh token of it is good once, and who
// shows a used one loses the grant.
type provider struct {
	mu       sync.Mutex
	n        int
	access   string // the newest
	refresh  string
	asked    []string // what the token endpoint was asked with
	revoked  []string
	life     string // expires_in; empty: unsaid
	lasting  bool   // no refresh tokens
	refuse   string // what the token endpoint answers instead
	testFail bool
}

// RoundTrip answers as the service does.
func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(50 * time.Millisecond) // others come meanwhile
	p.mu.Lock()
	defer p.mu.Unlock()
	w := httptest.NewRecorder()
	_ = r.ParseForm()
	switch {
	case r.URL.Path == "/revoke":
		p.revoked = append(p.revoked, r.Form.Get("token"))
	case p.refuse != "":
		w.WriteHeader(400)
		fmt.Fprint(w, p.refuse)
	case r.Form.Get("grant_type") == "refresh_token" && r.Form.Get("refresh_token") != p.refresh:
		p.asked = append(p.asked, "used "+r.Form.Get("refresh_token"))
		w.WriteHeader(400)
		fmt.Fprintf(w, `{"error":"invalid_grant","error_description":"%s was used"}`, r.Form.Get("refresh_token"))
	default:
		p.give(w, r.Form)
	}
	return w.Result(), nil
}

func (p *provider) give(w http.ResponseWriter, form url.Values) {
	p.n++
	p.asked = append(p.asked, form.Get("grant_type"))
	p.access, p.refresh = fmt.Sprintf("acc3ss-%d-of-crm", p.n), fmt.Sprintf("r3fresh-%d-of-crm", p.n)
	said := map[string]any{"access_token": p.access, "token_type": "Bearer", "scope": "read write"}
	if p.life != "" {
		said["expires_in"] = json.RawMessage(p.life)
	}
	if !p.lasting && form.Get("grant_type") != service.Client {
		said["refresh_token"] = p.refresh
	}
	_ = json.NewEncoder(w).Encode(said)
}

func (p *provider) try(context.Context, string, connections.Credential) error {
	if p.testFail {
		return fmt.Errorf("the service says no")
	}
	return nil
}

// refreshes is how often a refresh token was traded in.
func (p *provider) refreshes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked) - len(slices.DeleteFunc(slices.Clone(p.asked), func(s string) bool { return s == "refresh_token" }))
}

// other is a bucket, and a service.
type other struct {
	*provider
	t  *testing.T
	js jetstream.JetStream
}

func inService(t *testing.T, f func(*testing.T, *other)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		f(t, &other{&provider{life: "3600"}, t, bucket(t, natstest.Dir(dir))})
	})
}

func (o *other) store() *connections.Store {
	return open(o.t, o.js, connections.Options{Apps: []connections.App{school}, Server: "http://127.0.0.1:1",
		Services: connections.Services{Transport: o.provider, Try: o.try}})
}

// wanted is a connection by consent.
func (o *other) wanted(grant string) connections.Wanted {
	s := service.Service{Auth: service.OAuth2, Hosts: []string{"api.crm.example"}, TestURL: "https://api.crm.example/me", OAuth: &service.OAuth{
		Grant: grant, AuthorizeURL: "https://crm.example/authorize", TokenURL: "https://crm.example/token", RevokeURL: "https://crm.example/revoke", Scopes: []string{"read"}}}
	return connections.Wanted{Name: "crm", Kind: connections.KindHTTP, ClientID: "client", Secret: secret, Service: &s}
}

func (o *other) connect(s *connections.Store) error {
	b, err := s.Begin(o.t.Context(), o.wanted(service.Code), backTo)
	if err != nil {
		return err
	}
	_, err = s.Finish(o.t.Context(), connections.Answer{State: b.State, Code: "c0de-of-the-consent"})
	return err
}

func (o *other) connected(s *connections.Store) {
	o.t.Helper()
	if err := o.connect(s); err != nil {
		o.t.Fatal(err)
	}
}

func (o *other) credential(s *connections.Store) connections.Credential {
	o.t.Helper()
	c, err := s.Credential(o.t.Context(), "crm")
	if err != nil {
		o.t.Fatal(err)
	}
	return c
}

// record is what stands in the bucket.
func (o *other) record() connections.Record {
	o.t.Helper()
	kv, err := o.js.KeyValue(o.t.Context(), "CONNECTIONS")
	if err != nil {
		o.t.Fatal(err)
	}
	e, err := kv.Get(o.t.Context(), "connection.crm")
	if err != nil {
		o.t.Fatal(err)
	}
	for _, s := range []string{secret, "acc3ss", "r3fresh", "k3y-of"} {
		if strings.Contains(string(e.Value()), s) {
			o.t.Errorf("%s is readable in the record", s)
		}
	}
	var r connections.Record
	if err := json.Unmarshal(e.Value(), &r); err != nil {
		o.t.Fatal(err)
	}
	return r
}

// Each way to sign in: stored sealed, and what requests of another process are signed
// with.
func TestWaysToSignIn(t *testing.T) {
	inService(t, func(t *testing.T, o *other) {
		a, b := o.store(), o.store()
		for _, c := range []struct {
			of   service.Service
			want string
		}{
			{service.Service{Auth: service.Bearer}, `{"Authorization":"Bearer k3y-of-the-crm"} null`},
			{service.Service{Auth: service.Basic, User: "ann"}, `{"Authorization":"Basic YW5uOmszeS1vZi10aGUtY3Jt"} null`},
			{service.Service{Auth: service.Header, Field: "X-Api-Key", Prefix: "key "}, `{"X-Api-Key":"key k3y-of-the-crm"} null`},
			{service.Service{Auth: service.Query, Field: "key"}, `null {"key":"k3y-of-the-crm"}`},
			{service.Service{Auth: service.Token}, `null null`},
		} {
			c.of.Hosts = []string{"api.crm.example"}
			w := connections.Wanted{Name: "crm", Kind: connections.KindHTTP, Secret: "k3y-of-the-crm", Service: &c.of}
			if r, err := a.Connect(t.Context(), w); err != nil || r.State != connections.Connected || len(r.Grant) > 0 {
				t.Fatalf("%s: %+v, %v", c.of.Auth, r, err)
			}
			time.Sleep(time.Second) // the other follows
			got := o.credential(b)
			headers, _ := json.Marshal(got.Headers)
			query, _ := json.Marshal(got.Query)
			if text := string(headers) + " " + string(query); text != c.want || got.Token != "k3y-of-the-crm" || got.Renew != nil || got.Hosts[0] != "api.crm.example" {
				t.Errorf("%s: %s\nwant %s", c.of.Auth, text, c.want)
			}
			if text := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(text, "k3y") {
				t.Errorf("it shows its secret: %s", text)
			}
			o.record()
		}
	})
}

// All processes share a grant: each expiry is one refresh, and the next refresh token
// is stored before anybody has the access token that came with it.
func TestOneRefreshForAll(t *testing.T) {
	inService(t, func(t *testing.T, o *other) {
		stores := []*connections.Store{o.store(), o.store(), o.store()}
		o.connected(stores[0])
		time.Sleep(time.Second)
		for round := 1; round <= 3; round++ {
			time.Sleep(time.Hour)
			begun := time.Now()
			var all sync.WaitGroup
			for i := range 12 {
				all.Go(func() {
					c := o.credential(stores[i%3])
					if want := fmt.Sprintf("acc3ss-%d-of-crm", round+1); c.Token != want {
						t.Errorf("round %d: %s, not %s", round, c.Token, want)
					}
					if r := o.record(); r.Refreshed.Before(begun.Add(-time.Second)) || !r.Refreshing.IsZero() {
						t.Errorf("round %d: the token is out, and what came with it is not stored: %v", round, r.Refreshed)
					}
				})
			}
			all.Wait()
			if o.refreshes() != round {
				t.Errorf("round %d: %v", round, o.asked)
			}
		}
	})
}

// A token that the service refuses is renewed once for all who had it.
func TestRefusedTokenIsRenewed(t *testing.T) {
	inService(t, func(t *testing.T, o *other) {
		a, b := o.store(), o.store()
		o.connected(a)
		time.Sleep(time.Minute)
		first, second := o.credential(a), o.credential(b)
		one, err := first.Renew(t.Context())
		if err != nil || one.Token != "acc3ss-2-of-crm" {
			t.Fatal(one.Token, err)
		}
		if two, err := second.Renew(t.Context()); err != nil || two.Token != one.Token || o.refreshes() != 1 {
			t.Error(two.Token, err, o.asked)
		}
		_, err = one.Renew(t.Context())
		says(t, err, "api.crm.example refuses a token that it gave")
	})
}

// What the service takes back for good ends the connection at once, for all; connected
// again, it goes on.
func TestRefusedGrant(t *testing.T) {
	inService(t, func(t *testing.T, o *other) {
		a, b := o.store(), o.store()
		o.connected(a)
		time.Sleep(2 * time.Hour)
		o.refresh = "r3fresh-of-somebody-else"
		_, err := a.Credential(t.Context(), "crm")
		says(t, err, "connection crm: api.crm.example takes its grant no more", "zflow connect http crm", "zflow runs retry")
		if strings.Contains(err.Error(), "r3fresh") || zoomapi.AsError(err).Outcome != zoomapi.Refused {
			t.Error(err)
		}
		time.Sleep(time.Second)
		_, err = b.Credential(t.Context(), "crm")
		says(t, err, "it needs to be connected again", "zflow connect http crm")
		if n := len(o.asked); n != 2 {
			t.Errorf("asked %d times: %v", n, o.asked)
		}
		o.connected(b)
		time.Sleep(time.Second)
		if c := o.credential(a); c.Token != o.access {
			t.Error(c.Token)
		}
	})
}

// Connecting again in vain leaves what there was.
func TestConnectingAgainInVain(t *testing.T) {
	inService(t, func(t *testing.T, o *other) {
		s := o.store()
		o.connected(s)
		before := o.record()
		o.refuse = `{"error":"invalid_grant","error_description":"the code c0de-of-the-consent is void"}`
		err := o.connect(s)
		says(t, err, "the code was used already", "nothing was changed")
		if strings.Contains(err.Error(), "c0de") {
			t.Error(err)
		}
		o.refuse, o.testFail = "", true
		says(t, o.connect(s), "the service says no", "nothing was changed")
		o.testFail, o.lasting = false, true
		says(t, o.connect(s), "no refresh_token", "nothing was changed")
		static := o.wanted(service.Code)
		static.Service = &service.Service{Auth: service.Bearer, Hosts: []string{"*"}}
		_, err = s.Connect(t.Context(), static)
		says(t, err, `"*" is no host`)
		if c := o.credential(s); c.Token != "acc3ss-1-of-crm" || string(o.record().Grant) != string(before.Grant) {
			t.Errorf("it was changed: %s", c.Token)
		}
	})
}

// A token that has no end is used until somebody connects again; one that has one and
// cannot be renewed is told to end.
func TestTokensThatAreNotRenewed(t *testing.T) {
	inService(t, func(t *testing.T, o *other) {
		s := o.store()
		o.lasting, o.life = true, ""
		o.connected(s)
		time.Sleep(2 * time.Hour)
		if c := o.credential(s); c.Token != "acc3ss-1-of-crm" || c.Renew != nil {
			t.Error(c.Token, c.Renew != nil)
		}
		o.life = "2592000" // 30 days
		o.connected(s)
		for days, want := range map[int]string{1: connections.Connected, 20: connections.Expiring} {
			if r := o.record().Public(time.Now().Add(time.Duration(days) * 24 * time.Hour)); r.State != want {
				t.Errorf("after %d days: %s", days, r.State)
			}
		}
	})
}

// An app's own token: one for all processes, fetched anew when it ends, gone with the
// connection.
func TestClientCredentials(t *testing.T) {
	inService(t, func(t *testing.T, o *other) {
		a, b := o.store(), o.store()
		if r, err := a.Connect(t.Context(), o.wanted(service.Client)); err != nil || r.State != connections.Connected {
			t.Fatal(r, err)
		}
		time.Sleep(time.Second)
		if x, y := o.credential(a), o.credential(b); x.Token != y.Token || o.n != 1 {
			t.Error(x.Token, y.Token, o.asked)
		}
		time.Sleep(2 * time.Hour)
		if x, y := o.credential(b), o.credential(a); x.Token != y.Token || x.Token != "acc3ss-2-of-crm" {
			t.Error(x.Token, y.Token, o.asked)
		}
		found, err := a.Test(t.Context(), "crm")
		if err != nil || !strings.Contains(found.Found, "it has a token, and api.crm.example takes it") {
			t.Error(found.Found, err)
		}
		if _, told, err := b.Revoke(t.Context(), "crm", "in a test"); told != nil || err != nil || o.revoked[0] != "acc3ss-2-of-crm" {
			t.Error(told, err, o.revoked)
		}
		kv, _ := o.js.KeyValue(t.Context(), "CONNECTIONS")
		if _, err := kv.Get(t.Context(), "token.connection-crm"); err == nil {
			t.Error("its token is there still")
		}
		_, err = b.Credential(t.Context(), "crm")
		says(t, err, "it was revoked")
	})
}

// The end of a grant is told to the service; a key ends only there.
func TestRevokeService(t *testing.T) {
	inService(t, func(t *testing.T, o *other) {
		s := o.store()
		o.connected(s)
		if _, told, err := s.Revoke(t.Context(), "crm", "in a test"); told != nil || err != nil || strings.Join(o.revoked, ",") != "r3fresh-1-of-crm" {
			t.Error(told, err, o.revoked)
		}
		if r := o.record(); len(r.Grant) > 0 || r.State != connections.Revoked {
			t.Errorf("%+v", r)
		}
		w := connections.Wanted{Name: "crm", Kind: connections.KindHTTP, Secret: "k3y-of-the-crm", Service: &service.Service{Auth: service.Bearer, Hosts: []string{"api.crm.example"}}}
		if _, err := s.Connect(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		found, err := s.Test(t.Context(), "crm")
		if err != nil || !strings.Contains(found.Found, "only a call can tell") {
			t.Error(found.Found, err)
		}
		told, err := s.Delete(t.Context(), "crm")
		if err != nil {
			t.Fatal(err)
		}
		says(t, told, "voided only there")
	})
}

// What is stored is kept only for where it went before: nobody gets it sent elsewhere
// by naming a connection.
func TestStoredSecretGoesNowhereElse(t *testing.T) {
	inService(t, func(t *testing.T, o *other) {
		s := o.store()
		o.connected(s)
		for name, c := range map[string]struct {
			w    connections.Wanted
			kept bool
		}{
			"by name":         {connections.Wanted{}, true},
			"the same client": {connections.Wanted{ClientID: "client"}, true},
			"another client":  {connections.Wanted{ClientID: "other"}, false},
			"another host":    {connections.Wanted{Service: &service.Service{Hosts: []string{"evil.example"}}}, false},
			"one host more":   {connections.Wanted{Service: &service.Service{Hosts: []string{"api.crm.example", "evil.example"}}}, false},
			"another server":  {connections.Wanted{Service: &service.Service{OAuth: &service.OAuth{TokenURL: "https://evil.example/token"}}}, false},
			"another way":     {connections.Wanted{Service: &service.Service{Auth: service.Bearer}}, false},
			"more scopes":     {connections.Wanted{Service: &service.Service{OAuth: &service.OAuth{Scopes: []string{"all"}}}}, true},
		} {
			c.w.Name, c.w.Kind = "crm", connections.KindHTTP
			full, err := s.CompleteService(t.Context(), c.w)
			if err != nil || (full.Secret == secret) != c.kept || !c.kept && full.Secret != "" {
				t.Errorf("%s: secret %q, %v", name, full.Secret, err)
			}
		}
		for name, c := range map[string]connections.Wanted{
			"zoom": {Name: "school2", Kind: zoomapi.KindUser, ClientID: "c", Secret: secret, OAuth: "http://zoom", API: "http://zoom/v2"},
		} {
			if full := s.Complete(t.Context(), c); full.Secret != secret {
				t.Errorf("%s: %v", name, full)
			}
		}
	})
}

// Steps of Zoom take no connection to another service, and the other way around;
// without a name none of these counts.
func TestKindsAreNotMixed(t *testing.T) {
	inService(t, func(t *testing.T, o *other) {
		s := o.store()
		o.connected(s)
		_, err := s.Token(t.Context(), "crm", "")
		says(t, err, "connection crm is one to api.crm.example (kind http), and this calls Zoom")
		_, err = s.AppToken(t.Context(), "crm")
		says(t, err, "this calls Zoom")
		_, err = s.Credential(t.Context(), "school")
		says(t, err, "connection school is one to Zoom (kind zoom_s2s)", "zflow connect http NAME")
		_, err = s.Credential(t.Context(), "nobody")
		says(t, err, `there is no connection "nobody"`)
		_, err = s.Token(t.Context(), "", "")
		if says(t, err, "127.0.0.1:1"); zoomapi.AsError(err).Outcome != zoomapi.Again { // it is the only one to Zoom
			t.Error(err)
		}
		if _, known := s.Account("crm"); known || !s.Has("crm") {
			t.Error("it counts as an account of Zoom")
		}
		if kind, known := s.Kind("crm"); kind != connections.KindHTTP || !known {
			t.Error(kind)
		}
		_, err = s.BeginDevice(t.Context(), o.wanted(service.Code))
		says(t, err, "--device-url")
		_, err = s.Begin(t.Context(), o.wanted(service.Client), backTo)
		says(t, err, "needs nobody's consent")
		w := o.wanted(service.Code)
		w.Kind = zoomapi.KindUser
		_, err = s.Begin(t.Context(), w, backTo)
		says(t, err, "is there already, of kind http")
	})
}
