package zoomsim

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"zflow/internal/zoomsim/rest"
)

func TestAMeetingLives(t *testing.T) {
	c := newClient(t, Options{})
	made := c.call("POST", "/v2/users/me/meetings", `{"topic":"Glazing","type":2,"start_time":"2030-01-02T10:00:00Z","duration":40,"settings":{"host_video":true}}`).want(t, http.StatusCreated, 0)
	id := rest.Text(made.body["id"])
	if len(id) != 11 || !strings.Contains(rest.Text(made.body["start_url"]), "zak=") || !strings.Contains(rest.Text(made.body["join_url"]), "/j/"+id) {
		t.Fatalf("%s", made.text)
	}
	got := c.call("GET", "/v2/meetings/"+id, "").want(t, http.StatusOK, 0)
	for _, key := range []string{"id", "uuid", "topic", "duration", "start_time", "timezone", "host_id", "join_url"} {
		if rest.Text(got.body[key]) != rest.Text(made.body[key]) || made.body[key] == nil {
			t.Errorf("%s: made with %v, read %v", key, made.body[key], got.body[key])
		}
	}
	settings, _ := got.body["settings"].(map[string]any)
	if settings["host_video"] != true || settings["waiting_room"] != true || got.body["status"] != "waiting" {
		t.Errorf("%s", got.text)
	}
	list := c.call("GET", "/v2/users/"+owner+"/meetings", "").want(t, http.StatusOK, 0)
	if strings.Contains(list.text, "start_url") || !strings.Contains(list.text, id) {
		t.Errorf("%s", list.text)
	}
	changed := c.call("PATCH", "/v2/meetings/"+id, `{"topic":"Glazing II","settings":{"waiting_room":false}}`).want(t, http.StatusNoContent, 0)
	if changed.text != "" {
		t.Errorf("%q", changed.text)
	}
	got = c.call("GET", "/v2/meetings/"+id, "").want(t, http.StatusOK, 0)
	settings, _ = got.body["settings"].(map[string]any)
	if got.body["topic"] != "Glazing II" || settings["host_video"] != true || settings["waiting_room"] != false {
		t.Errorf("%s", got.text)
	}
	c.call("DELETE", "/v2/meetings/"+id, "").want(t, http.StatusNoContent, 0)
	c.call("DELETE", "/v2/meetings/"+id, "").want(t, http.StatusNotFound, 3001)
	c.call("GET", "/v2/meetings/"+id, "").want(t, http.StatusNotFound, 3001)
	c.call("PATCH", "/v2/meetings/"+id, `{"topic":"x"}`).want(t, http.StatusNotFound, 3001)
	if list := c.call("GET", "/v2/users/me/meetings", ""); strings.Contains(list.text, id) {
		t.Errorf("deleted and listed: %s", list.text)
	}
}

func TestBadFieldsAreNamed(t *testing.T) {
	c := newClient(t, Options{})
	for field, body := range map[string]string{
		"topic":      `{"topic":"` + strings.Repeat("é", 201) + `"}`,
		"start_time": `{"start_time":"tomorrow"}`,
		"duration":   `{"duration":0}`,
		"type":       `{"type":7}`,
		"password":   `{"password":"longer than ten"}`,
		"settings":   `{"settings":[]}`,
		"timezone":   `{"timezone":7}`,
	} {
		r := c.call("POST", "/v2/users/me/meetings", body).want(t, http.StatusBadRequest, 300)
		if !strings.Contains(r.text, `"errors":[{"field":"`+field+`"`) {
			t.Errorf("%s: %s", field, r.text)
		}
	}
	for _, body := range []string{"", "[]", "{", "null", `"x"`, "{}{}"} {
		c.call("POST", "/v2/users/me/meetings", body).want(t, http.StatusBadRequest, 300)
	}
	c.call("POST", "/v2/users/me/meetings", `{"topic":"`+strings.Repeat("é", 200)+`","a_field_of_tomorrow":1}`).want(t, http.StatusCreated, 0)
}

