package zoomsim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"zflow/internal/zoomsim/rest"
)

// stamps are the event_ts of deliveries, in their order.
func stamps(all []delivered) []string {
	var got []string
	for _, d := range all {
		v, _ := rest.DecodeObject([]byte(d.body))
		got = append(got, rest.Text(v["event_ts"]))
	}
	return got
}

// week lets n events happen over a virtual week and a day more.
func week(t *testing.T, s *Sim, n int) {
	t.Helper()
	for range n {
		happen(t, s, Event{Type: "recording.completed"})
		time.Sleep(7 * 24 * time.Hour / time.Duration(n))
	}
	time.Sleep(24 * time.Hour)
}

func TestChaosIsTheSameForTheSameSeed(t *testing.T) {
	play := func(seed uint64) (offsets []time.Duration) {
		e := &endpoint{}
		withEndpoint(t, Options{}, e, func(s *Sim) {
			s.SetChaos(Chaos{Seed: seed, Drop: 0.2, Fail: 0.1, Duplicate: 0.2, Reorder: 0.1, Delay: 0.3})
			begun := time.Now()
			week(t, s, 300)
			for _, d := range e.deliveries() {
				offsets = append(offsets, d.at.Sub(begun))
			}
		})
		return offsets
	}
	first := play(7)
	if !slices.Equal(first, play(7)) {
		t.Error("two weeks with one seed differ")
	}
	if slices.Equal(first, play(8)) {
		t.Error("another seed makes no difference")
	}
	if len(first) < 210 || len(first) > 330 {
		t.Errorf("%d deliveries", len(first))
	}
}

func TestDroppedEventsAreLoggedAsDelivered(t *testing.T) {
	e := &endpoint{}
	withEndpoint(t, Options{}, e, func(s *Sim) {
		s.SetChaos(Chaos{Subscription: "another", Fail: 1}, Chaos{Drop: 1})
		happen(t, s, Event{Type: "meeting.ended"})
		time.Sleep(2 * time.Hour)
		if n := len(e.deliveries()); n != 0 {
			t.Errorf("%d deliveries", n)
		}
		logged := s.weblog.choose(s.Apps()[0].ClientID, logFilter{kind: logAll}, time.Now())
		if len(logged) != 1 || logged[0].(map[string]any)["status"] != 200 {
			t.Errorf("%v", logged)
		}
		if all := s.Ledger(Filter{Kind: KindDrop}); len(all) != 1 || all[0].Note != "chaos: dropped" {
			t.Errorf("%+v", all)
		}
		s.SetChaos()
		happen(t, s, Event{Type: "meeting.ended"})
		synctest.Wait()
		if n := len(e.deliveries()); n != 1 {
			t.Errorf("%d deliveries after the chaos", n)
		}
	})
}

func TestFailedEventsAreLoggedFourTimes(t *testing.T) {
	e := &endpoint{}
	withEndpoint(t, Options{}, e, func(s *Sim) {
		s.SetChaos(Chaos{Fail: 1})
		happen(t, s, Event{Type: "meeting.ended"})
		time.Sleep(2 * time.Hour)
		logged := s.weblog.choose(s.Apps()[0].ClientID, logFilter{kind: logFailure}, time.Now())
		if len(logged) != 4 || len(e.deliveries()) != 0 {
			t.Fatalf("%v", logged)
		}
		for i, v := range logged {
			if l := v.(map[string]any); l["status"] != -1 || l["failed_reason_type"] != 1 || l["retry_num"] != 3-i {
				t.Errorf("%v", l)
			}
		}
	})
}

func TestDuplicatesDifferInURLs(t *testing.T) {
	e := &endpoint{}
	withEndpoint(t, Options{}, e, func(s *Sim) {
		s.SetChaos(Chaos{Duplicate: 1, Late: time.Minute})
		week(t, s, 20)
		all := e.deliveries()
		bodies := map[string]bool{}
		for _, d := range all {
			bodies[d.body] = true
		}
		times := stamps(all)
		slices.Sort(times)
		if len(all) != 40 || len(bodies) != 40 || len(slices.Compact(times)) != 20 {
			t.Errorf("%d deliveries, %d bodies", len(all), len(bodies))
		}
	})
}

