package http_test

import (
	"context"
	"fmt"
	nethttp "net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"zflow/actions"
	"zflow/actions/http"
)

func TestAPIKey(t *testing.T) {
	for in, want := range map[string]string{"": "k3y-of-the-shop|", "header": "k3y-of-the-shop|", "query": "|a=1&X-Key=k3y-of-the-shop"} {
		got := ""
		key := map[string]any{"name": "X-Key", "value": "k3y-of-the-shop"}
		if in != "" {
			key["in"] = in
		}
		out, err := do(t, map[string]any{"url": "/p?a=1", "auth": map[string]any{"api_key": key}}, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			got = r.Header.Get("X-Key") + "|" + strings.TrimPrefix(r.URL.RawQuery, "a=1")
			if in == "query" {
				got = "|" + r.URL.RawQuery
			}
			fmt.Fprint(w, r.RequestURI, r.Header)
		})
		if err != nil || got != want || strings.Contains(fmt.Sprint(out), "k3y-of") {
			t.Errorf("%q: %v, sent %q, output %v", in, err, got, out)
		}
	}
}

// tokens is a server that gives out tokens, and one that wants the newest.
type tokens struct {
	given  atomic.Int64
	status int
	got    []string
}

func (s *tokens) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	if r.URL.Path != "/token" {
		s.got = append(s.got, r.Header.Get("Authorization"))
		if r.Header.Get("Authorization") != fmt.Sprintf("Bearer the-token-no-%d", s.given.Load()) {
			w.WriteHeader(401)
		}
		return
	}
	user, password, _ := r.BasicAuth()
	if s.status != 0 || r.PostFormValue("grant_type") != "client_credentials" || user+password+r.PostFormValue("scope") != "me%3A1s3cret-of-the-clienta b" {
		w.WriteHeader(max(s.status, 400))
		fmt.Fprintf(w, "no, not with %s", password)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":"the-token-no-%d","expires_in":3600,"token_type":"bearer"}`, s.given.Add(1))
}

func TestClientCredentials(t *testing.T) {
	s := &tokens{}
	server := httptest.NewServer(s)
	defer server.Close()
	a := newAction(t, "127.0.0.1")
	input := map[string]any{"method": "POST", "url": server.URL + "/api", "auth": map[string]any{"oauth2": map[string]any{
		"token_url": server.URL + "/token", "client_id": "me:1", "client_secret": "s3cret-of-the-client", "scope": "a b",
	}}}
	for range 3 {
		if _, err := call(t, a, input); err != nil {
			t.Fatal(err)
		}
	}
	if s.given.Load() != 1 || len(s.got) != 3 {
		t.Errorf("%d tokens for %d calls", s.given.Load(), len(s.got))
	}
	s.given.Add(1) // the token is not good any more
	if _, err := call(t, a, input); err != nil || len(s.got) != 5 {
		t.Errorf("after a refusal: %v, %v", err, s.got)
	}
	s.given.Store(100)
	s.status = 400
	if _, err := call(t, a, input); err == nil || err.Class != actions.ClassFinal || strings.Contains(err.Message, "s3cret") || !strings.Contains(err.Message, "auth.oauth2") {
		t.Errorf("refused: %v", err)
	}
	s.status = 503
	if _, err := call(t, a, input); err == nil || err.Class != actions.ClassRetryable {
		t.Errorf("busy: %v", err)
	}
}

