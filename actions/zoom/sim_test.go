package zoom_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"zflow/actions"
	"zflow/actions/actionstest"
	"zflow/actions/zoom"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomsim"
)

// simulated returns a Zoom with state, and a client that may call it.
func simulated(t *testing.T) (*zoomsim.Sim, *zoomapi.Client) {
	t.Helper()
	s := zoomsim.New(zoomsim.Options{Imagine: true, NoMe: true})
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.Close()
		s.Close(context.Background())
	})
	c := zoomapi.New(zoomapi.Options{Base: server.URL + "/v2", Token: tokens(t, server.URL, s.Apps()[0])})
	t.Cleanup(c.Close)
	return s, c
}

// tokens gets one token, as connections would.
func tokens(t *testing.T, base string, app zoomsim.App) func(context.Context, string, string) (zoomapi.Token, error) {
	access := simToken(t, base, app)
	return func(context.Context, string, string) (zoomapi.Token, error) {
		return zoomapi.Token{Access: access, Connection: "school", Kind: app.Kind, Account: app.AccountID}, nil
	}
}

func simToken(t *testing.T, base string, app zoomsim.App) string {
	t.Helper()
	form := url.Values{"grant_type": {"account_credentials"}, "account_id": {app.AccountID}}
	r, err := http.NewRequest("POST", base+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(app.ClientID, app.ClientSecret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		t.Fatalf("no token: %v", err)
	}
	return answer.AccessToken
}

func must(t *testing.T, c *zoomapi.Client, name string, input map[string]any) map[string]any {
	t.Helper()
	a := find(t, c, name)
	r, err := a.Do(t.Context(), actions.Call{Input: input, Started: time.Now()})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, problem := range actionstest.Check(a.Spec.Output, r.Output) {
		t.Errorf("%s: output: %s", name, problem)
	}
	return r.Output.(map[string]any)
}

func TestStoryOfAMeeting(t *testing.T) {
	_, c := simulated(t)
	m := must(t, c, "create_meeting", map[string]any{
		"user_id": "ann@harbor.example", "topic": "Algebra", "start_time": "2030-03-09T10:00:00Z", "duration": int64(30),
		"settings": map[string]any{"approval_type": int64(0)},
	})
	if m["start_url"] == nil || m["topic"] != "Algebra" {
		t.Errorf("created %v", m)
	}
	id := m["id"]
	if got := must(t, c, "get_meeting", map[string]any{"meeting_id": id}); got["uuid"] != m["uuid"] {
		t.Errorf("read %v", got)
	}
	must(t, c, "update_meeting", map[string]any{"meeting_id": id, "topic": "Geometry"})
	list := must(t, c, "list_meetings", map[string]any{"user_id": "ann@harbor.example"})["meetings"].([]any)
	if len(list) != 1 || list[0].(map[string]any)["topic"] != "Geometry" {
		t.Errorf("listed %v", list)
	}
	r := must(t, c, "add_meeting_registrant", map[string]any{"meeting_id": id, "email": "bob@guest.example", "first_name": "Bob"})
	if r["registrant_id"] == "" || r["join_url"] == nil {
		t.Errorf("registered %v", r)
	}
	must(t, c, "delete_meeting", map[string]any{"meeting_id": id})
	_, err := find(t, c, "get_meeting").Do(t.Context(), actions.Call{Input: map[string]any{"meeting_id": id}})
	if e := asError(t, err); e == nil || e.Status != 404 || e.Code != "3001" {
		t.Errorf("a deleted meeting: %v", err)
	}
}

// A server-to-server app has no me: it is the host of the event, in whose list the
// meeting stands and the probe looks. Without one, the error says what is missing.
func TestServerToServerHasNoMe(t *testing.T) {
	_, c := simulated(t)
	call := actions.Call{Input: map[string]any{"topic": "Algebra"}, Host: func() string { return "ann" }, Started: time.Now()}
	r, err := find(t, c, "create_meeting").Do(t.Context(), call)
	m, _ := r.Output.(map[string]any)
	if err != nil || m["host_id"] != "ann" {
		t.Fatalf("%v, %v", m, err)
	}
	if list := must(t, c, "list_meetings", map[string]any{"user_id": "ann"})["meetings"].([]any); len(list) != 1 {
		t.Errorf("listed %v", list)
	}
	found, r, err := find(t, c, "create_meeting").Probe(t.Context(), call)
	if out, _ := r.Output.(map[string]any); err != nil || !found || out["id"] != m["id"] {
		t.Errorf("the probe found %t, %v, %v", found, out, err)
	}
	call.Host = nil
	_, err = find(t, c, "create_meeting").Do(t.Context(), call)
	if e := asError(t, err); e == nil || e.Code != "1001" || !strings.Contains(e.Message, "give user_id") {
		t.Errorf("without a host: %v", err)
	}
}

func TestPendingRegistrantHasNoLink(t *testing.T) {
	_, c := simulated(t)
	m := must(t, c, "create_meeting", map[string]any{"user_id": "ann", "topic": "A", "type": int64(2), "settings": map[string]any{"approval_type": int64(1)}})
	r := must(t, c, "add_meeting_registrant", map[string]any{"meeting_id": m["id"], "email": "bob@guest.example", "first_name": "Bob"})
	if r["join_url"] != nil {
		t.Errorf("%v", r)
	}
}

func TestPastMeetingByItsUUID(t *testing.T) {
	_, c := simulated(t)
	for _, uuid := range []string{"c2FtcGxlTWVldGluZ1VVSQ==", "/mNy//2b==", "abc/d+e==", "/xyzxyzxyz=="} {
		people := must(t, c, "list_past_meeting_participants", map[string]any{"meeting_id": uuid, "limit": int64(2)})
		if len(people["participants"].([]any)) != 2 || people["more"] != true {
			t.Errorf("%s: %v", uuid, people)
		}
		r := must(t, c, "get_meeting_recordings", map[string]any{"meeting_id": uuid, "include_fields": "download_access_token"})
		if r["uuid"] != uuid || r["download_access_token"] == nil {
			t.Errorf("%s: recordings of %v", uuid, r["uuid"])
		}
	}
}

// The call happens at Zoom and its answer is lost: the outcome is unknown, and
// the probe finds what it made, once.
func TestLostAnswerIsFoundByTheProbe(t *testing.T) {
	for name, fault := range map[string]zoomsim.Fault{
		"done, then cut":   {Method: "POST", Do: true, Cut: true},
		"done, then 502":   {Method: "POST", Do: true, Status: 502},
		"cut":              {Method: "POST", Cut: true},
		"internal failure": {Method: "POST", Status: 500, Code: 500, Message: "Internal Server Error."},
	} {
		t.Run(name, func(t *testing.T) {
			s, c := simulated(t)
			must(t, c, "create_meeting", map[string]any{"user_id": "ann", "topic": "Another"})
			s.Inject(fault)
			a := find(t, c, "create_meeting")
			call := actions.Call{Input: map[string]any{"user_id": "ann", "topic": "Algebra"}, Started: time.Now()}
			_, err := a.Do(t.Context(), call)
			if e := asError(t, err); e == nil || e.Class != actions.ClassUnknown {
				t.Fatalf("%v", err)
			}
			found, r, err := a.Probe(t.Context(), call)
			if err != nil || found != fault.Do {
				t.Fatalf("found %t, %v", found, err)
			}
			if found && r.Output.(map[string]any)["start_url"] == nil {
				t.Errorf("output %v", r.Output)
			}
		})
	}
}

func TestDeleteThatWasDone(t *testing.T) {
	s, c := simulated(t)
	m := must(t, c, "create_meeting", map[string]any{"user_id": "ann", "topic": "A"})
	s.Inject(zoomsim.Fault{Method: "DELETE", Do: true, Cut: true})
	a := find(t, c, "delete_meeting")
	call := actions.Call{Input: map[string]any{"meeting_id": m["id"]}}
	if _, err := a.Do(t.Context(), call); err == nil {
		t.Fatal("the answer was not lost")
	}
	if _, err := a.Do(t.Context(), call); asError(t, err) == nil {
		t.Error("without an unknown attempt, a meeting that is not there is an error")
	}
	call.Unknown = true
	if _, err := a.Do(t.Context(), call); err != nil {
		t.Error(err)
	}
}

// webinar makes a webinar with a panelist, and returns its number.
func webinar(t *testing.T, c *zoomapi.Client) any {
	t.Helper()
	post := func(path string, body any) map[string]any {
		t.Helper()
		r, err := c.Do(t.Context(), zoomapi.Request{Method: http.MethodPost, Path: path, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		out, err := actions.DecodeJSON(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return out.(map[string]any)
	}
	id := post("/users/noor.haddad@harbor.example/webinars", map[string]any{"topic": "Glazing"})["id"]
	post(fmt.Sprintf("/webinars/%v/panelists", id), map[string]any{"panelists": []any{map[string]any{"name": "Ann", "email": "ann@guest.example"}}})
	return id
}

func TestPanelists(t *testing.T) {
	_, c := simulated(t)
	out := must(t, c, "list_webinar_panelists", map[string]any{"webinar_id": webinar(t, c)})
	all, _ := out["panelists"].([]any)
	if len(all) != 1 || all[0].(map[string]any)["email"] != "ann@guest.example" {
		t.Errorf("%v", out)
	}
	_, err := find(t, c, "list_webinar_panelists").Do(t.Context(), actions.Call{Input: map[string]any{"webinar_id": int64(5)}})
	if e := asError(t, err); e == nil || e.Code != "3001" || e.Class != actions.ClassFinal {
		t.Errorf("of a webinar that is not there: %v", err)
	}
}

// Every documented example runs against the simulator.
func TestExamplesRun(t *testing.T) {
	_, c := simulated(t)
	for _, a := range zoom.Actions(c) {
		for _, x := range a.Spec.Examples {
			input := map[string]any{}
			for k, v := range x.Input {
				input[k] = v
			}
			if input["meeting_id"] == int64(91000000001) { // the documentation's meeting has to exist
				m := must(t, c, "create_meeting", map[string]any{"user_id": "noor.haddad@harbor.example", "topic": "Algebra", "settings": map[string]any{"approval_type": int64(0)}})
				input["meeting_id"] = m["id"]
			}
			if input["webinar_id"] == int64(91000000042) {
				input["webinar_id"] = webinar(t, c)
			}
			out := must(t, c, a.Spec.Name[len("zoom."):], input)
			if want, ok := x.Output.(map[string]any); ok && len(want) != len(out) {
				t.Errorf("%s: %s: output %v, want %v", a.Spec.Name, x.Title, out, want)
			}
		}
	}
}

func TestLimitOfTheSimulator(t *testing.T) {
	s, c := simulated(t)
	s.SetLimit("MEDIUM", zoomsim.Limit{PerSecond: 1})
	var classes []actions.Class
	for range 3 {
		_, err := find(t, c, "list_meetings").Do(t.Context(), actions.Call{Input: map[string]any{"user_id": "ann"}})
		if e := asError(t, err); e != nil {
			classes = append(classes, e.Class)
		}
	}
	if !slices.Contains(classes, actions.ClassRetryable) || slices.Contains(classes, actions.ClassFinal) {
		t.Errorf("classes %v", classes)
	}
}

// What polls and events ask for: people, webinars, and what is past.
func TestReading(t *testing.T) {
	s, c := simulated(t)
	s.Seed()
	users := must(t, c, "list_users", map[string]any{"limit": int64(1)})
	if len(users["users"].([]any)) != 1 {
		t.Fatalf("users: %v", users)
	}
	one := users["users"].([]any)[0].(map[string]any)
	if got := must(t, c, "get_user", map[string]any{"user_id": one["email"]}); got["id"] != one["id"] {
		t.Errorf("the user %v is %v", one["email"], got)
	}
	uuid := "/mNy//2b=="
	if past := must(t, c, "get_past_meeting", map[string]any{"meeting_id": uuid}); past["uuid"] != uuid || past["participants_count"] == nil {
		t.Errorf("past: %v", past)
	}
	must(t, c, "list_webinars", map[string]any{"user_id": one["id"]})
	day := time.Now().Add(-48 * time.Hour).UTC().Format(time.DateOnly)
	for _, name := range []string{"list_recordings", "list_account_recordings"} {
		if got := must(t, c, name, map[string]any{"user_id": one["id"], "from": day}); got["more"] != false {
			t.Errorf("%s: %v", name, got)
		}
	}
	for name, input := range map[string]map[string]any{
		"get_webinar":             {"webinar_id": int64(1)},
		"list_account_recordings": {"account_id": "another"},
	} {
		if _, err := find(t, c, name).Do(t.Context(), actions.Call{Input: input}); err == nil {
			t.Errorf("%s found what is not there", name)
		}
	}
}
