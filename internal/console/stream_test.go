package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/internal/sealed"
	"zflow/internal/tokens"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

const eventStream = "/api/v1/events/stream"

func TestAStreamFiltersAndResumes(t *testing.T) {
	r := newRig(t)
	r.Event("meeting.ended", 0, "{}")
	meetings, two, all := r.stream(eventStream+"?type=meeting.*", master), r.stream(eventStream+"?type=user.created&type=meeting.started", master), r.stream(eventStream, master)
	for n, kind := range []string{"meeting.started", "user.created", "some.thing_new", "meeting.ended", "meeting.participant_joined"} {
		r.Event(kind, n+1, "{}")
	}
	for _, c := range []struct {
		client *client
		want   string
	}{{meetings, "2 5 6"}, {two, "2 3"}, {all, "2 3 4 5 6"}} {
		if got := c.client.ids(len(strings.Fields(c.want))); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	h := all.answer.Header
	if h.Get("X-Accel-Buffering") != "no" || h.Get("Cache-Control") != "no-store" || h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("headers %v", h)
	}
	if got := r.stream(eventStream+"?type=meeting.*", master, "Last-Event-ID", "2").ids(2); got != "5 6" {
		t.Errorf("resumed by header: %s", got)
	}
	if got := r.stream(eventStream+"?last_event_id=4", master).ids(2); got != "5 6" {
		t.Errorf("resumed by parameter: %s", got)
	}
	if got := r.stream(eventStream, master, "Last-Event-ID", "0").ids(6); got != "1 2 3 4 5 6" {
		t.Errorf("from the beginning: %s", got)
	}
}

func TestWhatAStreamSaysOfAnEvent(t *testing.T) {
	r := newRig(t)
	c := r.stream(eventStream, master)
	e := r.Event("meeting.ended", 1, "{\"payload\": {\n \"topic\": \"a <b>\" } }")
	got := c.event()
	var data map[string]any
	if err := json.Unmarshal([]byte(got.data), &data); err != nil {
		t.Fatal(err)
	}
	if got.id != "1" || got.event != "meeting.ended" || data["id"] != e.ID || data["origin"] != "test" || data["seq"] != 1.0 || data["account"] != "acct" ||
		data["source"] != "zoom/default" || !strings.Contains(got.data, `"body":{"payload":{"topic":"a <b>"}}`) {
		t.Errorf("got %+v", got)
	}
	for _, name := range []string{"time", "received_at", "subject", "type"} {
		if data[name] == nil {
			t.Errorf("%s is missing in %s", name, got.data)
		}
	}
}

// TestNothingSealedIsShown looks at everything that shows an event.
func TestNothingSealedIsShown(t *testing.T) {
	r := newRig(t)
	keys, err := sealed.LoadOrCreateKeys(t.TempDir() + "/keys")
	r.Must(err)
	marker := keys.Public().Seal("secret-download-token")
	c := r.stream(eventStream, master)
	e := r.Event("recording.completed", 1, `{"download_token":"`+marker+`"}`)
	version := r.Deploy("name: hello\non: [ { zoom: meeting.ended } ]\nsteps:\n  - { id: say, uses: log, with: { message: hi } }\n")
	step := func(f *v1.Fact) *v1.Fact { f.Step = "say"; return f }
	run := r.Run("hello", version, "e", engine.Failed,
		step(&v1.Fact{Kind: &v1.Fact_StepStarted{StepStarted: &v1.StepStarted{Uses: "log", Attempt: 1, Input: &v1.Value{Json: []byte(`{"in":"` + marker + `"}`)}}}}),
		step(&v1.Fact{Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{Attempt: 1, Output: &v1.Value{Json: []byte(`{"out":"` + marker + `"}`)}, Log: []string{"logged " + marker}}}}),
		&v1.Fact{Kind: &v1.Fact_RunFailed{RunFailed: &v1.RunFailed{Error: &v1.Error{Message: "no " + marker}}}})
	shown := map[string]string{"a stream of events": c.event().data, "a stream of runs": r.stream("/api/v1/runs/stream?last_event_id=0", master).event().data}
	for _, address := range []string{"/api/v1/events", "/api/v1/events/" + e.ID, "/api/v1/events/1", "/api/v1/runs", "/api/v1/runs/" + run, "/api/v1/workflows/hello"} {
		a := r.get(address)
		if a.status != http.StatusOK {
			t.Errorf("%s: %d %s", address, a.status, a.body)
		}
		shown[address] = a.body
	}
	masked := map[string][]string{
		"a stream of events": {`"download_token":"••••"`}, "/api/v1/events/" + e.ID: {`"download_token":"••••"`}, "/api/v1/events/1": {`"download_token":"••••"`},
		"a stream of runs": {`"in":"••••"`, `"out":"••••"`, `logged ••••`, `no ••••`}, "/api/v1/runs/" + run: {`"in":"••••"`, `"out":"••••"`, `logged ••••`},
	}
	for where, text := range shown {
		if sealed.Contains(text) {
			t.Errorf("%s shows %s", where, text)
		}
		for _, want := range masked[where] {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %s: %s", where, want, text)
			}
		}
	}
}