func TestPasswordIsSometimesLeftOut(t *testing.T) {
	c := newClient(t, Options{})
	with, without := 0, 0
	for range 60 {
		r := c.call("POST", "/v2/users/me/meetings", `{}`).want(t, http.StatusCreated, 0)
		if r.body["password"] == nil {
			without++
		} else {
			with++
		}
	}
	if with == 0 || without == 0 {
		t.Errorf("%d with, %d without", with, without)
	}
}

func TestUUIDsWithSlashesMustBeEncodedTwice(t *testing.T) {
	c := newClient(t, Options{})
	begins, inside := 0, 0
	for range 16 {
		_, uuid := c.create(`{}`)
		once := url.PathEscape(uuid)
		twice := url.PathEscape(once)
		c.call("GET", "/v2/meetings/"+twice, "").want(t, http.StatusOK, 0) // always does
		status := http.StatusOK
		if strings.HasPrefix(uuid, "/") || strings.Contains(uuid, "//") {
			status = http.StatusNotFound
		}
		if got := c.call("GET", "/v2/meetings/"+once, ""); got.status != status {
			t.Errorf("%s encoded once: %d", uuid, got.status)
		}
		if strings.Contains(uuid, "/") {
			c.call("GET", "/v2/meetings/"+uuid, "").want(t, http.StatusNotFound, 0)
		}
		if strings.HasPrefix(uuid, "/") {
			begins++
		}
		if strings.Contains(uuid, "//") {
			inside++
		}
	}
	if begins < 4 || inside < 2 {
		t.Errorf("%d begin with a slash, %d have two in a row", begins, inside)
	}
}

func TestListingPages(t *testing.T) {
	c := newClient(t, Options{})
	made := map[string]bool{}
	for range 7 {
		id, _ := c.create(`{"type":2}`)
		made[id] = true
	}
	token, pages := "", 0
	for {
		r := c.call("GET", "/v2/users/me/meetings?page_size=3&next_page_token="+token, "").want(t, http.StatusOK, 0)
		meetings, _ := r.body["meetings"].([]any)
		for _, m := range meetings {
			line, _ := m.(map[string]any)
			delete(made, rest.Text(line["id"]))
		}
		if rest.Text(r.body["total_records"]) != "7" || rest.Text(r.body["page_count"]) != "3" {
			t.Errorf("%s", r.text)
		}
		pages++
		if token = rest.Text(r.body["next_page_token"]); token == "" {
			break
		}
	}
	if pages != 3 || len(made) != 0 {
		t.Errorf("%d pages, not listed: %v", pages, made)
	}
	for _, size := range []string{"0", "301", "x"} {
		c.call("GET", "/v2/users/me/meetings?page_size="+size, "").want(t, http.StatusBadRequest, 300)
	}
}

func TestAnEmptyListIsAList(t *testing.T) {
	c := newClient(t, Options{})
	r := c.call("GET", "/v2/users/me/meetings", "").want(t, http.StatusOK, 0)
	if !strings.Contains(r.text, `"meetings":[]`) {
		t.Errorf("%s", r.text)
	}
}

func TestAPageTokenIsForOneListAndFifteenMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newBubbleClient(t, Options{})
		for range 3 {
			c.create(`{}`)
		}
		token := rest.Text(c.call("GET", "/v2/users/me/meetings?page_size=1", "").body["next_page_token"])
		c.call("GET", "/v2/users/someone/meetings?page_size=1&next_page_token="+token, "").want(t, http.StatusBadRequest, 300)
		c.call("GET", "/v2/users/me/meetings?page_size=1&type=live&next_page_token="+token, "").want(t, http.StatusBadRequest, 300)
		time.Sleep(15*time.Minute - time.Second)
		c.call("GET", "/v2/users/me/meetings?page_size=1&next_page_token="+token, "").want(t, http.StatusOK, 0)
		time.Sleep(time.Second)
		c.call("GET", "/v2/users/me/meetings?page_size=1&next_page_token="+token, "").want(t, http.StatusBadRequest, 300)
	})
}

