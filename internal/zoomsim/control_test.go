package zoomsim

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"zflow/internal/zoomsim/rest"
)

func TestAppsAreListedWithTheirCredentials(t *testing.T) {
	c := newClient(t, Options{Apps: []App{{SecretToken: "given"}, {Kind: "zoom_admin", AccountID: "acc"}}})
	var apps []map[string]any
	page := c.do(mustRequest(t, c.base+"/sim/v1/apps")).text
	if err := json.Unmarshal([]byte(page), &apps); err != nil {
		t.Fatalf("%s: %v", page, err)
	}
	for i, a := range apps {
		for _, key := range []string{"kind", "client_id", "client_secret", "account_id", "secret_token"} {
			if rest.Text(a[key]) == "" {
				t.Errorf("app %d has no %s", i, key)
			}
		}
	}
	if len(apps) != 2 || apps[0]["kind"] != KindS2S || apps[0]["secret_token"] != "given" || apps[1]["account_id"] != "acc" {
		t.Errorf("%s", page)
	}
}

func TestEventsHappenOnDemand(t *testing.T) {
	c := newClient(t, Options{})
	id, uuid := c.create(`{"topic":"Glazing"}`)
	r := c.call("POST", "/sim/v1/events", `{"type":"meeting.ended","meeting":`+id+`,"object":{"duration":12},"payload":{"extra":true}}`).want(t, http.StatusOK, 0)
	payload, _ := r.body["payload"].(map[string]any)
	object, _ := payload["object"].(map[string]any)
	if object["id"] != id || object["uuid"] != uuid || object["topic"] != "Glazing" || rest.Text(object["duration"]) != "12" || payload["extra"] != true {
		t.Errorf("%s", r.text)
	}
	c.call("GET", "/v2/past_meetings/"+id+"/participants", "").want(t, http.StatusOK, 0)
	for _, body := range []string{`{"type":"meeting.ended","meeting":5}`, `{"type":"meeting.ended","app":"nobody"}`, `{"typo":1}`, `{`} {
		if r := c.call("POST", "/sim/v1/events", body).want(t, http.StatusBadRequest, 0); rest.Text(r.body["error"]) == "" {
			t.Errorf("%s: %s", body, r.text)
		}
	}
}

func TestCallsMakeEventsHappen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{secret: testSecret}
		c := newBubbleClient(t, Options{Client: e, Apps: []App{{SecretToken: testSecret}}})
		if _, err := c.sim.Subscribe(t.Context(), Subscription{URL: "https://flow.test/"}); err != nil {
			t.Fatal(err)
		}
		id, uuid := c.create(`{"topic":"a","settings":{"approval_type":0}}`)
		c.call("PATCH", "/v2/meetings/"+id, `{"topic":"b"}`)
		c.call("POST", "/v2/meetings/"+id+"/registrants", lina)
		c.call("POST", "/v2/meetings/"+id+"/registrants", lina) // nobody new
		c.call("DELETE", "/v2/meetings/"+id, "")
		c.call("DELETE", "/v2/meetings/"+id, "") // nothing left
		synctest.Wait()
		got := map[string]string{}
		for _, d := range e.deliveries() {
			v, _ := rest.DecodeObject([]byte(d.body))
			got[rest.Text(v["event"])] = d.body
			if !strings.Contains(d.body, id) {
				t.Errorf("%s", d.body)
			}
		}
		if len(e.deliveries()) != 4 || len(got) != 4 {
			t.Errorf("%v", got)
		}
		if !strings.Contains(got["meeting.deleted"], uuid) || !strings.Contains(got["meeting.updated"], `"topic":"b"`) || !strings.Contains(got["meeting.registration_created"], "lina.soto@") {
			t.Errorf("%v", got)
		}
	})
}

func TestNoTwoEventsHaveTheSameTime(t *testing.T) {
	s := New(Options{})
	seen := map[string]bool{}
	for range 200 {
		h, err := s.Happen(Event{Type: "meeting.started"})
		if err != nil {
			t.Fatal(err)
		}
		v, _ := rest.DecodeObject(h.Body)
		if ts := rest.Text(v["event_ts"]); seen[ts] {
			t.Fatalf("%s twice", ts)
		} else {
			seen[ts] = true
		}
	}
}

