package zoomsim

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
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
		if r.status != http.StatusBadRequest || r.body["error"] != try.code || text(r.body["reason"]) == "" {
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
	if got.body["token_type"] != "bearer" || text(got.body["expires_in"]) != "3600" || !strings.Contains(text(got.body["scope"]), "meeting:write:meeting:admin") {
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
	c.token = text(r.body["access_token"])
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
	if !strings.Contains(text(r.body["message"]), "meeting:write:meeting") {
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
