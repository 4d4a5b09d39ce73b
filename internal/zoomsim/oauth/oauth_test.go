package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const callback = "http://127.0.0.1:7777/callback"

// caller asks a Server as a program with an app's credentials does.
type caller struct {
	t *testing.T
	s *Server
	a App
}

func newCaller(t *testing.T, kind string, o Options) *caller {
	o.UserScopes = []string{"meeting:read:meeting", "user:read:user"}
	o.AdminScopes = []string{"meeting:read:meeting:admin"}
	s := New(o)
	i := slices.IndexFunc(s.Apps(), func(a App) bool { return a.Kind == kind })
	return &caller{t: t, s: s, a: s.Apps()[i]}
}

// got is what a request got.
type got struct {
	Answer
	text map[string]any
}

func (c *caller) post(path, id, secret string, form url.Values) got {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if secret != "" {
		r.SetBasicAuth(id, secret)
	} else {
		form.Set("client_id", id)
		r = httptest.NewRequest(http.MethodPost, path+"?"+form.Encode(), nil)
	}
	return c.do(r)
}

func (c *caller) do(r *http.Request) got {
	c.t.Helper()
	if err := r.ParseForm(); err != nil {
		c.t.Fatal(err)
	}
	g := got{Answer: c.s.Do(r)}
	body, err := json.Marshal(g.Body)
	if err != nil || json.Unmarshal(body, &g.text) != nil {
		c.t.Fatalf("%v: %v", g.Body, err)
	}
	return g
}

func (c *caller) token(form url.Values) got {
	return c.post("/oauth/token", c.a.ClientID, c.a.ClientSecret, form)
}

// authorize asks for a code; more is laid over the usual query.
func (c *caller) authorize(more url.Values) got {
	q := url.Values{"response_type": {"code"}, "client_id": {c.a.ClientID}, "redirect_uri": {callback}, "state": {"st"}}
	for key, values := range more {
		q[key] = values
	}
	return c.do(httptest.NewRequest(http.MethodGet, "/oauth/authorize?"+q.Encode(), nil))
}

func (c *caller) code(more url.Values) string {
	c.t.Helper()
	g := c.authorize(more)
	back, err := url.Parse(g.Location)
	if err != nil || g.Status != http.StatusFound || back.Query().Get("code") == "" || back.Query().Get("state") != "st" {
		c.t.Fatalf("authorizing: %+v", g)
	}
	return back.Query().Get("code")
}

func byCode(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}}
}

// connect goes through consent and returns both tokens.
func (c *caller) connect() (access, refresh string) {
	c.t.Helper()
	return c.token(byCode(c.code(nil))).tokens(c.t)
}

func (c *caller) refresh(token string) got {
	return c.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func (g got) tokens(t *testing.T) (access, refresh string) {
	t.Helper()
	access, _ = g.text["access_token"].(string)
	refresh, _ = g.text["refresh_token"].(string)
	if g.Status != http.StatusOK || access == "" || refresh == "" || g.text["token_type"] != "bearer" || g.text["api_url"] != "http://example.com" {
		t.Fatalf("no tokens: %+v", g)
	}
	return access, refresh
}

// refused fails unless the answer is {reason, error} with this error and number.
func (g got) refused(t *testing.T, code string, number int) {
	t.Helper()
	reason, _ := g.text["reason"].(string)
	if g.Status < 400 || g.text["error"] != code || g.Code != number || reason == "" || len(g.text) != 2 {
		t.Errorf("%d %d %v, want %s %d", g.Status, g.Code, g.text, code, number)
	}
}

func TestEachKindHasAnApp(t *testing.T) {
	var kinds []string
	for _, a := range New(Options{}).Apps() {
		kinds = append(kinds, a.Kind)
		if a.ClientID == "" || a.ClientSecret == "" || a.AccountID == "" || a.SecretToken == "" {
			t.Errorf("%+v", a)
		}
	}
	if !slices.Equal(kinds, []string{KindS2S, KindUser, KindAdmin}) {
		t.Errorf("%v", kinds)
	}
}

func TestConsentGivesACodeAndACodeGivesTokens(t *testing.T) {
	for kind, scope := range map[string]string{KindUser: "meeting:read:meeting user:read:user", KindAdmin: "meeting:read:meeting:admin"} {
		c := newCaller(t, kind, Options{})
		g := c.token(byCode(c.code(nil)))
		access, _ := g.tokens(t)
		if g.text["scope"] != scope || g.text["expires_in"] != 3599.0 {
			t.Errorf("%s: %v", kind, g.text)
		}
		grant, err := c.s.Grant(access)
		if err != nil || grant.User != owner || grant.Account != c.a.AccountID || grant.App.ClientID != c.a.ClientID || strings.Join(grant.Scopes, " ") != scope {
			t.Errorf("%s: %+v %v", kind, grant, err)
		}
	}
}

func TestAnAuthorizeRequestIsRefused(t *testing.T) {
	c := newCaller(t, KindUser, Options{})
	if _, err := c.s.Change(c.a.ClientID, func(a *App) error { a.RedirectURIs = []string{callback}; return nil }); err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]struct {
		key, value string
		number     int
	}{
		"unknown app":           {"client_id", "nobody", 4702},
		"no app":                {"client_id", "", 4702},
		"an S2S app":            {"client_id", c.s.Apps()[0].ClientID, 4702},
		"another redirect URI":  {"redirect_uri", callback + "/", 4709},
		"another response type": {"response_type", "token", 4706},
		"unknown PKCE method":   {"code_challenge_method", "S512", 4706},
	} {
		g := c.authorize(url.Values{try.key: {try.value}})
		if g.Location != "" || g.Code != try.number || g.Status != http.StatusBadRequest {
			t.Errorf("%s: %+v", name, g)
		}
	}
	c.code(nil)
}

