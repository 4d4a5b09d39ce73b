package routes_test

import (
	"context"
	"encoding/json"
	"fmt"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"zflow/engine"
	"zflow/internal/app/routes"
	"zflow/internal/ask"
	"zflow/internal/operator/operatortest"
	"zflow/internal/sealed"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
	"zflow/sources"
	"zflow/sources/http"
)

// desk is a desk that serves, and an ingest that asks it.
type desk struct {
	*operatortest.House
	t       *testing.T
	secrets map[string]string
	keys    *sealed.Keys
	table   *http.Table
	without []http.Route
	taken   string // the workflow whose event came last
}

func serve(t *testing.T) *desk {
	t.Helper()
	d := &desk{House: operatortest.New(t), t: t, secrets: map[string]string{}}
	var err error
	d.keys, err = sealed.GenerateKeys()
	d.Must(err)
	desk, err := routes.Serve(d.NC, routes.Options{Catalog: d.Catalog, History: d.History, Blobs: d.Blobs, Base: "https://zflow.example.org", Log: zap.NewNop(),
		Secrets: func() map[string]string { return d.secrets }})
	d.Must(err)
	t.Cleanup(desk.Close)
	return d
}

func (d *desk) asked(verb string, q, to any) error {
	raw, err := ask.Call[json.RawMessage](d.t.Context(), d.NC, routes.Verbs+verb, q)
	if err == nil {
		err = json.Unmarshal(raw, to)
	}
	return err
}

// fetch asks for the table, as ingest does.
func (d *desk) fetch() (text string) {
	d.t.Helper()
	var got routes.Sealed
	d.Must(d.asked("routes", routes.Wish{Key: d.keys.Public().String()}, &got))
	text, err := d.keys.OpenText(got.Routes)
	d.Must(err)
	var all []http.Route
	d.Must(json.Unmarshal([]byte(text), &all))
	d.table, d.without = http.NewTable(all)
	return text
}

// send says what is answered to a request, and whose it was, by the table as it is.
func (d *desk) send(method, path string) string {
	d.t.Helper()
	d.taken = ""
	h := http.NewHandler(http.Config{Routes: func() *http.Table { return d.table }, Publish: func(_ context.Context, e *proto.Event) (sources.Ack, error) {
		d.taken = e.Type
		return sources.Ack{}, nil
	}})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, "/http/"+path, nethttp.NoBody))
	return strings.TrimSpace(fmt.Sprint(w.Code, " ", d.taken))
}

func flow(name, http string) string {
	return "name: " + name + "\non: { http: " + http + " }\nsteps: [ { uses: log, with: { message: hi } } ]\n"
}

// expect sends requests, and compares.
func (d *desk) expect(when string, want map[string]string) {
	d.t.Helper()
	d.fetch()
	for request, answer := range want {
		method, path, _ := strings.Cut(request, " ")
		if got := d.send(method, path); got != answer {
			d.t.Errorf("%s: %s: %s, not %s", when, request, got, answer)
		}
	}
}

// What is deployed is served, paused too, and what changes or goes is not.
func TestWhoIsServed(t *testing.T) {
	d := serve(t)
	d.expect("nothing is deployed", map[string]string{"POST a": "404"})
	d.Deploy(flow("a", "{}"))
	d.Deploy(flow("b", "{ path: a, method: [GET, PUT], respond: when_done }"))
	d.Deploy(flow("c", "{ path: deep/er/path, method: any }"))
	d.Must(d.Catalog.Pause(t.Context(), "b"))
	d.expect("at first", map[string]string{"POST a": "202 a", "POST a/": "202 a", "PUT a": "202 b", "DELETE a": "405", "POST b": "404", "PATCH deep/er/path": "202 c",
		"POST deep/er": "404", "POST A": "404", "POST ": "404", "POST a//": "404"})
	d.Deploy(flow("a", "{ path: elsewhere }"))
	d.Must(d.Catalog.Resume(t.Context(), "b"))
	d.Must(d.Catalog.Remove(t.Context(), "c"))
	d.expect("later", map[string]string{"POST a": "405", "POST elsewhere": "202 a", "PATCH deep/er/path": "404"})
	d.Deploy("name: a\non: { zoom: meeting.ended }\nsteps: [ { uses: log, with: { message: hi } } ]\n")
	d.expect("without the trigger", map[string]string{"POST elsewhere": "404"})
}

// Two deployments at once may want one path: the first by name has what both take.
func TestWhoWins(t *testing.T) {
	d := serve(t)
	d.Deploy(flow("b", "{ path: p, method: [POST, GET] }"))
	_, _, err := d.Catalog.Deploy(t.Context(), "a.yaml", []byte(flow("a", "{ path: p }")), "b") // b is said to go, and stays
	d.Must(err)
	d.expect("both want it", map[string]string{"POST p": "202 a", "GET p": "405"})
	if len(d.without) != 1 || d.without[0].Workflow != "b" {
		t.Errorf("without a path: %+v", d.without)
	}
	d.Must(d.Catalog.Remove(t.Context(), "a"))
	d.expect("one is gone", map[string]string{"POST p": "202 b", "GET p": "202 b"})
}

