package zoomsim

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"zflow/internal/zoomsim/rest"
)

func TestTokenIsRefused(t *testing.T) {
	c := newClient(t, Options{})
	a := c.sim.Apps()[0]
	good := url.Values{"grant_type": {"account_credentials"}, "account_id": {a.AccountID}}
	for name, try := range map[string]struct {
		id, secret string
		form       url.Values
		code       string
	}{
		"unknown client":     {"nobody", a.ClientSecret, good, "invalid_client"},
		"wrong secret":       {a.ClientID, "guess", good, "invalid_client"},
		"no credentials":     {"", "", good, "invalid_client"},
		"another account":    {a.ClientID, a.ClientSecret, url.Values{"grant_type": {"account_credentials"}, "account_id": {"x"}}, "invalid_request"},
		"another grant type": {a.ClientID, a.ClientSecret, url.Values{"grant_type": {"password"}}, "unsupported_grant_type"},
	} {
		r := c.tokenCall(try.id, try.secret, try.form)
		if r.status != http.StatusBadRequest || r.body["error"] != try.code || rest.Text(r.body["reason"]) == "" {
			t.Errorf("%s: %d %s", name, r.status, r.text)
		}
	}
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0) // none of these voided the token
}

func TestTokenRequestMayStandInTheQuery(t *testing.T) {
	c := newClient(t, Options{})
	a := c.sim.Apps()[0]
	r, err := http.NewRequest("POST", c.base+"/oauth/token?grant_type=account_credentials&account_id="+a.AccountID, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(a.ClientID, a.ClientSecret)
	got := c.do(r).want(t, http.StatusOK, 0)
	if got.body["token_type"] != "bearer" || rest.Text(got.body["expires_in"]) != "3600" || !strings.Contains(rest.Text(got.body["scope"]), "meeting:write:meeting:admin") {
		t.Errorf("%s", got.text)
	}
}

func TestANewTokenVoidsTheLast(t *testing.T) {
	c := newClient(t, Options{Apps: []App{{}, {AccountID: "other"}}})
	old := c.token
	other := c.sim.Apps()[1]
	r := c.tokenCall(other.ClientID, other.ClientSecret, url.Values{"grant_type": {"account_credentials"}, "account_id": {"other"}})
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0) // another app's token voids nothing
	c.token = c.fetch()
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0)
	c.token = old
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusUnauthorized, 124)
	c.token = rest.Text(r.body["access_token"])
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0)
}

func TestCallsWithoutAGoodTokenAreRefused(t *testing.T) {
	c := newClient(t, Options{})
	for _, token := range []string{"", "made-up"} {
		c.token = token
		c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusUnauthorized, 124)
	}
	c.token = c.fetch()
	c.sim.VoidTokens()
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusUnauthorized, 124)
}

func TestADisabledAppIsRefusedEverywhere(t *testing.T) {
	c := newClient(t, Options{})
	a := c.sim.Apps()[0]
	c.sim.Disable(a.ClientID, true)
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusUnauthorized, 124)
	r := c.tokenCall(a.ClientID, a.ClientSecret, url.Values{"grant_type": {"account_credentials"}, "account_id": {a.AccountID}})
	if r.status != http.StatusBadRequest || r.body["error"] != "invalid_client" {
		t.Errorf("%d %s", r.status, r.text)
	}
	c.sim.Disable(a.ClientID, false)
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0)
}

func TestAMissingScopeIsNamed(t *testing.T) {
	c := newClient(t, Options{Apps: []App{{Scopes: []string{"meeting:read:meeting:admin", "meeting:read:list_meetings"}}}})
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0)
	r := c.call("POST", "/v2/users/me/meetings", `{"topic":"x"}`).want(t, http.StatusBadRequest, 4711)
	if !strings.Contains(rest.Text(r.body["message"]), "meeting:write:meeting") {
		t.Errorf("%s", r.text)
	}
}

func TestATokenExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newBubbleClient(t, Options{TokenLife: 10 * time.Minute})
		time.Sleep(10*time.Minute - time.Nanosecond)
		c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0)
		time.Sleep(time.Nanosecond)
		r := c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusUnauthorized, 124)
		if r.body["message"] != "Access token is expired." {
			t.Errorf("%s", r.text)
		}
	})
}

func TestTheLedgerHoldsNoCredential(t *testing.T) {
	c := newClient(t, Options{})
	c.create(`{"topic":"x"}`)
	a := c.sim.Apps()[0]
	page := c.do(mustRequest(t, c.base+"/sim/v1/ledger")).text
	for _, secret := range []string{a.ClientSecret, a.SecretToken, c.token} {
		if strings.Contains(page, secret) {
			t.Errorf("the ledger shows %q", secret)
		}
	}
}