func TestARelativeRedirectURIIsRefused(t *testing.T) {
	c := newCaller(t, KindUser, Options{})
	for _, uri := range []string{"", "/callback", ":"} {
		c.authorize(url.Values{"redirect_uri": {uri}}).refused(t, "invalid_request", 4709)
	}
}

func TestACodeIsGoodOnceForFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, KindUser, Options{})
		code := c.code(nil)
		time.Sleep(5*time.Minute - 1)
		c.token(byCode(code)).tokens(t)
		c.token(byCode(code)).refused(t, "invalid_grant", 4734)
		code = c.code(nil)
		time.Sleep(5 * time.Minute)
		c.token(byCode(code)).refused(t, "invalid_grant", 4733)
		c.token(byCode("made-up")).refused(t, "invalid_grant", 4734)
		c.token(byCode("")).refused(t, "invalid_request", 4706)
	})
}

func TestACodeBelongsToItsAppAndItsRedirectURI(t *testing.T) {
	c := newCaller(t, KindUser, Options{})
	other := &caller{t: t, s: c.s, a: c.s.Apps()[2]}
	code := c.code(nil)
	other.token(byCode(code)).refused(t, "invalid_grant", 4734)
	c.token(byCode(code)).tokens(t) // the other's try has not used it up
	form := byCode(c.code(nil))
	form.Set("redirect_uri", "http://127.0.0.1:1/")
	c.token(form).refused(t, "invalid_grant", 4709)
}

func TestPKCE(t *testing.T) {
	c := newCaller(t, KindUser, Options{})
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	hashed := base64.RawURLEncoding.EncodeToString(sum[:])
	for name, try := range map[string]struct {
		method, challenge, verifier string
		good                        bool
	}{
		"S256":                 {"S256", hashed, verifier, true},
		"plain":                {"plain", verifier, verifier, true},
		"plain by default":     {"", verifier, verifier, true},
		"another verifier":     {"S256", hashed, verifier + "x", false},
		"the challenge itself": {"S256", hashed, hashed, false},
		"none":                 {"S256", hashed, "", false},
	} {
		form := byCode(c.code(url.Values{"code_challenge": {try.challenge}, "code_challenge_method": {try.method}}))
		form.Set("code_verifier", try.verifier)
		if g := c.token(form); try.good != (g.Status == http.StatusOK) {
			t.Errorf("%s: %+v", name, g)
		} else if !try.good {
			g.refused(t, "invalid_grant", 0)
		}
	}
}

