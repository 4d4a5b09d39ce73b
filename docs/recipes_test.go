package docs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"zflow/actions"
	webrequest "zflow/actions/http"
	"zflow/actions/log"
	"zflow/actions/zoom"
	"zflow/engine"
	"zflow/engine/expr"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomcatalog"
	"zflow/internal/zoomsim"
	v1 "zflow/proto/zflow/v1"
)

// tried is what a recipe does after an event.
type tried struct {
	event  string
	set    map[string]string // changes to the sample, text for text
	made   bool              // the sample's meeting is there
	hour   int               // UTC, of the event; a Monday
	faults []zoomsim.Fault
	after  time.Duration // how long the run takes at least
	calls  []string      // in order
	sent   string        // part of the last thing that was sent
	output string
}

var recipes = map[string][]tried{
	"ask-for-notes": {{event: "meeting.ended", after: time.Hour, calls: []string{"send_chat_message"}, sent: `Are the notes of \"Pottery evening`}},
	"count-participants": {{event: "meeting.ended", after: 8 * time.Minute,
		faults: []zoomsim.Fault{{Method: "GET", Status: 404, Code: 3001, Message: "not found"}, {Method: "GET", Status: 429, Code: 429, Message: "slow"}},
		calls:  slices.Repeat([]string{"list_past_meeting_participants"}, 3), output: `{"there":3,"with_address":2}`}},
	"forward": {
		{event: "meeting.started", calls: []string{"POST /zoom/meeting.started"}, sent: `"event":"meeting.started"`},
		{event: "recording.completed", calls: []string{"POST /zoom/recording.completed"}, sent: `"event":"recording.completed"`}},
	"invite-customer": {
		{event: "meeting.ended", calls: []string{"GET /customers?topic=Pottery+evening", "create_meeting"}, sent: `"start_time":"2026-03-09T10:00:00Z"`,
			set: map[string]string{"Pottery evening — débutants ☕": "Pottery evening"}},
		{event: "meeting.ended", calls: []string{"GET /customers?topic=Quick+call"}, output: `{"join_url":"none"}`,
			set: map[string]string{"Pottery evening — débutants ☕": "Quick call"}}},
	"not-at-night": {
		{event: "meeting.participant_jbh_waiting", hour: 10, calls: []string{"send_chat_message"}, sent: "waited for you"},
		{event: "meeting.participant_jbh_waiting", hour: 20, after: 10 * time.Hour, calls: []string{"send_chat_message"}},
		{event: "meeting.participant_jbh_waiting", hour: 5, after: time.Hour, calls: []string{"send_chat_message"}}},
	"attendance-table": {{event: "meeting.ended", calls: []string{"list_past_meeting_participants", "PUT /attendance/c2FtcGxlTWVldGluZ1VVSQ=="},
		sent: `"rows":[{"minutes":`}},
	"keep-state": {
		{event: "meeting.ended", calls: []string{"GET /meetings?uuid=c2FtcGxlTWVldGluZ1VVSQ%3D%3D", "PUT /meetings?uuid=c2FtcGxlTWVldGluZ1VVSQ%3D%3D"},
			sent: `"state":"meeting.ended"`},
		{event: "meeting.started", calls: []string{"GET /meetings?uuid=has-ended"}, set: map[string]string{"c2FtcGxlTWVldGluZ1VVSQ==": "has-ended"}}},
	"keep-waiting-room": {{event: "meeting.created", made: true, set: map[string]string{`"topic":"`: `"topic":"Interview `}, calls: []string{"update_meeting", "log"}, sent: "the waiting room is on meeting="}},
}

func TestRecipes(t *testing.T) {
	all := blocksOf(t, "recipes.md")
	if len(all) != len(recipes) {
		t.Errorf("%d recipes are shown, %d are tried", len(all), len(recipes))
	}
	for _, b := range all {
		w, said := b.parse(known(t))
		if said != "" {
			t.Fatal(said)
		}
		for i, try := range recipes[w.Name] {
			t.Run(fmt.Sprintf("%s/%d", w.Name, i+1), func(t *testing.T) { try.play(t, b) })
		}
		if len(recipes[w.Name]) == 0 {
			t.Errorf("%s is not tried", w.Name)
		}
	}
}

