package zoomsim

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"zflow/internal/zoomsim/rest"
)

// column returns a field of each item of a list, in their order.
func (r reply) column(list, field string) string {
	items, _ := r.body[list].([]any)
	all := make([]string, len(items))
	for i, v := range items {
		item, _ := v.(map[string]any)
		all[i] = rest.Text(item[field])
	}
	return strings.Join(all, " ")
}

func idNumber(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMeetingsAreListedByType(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newBubbleClient(t, Options{TokenLife: 1000 * time.Hour})
		soon := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
		past, first := c.create(`{"topic":"past"}`)
		live, _ := c.create(`{"topic":"live"}`)
		c.create(`{"topic":"soon","start_time":"` + soon + `"}`)
		for range 2 {
			happen(t, c.sim, Event{Type: "meeting.started", Meeting: idNumber(t, past)})
			time.Sleep(50 * time.Minute)
			happen(t, c.sim, Event{Type: "meeting.ended", Meeting: idNumber(t, past)})
		}
		happen(t, c.sim, Event{Type: "meeting.started", Meeting: idNumber(t, live)})
		c.call("DELETE", "/v2/meetings/"+past, "").want(t, http.StatusNoContent, 0)
		for kind, want := range map[string]string{
			"": "live soon", "scheduled": "live soon", "live": "live", "upcoming": "soon", "upcoming_meetings": "soon", "previous_meetings": "past past",
		} {
			r := c.call("GET", "/v2/users/me/meetings?type="+kind, "").want(t, http.StatusOK, 0)
			if got := r.column("meetings", "topic"); got != want {
				t.Errorf("%s: %s", kind, got)
			}
		}
		previous := c.call("GET", "/v2/users/me/meetings?type=previous_meetings", "")
		if uuids := strings.Fields(previous.column("meetings", "uuid")); uuids[1] != first || uuids[0] == first || previous.column("meetings", "duration") != "50 50" {
			t.Errorf("%s", previous.text)
		}
		day := time.Now().AddDate(0, 0, -1).Format(time.DateOnly)
		if r := c.call("GET", "/v2/users/me/meetings?type=previous_meetings&to="+day, ""); r.column("meetings", "topic") != "" {
			t.Errorf("%s", r.text)
		}
	})
}

func TestAPastMeetingIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newBubbleClient(t, Options{TokenLife: 1000 * time.Hour})
		id, uuid := c.create(`{"topic":"Glazing"}`)
		c.call("GET", "/v2/past_meetings/"+id, "").want(t, http.StatusNotFound, 3001)
		for range 2 {
			happen(t, c.sim, Event{Type: "meeting.started", Meeting: idNumber(t, id)})
			time.Sleep(45 * time.Minute)
			happen(t, c.sim, Event{Type: "meeting.ended", Meeting: idNumber(t, id)})
		}
		r := c.call("GET", "/v2/past_meetings/"+id, "").want(t, http.StatusOK, 0)
		if rest.Text(r.body["duration"]) != "45" || rest.Text(r.body["participants_count"]) != "3" || r.body["user_email"] != ownerEmail || r.body["uuid"] == uuid {
			t.Errorf("%s", r.text)
		}
		all := c.call("GET", "/v2/past_meetings/"+id+"/instances", "").want(t, http.StatusOK, 0)
		if uuids := strings.Fields(all.column("meetings", "uuid")); len(uuids) != 2 || uuids[0] != uuid {
			t.Errorf("%s", all.text)
		}
		if r := c.call("GET", "/v2/past_meetings/"+id+"/instances?from=2990-01-01", ""); r.column("meetings", "uuid") != "" {
			t.Errorf("%s", r.text)
		}
		c.call("GET", "/v2/past_meetings/5/instances", "").want(t, http.StatusNotFound, 3001)
	})
}

func TestRecordingsAreListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newBubbleClient(t, Options{TokenLife: 10_000 * time.Hour, RecordingDelay: time.Hour})
		record := func(host, topic string) int64 {
			r := c.call("POST", "/v2/users/"+host+"/meetings", `{"topic":"`+topic+`"}`).want(t, http.StatusCreated, 0)
			id := idNumber(t, rest.Text(r.body["id"]))
			happen(t, c.sim, Event{Type: "meeting.ended", Meeting: id})
			happen(t, c.sim, Event{Type: "recording.completed", Meeting: id})
			return id
		}
		record("me", "old")
		time.Sleep(40 * 24 * time.Hour)
		id := record("me", "mine")
		time.Sleep(time.Hour)
		record("u8", "theirs")
		check := func(name, path, want string) {
			t.Helper()
			r := c.call("GET", "/v2/"+path, "").want(t, http.StatusOK, 0)
			if got := r.column("meetings", "topic"); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
		check("mine of the last month", "users/me/recordings", "mine")
		check("another's, not ready yet", "users/u8/recordings", "")
		time.Sleep(time.Hour)
		check("another's", "users/u8/recordings", "theirs")
		check("the account's", "accounts/me/recordings", "theirs mine")
		check("the account's by its id", "accounts/"+c.sim.Apps()[0].AccountID+"/recordings", "theirs mine")
		then := time.Now().AddDate(0, 0, -45)
		check("earlier ones", "users/me/recordings?from="+then.Format(time.DateOnly)+"&to="+then.AddDate(0, 0, 30).Format(time.DateOnly), "old")
		c.call("GET", "/v2/users/me/recordings?from=2026-01-01&to=2026-03-01", "").want(t, http.StatusBadRequest, 300)
		c.call("GET", "/v2/users/me/recordings?from=2026-02-01&to=2026-01-01", "").want(t, http.StatusBadRequest, 300)
		c.call("GET", "/v2/users/me/recordings?from=x", "").want(t, http.StatusBadRequest, 300)
		c.call("GET", "/v2/accounts/elsewhere/recordings", "").want(t, http.StatusNotFound, 2001)
		happen(t, c.sim, Event{Type: "recording.trashed", Meeting: id})
		check("trashed", "users/me/recordings", "")
		happen(t, c.sim, Event{Type: "recording.recovered", Meeting: id})
		check("recovered", "users/me/recordings", "mine")
		happen(t, c.sim, Event{Type: "recording.deleted", Meeting: id})
		c.call("GET", fmt.Sprintf("/v2/meetings/%d/recordings", id), "").want(t, http.StatusNotFound, 3301)
	})
}

func TestUsersComeAndGoByEvents(t *testing.T) {
	c := newClient(t, Options{Users: []string{"u1", "lina@harbor.example"}})
	list := func(query string) string {
		t.Helper()
		return c.call("GET", "/v2/users"+query, "").want(t, http.StatusOK, 0).column("users", "email")
	}
	base := ownerEmail + " u1@harbor.example lina@harbor.example"
	if got := list(""); got != base {
		t.Errorf("%s", got)
	}
	user := map[string]any{"id": "u2", "email": "new@harbor.example", "first_name": "New"}
	happen(t, c.sim, Event{Type: "user.created", Object: user})
	happen(t, c.sim, Event{Type: "user.updated", Object: map[string]any{"id": "u2", "last_name": "Comer"}})
	if got := list("?page_size=2000"); got != base+" new@harbor.example" {
		t.Errorf("%s", got)
	}
	if r := c.call("GET", "/v2/users/u2", "").want(t, http.StatusOK, 0); r.body["last_name"] != "Comer" || r.body["first_name"] != "New" || r.body["account_id"] != c.sim.Apps()[0].AccountID {
		t.Errorf("%s", r.text)
	}
	happen(t, c.sim, Event{Type: "user.deactivated", Object: map[string]any{"id": "u2"}})
	if got := list("?status=inactive"); got != "new@harbor.example" || list("") != base {
		t.Errorf("%s", got)
	}
	happen(t, c.sim, Event{Type: "user.activated", Object: map[string]any{"id": "u2"}})
	if got := list(""); got != base+" new@harbor.example" {
		t.Errorf("%s", got)
	}
	happen(t, c.sim, Event{Type: "user.deleted", Object: map[string]any{"id": "u2"}})
	if got := list(""); got != base {
		t.Errorf("%s", got)
	}
	c.call("GET", "/v2/users/u2", "").want(t, http.StatusNotFound, 1001)
	c.call("GET", "/v2/users?status=odd", "").want(t, http.StatusBadRequest, 300)
	c.call("GET", "/v2/users?page_size=2001", "").want(t, http.StatusBadRequest, 300)
	if r := c.call("GET", "/v2/users/me", "").want(t, http.StatusOK, 0); r.body["email"] != ownerEmail {
		t.Errorf("%s", r.text)
	}
	c.token = rest.Text(c.connect(c.sim.Apps()[1]).body["access_token"])
	c.call("GET", "/v2/users", "").want(t, http.StatusBadRequest, 4711)
	c.call("GET", "/v2/users/me", "").want(t, http.StatusOK, 0)
}