func TestAPublicAppNeedsPKCEAndNoSecret(t *testing.T) {
	c := newCaller(t, KindUser, Options{Apps: []App{{Kind: KindUser, Public: true}}})
	if g := c.authorize(nil); g.Location != "" || g.Code != 4706 {
		t.Fatalf("without a challenge: %+v", g)
	}
	form := byCode(c.code(url.Values{"code_challenge": {"secret-enough"}}))
	form.Set("code_verifier", "secret-enough")
	_, refresh := c.post("/oauth/token", c.a.ClientID, "", form).tokens(t)
	c.post("/oauth/token", c.a.ClientID, "", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}).tokens(t)
	private := newCaller(t, KindUser, Options{})
	private.post("/oauth/token", private.a.ClientID, "", byCode(private.code(nil))).refused(t, "invalid_client", 4702)
}

func TestOnlyTheLatestRefreshTokenIsGood(t *testing.T) {
	c := newCaller(t, KindUser, Options{})
	access, first := c.connect()
	_, second := c.refresh(first).tokens(t)
	c.refresh(first).refused(t, "invalid_grant", 4740)
	_, third := c.refresh(second).tokens(t)
	if first == second || second == third {
		t.Error("a refresh token did not change")
	}
	c.refresh(second).refused(t, "invalid_grant", 4740)
	c.refresh(third).tokens(t)
	c.refresh("made-up").refused(t, "invalid_grant", 4737)
	c.refresh("").refused(t, "invalid_request", 4706)
	if _, err := c.s.Grant(access); err != nil {
		t.Errorf("refreshing voided an access token: %v", err)
	}
}

func TestARefreshTokenExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for life, want := range map[time.Duration]time.Duration{0: 90 * 24 * time.Hour, time.Hour: time.Hour} {
			c := newCaller(t, KindUser, Options{RefreshLife: life})
			_, token := c.connect()
			time.Sleep(want - 1)
			_, token = c.refresh(token).tokens(t)
			time.Sleep(want)
			c.refresh(token).refused(t, "invalid_grant", 4737)
		}
	})
}

func TestConsentingAnewEndsTheOldConsent(t *testing.T) {
	c := newCaller(t, KindUser, Options{})
	access, refresh := c.connect()
	if err := c.s.SetConsent(Consent{App: c.a.ClientID, User: "somebody-else"}); err != nil {
		t.Fatal(err)
	}
	c.connect()
	if _, err := c.s.Grant(access); err != nil {
		t.Errorf("another user's consent: %v", err)
	}
	if err := c.s.SetConsent(Consent{App: c.a.ClientID}); err != nil {
		t.Fatal(err)
	}
	_, latest := c.connect()
	c.refresh(refresh).refused(t, "invalid_grant", 4741)
	if _, err := c.s.Grant(access); err != ErrInvalid {
		t.Errorf("the old access token: %v", err)
	}
	c.refresh(latest).tokens(t)
}

func TestWhatTheUserSays(t *testing.T) {
	c := newCaller(t, KindUser, Options{})
	say := func(consent Consent) {
		consent.App = c.a.ClientID
		if err := c.s.SetConsent(consent); err != nil {
			t.Fatal(err)
		}
	}
	say(Consent{Deny: true})
	if back := c.authorize(nil).Location; back != callback+"?error=access_denied&state=st" {
		t.Errorf("denied: %s", back)
	}
	say(Consent{Scopes: []string{"user:read:user"}, Account: "elsewhere", User: "u9"})
	g := c.token(byCode(c.code(nil)))
	access, _ := g.tokens(t)
	if grant, err := c.s.Grant(access); err != nil || g.text["scope"] != "user:read:user" || grant.Account != "elsewhere" || grant.User != "u9" {
		t.Errorf("%v %+v %v", g.text, grant, err)
	}
	if err := c.s.SetConsent(Consent{App: "nobody"}); err == nil {
		t.Error("an unknown app's consent was set")
	}
}

func TestAUserWhoTakesHisTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		c := newCaller(t, KindUser, Options{Done: done})
		answers := make(chan got, 1)
		wait := func(ctx context.Context) {
			if err := c.s.SetConsent(Consent{App: c.a.ClientID, Wait: true}); err != nil {
				t.Fatal(err)
			}
			q := url.Values{"response_type": {"code"}, "client_id": {c.a.ClientID}, "redirect_uri": {callback}}
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/oauth/authorize?"+q.Encode(), nil)
			go func() { answers <- c.do(r) }()
			synctest.Wait()
			if len(answers) != 0 {
				t.Fatalf("answered %+v", <-answers)
			}
		}
		wait(t.Context())
		if err := c.s.SetConsent(Consent{App: c.a.ClientID}); err != nil {
			t.Fatal(err)
		}
		if g := <-answers; g.Status != http.StatusFound {
			t.Errorf("%+v", g)
		}
		ctx, cancel := context.WithCancel(t.Context())
		wait(ctx)
		cancel()
		if g := <-answers; g.Location != "" {
			t.Errorf("the caller left: %+v", g)
		}
		wait(t.Context())
		close(done)
		if g := <-answers; g.Location != "" {
			t.Errorf("the simulator ended: %+v", g)
		}
	})
}

func TestGrantTypesOfEachKind(t *testing.T) {
	all := map[string]url.Values{
		"account_credentials": {}, "client_credentials": {}, "password": {}, "": {},
	}
	for kind, good := range map[string]string{KindS2S: "account_credentials", KindUser: "client_credentials", KindAdmin: "client_credentials"} {
		c := newCaller(t, kind, Options{})
		for grant, form := range all {
			form.Set("grant_type", grant)
			form.Set("account_id", c.a.AccountID)
			g := c.token(form)
			if grant != good {
				g.refused(t, "unsupported_grant_type", 4705)
			} else if g.Status != http.StatusOK || g.text["refresh_token"] != nil || !strings.Contains(g.text["scope"].(string), "marketplace:write:event_subscription") {
				t.Errorf("%s %s: %+v", kind, grant, g)
			}
		}
	}
}

func TestClientCredentialsAreTheAppsOwn(t *testing.T) {
	c := newCaller(t, KindUser, Options{})
	g := c.token(url.Values{"grant_type": {"client_credentials"}, "scope": {"imchat:bot nothing"}})
	grant, err := c.s.Grant(g.text["access_token"].(string))
	if err != nil || !grant.Own || grant.User != "" || !slices.Equal(grant.Scopes, []string{"imchat:bot"}) {
		t.Errorf("%+v %v", grant, err)
	}
	if grant.Allows([]string{"meeting:read:meeting"}) || !grant.Allows([]string{"x", "imchat:bot"}) {
		t.Errorf("%+v", grant)
	}
}

func TestADeviceIsApproved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, KindUser, Options{})
		g := c.post("/oauth/devicecode", c.a.ClientID, "", url.Values{})
		if g.Status != http.StatusOK || g.text["interval"] != 5.0 || g.text["expires_in"] != 900.0 || g.text["verification_uri"] == "" {
			t.Fatalf("%+v", g)
		}
		ask := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {g.text["device_code"].(string)}}
		c.token(ask).refused(t, "authorization_pending", 0)
		time.Sleep(4 * time.Second)
		c.token(ask).refused(t, "slow_down", 0)
		time.Sleep(9 * time.Second) // ten are due now
		c.token(ask).refused(t, "slow_down", 0)
		time.Sleep(15 * time.Second)
		c.token(ask).refused(t, "authorization_pending", 0)
		if err := c.s.Approve(Approval{UserCode: g.text["user_code"].(string), Consent: Consent{User: "u7"}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Second)
		ask.Set("grant_type", "device_code")
		access, refresh := c.token(ask).tokens(t)
		if grant, err := c.s.Grant(access); err != nil || grant.User != "u7" {
			t.Errorf("%+v %v", grant, err)
		}
		c.token(ask).refused(t, "invalid_grant", 4734)
		c.refresh(refresh).tokens(t)
	})
}

func TestADeviceIsDeniedOrTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, KindUser, Options{})
		begin := func() (ask url.Values, user string) {
			g := c.post("/oauth/devicecode", c.a.ClientID, "", url.Values{})
			return url.Values{"grant_type": {"device_code"}, "device_code": {g.text["device_code"].(string)}}, g.text["user_code"].(string)
		}
		ask, user := begin()
		if err := c.s.Approve(Approval{UserCode: user, Consent: Consent{Deny: true}}); err != nil {
			t.Fatal(err)
		}
		c.token(ask).refused(t, "access_denied", 0)
		ask, user = begin()
		time.Sleep(15 * time.Minute)
		if err := c.s.Approve(Approval{UserCode: user}); err == nil {
			t.Error("an expired device was approved")
		}
		c.token(ask).refused(t, "expired_token", 0)
		c.post("/oauth/devicecode", "nobody", "", url.Values{}).refused(t, "invalid_client", 4702)
		c.post("/oauth/devicecode", c.s.Apps()[0].ClientID, "", url.Values{}).refused(t, "invalid_client", 4702)
	})
}