// play runs a recipe by the engine's decisions, on a clock that jumps.
func (try tried) play(t *testing.T, b block) {
	s := newStage(t)
	b.text = strings.ReplaceAll(b.text, "https://api.example.org", s.web.URL)
	w, said := b.parse(known(t))
	if said != "" {
		t.Fatal(said)
	}
	body := string(zoomcatalog.Sample(try.event))
	for from, to := range try.set {
		if !strings.Contains(body, from) {
			t.Fatalf("the sample has no %s", from)
		}
		body = strings.ReplaceAll(body, from, to)
	}
	if try.made {
		body = strings.ReplaceAll(body, fmt.Sprint(zoomcatalog.SampleMeeting), s.meeting())
	}
	for _, f := range try.faults {
		s.sim.Inject(f)
	}
	if try.hour == 0 {
		try.hour = 10
	}
	s.begin(time.Date(2026, 3, 2, try.hour, 30, 0, 0, time.UTC), w, try.event, body)
	s.goOn()
	if s.run.State != engine.Completed {
		t.Fatalf("the run is %s: %v", s.run.State, s.run.End)
	}
	if !slices.Equal(s.calls, try.calls) {
		t.Errorf("called %q, want %q", s.calls, try.calls)
	}
	if !strings.Contains(s.sent, try.sent) {
		t.Errorf("sent %s, which has no %s", s.sent, try.sent)
	}
	if out := string(s.run.End.GetRunCompleted().GetOutput().GetJson()); try.output != "" && out != try.output {
		t.Errorf("output %s, want %s", out, try.output)
	}
	if took := s.now.Sub(s.run.Started); took < try.after || took > try.after+time.Hour {
		t.Errorf("took %v, want %v", took, try.after)
	}
}

// stage is where a recipe plays: a simulated Zoom and a web service.
type stage struct {
	t     *testing.T
	sim   *zoomsim.Sim
	web   *httptest.Server
	known *actions.Registry
	flow  *engine.Workflow
	run   *engine.Run
	now   time.Time
	calls []string
	sent  string
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t, sim: zoomsim.New(zoomsim.Options{Imagine: true})}
	api := httptest.NewServer(s.sim)
	s.web = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		api.Close()
		s.web.Close()
		if err := s.sim.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	token := s.sim.NewToken()
	client := zoomapi.New(zoomapi.Options{Base: api.URL + "/v2", Token: func(context.Context, string, string) (zoomapi.Token, error) {
		return zoomapi.Token{Access: token, Connection: "sim", Kind: zoomapi.KindServer}, nil
	}})
	requests, err := webrequest.New(webrequest.Options{Allow: []string{"127.0.0.1"}})
	s.must(err)
	t.Cleanup(func() { client.Close(); requests.Close() })
	s.known, err = actions.NewRegistry(append(zoom.Actions(client), requests.Action(), log.Action())...)
	s.must(err)
	return s
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// serve is the web service of the recipes.
func (s *stage) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	s.calls, s.sent = append(s.calls, r.Method+" "+r.URL.RequestURI()), string(body)
	w.Header().Set("Content-Type", "application/json")
	answer := `{}`
	switch {
	case r.URL.Path == "/customers":
		answer = fmt.Sprintf(`{"name": "Harbor", "wants_more": %t}`, strings.HasPrefix(r.URL.Query().Get("topic"), "Pottery"))
	case r.URL.Path == "/meetings" && r.URL.Query().Get("uuid") == "has-ended":
		answer = `{"state": "meeting.ended", "at": 1772444851000}`
	case r.URL.Path == "/meetings" && r.Method == http.MethodGet:
		w.WriteHeader(http.StatusNotFound)
	case strings.HasPrefix(r.URL.Path, "/zoom/") && (r.Header.Get("Authorization") != "Bearer s3cret-token" || r.Header.Get("Idempotency-Key") == ""):
		w.WriteHeader(http.StatusUnauthorized)
	}
	if _, err := io.WriteString(w, answer); err != nil {
		s.t.Error(err)
	}
}

