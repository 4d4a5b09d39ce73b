package zoomsim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"zflow/internal/zoomsim/rest"
)

func object(t *testing.T, h Happened) map[string]any {
	t.Helper()
	v, ok := rest.DecodeObject(h.Body)
	payload, _ := v["payload"].(map[string]any)
	o, _ := payload["object"].(map[string]any)
	if !ok || o == nil {
		t.Fatalf("%s", h.Body)
	}
	return o
}

func TestSeedTellsOfMeetingsThatAreThere(t *testing.T) {
	c := newClient(t, Options{})
	var kinds []string
	for _, h := range c.sim.Seed() {
		kinds = append(kinds, h.Type)
		c.call("GET", "/v2/meetings/"+rest.Text(object(t, h)["id"]), "").want(t, http.StatusOK, 0)
	}
	want := []string{"meeting.registration_created", "meeting.ended", "meeting.ended", "meeting.participant_jbh_waiting", "recording.completed"}
	if !slices.Equal(kinds, want) {
		t.Errorf("%v", kinds)
	}
}

func TestSeedRefusesTheClassListOnce(t *testing.T) {
	c := newClient(t, Options{})
	events := c.sim.Seed()
	for i, refused := range map[int]bool{1: false, 2: true} {
		path := "/v2/past_meetings/" + url.PathEscape(url.PathEscape(rest.Text(object(t, events[i])["uuid"]))) + "/participants"
		if refused {
			c.call("GET", path, "").want(t, http.StatusNotFound, 3001)
		}
		c.call("GET", path, "").want(t, http.StatusOK, 0)
	}
}

func TestSeedHasARecordingAndNoHost(t *testing.T) {
	c := newClient(t, Options{})
	events := c.sim.Seed()
	uuid := rest.Text(object(t, events[4])["uuid"])
	r := c.call("GET", "/v2/meetings/"+url.PathEscape(url.PathEscape(uuid))+"/recordings", "").want(t, http.StatusOK, 0)
	if r.body["share_url"] != object(t, events[4])["share_url"] {
		t.Errorf("REST says %v, the event %v", r.body["share_url"], object(t, events[4])["share_url"])
	}
	if r := c.call("GET", "/v2/meetings/"+rest.Text(object(t, events[3])["id"]), ""); r.body["status"] != "waiting" {
		t.Errorf("%s", r.text)
	}
}

func TestSeededEventsCanBeDelivered(t *testing.T) {
	e := &endpoint{}
	withEndpoint(t, Options{}, e, func(s *Sim) {
		for _, h := range s.Seed() {
			s.Deliver(h)
		}
		synctest.Wait()
		if n := len(e.deliveries()); n != 5 {
			t.Errorf("%d deliveries", n)
		}
		for _, d := range e.deliveries() {
			if strings.Contains(d.body, `"sample-`) {
				t.Errorf("%s", d.body)
			}
		}
	})
}