func TestAReorderedEventComesAfterTheNext(t *testing.T) {
	e := &endpoint{}
	withEndpoint(t, Options{}, e, func(s *Sim) {
		s.SetChaos(Chaos{Reorder: 1})
		happen(t, s, Event{Type: "meeting.started"})
		synctest.Wait()
		s.SetChaos()
		happen(t, s, Event{Type: "meeting.ended"})
		time.Sleep(2 * time.Second)
		all := e.deliveries()
		if len(all) != 2 || !strings.Contains(all[0].body, "meeting.ended") {
			t.Fatalf("%v", all)
		}
		s.SetChaos(Chaos{Reorder: 1})
		happen(t, s, Event{Type: "meeting.started"})
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(e.deliveries()); n != 3 {
			t.Errorf("with no next event, %d deliveries", n)
		}
	})
}

func TestDelayedEventsComeWithinTheirTime(t *testing.T) {
	e := &endpoint{}
	withEndpoint(t, Options{}, e, func(s *Sim) {
		s.SetChaos(Chaos{Delay: 1, Late: 10 * time.Minute})
		begun := time.Now()
		for range 50 {
			happen(t, s, Event{Type: "meeting.ended"})
		}
		time.Sleep(10 * time.Minute)
		late := 0
		for _, d := range e.deliveries() {
			if d.at.Sub(begun) > time.Minute {
				late++
			}
		}
		if n := len(e.deliveries()); n != 50 || late < 30 {
			t.Errorf("%d deliveries, %d late", n, late)
		}
	})
}

func TestClosingDropsWhatChaosHolds(t *testing.T) {
	e := &endpoint{}
	withEndpoint(t, Options{}, e, func(s *Sim) { // fails if a goroutine is left
		s.SetChaos(Chaos{Reorder: 0.5, Delay: 1, Late: 24 * time.Hour})
		for range 20 {
			happen(t, s, Event{Type: "meeting.ended"})
		}
	})
	if n := len(e.deliveries()); n != 0 {
		t.Errorf("%d deliveries", n)
	}
}

func TestChaosOverHTTP(t *testing.T) {
	c := newClient(t, Options{})
	c.call("POST", "/sim/v1/chaos", `[{"seed":1,"drop":0.5,"late":"2h"}]`).want(t, http.StatusOK, 0)
	if got := c.sim.chaos; len(got) != 1 || got[0].Late != 2*time.Hour || got[0].Drop != 0.5 {
		t.Errorf("%+v", got)
	}
	c.call("POST", "/sim/v1/chaos", `[{"late":"soon"}]`).want(t, http.StatusBadRequest, 0)
	c.call("POST", "/sim/v1/chaos", `[]`).want(t, http.StatusOK, 0)
}

// logs fetches the webhook log of the first app; all pages.
func (c *client) logs(query url.Values) []map[string]any {
	c.t.Helper()
	var all []map[string]any
	for {
		r := c.call("GET", "/v2/marketplace/apps/"+c.sim.Apps()[0].ClientID+"/webhook_logs?"+query.Encode(), "").want(c.t, http.StatusOK, 0)
		page, _ := r.body["webhook_logs"].([]any)
		for _, v := range page {
			all = append(all, v.(map[string]any))
		}
		query.Set("next_page_token", rest.Text(r.body["next_page_token"]))
		if r.body["next_page_token"] == "" {
			return all
		}
	}
}

func TestTheWebhookLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{secret: testSecret, answer: func(n int, _ *http.Request) int { return []int{503, 204, 200, 400}[n-1] }}
		c := newBubbleClient(t, Options{Client: e, TokenLife: 1000 * time.Hour, Apps: []App{{SecretToken: testSecret}}})
		sub, err := c.sim.Subscribe(t.Context(), Subscription{URL: "https://flow.test/"})
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		happen(t, c.sim, Event{Type: "meeting.started"})
		time.Sleep(time.Hour)
		happen(t, c.sim, Event{Type: "meeting.ended"})
		synctest.Wait()
		happen(t, c.sim, Event{Type: "recording.completed"})
		synctest.Wait()
		for name, try := range map[string]struct {
			query url.Values
			want  string // event:retry:status, newest first
		}{
			"all":        {url.Values{"type": {"3"}}, "recording.completed:0:400 meeting.ended:0:200 meeting.started:1:204 meeting.started:0:503"},
			"pages":      {url.Values{"type": {"3"}, "page_size": {"1"}}, "recording.completed:0:400 meeting.ended:0:200 meeting.started:1:204 meeting.started:0:503"},
			"successes":  {url.Values{"type": {"1"}}, "meeting.ended:0:200 meeting.started:1:204"},
			"by default": {url.Values{}, "recording.completed:0:400 meeting.started:0:503"},
			"of a type":  {url.Values{"type": {"3"}, "event": {"meeting.started"}}, "meeting.started:1:204 meeting.started:0:503"},
			"retries":    {url.Values{"type": {"3"}, "retry_num": {"1"}}, "meeting.started:1:204"},
			"since":      {url.Values{"type": {"3"}, "from": {begun.Add(30 * time.Minute).UTC().Format(time.RFC3339)}}, "recording.completed:0:400 meeting.ended:0:200"},
			"until":      {url.Values{"type": {"3"}, "to": {begun.Add(time.Minute).UTC().Format(time.RFC3339)}}, "meeting.started:0:503"},
			"one day":    {url.Values{"type": {"3"}, "from": {begun.UTC().Format(time.DateOnly)}, "to": {begun.UTC().Format(time.DateOnly)}, "event": {"meeting.ended"}}, "meeting.ended:0:200"},
		} {
			var got []string
			for _, l := range c.logs(try.query) {
				got = append(got, rest.Text(l["event"])+":"+rest.Text(l["retry_num"])+":"+rest.Text(l["status"]))
				if l["subscription_id"] != sub.ID || l["endpoint"] != sub.URL || rest.Text(l["request_id"]) == "" || strings.Contains(rest.Text(l["request_headers"]), "v0=") {
					t.Errorf("%v", l)
				}
				if body, ok := rest.DecodeObject([]byte(rest.Text(l["request_body"]))); !ok || body["event"] != l["event"] {
					t.Errorf("%v", l)
				}
			}
			if strings.Join(got, " ") != try.want {
				t.Errorf("%s: %v", name, got)
			}
		}
		time.Sleep(7*24*time.Hour - 30*time.Minute)
		if all := c.logs(url.Values{"type": {"3"}}); len(all) != 2 {
			t.Errorf("after seven days: %d", len(all))
		}
	})
}

func TestTheWebhookLogRefuses(t *testing.T) {
	c := newClient(t, Options{})
	path := "/v2/marketplace/apps/" + c.sim.Apps()[0].ClientID + "/webhook_logs"
	for _, query := range []string{"type=4", "retry_num=4", "retry_num=x", "from=yesterday", "to=x", "from=2026-02-02&to=2026-02-01", "page_size=301"} {
		c.call("GET", path+"?"+query, "").want(t, http.StatusBadRequest, 300)
	}
	c.call("GET", "/v2/marketplace/apps/"+c.sim.Apps()[1].ClientID+"/webhook_logs", "").want(t, http.StatusNotFound, 0)
}

func TestOldLogsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &weblog{}
		d := delivery{sub: &subscription{}}
		for range 5000 {
			l.add(d, 0, receipt{status: 200})
			time.Sleep(time.Hour)
		}
		if n := len(l.all); n > 2*168+1024+1 {
			t.Errorf("%d entries are kept", n)
		}
	})
}

// TestAWeekOfChaosCanBeProven: whatever was dropped, failed, doubled or late, the
// log and the deliveries together tell of every event, none more than there were.
func TestAWeekOfChaosCanBeProven(t *testing.T) {
	const n = 2_500
	e := &endpoint{}
	withEndpoint(t, Options{}, e, func(s *Sim) {
		s.SetChaos(Chaos{Seed: 3, Drop: 0.1, Fail: 0.02, Duplicate: 0.1, Reorder: 0.1, Delay: 0.2})
		happened := map[string]bool{}
		for range n {
			h, err := s.Happen(Event{Type: "recording.completed"})
			if err != nil {
				t.Fatal(err)
			}
			v, _ := rest.DecodeObject(h.Body)
			happened[rest.Text(v["event_ts"])] = true
			time.Sleep((7*24*time.Hour - 3*time.Hour) / n)
		}
		time.Sleep(3*time.Hour - time.Minute)
		arrived := map[string]bool{}
		for _, at := range stamps(e.deliveries()) {
			arrived[at] = true
		}
		logged := map[string]bool{}
		for _, v := range s.weblog.choose(s.Apps()[0].ClientID, logFilter{kind: logAll}, time.Now()) {
			l, _ := v.(map[string]any)
			body, _ := rest.DecodeObject([]byte(rest.Text(l["request_body"])))
			logged[rest.Text(body["event_ts"])] = true
		}
		if len(happened) != n || len(logged) != n || len(arrived) > n*91/100 || len(arrived) < n*85/100 {
			t.Errorf("%d happened, %d logged, %d arrived", len(happened), len(logged), len(arrived))
		}
		for at := range logged {
			if !happened[at] {
				t.Errorf("%s is logged and never happened", at)
			}
		}
	})
}