// meeting returns the number of a new one.
func (s *stage) meeting() string {
	r, err := s.known.Get("zoom.create_meeting").Do(s.t.Context(), actions.Call{Input: map[string]any{"topic": "Interview"}})
	s.must(err)
	made, _ := r.Output.(map[string]any)
	return fmt.Sprint(made["id"])
}

var secrets = map[string]any{"api_token": "s3cret-token"}

func (s *stage) begin(now time.Time, w *engine.Workflow, eventType, body string) {
	event := &v1.Event{Id: "e1", Type: eventType, Source: "zoom", Account: zoomcatalog.SampleAccount, Body: &v1.Value{Json: []byte(body)}}
	s.now, s.flow, s.run = now, w, engine.NewRun("run1")
	trigger := w.Triggers[0]
	if !trigger.Takes("zoom", eventType) {
		s.t.Fatalf("%s does not start %s", eventType, w.Name)
	}
	if trigger.If != nil {
		v, err := expr.DecodeJSON([]byte(body))
		s.must(err)
		yes, err := trigger.If.Bool(engine.TriggerEnv(w, event, v), expr.Clock{Now: now})
		if s.must(err); !yes {
			s.t.Fatal("the trigger's if is false")
		}
	}
	_, err := s.run.Begin(now, &v1.RunStarted{Workflow: w.Name, Version: w.Version, Event: event}, &v1.Claim{Worker: "w", Epoch: 1, Stream: "EVENTS", Sequence: 1}, nil)
	s.must(err)
}

// goOn plays the run to its end.
func (s *stage) goOn() {
	outcomes := map[engine.AttemptID]*engine.Outcome{}
	for range 100 {
		d, err := s.run.Decide(s.flow, engine.Turn{Now: s.now, Secrets: secrets, Outcomes: outcomes})
		s.must(err)
		switch {
		case s.run.State.Ended():
			return
		case len(d.Calls) > 0:
			outcomes[d.Calls[0].AttemptID] = s.call(d.Calls[0])
		case !d.Until.IsZero():
			s.now = d.Until
		default:
			s.wake()
		}
	}
	s.t.Fatal("the run does not end")
}

// wake lets the time pass until the run's next timer, and fires it.
func (s *stage) wake() {
	var due time.Time
	for _, timer := range s.run.Timers {
		if due.IsZero() || timer.Due.Before(due) {
			due = timer.Due
		}
	}
	s.now = due
	f := s.run.Due(s.now)
	if f == nil {
		s.t.Fatal("the run waits for nothing")
	}
	f.Claim = &v1.Claim{Worker: "w", Epoch: s.run.Epoch() + 1, Stream: "WAKES", Sequence: s.run.Epoch() + 1}
	_, err := s.run.Add(s.now, f)
	s.must(err)
}

// call does what an attempt asks for, and keeps what was called and sent.
func (s *stage) call(a *engine.Attempt) *engine.Outcome {
	v, err := expr.DecodeJSON(a.Input.GetJson())
	s.must(err)
	input, _ := v.(map[string]any)
	before := len(s.sim.Ledger(zoomsim.Filter{Kind: zoomsim.KindCall}))
	result, err := s.known.Get(a.Uses.Action).Do(s.t.Context(), actions.Call{
		Input: input, Key: "run1." + a.Step, Account: zoomcatalog.SampleAccount, Started: s.now,
		Log: func(line string) { s.calls, s.sent = append(s.calls, "log"), line },
	})
	for _, e := range s.sim.Ledger(zoomsim.Filter{Kind: zoomsim.KindCall})[before:] {
		s.calls, s.sent = append(s.calls, e.Operation), e.Body
	}
	if err != nil {
		var e *actions.Error
		if !errors.As(err, &e) {
			s.t.Fatal(err)
		}
		return &engine.Outcome{Class: string(e.Class), RetryAt: e.RetryAt, Took: time.Second,
			Error: &v1.Error{Message: e.Message, Code: e.Code, Status: int32(e.Status)}}
	}
	raw, err := expr.EncodeJSON(result.Output)
	s.must(err)
	return &engine.Outcome{Output: &v1.Value{Json: raw}, Took: time.Second}
}
