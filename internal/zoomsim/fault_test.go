package zoomsim

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"zflow/internal/zoomsim/rest"
)

func TestFaultsAreForTheNextCallsOfAKind(t *testing.T) {
	c := newClient(t, Options{})
	c.sim.Inject(Fault{Method: "POST", Path: "/v2/users/{userId}/meetings", Times: 2, Status: 500, Code: 500, Message: "Internal error"})
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0)
	c.call("POST", "/v2/users/me/meetings", `{}`).want(t, 500, 500)
	c.call("POST", "/v2/users/me/meetings", `{}`).want(t, 500, 500)
	c.create(`{}`)
	if r := c.call("GET", "/v2/users/me/meetings", ""); rest.Text(r.body["total_records"]) != "1" {
		t.Errorf("a call that was refused took place: %s", r.text)
	}
}

func TestFaultsCanBeCleared(t *testing.T) {
	c := newClient(t, Options{})
	c.sim.Inject(Fault{Status: 503, Times: 100})
	c.call("GET", "/v2/users/me/meetings", "").want(t, 503, 0)
	c.sim.ClearFaults()
	c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0)
}

func TestAConnectionIsCutBeforeOrAfterTheCall(t *testing.T) {
	for name, done := range map[string]bool{"before": false, "after": true} {
		c := newClient(t, Options{})
		c.sim.Inject(Fault{Method: "POST", Path: "/v2/users/*/meetings", Cut: true, Do: done})
		if r, err := c.send("POST", "/v2/users/me/meetings", `{}`); err == nil {
			t.Fatalf("%s: answered %d", name, r.status)
		}
		list := c.call("GET", "/v2/users/me/meetings", "")
		if took := rest.Text(list.body["total_records"]) == "1"; took != done {
			t.Errorf("%s: the meeting was created: %v", name, took)
		}
		entries := c.sim.Ledger(Filter{Operation: "create_meeting"})
		if len(entries) != 1 || entries[0].Status != 0 || entries[0].Note != "fault: cut" {
			t.Errorf("%s: ledger %+v", name, entries)
		}
	}
}

func TestAnAnswerMayBeOddThoughTheCallHappened(t *testing.T) {
	c := newClient(t, Options{})
	c.sim.Inject(Fault{Method: "POST", Do: true, Status: 200, Body: `[{"id":1}]`})
	c.sim.Inject(Fault{Method: "POST", Status: 302, Header: http.Header{"Location": {"/v2/users/me/meetings"}}})
	c.sim.Inject(Fault{Method: "POST", Status: 200, Body: "<html>", Header: http.Header{"Content-Type": {"text/html"}}})
	if r := c.call("POST", "/v2/users/me/meetings", `{}`).want(t, 200, 0); r.text != `[{"id":1}]` {
		t.Errorf("%s", r.text)
	}
	c.call("POST", "/v2/users/me/meetings", `{}`).want(t, 302, 0)
	if r := c.call("POST", "/v2/users/me/meetings", `{}`).want(t, 200, 0); r.text != "<html>" || r.header.Get("Content-Type") != "text/html" {
		t.Errorf("%s %s", r.header, r.text)
	}
	if r := c.call("GET", "/v2/users/me/meetings", ""); rest.Text(r.body["total_records"]) != "1" {
		t.Errorf("%s", r.text)
	}
}

func TestTheTokenEndpointFailsToo(t *testing.T) {
	c := newClient(t, Options{})
	c.sim.Inject(Fault{Path: "/oauth/token", Status: 500, Body: `{"reason":"Internal Error","error":"server_error"}`})
	r := c.tokenCall("a", "b", nil).want(t, 500, 0)
	if r.body["error"] != "server_error" {
		t.Errorf("%s", r.text)
	}
	c.fetch()
}

func TestADelayIsOnlyADelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newBubbleClient(t, Options{})
		c.sim.Inject(Fault{Delay: 20 * time.Second})
		start := time.Now()
		c.create(`{}`)
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestAHangEndsWithTheCallerOrTheSim(t *testing.T) {
	c := newClient(t, Options{})
	c.sim.Inject(Fault{Hang: true, Times: 2})
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", c.base+"/v2/users/me/meetings", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if _, err := c.sim.WaitLedger(t.Context(), Filter{Operation: "list_meetings"}, 1); err == nil {
			cancel()
		}
	}()
	if a, err := c.http.Do(r); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, %v", a, err)
	}
	go func() {
		if _, err := c.sim.WaitLedger(t.Context(), Filter{Operation: "list_meetings"}, 2); err == nil {
			_ = c.sim.Close(context.Background())
		}
	}()
	if r, err := c.send("GET", "/v2/users/me/meetings", ""); err == nil {
		t.Errorf("answered %d", r.status)
	}
}

func TestLimitsPerSecondAndDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newBubbleClient(t, Options{Limits: map[string]Limit{"MEDIUM": {PerSecond: 2, PerDay: 5}}})
		time.Sleep(time.Second - time.Duration(time.Now().Nanosecond()))
		first := c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0)
		if h := first.header; h.Get("X-RateLimit-Remaining") != "1" || h.Get("X-RateLimit-Category") != "Medium" || h.Get("X-RateLimit-Type") != "QPS" {
			t.Errorf("%v", h)
		}
		c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0)
		r := c.call("GET", "/v2/users/me/meetings", "").want(t, 429, 429)
		if r.header.Get("Retry-After") != "" || !strings.Contains(rest.Text(r.body["message"]), "per-second") {
			t.Errorf("%v %s", r.header, r.text)
		}
		c.call("GET", "/v2/meetings/1", "").want(t, http.StatusNotFound, 3001) // LIGHT has no limit
		for range 3 {
			time.Sleep(time.Second)
			c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0)
		}
		time.Sleep(time.Second)
		r = c.call("GET", "/v2/users/me/meetings", "").want(t, 429, 429)
		at, err := time.Parse(time.RFC3339, r.header.Get("Retry-After"))
		if err != nil || !at.Equal(time.Now().UTC().Truncate(24*time.Hour).Add(24*time.Hour)) || r.header.Get("X-RateLimit-Type") != "Daily-limit" {
			t.Fatalf("%v: %v", r.header, err)
		}
		time.Sleep(time.Until(at))
		c.token = c.fetch()
		c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0)
	})
}

func TestDailyLimitsPerHostAndRegistrant(t *testing.T) {
	c := newClient(t, Options{DailyLimits: true})
	id, _ := c.create(`{"settings":{"approval_type":0}}`)
	for range 99 {
		c.create(`{}`)
	}
	r := c.call("POST", "/v2/users/me/meetings", `{}`).want(t, 429, 429)
	if r.header.Get("Retry-After") != "" || r.header.Get("X-RateLimit-Remaining") != "5893" || !strings.Contains(rest.Text(r.body["message"]), "(100)") {
		t.Errorf("%v %s", r.header, r.text)
	}
	c.call("PATCH", "/v2/meetings/"+id, `{"topic":"x"}`).want(t, 429, 429) // updates count too
	c.call("POST", "/v2/users/another/meetings", `{}`).want(t, http.StatusCreated, 0)
	for range 3 {
		c.call("POST", "/v2/meetings/"+id+"/registrants", lina).want(t, http.StatusCreated, 0)
	}
	c.call("POST", "/v2/meetings/"+id+"/registrants", lina).want(t, 429, 429)
}
