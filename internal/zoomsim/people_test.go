package zoomsim

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"zflow/internal/zoomsim/rest"
)

func number(t *testing.T, id string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const lina = `{"first_name":"Lina","last_name":"Soto","email":"Lina.Soto@harbor.example"}`

func TestRegistering(t *testing.T) {
	c := newClient(t, Options{})
	open, _ := c.create(`{"settings":{"approval_type":0}}`)
	r := c.call("POST", "/v2/meetings/"+open+"/registrants", lina).want(t, http.StatusCreated, 0)
	if rest.Text(r.body["id"]) != open || rest.Text(r.body["registrant_id"]) == "" || !strings.Contains(rest.Text(r.body["join_url"]), "tk=") {
		t.Errorf("%s", r.text)
	}
	again := c.call("POST", "/v2/meetings/"+open+"/registrants", strings.ToLower(lina)).want(t, http.StatusCreated, 0)
	if again.body["registrant_id"] != r.body["registrant_id"] {
		t.Errorf("one address, two registrants: %s and %s", r.text, again.text)
	}
}

func TestAPendingRegistrantHasNoJoinURL(t *testing.T) {
	c := newClient(t, Options{})
	id, _ := c.create(`{"settings":{"approval_type":1}}`)
	r := c.call("POST", "/v2/meetings/"+id+"/registrants", lina).want(t, http.StatusCreated, 0)
	if _, has := r.body["join_url"]; has {
		t.Errorf("%s", r.text)
	}
	approved := `{"first_name":"Tomas","email":"t@guest.example","auto_approve":true}`
	r = c.call("POST", "/v2/meetings/"+id+"/registrants", approved).want(t, http.StatusCreated, 0)
	if _, has := r.body["join_url"]; !has {
		t.Errorf("%s", r.text)
	}
}

func TestRegisteringIsRefused(t *testing.T) {
	c := newClient(t, Options{})
	closed, _ := c.create(`{}`)
	open, _ := c.create(`{"settings":{"approval_type":0}}`)
	c.call("POST", "/v2/meetings/"+closed+"/registrants", lina).want(t, http.StatusBadRequest, 300)
	c.call("POST", "/v2/meetings/81234567890/registrants", lina).want(t, http.StatusNotFound, 3001)
	for field, body := range map[string]string{"email": `{"first_name":"x"}`, "first_name": `{"email":"a@b.example"}`} {
		r := c.call("POST", "/v2/meetings/"+open+"/registrants", body).want(t, http.StatusBadRequest, 300)
		if !strings.Contains(r.text, `"field":"`+field+`"`) {
			t.Errorf("%s", r.text)
		}
	}
	c.call("POST", "/v2/meetings/"+open+"/registrants", `{"first_name":"x","email":"no address"}`).want(t, http.StatusBadRequest, 300)
}

func TestParticipantsComeLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newBubbleClient(t, Options{ReportDelay: 10 * time.Minute})
		id, uuid := c.create(`{}`)
		path := "/v2/past_meetings/" + url.PathEscape(url.PathEscape(uuid)) + "/participants"
		c.call("GET", path, "").want(t, http.StatusNotFound, 3001)
		happen(t, c.sim, Event{Type: "meeting.ended", Meeting: number(t, id)})
		time.Sleep(10*time.Minute - time.Second)
		c.call("GET", path, "").want(t, http.StatusNotFound, 3001)
		time.Sleep(time.Second)
		r := c.call("GET", path, "").want(t, http.StatusOK, 0)
		people, _ := r.body["participants"].([]any)
		guest, _ := people[2].(map[string]any)
		if len(people) != 3 || guest["user_email"] != "" || guest["id"] != "" {
			t.Errorf("%s", r.text)
		}
		byNumber := c.call("GET", "/v2/past_meetings/"+id+"/participants?page_size=2", "").want(t, http.StatusOK, 0)
		if rest.Text(byNumber.body["next_page_token"]) == "" {
			t.Errorf("%s", byNumber.text)
		}
	})
}

func TestANumberMeansTheLatestOccurrence(t *testing.T) {
	c := newClient(t, Options{})
	id, first := c.create(`{}`)
	happen(t, c.sim, Event{Type: "meeting.ended", Meeting: number(t, id)})
	second := rest.Text(c.call("GET", "/v2/meetings/"+id, "").want(t, http.StatusOK, 0).body["uuid"])
	if second == first {
		t.Fatal("the next occurrence has the same uuid")
	}
	happen(t, c.sim, Event{Type: "meeting.ended", Meeting: number(t, id)})
	happen(t, c.sim, Event{Type: "recording.completed", Meeting: number(t, id)})
	r := c.call("GET", "/v2/meetings/"+id+"/recordings", "").want(t, http.StatusOK, 0)
	if r.body["uuid"] != second {
		t.Errorf("the recording is of %v, the latest occurrence %s", r.body["uuid"], second)
	}
	c.call("GET", "/v2/meetings/"+url.PathEscape(url.PathEscape(first))+"/recordings", "").want(t, http.StatusNotFound, 3301)
}

func TestRecordingsComeLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newBubbleClient(t, Options{RecordingDelay: time.Minute})
		id, _ := c.create(`{}`)
		path := "/v2/meetings/" + id + "/recordings"
		c.call("GET", path, "").want(t, http.StatusNotFound, 3301)
		happen(t, c.sim, Event{Type: "meeting.ended", Meeting: number(t, id)})
		c.call("GET", path, "").want(t, http.StatusNotFound, 3301)
		happen(t, c.sim, Event{Type: "recording.completed", Meeting: number(t, id)})
		c.call("GET", path, "").want(t, http.StatusNotFound, 3301)
		time.Sleep(time.Minute)
		r := c.call("GET", path, "").want(t, http.StatusOK, 0)
		if r.body["download_access_token"] != nil || !strings.Contains(rest.Text(r.body["share_url"]), "/rec/share/") {
			t.Errorf("%s", r.text)
		}
		r = c.call("GET", path+"?include_fields=download_access_token&ttl=60", "").want(t, http.StatusOK, 0)
		if rest.Text(r.body["download_access_token"]) == "" || rest.Text(r.body["recording_count"]) != "2" {
			t.Errorf("%s", r.text)
		}
	})
}

func TestPastMeetingsOutliveTheirDeletion(t *testing.T) {
	c := newClient(t, Options{})
	id, uuid := c.create(`{}`)
	happen(t, c.sim, Event{Type: "meeting.ended", Meeting: number(t, id)})
	c.call("DELETE", "/v2/meetings/"+id, "").want(t, http.StatusNoContent, 0)
	c.call("GET", "/v2/past_meetings/"+url.PathEscape(url.PathEscape(uuid))+"/participants", "").want(t, http.StatusOK, 0)
	c.call("GET", "/v2/meetings/"+id, "").want(t, http.StatusNotFound, 3001)
}

func TestImagineMakesUpAPastMeeting(t *testing.T) {
	strict, friendly := newClient(t, Options{}), newClient(t, Options{Imagine: true})
	for _, path := range []string{"/v2/past_meetings/81234567890/participants", "/v2/past_meetings/abc==/participants", "/v2/meetings/81234567891/recordings"} {
		strict.call("GET", path, "").want(t, http.StatusNotFound, 3001)
		friendly.call("GET", path, "").want(t, http.StatusOK, 0)
		friendly.call("GET", path, "").want(t, http.StatusOK, 0)
	}
	friendly.call("GET", "/v2/meetings/81234567899", "").want(t, http.StatusNotFound, 3001) // not past
}