// form posts a form with an app's credentials.
func (c *client) form(path string, a App, form url.Values) reply {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodPost, c.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(a.ClientID, a.ClientSecret)
	return c.do(r)
}

// connect goes through consent for an app and returns the answer with its tokens.
func (c *client) connect(a App) reply {
	c.t.Helper()
	q := url.Values{"response_type": {"code"}, "client_id": {a.ClientID}, "redirect_uri": {"http://back.test/cb"}, "state": {"st"}}
	r := c.do(mustRequest(c.t, c.base+"/oauth/authorize?"+q.Encode())).want(c.t, http.StatusFound, 0)
	back, err := url.Parse(r.header.Get("Location"))
	if err != nil || back.Query().Get("state") != "st" {
		c.t.Fatalf("%v %v", back, err)
	}
	return c.form("/oauth/token", a, url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {"http://back.test/cb"},
	}).want(c.t, http.StatusOK, 0)
}

func TestAUserAppIsItsUsers(t *testing.T) {
	c := newClient(t, Options{})
	user := c.sim.Apps()[1]
	if err := c.sim.SetConsent(Consent{App: user.ClientID, User: "u7"}); err != nil {
		t.Fatal(err)
	}
	c.token = rest.Text(c.connect(user).body["access_token"])
	r := c.call("POST", "/v2/users/me/meetings", `{"topic":"mine"}`).want(t, http.StatusCreated, 0)
	if r.body["host_id"] != "u7" {
		t.Errorf("%s", r.text)
	}
	c.call("GET", "/v2/users/u7/meetings", "").want(t, http.StatusOK, 0)
	if r := c.call("GET", "/v2/users/u8/meetings", "").want(t, http.StatusBadRequest, 4711); !strings.Contains(r.text, "does not contain scopes") {
		t.Errorf("%s", r.text)
	}
}

func TestAnAdminAppIsForTheAccount(t *testing.T) {
	c := newClient(t, Options{})
	c.token = rest.Text(c.connect(c.sim.Apps()[2]).body["access_token"])
	c.call("POST", "/v2/users/u8/meetings", `{"topic":"yours"}`).want(t, http.StatusCreated, 0)
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0)
}

func TestAServerAppIsAskedNotToSayMe(t *testing.T) {
	c := newClient(t, Options{NoMe: true})
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusNotFound, 1001)
	c.call("GET", "/v2/users/"+ownerEmail+"/meetings", "").want(t, http.StatusOK, 0)
	c.token = rest.Text(c.connect(c.sim.Apps()[2]).body["access_token"])
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0)
}

func TestReducedScopesCount(t *testing.T) {
	c := newClient(t, Options{})
	a := c.sim.Apps()[1]
	c.call("POST", "/sim/v1/consent", `{"client_id":"`+a.ClientID+`","scopes":["meeting:read:list_meetings"]}`).want(t, http.StatusOK, 0)
	r := c.connect(a)
	if r.body["scope"] != "meeting:read:list_meetings" {
		t.Errorf("%s", r.text)
	}
	c.token = rest.Text(r.body["access_token"])
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0)
	c.call("POST", "/v2/users/me/meetings", `{"topic":"x"}`).want(t, http.StatusBadRequest, 4711)
}

func TestAnAppsOwnTokenReadsNothing(t *testing.T) {
	c := newClient(t, Options{})
	r := c.form("/oauth/token", c.sim.Apps()[1], url.Values{"grant_type": {"client_credentials"}}).want(t, http.StatusOK, 0)
	c.token = rest.Text(r.body["access_token"])
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusBadRequest, 4711)
}

func TestARemovedAppIsToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{answer: func(n int, _ *http.Request) int { return []int{503, 200}[n-1] }}
		c := newBubbleClient(t, Options{Client: e})
		a := c.sim.Apps()[1]
		c.call("PATCH", "/sim/v1/apps", `{"client_id":"`+a.ClientID+`","deauthorization_url":"https://flow.test/gone"}`).want(t, http.StatusOK, 0)
		tokens := c.connect(a).body
		r := c.call("POST", "/sim/v1/removals", `{"client_id":"`+a.ClientID+`","user_id":"`+owner+`"}`).want(t, http.StatusOK, 0)
		if !strings.Contains(r.text, owner) || strings.Contains(c.do(mustRequest(t, c.base+"/sim/v1/installed")).text, a.ClientID) {
			t.Errorf("%s", r.text)
		}
		c.token = rest.Text(tokens["access_token"])
		c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusUnauthorized, 124)
		time.Sleep(time.Hour)
		got := e.deliveries()
		if len(got) != 2 || got[1].at.Sub(got[0].at) != 5*time.Minute {
			t.Fatalf("%d deliveries", len(got))
		}
		v, _ := rest.DecodeObject([]byte(got[1].body))
		payload, _ := v["payload"].(map[string]any)
		if v["event"] != "app_deauthorized" || v["event_ts"] != nil || payload["account_id"] != a.AccountID || payload["user_id"] != owner ||
			payload["client_id"] != a.ClientID || rest.Text(payload["signature"]) == "" || rest.Text(payload["deauthorization_time"]) == "" {
			t.Errorf("%s", got[1].body)
		}
		if want := Sign(a.SecretToken, got[1].at.Unix(), []byte(got[1].body)); got[1].header.Get("X-Zm-Signature") != want {
			t.Errorf("signed %s", got[1].header.Get("X-Zm-Signature"))
		}
	})
}

func TestAppsAreChangedOverHTTP(t *testing.T) {
	c := newClient(t, Options{})
	a := c.sim.Apps()[2]
	r := c.call("PATCH", "/sim/v1/apps", `{"client_id":"`+a.ClientID+`","scopes":["x:y"],"secret_token":"second","redirect_uris":["http://back.test/cb"]}`).want(t, http.StatusOK, 0)
	if got := c.sim.Apps()[2]; got.SecretToken != "second" || got.Scopes[0] != "x:y" || got.RedirectURIs[0] != "http://back.test/cb" || got.ClientSecret != a.ClientSecret {
		t.Errorf("%+v %s", got, r.text)
	}
	for path, body := range map[string]string{
		"PATCH /sim/v1/apps": `{"client_id":"nobody"}`, "POST /sim/v1/consent": `{"client_id":"nobody"}`,
		"POST /sim/v1/devices": `{"user_code":"none"}`, "POST /sim/v1/removals": `{"client_id":"nobody"}`,
	} {
		method, path, _ := strings.Cut(path, " ")
		if r := c.call(method, path, body).want(t, http.StatusBadRequest, 0); rest.Text(r.body["error"]) == "" {
			t.Errorf("%s: %s", path, r.text)
		}
	}
	c.call("PATCH", "/sim/v1/apps", `{"typo":1}`).want(t, http.StatusBadRequest, 0)
	if got := c.sim.Apps()[0]; got.Kind != KindS2S {
		t.Errorf("%+v", got)
	}
}

func TestADeviceConnectsOverHTTP(t *testing.T) {
	c := newClient(t, Options{})
	a := c.sim.Apps()[1]
	d := c.form("/oauth/devicecode?client_id="+a.ClientID, a, nil).want(t, http.StatusOK, 0)
	c.call("POST", "/sim/v1/devices", `{"user_code":"`+rest.Text(d.body["user_code"])+`"}`).want(t, http.StatusOK, 0)
	r := c.form("/oauth/token", a, url.Values{"grant_type": {"device_code"}, "device_code": {rest.Text(d.body["device_code"])}}).want(t, http.StatusOK, 0)
	c.form("/oauth/revoke", a, url.Values{"token": {rest.Text(r.body["refresh_token"])}}).want(t, http.StatusOK, 0)
	c.token = rest.Text(r.body["access_token"])
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusUnauthorized, 124)
}

func TestAnAnswerWithTokensMayBeLost(t *testing.T) {
	c := newClient(t, Options{})
	a := c.sim.Apps()[1]
	first := rest.Text(c.connect(a).body["refresh_token"])
	c.sim.Inject(Fault{Path: "/oauth/token", Do: true, Cut: true})
	r, err := http.NewRequest("POST", c.base+"/oauth/token?grant_type=refresh_token&refresh_token="+first, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(a.ClientID, a.ClientSecret)
	if _, err := c.http.Do(r); err == nil {
		t.Fatal("answered")
	}
	again := c.form("/oauth/token", a, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first}}).want(t, http.StatusBadRequest, 0)
	if !strings.Contains(rest.Text(again.body["reason"]), "(4,740)") {
		t.Errorf("%s", again.text)
	}
	page := c.do(mustRequest(t, c.base+"/sim/v1/ledger?kind=token")).text
	if strings.Contains(page, first) || !strings.Contains(page, `"token refresh_token"`) {
		t.Errorf("%s", page)
	}
}
