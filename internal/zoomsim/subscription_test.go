package zoomsim

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"zflow/internal/zoomsim/rest"
)

// own gets a token of an app's own.
func (c *client) own(a App) {
	c.t.Helper()
	r := c.form("/oauth/token", a, url.Values{"grant_type": {"client_credentials"}}).want(c.t, http.StatusOK, 0)
	c.token = rest.Text(r.body["access_token"])
}

const eventSubscriptions = "/v2/marketplace/app/event_subscription"

func TestSubscriptionsByTheAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{secret: testSecret}
		c := newBubbleClient(t, Options{Client: e, Apps: EachKind(testSecret)})
		a := c.sim.Apps()[1]
		c.own(a)
		r := c.call("POST", eventSubscriptions, `{"event_subscription_name":"mine","events":["meeting.ended","user.created"],"event_webhook_url":"https://flow.test/","subscription_scope":"user","user_ids":["u1"]}`).want(t, http.StatusCreated, 0)
		id := rest.Text(r.body["event_subscription_id"])
		happen(t, c.sim, Event{Type: "meeting.ended", Object: map[string]any{"host_id": "u1"}})
		happen(t, c.sim, Event{Type: "meeting.ended", Object: map[string]any{"host_id": "u2"}, Payload: map[string]any{"operator_id": "u2"}})
		happen(t, c.sim, Event{Type: "meeting.started", Object: map[string]any{"host_id": "u1"}})
		synctest.Wait()
		if n := len(e.deliveries()); n != 1 {
			t.Errorf("%d deliveries", n)
		}
		c.call("PATCH", eventSubscriptions+"/"+id, `{"user_ids":["u2","u1"],"account_id":"`+a.AccountID+`"}`).want(t, http.StatusNoContent, 0)
		happen(t, c.sim, Event{Type: "user.created", Object: map[string]any{"id": "u2"}})
		synctest.Wait()
		if n := len(e.deliveries()); n != 2 {
			t.Errorf("%d deliveries after adding a user", n)
		}
		list := c.call("GET", eventSubscriptions+"?account_id="+a.AccountID+"&user_id=u2", "").want(t, http.StatusOK, 0)
		if list.column("event_subscriptions", "event_subscription_id") != id || list.column("event_subscriptions", "created_source") != "openapi" ||
			list.column("event_subscriptions", "subscription_scope") != "user" || list.column("event_subscriptions", "subscriber_id") != "u1,u2" {
			t.Errorf("%s", list.text)
		}
		gone := eventSubscriptions + "?event_subscription_id=" + id + "&account_id=" + a.AccountID + "&user_ids="
		c.call("DELETE", gone+"u2", "").want(t, http.StatusNoContent, 0)
		if all := c.sim.Subscriptions(); len(all) != 1 || !slices.Equal(all[0].Users, []string{"u1"}) {
			t.Errorf("%+v", all)
		}
		c.call("DELETE", gone+"u1", "").want(t, http.StatusNoContent, 0)
		if all := c.sim.Subscriptions(); len(all) != 0 {
			t.Errorf("%+v", all)
		}
	})
}

func TestWhoMaySubscribe(t *testing.T) {
	e := &endpoint{secret: testSecret}
	c := newClient(t, Options{Client: e, Apps: EachKind(testSecret)})
	body := `{"events":["meeting.ended"],"event_webhook_url":"https://flow.test/","subscription_scope":"account"}`
	id := rest.Text(c.call("POST", eventSubscriptions, body).want(t, http.StatusCreated, 0).body["event_subscription_id"]) // server-to-server
	c.own(c.sim.Apps()[2])
	c.call("DELETE", eventSubscriptions+"/"+id, "").want(t, http.StatusNotFound, 0) // another app's
	c.call("POST", eventSubscriptions, body).want(t, http.StatusCreated, 0)
	c.token = rest.Text(c.connect(c.sim.Apps()[2]).body["access_token"])
	if r := c.call("POST", eventSubscriptions, body).want(t, http.StatusBadRequest, 4711); !strings.Contains(r.text, "marketplace:write:event_subscription") {
		t.Errorf("%s", r.text)
	}
}

func TestASubscriptionIsRefused(t *testing.T) {
	e := &endpoint{secret: testSecret}
	apps := EachKind(testSecret)
	apps[1].Scopes = []string{"meeting:read:meeting"}
	c := newClient(t, Options{Client: e, Apps: apps})
	c.own(c.sim.Apps()[1])
	good := `"events":["meeting.ended"],"event_webhook_url":"https://flow.test/","subscription_scope":"account"`
	for name, try := range map[string][2]string{
		"no events":           {`"events":["meeting.ended"]`, `"events":[]`},
		"events no list":      {`["meeting.ended"]`, `"meeting.ended"`},
		"no URL":              {`https://flow.test/`, ``},
		"another protocol":    {`https://`, `ftp://`},
		"unknown scope":       {`"account"`, `"everybody"`},
		"user scope, no user": {`"account"`, `"user"`},
		"too many users":      {`"account"`, `"user","user_ids":["1","2","3","4","5","6","7","8","9","10","11"]`},
		"token type header":   {`"account"`, `"account","custom_header":{"custom_header_type":2}`},
	} {
		c.call("POST", eventSubscriptions, "{"+strings.Replace(good, try[0], try[1], 1)+"}").want(t, http.StatusBadRequest, 300)
		if n := len(c.sim.Subscriptions()); n != 0 {
			t.Fatalf("%s: subscribed", name)
		}
	}
	for _, event := range []string{"recording.completed", "no.such_event"} {
		r := c.call("POST", eventSubscriptions, "{"+strings.Replace(good, "meeting.ended", event, 1)+"}").want(t, http.StatusBadRequest, 300)
		if !strings.Contains(r.text, event+" is not allowed for the app") {
			t.Errorf("%s", r.text)
		}
	}
	e.setBroken(true)
	if r := c.call("POST", eventSubscriptions, "{"+good+"}").want(t, http.StatusBadRequest, 300); !strings.Contains(r.text, "encryptedToken") {
		t.Errorf("%s", r.text)
	}
	c.call("GET", eventSubscriptions, "").want(t, http.StatusBadRequest, 300)
	c.call("PATCH", eventSubscriptions+"/x", `{"account_id":"a"}`).want(t, http.StatusNotFound, 300)
	c.call("PATCH", eventSubscriptions+"/x", `{}`).want(t, http.StatusBadRequest, 300)
	c.call("DELETE", eventSubscriptions+"?event_subscription_id=x", "").want(t, http.StatusBadRequest, 300)
}