func TestFaultsLimitsAndSubscriptionsOverHTTP(t *testing.T) {
	e := &endpoint{secret: testSecret}
	c := newClient(t, Options{Client: e, Apps: []App{{SecretToken: testSecret}}})
	c.call("POST", "/sim/v1/faults", `{"method":"GET","path":"/v2/meetings/*","status":503,"delay":"1ms"}`).want(t, http.StatusOK, 0)
	c.call("GET", "/v2/meetings/1", "").want(t, 503, 0)
	c.call("POST", "/sim/v1/faults", `{"delay":"soon"}`).want(t, http.StatusBadRequest, 0)
	c.call("POST", "/sim/v1/limits", `{"LIGHT":{"per_day":1}}`).want(t, http.StatusOK, 0)
	c.call("GET", "/v2/meetings/1", "").want(t, http.StatusNotFound, 0)
	c.call("GET", "/v2/meetings/1", "").want(t, 429, 0)
	sub := c.call("POST", "/sim/v1/subscriptions", `{"url":"https://flow.test/"}`).want(t, http.StatusOK, 0)
	if r := c.call("GET", "/sim/v1/subscriptions", ""); !strings.Contains(r.text, rest.Text(sub.body["id"])) {
		t.Errorf("%s", r.text)
	}
	c.call("DELETE", "/sim/v1/subscriptions?id="+rest.Text(sub.body["id"]), "").want(t, http.StatusNoContent, 0)
	if n := len(c.sim.Subscriptions()); n != 0 {
		t.Errorf("%d subscriptions", n)
	}
	e.setBroken(true)
	c.call("POST", "/sim/v1/subscriptions", `{"url":"https://flow.test/"}`).want(t, http.StatusBadRequest, 0)
}

func TestTheLedgerIsFilteredAndWaitedFor(t *testing.T) {
	c := newClient(t, Options{})
	waited := make(chan []Entry, 1)
	go func() {
		entries, err := c.sim.WaitLedger(t.Context(), Filter{Operation: "get_meeting"}, 2)
		if err != nil {
			t.Error(err)
		}
		waited <- entries
	}()
	c.call("GET", "/v2/meetings/1?x=y", "")
	c.create(`{"topic":"z"}`)
	c.call("GET", "/v2/meetings/2", "")
	entries := <-waited
	if len(entries) != 2 || entries[0].Path != "/v2/meetings/1" || entries[0].Query != "x=y" || entries[0].Status != 404 || entries[0].Code != 3001 || entries[0].App == "" {
		t.Errorf("%+v", entries)
	}
	page := c.do(mustRequest(t, c.base+"/sim/v1/ledger?kind=call&operation=create_meeting")).text
	var found []Entry
	if err := json.Unmarshal([]byte(page), &found); err != nil || len(found) != 1 || found[0].Body != `{"topic":"z"}` || found[0].Status != 201 {
		t.Errorf("%s: %v", page, err)
	}
	if rest := c.sim.Ledger(Filter{After: entries[0].Seq}); len(rest) != 2 {
		t.Errorf("%+v", rest)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := c.sim.WaitLedger(ctx, Filter{Operation: "delete_meeting"}, 1); err == nil {
		t.Error("waited for nothing without an error")
	}
}

func TestTheLedgerForgetsTheOldest(t *testing.T) {
	l := newLedger(100)
	for range 101 {
		l.add(Entry{})
	}
	all, _ := l.choose(Filter{})
	if len(all) != 91 || all[0].Seq != 11 || all[90].Seq != 101 {
		t.Errorf("%d entries from %d", len(all), all[0].Seq)
	}
}

func TestEveryPageIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/simulator.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, pages := range []map[string]controlPage{readPages, writePages} {
		for name := range pages {
			if !strings.Contains(string(page), "| `"+name+"` |") {
				t.Errorf("docs/simulator.md does not have %s", name)
			}
		}
	}
}
