package oauth_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"zflow/internal/connections/oauth"
)

const (
	secret  = "cl1ent-s3cret-value"
	refresh = "r3fresh-t0ken-value"
	code    = "c0de-value-of-zoom"
)

// answers says the same to every request.
type answers struct {
	status int
	body   string
	header http.Header
	err    error
	form   url.Values
	basic  bool
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, _ := io.ReadAll(r.Body)
	a.form, _ = url.ParseQuery(string(raw))
	_, _, a.basic = r.BasicAuth()
	if a.err != nil {
		return nil, a.err
	}
	w := httptest.NewRecorder()
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	io.WriteString(w, a.body)
	return w.Result(), nil
}

var app = oauth.App{ClientID: "client", ClientSecret: secret}

func TestWhy(t *testing.T) {
	for name, c := range map[string]struct {
		status    int
		body      string
		ofRefresh oauth.Why
		ofCode    oauth.Why
	}{
		"used refresh token": {400, `{"reason":"The reuse tolerance is exceeded. (4,740)","error":"invalid_grant"}`, oauth.BadGrant, oauth.BadGrant},
		"invalid grant":      {400, `{"reason":"","error":"invalid_grant"}`, oauth.BadGrant, oauth.BadCode},
		"invalid token":      {401, `{"reason":"Invalid Token!","error":"invalid_request"}`, oauth.BadGrant, oauth.Refused},
		"expired code":       {400, `{"reason":"The authorization code has expired. (4,733)","error":"invalid_grant"}`, oauth.CodeExpired, oauth.CodeExpired},
		"bad redirect":       {400, `{"code":4709,"message":"Redirect URI mismatch."}`, oauth.BadRedirect, oauth.BadRedirect},
		"client":             {400, `{"reason":"Invalid client_id or client_secret","error":"invalid_client"}`, oauth.BadClient, oauth.BadClient},
		"disabled":           {400, `{"code":4717,"message":"App has been disabled."}`, oauth.BadClient, oauth.BadClient},
		"pending":            {400, `{"error":"authorization_pending"}`, oauth.Pending, oauth.Pending},
		"slow down":          {400, `{"error":"slow_down"}`, oauth.SlowDown, oauth.SlowDown},
		"denied":             {400, `{"error":"access_denied"}`, oauth.Denied, oauth.Denied},
		"a page":             {403, `<html>Forbidden</html>`, oauth.Garbled, oauth.Garbled},
		"a page of a proxy":  {200, `<html>Log in</html>`, oauth.Garbled, oauth.Garbled},
		"half":               {200, `{"access_token":"abc","refr`, oauth.Garbled, oauth.Garbled},
		"no token":           {200, `{"token_type":"bearer"}`, oauth.Garbled, oauth.Garbled},
		"other token":        {200, `{"access_token":"abc","token_type":"mac"}`, oauth.Garbled, oauth.Garbled},
		"redirected":         {302, ``, oauth.Garbled, oauth.Garbled},
		"gateway":            {504, `<html>`, oauth.Unreachable, oauth.Unreachable},
		"limit":              {429, `{"error":"invalid_grant"}`, oauth.Unreachable, oauth.Unreachable},
		"repeats":            {400, `{"reason":"no ` + secret + `, ` + refresh + `, ` + code + `","error":"x"}`, oauth.Refused, oauth.Refused},
	} {
		c1 := oauth.New(&answers{status: c.status, body: c.body}, nil)
		if _, p := c1.Refresh(t.Context(), app, refresh); p == nil || p.Why != c.ofRefresh {
			t.Errorf("%s: a refresh: %+v", name, p)
		} else {
			hidden(t, p)
		}
		if _, p := c1.Exchange(t.Context(), app, code, "http://x", "verifier"); p == nil || p.Why != c.ofCode {
			t.Errorf("%s: a code: %+v", name, p)
		} else {
			hidden(t, p)
		}
	}
}

func hidden(t testing.TB, p *oauth.Problem) {
	t.Helper()
	all := fmt.Sprintf("%+v %v", p, p)
	sent := 0
	for _, s := range []string{secret, refresh, code} {
		if strings.Contains(all, s) {
			sent++
		}
	}
	if sent > 0 && (strings.Contains(p.Text, secret)) || sent == 3 {
		t.Errorf("a secret stands in %s", all)
	}
}