func TestAnAppRevokesItsToken(t *testing.T) {
	c := newCaller(t, KindUser, Options{})
	revoke := func(c *caller, token string) got {
		return c.post("/oauth/revoke", c.a.ClientID, c.a.ClientSecret, url.Values{"token": {token}})
	}
	for i := range 2 {
		access, refresh := c.connect()
		other := &caller{t: t, s: c.s, a: c.s.Apps()[2]}
		revoke(other, access).refused(t, "invalid_request", 4737)
		if g := revoke(c, []string{access, refresh}[i]); g.Status != http.StatusOK || g.text["status"] != "success" {
			t.Fatalf("%+v", g)
		}
		if _, err := c.s.Grant(access); err != ErrInvalid {
			t.Errorf("the access token: %v", err)
		}
		c.refresh(refresh).refused(t, "invalid_grant", 4737)
	}
	revoke(c, "made-up").refused(t, "invalid_request", 4737)
	c.post("/oauth/revoke", c.a.ClientID, "guess", url.Values{"token": {"x"}}).refused(t, "invalid_client", 4702)
}

func TestAUserRemovesTheApp(t *testing.T) {
	c := newCaller(t, KindUser, Options{})
	access, refresh := c.connect()
	if all := c.s.Installed(); len(all) != 1 || all[0].User != owner || all[0].App != c.a.ClientID {
		t.Fatalf("%+v", all)
	}
	if gone := c.s.Remove(Removal{App: c.a.ClientID, User: "another"}); len(gone) != 0 {
		t.Fatalf("%+v", gone)
	}
	if gone := c.s.Remove(Removal{App: c.a.ClientID, User: owner, Code: 4735}); len(gone) != 1 || len(c.s.Installed()) != 0 {
		t.Fatalf("%+v", gone)
	}
	if _, err := c.s.Grant(access); err != ErrInvalid {
		t.Errorf("the access token: %v", err)
	}
	c.refresh(refresh).refused(t, "invalid_grant", 4735)
	if gone := c.s.Remove(Removal{App: "nobody"}); gone != nil {
		t.Errorf("%+v", gone)
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	c := newCaller(t, KindUser, Options{})
	for path, status := range map[string]int{"/oauth/token": 405, "/oauth/other": 405} {
		if g := c.do(httptest.NewRequest(http.MethodGet, path, nil)); g.Status != status {
			t.Errorf("GET %s: %+v", path, g)
		}
	}
	if g := c.do(httptest.NewRequest(http.MethodPost, "/oauth/other", nil)); g.Status != 404 {
		t.Errorf("%+v", g)
	}
	if g := c.do(httptest.NewRequest(http.MethodPost, "/oauth/authorize", nil)); g.Status != 405 {
		t.Errorf("%+v", g)
	}
}

func TestADisabledAppIsRefused(t *testing.T) {
	c := newCaller(t, KindUser, Options{})
	access, refresh := c.connect()
	disable := func(disabled bool) {
		if _, err := c.s.Change(c.a.ClientID, func(a *App) error { a.Disabled = disabled; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	disable(true)
	c.refresh(refresh).refused(t, "invalid_client", 4717)
	c.authorize(nil).refused(t, "invalid_client", 4717)
	if _, err := c.s.Grant(access); err != ErrInvalid {
		t.Errorf("%v", err)
	}
	disable(false)
	c.refresh(refresh).tokens(t) // the refusal has not used it up
}

func TestManyTokensAreTidiedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, KindUser, Options{})
		_, refresh := c.connect()
		for range 500 {
			time.Sleep(time.Hour)
			_, refresh = c.refresh(refresh).tokens(t)
		}
		if n := len(c.s.access); n > 200 {
			t.Errorf("%d access tokens are kept", n)
		}
	})
}