func TestRunsAreStreamed(t *testing.T) {
	r := newRig(t)
	failed := r.stream("/api/v1/runs/stream?status=failed", master)
	hello := r.stream("/api/v1/runs/stream?workflow=hello", master)
	r.Run("hello", "v1", "e1", engine.Running)
	id := r.Run("other", "v1", "e2", engine.Failed)
	r.Run("hello", "v1", "e3", engine.Completed)
	if got := hello.ids(2); got != "1 3" {
		t.Errorf("of hello: %s", got)
	}
	got := failed.event()
	var data struct {
		ID, Workflow, Status string
		Seq                  uint64
		Facts                []struct{ Kind string }
	}
	if err := json.Unmarshal([]byte(got.data), &data); err != nil || got.event != "failed" || data.ID != id || data.Workflow != "other" || data.Seq != 2 || len(data.Facts) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAGapIsSaid(t *testing.T) {
	r := newRig(t)
	for n := range 5 {
		r.Event("meeting.ended", n, "{}")
	}
	s, err := r.JS.Stream(context.Background(), wire.Events)
	r.Must(err)
	r.Must(s.Purge(context.Background(), jetstream.WithPurgeSequence(4)))
	c := r.stream(eventStream, master, "Last-Event-ID", "1")
	if got := c.event(); got.event != "zflow.gap" || got.data != `{"after":1,"first":4}` || got.id != "" {
		t.Errorf("got %+v", got)
	}
	if got := c.ids(2); got != "4 5" {
		t.Errorf("then %s", got)
	}
}

func TestBadStreams(t *testing.T) {
	r := newRig(t)
	r.Event("meeting.ended", 0, "{}")
	r.Deploy("name: called\non: [ { call: {} } ]\nsteps:\n  - { id: say, uses: log, with: { message: hi } }\n")
	for _, c := range []struct {
		address, last, want string
		status              int
	}{
		{"?type=meeting..ended", "", "is not like meeting.ended", 400},
		{"?type=", "", "the event type is empty", 400},
		{"?type=%3E", "", "is not like meeting.ended", 400},
		{"?type=a" + strings.Repeat("&type=a", 32), "", "at most 32", 400},
		{"?types=a", "", "there is no parameter", 400},
		{"?workflow=nosuch", "", "no such workflow is deployed", 404},
		{"?workflow=", "", "is no name of a workflow", 400},
		{"?workflow=called", "", "no trigger that takes events", 400},
		{"?workflow=a&workflow=b", "", "given 2 times", 400},
		{"", "x", "is to be the id of what came last", 400},
		{"", "-1", "is to be the id of what came last", 400},
		{"", "18446744073709551616", "is to be the id of what came last", 400},
		{"", "2", "there is no 2 yet, the last is 1", 400},
		{"?last_event_id=1.5", "", "is to be the id of what came last", 400},
	} {
		header := []string{}
		if c.last != "" {
			header = []string{"Last-Event-ID", c.last}
		}
		a := r.do("GET", eventStream+c.address, master, "", header...)
		if a.status != c.status || !strings.Contains(a.error(t), c.want) {
			t.Errorf("%s %s: %d %s", c.address, c.last, a.status, a.body)
		}
	}
	for address, want := range map[string]string{"?status=done": "never", "?workflow=*": "no name", "?type=x": "no parameter"} {
		if a := r.get("/api/v1/runs/stream" + address); a.status != 400 || !strings.Contains(a.error(t), want) {
			t.Errorf("%s: %d %s", address, a.status, a.body)
		}
	}
}

// TestADamagedMessageDoesNotEndAStream publishes what is no history into RUNS.
func TestADamagedMessageDoesNotEndAStream(t *testing.T) {
	r := newRig(t)
	c := r.stream("/api/v1/runs/stream", master)
	_, err := r.NC.Request(wire.RunSubject("hello", "r1", "running"), []byte{0xff, 0xff}, time.Second)
	r.Must(err)
	r.Run("hello", "v1", "e", engine.Running)
	if got := c.event(); got.event != "zflow.damaged" || got.id != "1" {
		t.Errorf("got %+v", got)
	}
	if got := c.ids(1); got != "2" {
		t.Errorf("then %s", got)
	}
}

func TestAStreamGoesOnOverARestartOfTheBroker(t *testing.T) {
	r := newRig(t)
	c := r.stream(eventStream, master)
	r.Event("meeting.ended", 1, "{}")
	c.ids(1)
	r.Server.Restart(t)
	r.until("stored", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		e := &wire.Event{ID: "again", Type: "meeting.ended", Source: "zoom/default", Origin: wire.FromTest, Time: time.Now(), ReceivedAt: time.Now(), Body: []byte("{}")}
		_, err := r.Publisher.Publish(ctx, e)
		return err == nil
	})
	if got := c.ids(1); got != "2" {
		t.Errorf("after the restart: %s", got)
	}
}