func TestGrant(t *testing.T) {
	a := &answers{status: 200, body: `{"access_token":"a","token_type":"Bearer","refresh_token":"r2","expires_in":"3599","scope":"x y","api_url":"https://api-eu.zoom.us"}`,
		header: http.Header{"Date": {time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)}}}
	g, p := oauth.New(a, nil).Refresh(t.Context(), app, refresh)
	if p != nil || g.Access != "a" || g.Refresh != "r2" || g.Life != 3599*time.Second || len(g.Scopes) != 2 || g.API != "https://api-eu.zoom.us" {
		t.Errorf("%+v, %v", g, p)
	}
	if g.Skew < 59*time.Minute || g.Skew > 61*time.Minute {
		t.Errorf("the clock is %v ahead", g.Skew)
	}
	if !a.basic || a.form.Get("refresh_token") != refresh || a.form.Has("client_secret") {
		t.Errorf("asked with %v", a.form)
	}
	a.body = `{"access_token":"a"}`
	if g, p := oauth.New(a, nil).Refresh(t.Context(), app, refresh); p != nil || g.Refresh != refresh || g.Life != 10*time.Minute {
		t.Errorf("one that did not rotate: %v, %v", g.Life, p)
	}
	if _, p := oauth.New(a, nil).Exchange(t.Context(), app, code, "x", "y"); p == nil {
		t.Error("a grant that ends with its access token")
	}
	public := oauth.App{ClientID: "client"}
	if _, p := oauth.New(a, nil).Refresh(t.Context(), public, refresh); p != nil || a.basic || a.form.Get("client_id") != "client" {
		t.Errorf("a public client asks with %v", a.form)
	}
}