func connected(t *testing.T, c http.Credential) *http.Client {
	t.Helper()
	client, err := http.New(http.Options{Allow: []string{"127.0.0.1"}, Credential: func(_ context.Context, name string) (http.Credential, error) {
		if name != "shop" {
			return c, actions.Final("there is no connection %s", name)
		}
		return c, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// What a connection holds goes to its hosts, and to no other.
func TestCredentialGoesToItsHostsOnly(t *testing.T) {
	seen := ""
	h := func(w nethttp.ResponseWriter, r *nethttp.Request) {
		seen += r.Header.Get("Authorization") + r.URL.RawQuery
		fmt.Fprint(w, r.Header)
	}
	mine, other := httptest.NewServer(nethttp.HandlerFunc(h)), httptest.NewServer(nethttp.HandlerFunc(h))
	defer mine.Close()
	defer other.Close()
	away := httptest.NewServer(nethttp.RedirectHandler(other.URL, nethttp.StatusTemporaryRedirect))
	defer away.Close()
	c := connected(t, http.Credential{Hosts: []string{hostOf(t, mine.URL), hostOf(t, away.URL)}, Headers: map[string]string{"Authorization": "Bearer s3cret-token"}})
	ask := func(url string) (*http.Answer, error) {
		return c.Ask(t.Context(), http.Ask{Input: map[string]any{"url": url}, Connection: "shop"})
	}
	a, err := ask(mine.URL)
	if err != nil || seen != "Bearer s3cret-token" || strings.Contains(fmt.Sprint(a.Output), "s3cret") {
		t.Errorf("its own host: %v, sent %q, %v", err, seen, a)
	}
	seen = ""
	if _, err := ask(other.URL); err == nil || !strings.Contains(err.Error(), "was not sent") || seen != "" {
		t.Errorf("another host: %v, sent %q", err, seen)
	}
	if _, err := ask(away.URL); err != nil || seen != "" {
		t.Errorf("redirected away: %v, sent %q", err, seen)
	}
}

func TestCredentialIsRenewedOnce(t *testing.T) {
	var got []string
	base := serve(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		got = append(got, r.URL.RawQuery)
		if r.URL.Query().Get("key") != "good-key-1" {
			w.WriteHeader(401)
		}
	})
	host := []string{hostOf(t, base)}
	for renewed, want := range map[string]int{"good-key-1": 200, "bad-key-22": 401} {
		got = nil
		c := connected(t, http.Credential{Hosts: host, Query: map[string]string{"key": "old-key-33"}, Renew: func(context.Context) (http.Credential, error) {
			return http.Credential{Hosts: host, Query: map[string]string{"key": renewed}}, nil
		}})
		a, err := c.Ask(t.Context(), http.Ask{Input: map[string]any{"url": base + "/?a=1"}, Connection: "shop"})
		if err != nil || a.Status != want || fmt.Sprint(got) != "[a=1&key=old-key-33 a=1&key="+renewed+"]" {
			t.Errorf("%v, %v", err, got)
		}
	}
}

func TestBadAuth(t *testing.T) {
	for name, auth := range map[string]any{
		"a text": "x", "none": map[string]any{}, "two": map[string]any{"bearer": "x", "basic": map[string]any{}},
		"unknown": map[string]any{"digest": map[string]any{}}, "no value": map[string]any{"api_key": map[string]any{"name": "x"}},
		"place":  map[string]any{"api_key": map[string]any{"name": "x", "value": "y", "in": "body"}},
		"header": map[string]any{"api_key": map[string]any{"name": "a b", "value": "y"}},
		"oauth":  map[string]any{"oauth2": map[string]any{"token_url": "http://127.0.0.1:1"}},
	} {
		if _, err := call(t, newAction(t, "127.0.0.1"), map[string]any{"url": "http://127.0.0.1:1", "auth": auth}); err == nil || err.Class != actions.ClassFinal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A credential goes over https, and over http only on this machine and where the
// allow-list says so; one that nobody places is not left out in silence.
func TestCredentialStaysConfidential(t *testing.T) {
	sent := 0
	base := serve(t, func(w nethttp.ResponseWriter, r *nethttp.Request) { sent++ })
	c := connected(t, http.Credential{})
	for address, ok := range map[string]bool{
		"https://api.example.org/": true, "http://api.example.org/": false, "http://10.0.0.7/": false, "http://192.0.2.1:8080/": false,
		"http://localhost:9/": true, "http://127.0.0.1:9/": true, "http://[::1]:9/": true,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Trusts("shop", []string{u.Host}, u); (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "not https") {
			t.Errorf("%s: %v", address, err)
		}
	}
	r, err := nethttp.NewRequestWithContext(t.Context(), "POST", "http://api.example.org/token", strings.NewReader("client_secret=x"))
	if err != nil {
		t.Fatal(err)
	}
	if res, err := c.Transport().RoundTrip(r); err == nil || !strings.Contains(err.Error(), "not https") {
		t.Error(res, err)
	}
	c = connected(t, http.Credential{Token: "t0ken-of-the-bot", Hosts: []string{hostOf(t, base)}})
	if _, err := c.Ask(t.Context(), http.Ask{Input: map[string]any{"url": base}, Connection: "shop"}); err == nil || !strings.Contains(err.Error(), "know where to put") || sent != 0 {
		t.Error(err, sent)
	}
}

// A try is a signed GET whose answer counts, as the service itself says.
func TestTry(t *testing.T) {
	for body, want := range map[string]string{`{"ok":true}`: "", `[]`: "", `{"ok":false,"error":"invalid_auth"}`: "invalid_auth", "401": "unauthorized"} {
		base := serve(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			if r.Header.Get("X-Key") != "k3y-of-the-shop" || r.Method != "GET" {
				t.Error(r.Method, r.Header)
			}
			w.Header().Set("Content-Type", "application/json")
			if body == "401" {
				w.WriteHeader(401)
			}
			fmt.Fprint(w, body)
		})
		err := connected(t, http.Credential{}).Try(t.Context(), base, http.Credential{Hosts: []string{hostOf(t, base)}, Headers: map[string]string{"X-Key": "k3y-of-the-shop"}})
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "connect it again")) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// Who reads that a connection is refused learns what to do; one that was redirected
// away is not to blame.
func TestRefusedConnectionIsNamed(t *testing.T) {
	refuses := serve(t, func(w nethttp.ResponseWriter, r *nethttp.Request) { w.WriteHeader(401) })
	away := httptest.NewServer(nethttp.RedirectHandler(refuses, nethttp.StatusTemporaryRedirect))
	defer away.Close()
	for address, named := range map[string]bool{refuses: true, away.URL: false} {
		c := connected(t, http.Credential{Hosts: []string{hostOf(t, address)}, Headers: map[string]string{"X-Key": "k3y-of-the-shop"}})
		_, err := c.Action().Do(t.Context(), actions.Call{Input: map[string]any{"url": address}, Connection: "shop"})
		if err == nil || strings.Contains(err.Error(), "zflow connect http shop") != named {
			t.Errorf("%s: %v", address, err)
		}
	}
}