func TestARevokedTokenEndsItsStreams(t *testing.T) {
	r := newRig(t)
	c := r.stream(eventStream, r.token("one", 0, tokens.EventsRead))
	other := r.stream(eventStream, r.token("two", 0, tokens.EventsRead))
	r.Must(r.store.Revoke(context.Background(), "one"))
	if got := c.rest(); !strings.Contains(got, "the token has expired or was revoked") {
		t.Errorf("it ended with %q", got)
	}
	r.Event("meeting.ended", 1, "{}")
	if got := other.ids(1); got != "1" {
		t.Errorf("the other got %s", got)
	}
}

// TestAnExpiredTokenEndsItsBusyStream has no pause in which the token is looked at.
func TestAnExpiredTokenEndsItsBusyStream(t *testing.T) {
	r := newRig(t)
	c := r.stream(eventStream, r.token("one", 3*time.Second, tokens.EventsRead))
	ended := make(chan string)
	go func() { ended <- c.rest() }()
	for n := 0; ; n++ {
		r.Event("meeting.ended", n, "{}")
		select {
		case got := <-ended:
			if !strings.Contains(got, "the token has expired or was revoked") {
				t.Errorf("it ended with %q", got)
			}
			return
		default:
		}
	}
}

// TestASlowClientIsCutOff lets one client not read, while another does.
func TestASlowClientIsCutOff(t *testing.T) {
	r := newRig(t)
	slow, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	r.Must(err)
	defer slow.Close()
	fmt.Fprintf(slow, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", eventStream, master)
	quick := r.stream(eventStream, master)
	r.until("both are there", func() bool { return r.metric(`zflow_console_streams{stream="EVENTS"}`) == "2" })
	const n = 24
	for i := range n {
		r.Event("meeting.ended", i, `{"filler":"`+strings.Repeat("x", 1<<20)+`"}`)
		quick.ids(1)
	}
	r.until("the slow one is cut off", func() bool {
		return r.metric(`zflow_console_streams_ended_total{stream="EVENTS",why="slow"}`) == "1"
	})
	if got := r.metric(`zflow_console_streams{stream="EVENTS"}`); got != "1" {
		t.Errorf("%s streams are open", got)
	}
}

// TestASlowClientHoldsNobodyUp lets one client not read, for longer than another may
// take for what is more than all buffers between hold.
func TestASlowClientHoldsNobodyUp(t *testing.T) {
	r := newRig(t, func(c *Config) { c.writeLimit = 10 * patience })
	slow, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	r.Must(err)
	defer slow.Close()
	fmt.Fprintf(slow, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", eventStream, master)
	quick := r.stream(eventStream, master)
	r.until("both are there", func() bool { return r.metric(`zflow_console_streams{stream="EVENTS"}`) == "2" })
	for i := range 24 {
		r.Event("meeting.ended", i, `{"filler":"`+strings.Repeat("x", 1<<20)+`"}`)
		quick.ids(1)
	}
	if got := r.metric(`zflow_console_streams{stream="EVENTS"}`); got != "2" {
		t.Errorf("%s streams are open: the slow one held nobody up since it was gone", got)
	}
}

// TestManyStreamsGetEachMessageOnce has as many as a console is measured with.
func TestManyStreamsGetEachMessageOnce(t *testing.T) {
	r := newRig(t, func(c *Config) { c.ping, c.writeLimit = defaultPing, defaultWriteLimit }) // busy machines too
	const streams, events = 500, 12
	clients := make([]*client, streams)
	for i := range clients {
		clients[i] = r.stream(eventStream+[]string{"", "?type=meeting.*"}[i%2], master)
	}
	for n := range events {
		r.Event([]string{"user.created", "meeting.ended"}[n%2], n, "{}")
	}
	r.Event("meeting.started", events, "{}") // who has it has all
	want := [2]string{"1 2 3 4 5 6 7 8 9 10 11 12 13", "2 4 6 8 10 12 13"}
	for i, c := range clients {
		if got := c.ids(len(strings.Fields(want[i%2]))); got != want[i%2] {
			t.Fatalf("stream %d got %s", i, got)
		}
	}
	if got := r.metric(`zflow_console_sent_total{stream="EVENTS"}`); got != fmt.Sprint(streams/2*(13+7)) {
		t.Errorf("%s messages were sent", got)
	}
}

func TestAStopEndsStreams(t *testing.T) {
	r := newRig(t)
	c := r.stream(eventStream, master)
	r.end()
	if got := c.rest(); !strings.Contains(got, "the console stops") {
		t.Errorf("it ended with %q", got)
	}
}

func TestSilenceIsFilledWithComments(t *testing.T) {
	r := newRig(t)
	c := r.stream(eventStream, master)
	for range 2 {
		if got, more := c.next(); !more || got.comment != "still here" {
			t.Errorf("got %+v", got)
		}
	}
}

func TestAClientThatLeavesIsForgotten(t *testing.T) {
	r := newRig(t)
	c := r.stream(eventStream, master)
	c.close()
	r.until("it is forgotten", func() bool {
		return r.metric(`zflow_console_streams{stream="EVENTS"}`) == "0" && r.console.api.events.Followers() == 0
	})
}