// Secrets leave a worker as hashes, for the one who asked; without one nothing is served.
func TestSecretsOfRoutes(t *testing.T) {
	d := serve(t)
	d.Deploy(flow("a", `{ auth: { bearer: "${{ secrets.token }}" } }`))
	d.Deploy(flow("b", `{ auth: { basic: { user: me, password: ["${{ secrets.token }}", "${{ secrets.other }}"] } } }`))
	d.Deploy(flow("c", `{ auth: { hmac: { preset: github, secret: "${{ secrets.key }}" } } }`))
	d.expect("no secret is there", map[string]string{"POST a": "503", "POST b": "503", "POST c": "503"})
	d.secrets = map[string]string{"token": "hunter2", "key": "hunter3", "other": "hunter4"}
	d.expect("they are", map[string]string{"POST a": "401", "POST b": "401", "POST c": "401"})
	if text := d.fetch(); strings.Contains(text, "hunter2") || strings.Contains(text, "hunter4") || strings.Contains(text, "hunter3") {
		t.Errorf("a secret is readable in %s", text)
	}
	d.secrets["token"] = "" // an empty one lets nobody in
	d.expect("an empty one", map[string]string{"POST a": "503", "POST b": "503"})
	if _, err := ask.Call[routes.Sealed](t.Context(), d.NC, routes.Verbs+"routes", routes.Wish{Key: "no key"}); err == nil {
		t.Error("routes are told to somebody without a key")
	}
	if base, err := routes.Base(t.Context(), d.NC); err != nil || base != "https://zflow.example.org" {
		t.Error(base, err)
	}
}

// All who serve routes hear of each change.
func TestChangesAreTold(t *testing.T) {
	d := serve(t)
	told := make(chan *nats.Msg, 16)
	nc := d.Server.Connect(t)
	_, err := nc.ChanSubscribe(routes.Changed, told)
	d.Must(err)
	d.Must(nc.Flush())
	for _, change := range []func(){
		func() { d.Deploy(flow("a", "{}")) },
		func() { d.Must(d.Catalog.Pause(t.Context(), "a")) },
		func() { d.Must(d.Catalog.Remove(t.Context(), "a")) },
	} {
		change()
		<-told
	}
}

func responded(step, input string) []*v1.Fact {
	return []*v1.Fact{
		{Step: step, Kind: &v1.Fact_StepStarted{StepStarted: &v1.StepStarted{Attempt: 1, Uses: "respond", Input: &v1.Value{Json: []byte(input)}}}},
		{Step: step, Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{Attempt: 1}}},
	}
}

// An answer is what the history says: the first respond, else the end, without what
// is sealed and without why the run failed.
func TestAnswersOfHistories(t *testing.T) {
	d := serve(t)
	version := d.Deploy(flow("a", "{}"))
	secret := d.keys.Public().Seal("hunter2")
	failed := &v1.Fact{Kind: &v1.Fact_RunFailed{RunFailed: &v1.RunFailed{Reason: "step", Error: &v1.Error{Message: "hunter2 is why"}}}}
	done := &v1.Fact{Kind: &v1.Fact_RunCompleted{RunCompleted: &v1.RunCompleted{Output: &v1.Value{Json: []byte(`{"n":1,"s":"` + secret + `"}`)}}}}
	two := append(responded("x", `{"status":201,"body":{"s":"`+secret+`"},"headers":{"x-a":"b"}}`), responded("y", `{"status":500}`)...)
	for event, c := range map[string]struct {
		state engine.State
		facts []*v1.Fact
		want  string
	}{
		"begun":  {engine.Running, nil, `{"answer":null}`},
		"two":    {engine.Running, two, `{"answer":{"status":201,"headers":{"x-a":"b"},"body":{"s":"••••"}}}`},
		"long":   {engine.Running, responded("x", `{"body":"`+strings.Repeat("a", 4<<20)+`"}`), `answer with a file`},
		"done":   {engine.Completed, []*v1.Fact{done}, `{"answer":{"body":{"n":1,"s":"••••"},"end":"completed"}}`},
		"failed": {engine.Failed, []*v1.Fact{failed}, `{"answer":{"end":"failed"}}`},
	} {
		d.Run("a", version, event, c.state, c.facts...)
		var got json.RawMessage
		d.Must(d.asked("answer", routes.Question{Workflow: "a", Event: event}, &got))
		if !strings.Contains(string(got), c.want) || strings.Contains(string(got), "hunter2") {
			t.Errorf("%s: %.300s", event, got)
		}
	}
	var none routes.Recorded
	if d.Must(d.asked("answer", routes.Question{Workflow: "a", Event: "never"}, &none)); none.Answer != nil {
		t.Errorf("%+v", none.Answer)
	}
	if err := d.asked("answer", routes.Question{Workflow: "a.*", Event: "done"}, &none); err == nil {
		t.Error("a pattern is a workflow")
	}
	var piece routes.Pieced
	if err := d.asked("file", routes.Piece{File: "nosuch"}, &piece); err == nil {
		t.Errorf("a file that is not there: %+v", piece)
	}
}