func TestAuthorizeURL(t *testing.T) {
	u, err := url.Parse(oauth.AuthorizeURL(oauth.App{ClientID: "id", Server: "https://zoomgov.com/"}, "http://127.0.0.1:1/x", "state", oauth.Verifier()))
	if err != nil || u.Host != "zoomgov.com" || u.Path != "/oauth/authorize" {
		t.Fatal(u, err)
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || q.Get("state") != "state" || q.Get("response_type") != "code" {
		t.Errorf("%v", q)
	}
}

// Whatever comes back is a grant with a token, or a problem with a reason that
// shows nothing of what was sent.
func FuzzAnswer(f *testing.F) {
	f.Add(200, `{"access_token":"a","refresh_token":"r","expires_in":1e300,"scope":"x"}`)
	f.Add(200, `{"access_token":"a","expires_in":-5,"scope":["x"]}`)
	f.Add(400, `{"reason":"Invalid Token!","error":"invalid_grant"}`)
	f.Add(500, `<html>`+secret)
	f.Add(401, `{"code":"124","message":"`+refresh+`"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		c := oauth.New(&answers{status: status, body: body}, nil)
		for _, ask := range []func(context.Context) (oauth.Grant, *oauth.Problem){
			func(ctx context.Context) (oauth.Grant, *oauth.Problem) { return c.Refresh(ctx, app, refresh) },
			func(ctx context.Context) (oauth.Grant, *oauth.Problem) {
				return c.Exchange(ctx, app, code, "http://x", "v")
			},
			func(ctx context.Context) (oauth.Grant, *oauth.Problem) { return c.ForAccount(ctx, app, "acc") },
		} {
			g, p := ask(t.Context())
			switch {
			case p == nil && (g.Access == "" || g.Life < time.Second || g.Life > 31*24*time.Hour):
				t.Errorf("a grant of %q for %v", g.Access, g.Life)
			case p != nil && (p.Why == "" || p.Text == "" || strings.Contains(p.Text, secret)):
				t.Errorf("a problem: %+v", p)
			}
		}
		if d, p := c.StartDevice(t.Context(), app); p == nil && (d.Code == "" || d.Interval < time.Second) {
			t.Errorf("a device: %+v", d)
		}
	})
}

var other = oauth.App{ClientID: "client", ClientSecret: secret, Other: &oauth.Other{Name: "crm", Authorize: "https://crm.example/a?x=1", Token: "https://crm.example/t",
	Scopes: "a,b", Separator: ",", Audience: "api", Params: map[string]string{"prompt": "consent"}}}

// Other services say the same in their own ways, some with a status of success.
func TestOtherServices(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		why    oauth.Why // empty: a grant
		want   string    // of the grant, or in the text
	}{
		"a token":          {200, `{"access_token":"abc","expires_in":7200,"refresh_token":"r","token_type":"Bearer","scope":"x y"}`, "", "2h0m0s [x y]"},
		"created":          {201, `{"access_token":"abc","expires_in":"7200","refresh_token":"r"}`, "", "2h0m0s [a b]"},
		"Slack's":          {200, `{"ok":true,"access_token":"abc","token_type":"bot","scope":"x,y"}`, "", "0s [x y]"},
		"renewed, no end":  {200, `{"access_token":"abc","refresh_token":"r"}`, "", "1h0m0s [a b]"},
		"60 days":          {200, `{"access_token":"abc","expires_in":5184000}`, "", "720h0m0s [a b]"},
		"an hour":          {200, `{"access_token":"abc","expires_in":3600}`, oauth.Refused, "ask for lasting access"},
		"Slack refuses":    {200, `{"ok":false,"error":"invalid_code"}`, oauth.BadCode, "invalid_code"},
		"GitHub refuses":   {200, `{"error":"bad_verification_code","error_description":"The code passed is incorrect."}`, oauth.BadCode, "The code passed"},
		"the client":       {401, `{"error":"invalid_client"}`, oauth.BadClient, "invalid_client"},
		"an object":        {400, `{"error":{"message":"x"}}`, oauth.Garbled, "crm answered 400"},
		"none of Zoom's":   {400, `{"error":"invalid_grant","code":4733}`, oauth.BadCode, "invalid_grant"},
		"a page":           {200, `<html>`, oauth.Garbled, "crm's answer is not JSON"},
		"busy":             {503, ``, oauth.Unreachable, "crm answered 503"},
		"another kind":     {200, `{"access_token":"abc","token_type":"mac"}`, oauth.Garbled, "no bearer token"},
		"repeats the code": {400, `{"error":"x","error_description":"no ` + code + ` and ` + secret + `"}`, oauth.Refused, "no •••• and ••••"},
	} {
		g, p := oauth.New(nil, &answers{status: c.status, body: c.body}).Exchange(t.Context(), other, code, "x", "y")
		switch {
		case c.why == "" && p != nil:
			t.Errorf("%s: %v", name, p)
		case c.why == "" && fmt.Sprint(g.Life, " ", g.Scopes) != c.want:
			t.Errorf("%s: %v %v", name, g.Life, g.Scopes)
		case c.why != "" && (p == nil || p.Why != c.why || !strings.Contains(p.Text, c.want)):
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// The app's secret goes where the service wants it, and nowhere else.
func TestOtherServicesAreAsked(t *testing.T) {
	zoom, a := &answers{err: io.EOF}, &answers{status: 200, body: `{"access_token":"abc"}`}
	c := oauth.New(zoom, a)
	if _, p := c.ForApp(t.Context(), other); p != nil || !a.basic || a.form.Get("client_secret") != "" || a.form.Get("scope") != "a,b" || a.form.Get("audience") != "api" {
		t.Error(p, a.basic, a.form)
	}
	inBody, o := other, *other.Other
	o.Body, inBody.Other = true, &o
	if _, p := c.ForApp(t.Context(), inBody); p != nil || a.basic || a.form.Get("client_secret") != secret || a.form.Get("client_id") != "client" {
		t.Error(p, a.basic, a.form)
	}
	if p := c.Revoke(t.Context(), other, "x"); p == nil || !strings.Contains(p.Text, "no address") {
		t.Error(p)
	}
	u, err := url.Parse(oauth.AuthorizeURL(other, "http://127.0.0.1/back", "st", "verifier"))
	q := u.Query()
	if err != nil || q.Get("x") != "1" || q.Get("prompt") != "consent" || q.Get("scope") != "a,b" || q.Get("audience") != "api" || q.Get("code_challenge_method") != "S256" || q.Get("state") != "st" {
		t.Error(u, err)
	}
}
