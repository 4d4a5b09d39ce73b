package zoomsim

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"zflow/internal/zoomsim/rest"
)

// client calls a Sim as a program with an app's credentials does.
type client struct {
	t     *testing.T
	sim   *Sim
	base  string
	http  *http.Client
	token string
}

// reply is what a call got.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

// newClient starts a Sim behind a real server and fetches a token.
func newClient(t *testing.T, o Options) *client {
	t.Helper()
	s := New(o)
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	c := &client{t: t, sim: s, base: server.URL, http: server.Client()}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.token = c.fetch()
	return c
}

// fetch gets a token for the first app.
func (c *client) fetch() string {
	c.t.Helper()
	a := c.sim.Apps()[0]
	r := c.tokenCall(a.ClientID, a.ClientSecret, url.Values{"grant_type": {"account_credentials"}, "account_id": {a.AccountID}})
	token, _ := r.body["access_token"].(string)
	if r.status != http.StatusOK || token == "" {
		c.t.Fatalf("fetching a token: %d %s", r.status, r.text)
	}
	return token
}

func (c *client) tokenCall(id, secret string, form url.Values) reply {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodPost, c.base+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(id, secret)
	return c.do(r)
}

// call makes a REST call; body is JSON text or "".
func (c *client) call(method, path, body string) reply {
	c.t.Helper()
	r, err := c.send(method, path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func (c *client) send(method, path, body string) (reply, error) {
	c.t.Helper()
	r, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	a, err := c.http.Do(r)
	if err != nil {
		return reply{}, err
	}
	return read(c.t, a), nil
}

func (c *client) do(r *http.Request) reply {
	c.t.Helper()
	a, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	return read(c.t, a)
}

func read(t *testing.T, a *http.Response) reply {
	t.Helper()
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	r := reply{status: a.StatusCode, header: a.Header, text: string(text)}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&r.body) != nil {
		r.body = nil
	}
	return r
}

// want fails unless the call got this status and, where code is not 0, error.
func (r reply) want(t *testing.T, status, code int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d instead of %d: %s", r.status, status, r.text)
	}
	if code != 0 && rest.Text(r.body["code"]) != rest.Text(code) {
		t.Fatalf("code %v instead of %d: %s", r.body["code"], code, r.text)
	}
	return r
}

// create schedules a meeting and returns its number and UUID.
func (c *client) create(body string) (id, uuid string) {
	c.t.Helper()
	r := c.call("POST", "/v2/users/me/meetings", body).want(c.t, http.StatusCreated, 0)
	return rest.Text(r.body["id"]), rest.Text(r.body["uuid"])
}