func TestListTypesAndDays(t *testing.T) {
	c := newClient(t, Options{})
	soon, _ := c.create(`{"topic":"soon","start_time":"2099-05-04T10:00:00Z"}`)
	past, _ := c.create(`{"topic":"past","start_time":"2001-05-04T10:00:00Z"}`)
	live, _ := c.create(`{"topic":"live","start_time":"2001-05-06T10:00:00Z"}`)
	happen(t, c.sim, Event{Type: "meeting.started", Meeting: number(t, live)})
	for query, want := range map[string][]string{
		"":                                      {soon, past, live},
		"?type=upcoming":                        {soon},
		"?type=live":                            {live},
		"?type=previous_meetings":               nil,
		"?from=2001-05-05&to=2001-05-07":        {live},
		"?from=2001-05-05":                      {soon, live},
		"?type=upcoming&to=2050-01-01":          nil,
		"?type=scheduled&from=2099-05-04":       {soon},
		"?page_size=300&type=upcoming_meetings": {soon},
	} {
		r := c.call("GET", "/v2/users/me/meetings"+query, "").want(t, http.StatusOK, 0)
		if rest.Text(r.body["total_records"]) != fmt.Sprint(len(want)) {
			t.Errorf("%s: %s", query, r.text)
		}
		for _, id := range want {
			if !strings.Contains(r.text, id) {
				t.Errorf("%s: lacks %s", query, id)
			}
		}
	}
}

func TestAMeetingInProgressCannotBeDeleted(t *testing.T) {
	c := newClient(t, Options{})
	id, _ := c.create(`{}`)
	happen(t, c.sim, Event{Type: "meeting.started", Meeting: number(t, id)})
	if r := c.call("GET", "/v2/meetings/"+id, ""); r.body["status"] != "started" {
		t.Errorf("%s", r.text)
	}
	c.call("DELETE", "/v2/meetings/"+id, "").want(t, http.StatusBadRequest, 3002)
	happen(t, c.sim, Event{Type: "meeting.ended", Meeting: number(t, id)})
	c.call("DELETE", "/v2/meetings/"+id, "").want(t, http.StatusNoContent, 0)
}

func TestUsersMayBeLimited(t *testing.T) {
	c := newClient(t, Options{Users: []string{"lina@harbor.example"}})
	c.call("POST", "/v2/users/lina@harbor.example/meetings", `{}`).want(t, http.StatusCreated, 0)
	c.call("POST", "/v2/users/me/meetings", `{}`).want(t, http.StatusCreated, 0)
	c.call("POST", "/v2/users/nobody/meetings", `{}`).want(t, http.StatusNotFound, 1001)
	c.call("POST", "/v2/chat/users/nobody/messages", `{"message":"x","to_contact":"y"}`).want(t, http.StatusNotFound, 1001)
}

func TestUnknownPaths(t *testing.T) {
	c := newClient(t, Options{})
	for _, try := range []string{"GET /v2/frobnicate", "PUT /v2/meetings/1", "GET /v2/meetings/", "GET /v2//meetings/1", "GET /"} {
		method, path, _ := strings.Cut(try, " ")
		c.call(method, path, "").want(t, http.StatusNotFound, 2300)
	}
	if r := c.call("GET", "/sim/v1/nothing", ""); r.status != http.StatusNotFound {
		t.Errorf("%d", r.status)
	}
}

func TestChatMessages(t *testing.T) {
	c := newClient(t, Options{})
	r := c.call("POST", "/v2/chat/users/me/messages", `{"message":"hello","to_contact":"lina@harbor.example"}`).want(t, http.StatusCreated, 0)
	if rest.Text(r.body["id"]) == "" {
		t.Errorf("%s", r.text)
	}
	c.call("POST", "/v2/chat/users/me/messages", `{"message":"hello","to_channel":"c1"}`).want(t, http.StatusCreated, 0)
	for _, body := range []string{`{"message":"hello"}`, `{"to_channel":"c"}`, `{"message":"","to_channel":"c"}`, `{"message":5,"to_channel":"c"}`} {
		c.call("POST", "/v2/chat/users/me/messages", body).want(t, http.StatusBadRequest, 300)
	}
	if sent := c.sim.Ledger(Filter{Operation: "send_chat_message"}); len(sent) != 6 || !strings.Contains(sent[0].Body, "hello") {
		t.Errorf("%+v", sent)
	}
}