func TestWhatThePortalAllowsIsAllowed(t *testing.T) {
	a := App{EventTypes: []string{"recording.*"}}
	if !allowed(a, "recording.completed") || allowed(a, "meeting.ended") {
		t.Error("not what the portal says")
	}
}

func TestAtMostTwentySubscriptions(t *testing.T) {
	e := &endpoint{secret: testSecret}
	c := newClient(t, Options{Client: e, Apps: EachKind(testSecret)})
	body := `{"events":["meeting.ended"],"event_webhook_url":"https://flow.test/%d","subscription_scope":"account"}`
	for i := range 20 {
		c.call("POST", eventSubscriptions, fmt.Sprintf(body, i)).want(t, http.StatusCreated, 0)
	}
	if r := c.call("POST", eventSubscriptions, fmt.Sprintf(body, 20)).want(t, http.StatusBadRequest, 300); !strings.Contains(r.text, "20 event subscriptions") {
		t.Errorf("%s", r.text)
	}
	c.own(c.sim.Apps()[1]) // another app has its own twenty
	c.call("POST", eventSubscriptions, fmt.Sprintf(body, 20)).want(t, http.StatusCreated, 0)
}

func TestThePortalsSubscriptionsAreNotTheAPIs(t *testing.T) {
	e := &endpoint{secret: testSecret}
	c := newClient(t, Options{Client: e, Apps: EachKind(testSecret)})
	a := c.sim.Apps()[0]
	sub, err := c.sim.Subscribe(t.Context(), Subscription{URL: "https://flow.test/"})
	if err != nil {
		t.Fatal(err)
	}
	list := c.call("GET", eventSubscriptions+"?account_id="+a.AccountID, "").want(t, http.StatusOK, 0)
	if list.column("event_subscriptions", "created_source") != "default" {
		t.Errorf("%s", list.text)
	}
	c.call("DELETE", eventSubscriptions+"/"+sub.ID, "").want(t, http.StatusBadRequest, 300)
	c.call("PATCH", eventSubscriptions+"/"+sub.ID, `{"user_ids":["u"],"account_id":"a"}`).want(t, http.StatusBadRequest, 300)
	c.call("DELETE", eventSubscriptions+"?event_subscription_id="+sub.ID+"&account_id=a", "").want(t, http.StatusBadRequest, 300)
	if n := len(c.sim.Subscriptions()); n != 1 {
		t.Errorf("%d subscriptions", n)
	}
}

func TestASubscriptionMayAuthenticateItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for custom, want := range map[string][2]string{
			`{"custom_header_type":1,"username":"zoom","password":"pw"}`:                              {"Authorization", "Basic em9vbTpwdw=="},
			`{"custom_header_type":3,"custom_header_key":"gate","custom_header_value":"open"}`:        {"X-Gate", "open"},
			`{"custom_header_type":3,"custom_header_key":"X-Gate","custom_header_value":"also open"}`: {"X-Gate", "also open"},
			`{"custom_header_type":0}`: {"Authorization", ""},
		} {
			e := &endpoint{secret: testSecret}
			c := newBubbleClient(t, Options{Client: e, Apps: EachKind(testSecret)})
			c.call("POST", eventSubscriptions, `{"events":["meeting.ended"],"event_webhook_url":"https://flow.test/","subscription_scope":"account","custom_header":`+custom+`}`).want(t, http.StatusCreated, 0)
			happen(t, c.sim, Event{Type: "meeting.ended"})
			synctest.Wait()
			if got := e.deliveries()[0].header.Get(want[0]); got != want[1] {
				t.Errorf("%s: %q", custom, got)
			}
		}
	})
}

func TestAnAppGetsTheEventsOfAccountsThatHaveIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{secret: testSecret}
		c := newBubbleClient(t, Options{Client: e, Apps: EachKind(testSecret)})
		a := c.sim.Apps()[2]
		for _, sub := range []Subscription{{URL: "https://flow.test/all", App: a.ClientID}, {URL: "https://flow.test/one", App: a.ClientID, Account: a.AccountID}} {
			if _, err := c.sim.Subscribe(t.Context(), sub); err != nil {
				t.Fatal(err)
			}
		}
		count := func() int {
			happen(t, c.sim, Event{Type: "meeting.ended", App: a.ClientID, Account: "guest"})
			synctest.Wait()
			return len(e.deliveries())
		}
		if n := count(); n != 0 {
			t.Errorf("%d deliveries of an account without the app", n)
		}
		if err := c.sim.SetConsent(Consent{App: a.ClientID, Account: "guest", User: "g1"}); err != nil {
			t.Fatal(err)
		}
		c.connect(a)
		if n := count(); n != 1 {
			t.Errorf("%d deliveries", n)
		}
		c.sim.Remove(Removal{App: a.ClientID, Account: "guest"})
		if n := count(); n != 1 {
			t.Errorf("%d deliveries after the removal", n)
		}
	})
}