func TestWebinars(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{secret: testSecret}
		c := newBubbleClient(t, Options{Client: e, Apps: []App{{SecretToken: testSecret}}})
		if _, err := c.sim.Subscribe(t.Context(), Subscription{URL: "https://flow.test/", Events: []string{"webinar.*", "meeting.*"}}); err != nil {
			t.Fatal(err)
		}
		r := c.call("POST", "/v2/users/me/webinars", `{"topic":"Kilns","type":5}`).want(t, http.StatusCreated, 0)
		id := rest.Text(r.body["id"])
		c.call("PATCH", "/v2/webinars/"+id, `{"topic":"Kilns and fire"}`).want(t, http.StatusNoContent, 0)
		if r := c.call("GET", "/v2/webinars/"+id, "").want(t, http.StatusOK, 0); r.body["topic"] != "Kilns and fire" || rest.Text(r.body["type"]) != "5" {
			t.Errorf("%s", r.text)
		}
		c.call("GET", "/v2/meetings/"+id, "").want(t, http.StatusNotFound, 3001)
		if got := c.call("GET", "/v2/users/me/webinars", "").column("webinars", "id"); got != id {
			t.Errorf("%s", got)
		}
		if got := c.call("GET", "/v2/users/me/meetings", "").column("meetings", "id"); got != "" {
			t.Errorf("%s", got)
		}
		c.call("POST", "/v2/users/me/webinars", `{"topic":"x","type":2}`).want(t, http.StatusBadRequest, 300)
		happen(t, c.sim, Event{Type: "webinar.started", Meeting: idNumber(t, id)})
		c.call("DELETE", "/v2/webinars/"+id, "").want(t, http.StatusBadRequest, 3002)
		happen(t, c.sim, Event{Type: "webinar.ended", Meeting: idNumber(t, id)})
		c.call("DELETE", "/v2/webinars/"+id, "").want(t, http.StatusNoContent, 0)
		c.call("DELETE", "/v2/webinars/"+id, "").want(t, http.StatusNotFound, 3001)
		synctest.Wait()
		kinds := map[string]int{}
		for _, d := range e.deliveries() {
			v, _ := rest.DecodeObject([]byte(d.body))
			kinds[rest.Text(v["event"])]++
		}
		if len(kinds) != 5 || kinds["webinar.created"]*kinds["webinar.updated"]*kinds["webinar.deleted"]*kinds["webinar.started"]*kinds["webinar.ended"] != 1 {
			t.Errorf("%v", kinds)
		}
	})
}

func TestPanelistsComeAndGoWithoutAnEvent(t *testing.T) {
	c := newClient(t, Options{})
	id := rest.Text(c.call("POST", "/v2/users/me/webinars", `{"topic":"Kilns"}`).want(t, http.StatusCreated, 0).body["id"])
	path := "/v2/webinars/" + id + "/panelists"
	list := func() string { return c.call("GET", path, "").want(t, http.StatusOK, 0).column("panelists", "name") }
	c.call("POST", path, `{"panelists":[{"name":"Ada","email":"ada@x.example"},{"name":"Bo","email":"bo@x.example"}]}`).want(t, http.StatusCreated, 0)
	ids := strings.Fields(c.call("GET", path, "").column("panelists", "id"))
	c.call("POST", path, `{"panelists":[{"name":"Ada L.","email":"ADA@x.example"}]}`).want(t, http.StatusCreated, 0)
	if list() != "Ada L. Bo" || strings.Fields(c.call("GET", path, "").column("panelists", "id"))[0] != ids[0] {
		t.Errorf("%s", list())
	}
	c.call("DELETE", path+"/"+ids[0], "").want(t, http.StatusNoContent, 0)
	c.call("DELETE", path+"/"+ids[0], "").want(t, http.StatusNotFound, 0)
	if list() != "Bo" {
		t.Errorf("%s", list())
	}
	r := c.call("PUT", "/sim/v1/panelists", `{"webinar":`+id+`,"panelists":[{"email":"bo@x.example","name":"Bo Q."},{"email":"cy@x.example","name":"Cy"}]}`).want(t, http.StatusOK, 0)
	if list() != "Bo Q. Cy" || !strings.Contains(r.text, ids[1]) {
		t.Errorf("%s %s", list(), r.text)
	}
	c.call("DELETE", path, "").want(t, http.StatusNoContent, 0)
	if list() != "" {
		t.Errorf("%s", list())
	}
	for _, body := range []string{`{}`, `{"panelists":[]}`, `{"panelists":[{"name":"x"}]}`, `{"panelists":["x"]}`} {
		c.call("POST", path, body).want(t, http.StatusBadRequest, 300)
	}
	for _, method := range []string{"GET", "DELETE", "POST"} {
		c.call(method, "/v2/webinars/5/panelists", `{}`).want(t, http.StatusNotFound, 3001)
	}
	c.call("PUT", "/sim/v1/panelists", `{"webinar":5}`).want(t, http.StatusBadRequest, 0)
}

func TestNewListsHaveLimitsToo(t *testing.T) {
	c := newClient(t, Options{Limits: map[string]Limit{"MEDIUM": {PerDay: 1}}})
	r := c.call("GET", "/v2/users", "").want(t, http.StatusOK, 0)
	if r.header.Get("X-RateLimit-Category") != "Medium" || r.header.Get("X-RateLimit-Remaining") != "0" {
		t.Errorf("%v", r.header)
	}
	c.call("GET", "/v2/users/me/recordings", "").want(t, http.StatusTooManyRequests, 429)
}
