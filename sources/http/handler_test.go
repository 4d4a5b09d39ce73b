package http

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"zflow/actions"
	"zflow/engine/workflow"
	"zflow/proto"
	"zflow/sources"
)

// desk is what stands behind a handler: events in memory, answers by hand.
type desk struct {
	mu       sync.Mutex
	events   []*proto.Event
	failure  error
	waiting  map[string]chan *Answer
	recorded map[string]*Answer
	asked    int
	file     string
	table    *Table
	answer   func(*proto.Event) *Answer // as soon as an event is published; nil: none
}

func (d *desk) publish(_ context.Context, e *proto.Event) (sources.Ack, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failure != nil {
		return sources.Ack{}, d.failure
	}
	for _, old := range d.events {
		if old.ID == e.ID {
			return sources.Ack{Duplicate: true}, nil
		}
	}
	d.events = append(d.events, e)
	if d.answer != nil {
		if c := d.waiting[e.ID]; c != nil { // as a message: nobody there, nobody told
			c <- d.answer(e)
		}
	}
	return sources.Ack{Sequence: uint64(len(d.events))}, nil
}

func (d *desk) await(event string) (<-chan *Answer, func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := make(chan *Answer, 1)
	d.waiting[event] = c
	return c, func() {}
}

func (d *desk) ask(_ context.Context, _, event string) (*Answer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	return d.recorded[event], nil
}

func (d *desk) copy(_ context.Context, to io.Writer, _ actions.File) error {
	_, err := io.WriteString(to, d.file)
	if err == nil && len(d.file) < 3 {
		err = errors.New("it is gone")
	}
	return err
}

func newDesk(t *testing.T, l Limits, routes ...Route) (*desk, *Handler) {
	t.Helper()
	d := &desk{waiting: map[string]chan *Answer{}, recorded: map[string]*Answer{}}
	var without []Route
	if d.table, without = NewTable(routes); len(without) > 0 {
		t.Fatalf("%d routes have no place", len(without))
	}
	return d, NewHandler(Config{Limits: l, Routes: func() *Table { return d.table }, Publish: d.publish,
		Files: Files{Begin: func() (Put, Settle, error) {
			return (&kept{map[string]string{}}).put, func(context.Context) error { return nil }, nil
		}, Copy: d.copy},
		Runs: Runs{Await: d.await, Recorded: d.ask}})
}

func echo(change func(*Route)) Route {
	r := Route{Workflow: "echo", Path: "echo", Methods: []string{"POST"}, Auth: Auth{Kind: workflow.AuthNone}, Timeout: 30 * time.Second}
	if change != nil {
		change(&r)
	}
	return r
}

func send(h nethttp.Handler, method, url, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestRequestBecomesEvent(t *testing.T) {
	d, h := newDesk(t, Limits{}, echo(nil))
	w := send(h, "POST", "/http/echo?who=me&tag=a&tag=b", `{"n":1,"x":"•"}`, "Authorization", "Bearer hush", "Cookie", "s=hush", "Proxy-Authorization", "hush", "X-A", "1")
	var told struct {
		Event string `json:"event_id"`
		Run   string `json:"run_id"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil || w.Code != 202 || len(d.events) != 1 {
		t.Fatalf("%d %s, %v", w.Code, w.Body, err)
	}
	e := d.events[0]
	if told.Event != e.ID || told.Run != proto.RunID("echo", e.ID) || e.Type != "echo" || e.Source != "http" || string(e.Body) != `{"n":1,"x":"•"}` {
		t.Errorf("told %+v of %+v", told, e)
	}
	const want = `{"headers":{"content-type":"application/json","host":"example.com","x-a":"1"},"method":"POST","path":"/http/echo","query":{"tag":["a","b"],"who":"me"}}`
	if string(e.Trigger) != want {
		t.Errorf("trigger has %s", e.Trigger)
	}
	if subject, _ := e.Wire(); subject != "zflow.event.http._.echo" {
		t.Error(subject)
	}
}

func TestRefusals(t *testing.T) {
	salt := []byte("s")
	signed := forms["github"]
	many := []string{}
	for i := range mostHeaders {
		many = append(many, fmt.Sprintf("X-%d", i), "1")
	}
	d, h := newDesk(t, Limits{Body: 1024},
		echo(nil), echo(func(r *Route) { r.Methods, r.Workflow = []string{"GET"}, "reader" }),
		echo(func(r *Route) {
			r.Path, r.Auth = "bearer", Auth{Kind: workflow.AuthBearer, Salt: salt, Hashes: [][]byte{HashOf(salt, "hush")}}
		}),
		echo(func(r *Route) {
			r.Path, r.Auth = "signed", Auth{Kind: workflow.AuthHMAC, Signature: &signed, Keys: [][]byte{[]byte("hush")}}
		}),
		echo(func(r *Route) { r.Path, r.Problem = "broken", "no secret hush" }),
		echo(func(r *Route) { r.Path, r.Key = "keyed", workflow.RequestKey{Field: "order.id"} }))
	for _, c := range []struct {
		method, url, body string
		headers           []string
		status            int
	}{
		{"POST", "/http/nosuch", "{}", nil, 404}, {"POST", "/http/", "{}", nil, 404}, {"PUT", "/http/echo", "{}", nil, 405},
		{"POST", "/http/bearer", "{}", nil, 401}, {"POST", "/http/bearer", "{}", []string{"Authorization", "Bearer hus"}, 401},
		{"POST", "/http/signed", "{}", nil, 401}, {"POST", "/http/signed", "{}", []string{"X-Hub-Signature-256", "sha256=00"}, 401},
		{"POST", "/http/broken", "{}", nil, 503}, {"POST", "/http/keyed", `{"order":{}}`, nil, 400}, {"POST", "/http/keyed", `[]`, nil, 400},
		{"POST", "/http/echo", `{"n":`, nil, 400}, {"POST", "/http/echo", strings.Repeat(" ", 1025), nil, 413},
		{"POST", "/http/echo?a=%zz", "{}", nil, 400}, {"POST", "/http/echo?" + strings.Repeat("&", 1000), "{}", nil, 400},
		{"POST", "/http/echo?" + strings.Repeat("a", mostTrigger), "{}", nil, 431}, {"POST", "/http/echo", "{}", many, 431},
		{"POST", "/http/echo", "{}", []string{"Idempotency-Key", strings.Repeat("k", 256)}, 400},
	} {
		w := send(h, c.method, c.url, c.body, c.headers...)
		var told struct{ Error string }
		if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil || w.Code != c.status || told.Error == "" || strings.Contains(w.Body.String(), "hush") {
			t.Errorf("%s %.40s: %d %s, %v", c.method, c.url, w.Code, w.Body, err)
		}
		if w.Code == 503 && w.Header().Get("Retry-After") == "" {
			t.Errorf("%.40s: no Retry-After", c.url)
		}
	}
	if len(d.events) != 0 {
		t.Errorf("%d events are stored", len(d.events))
	}
	if w := send(h, "POST", "/http/bearer", "{}"); w.Header().Get("WWW-Authenticate") != `Bearer realm="zflow"` {
		t.Errorf("%v", w.Header())
	}
	if w := send(h, "DELETE", "/http/echo", ""); w.Header().Get("Allow") != "GET, HEAD, OPTIONS, POST" {
		t.Errorf("%v", w.Header())
	}
	d.table = nil
	if w := send(h, "POST", "/http/echo", "{}"); w.Code != 503 {
		t.Errorf("without routes: %d", w.Code)
	}
}

func TestStoreAway(t *testing.T) {
	d, h := newDesk(t, Limits{}, echo(nil))
	for _, err := range []error{errors.New("nats: secret"), sources.ErrNoRoom} {
		d.failure = err
		if w := send(h, "POST", "/http/echo", "{}"); w.Code != 503 || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
	}
}

// One key is one event, and one answer; without one each request is its own.
func TestKeys(t *testing.T) {
	d, h := newDesk(t, Limits{}, echo(nil), echo(func(r *Route) { r.Path, r.Key = "keyed", workflow.RequestKey{Field: "order.id", Optional: true} }),
		echo(func(r *Route) { r.Path, r.Workflow = "other", "other" }))
	n := 0
	for _, c := range []struct {
		url, body, key string
		more           int
	}{
		{"/http/echo", "{}", "", 1}, {"/http/echo", "{}", "", 1},
		{"/http/echo", "{}", "k1", 1}, {"/http/echo", `{"n":2}`, "k1", 0}, {"/http/echo", "{}", "k2", 1}, {"/http/other", "{}", "k1", 1},
		{"/http/keyed", `{"order":{"id":7}}`, "", 1}, {"/http/keyed", `{"order":{"id":"7"}}`, "k3", 0}, {"/http/keyed", `{}`, "k3", 1}, {"/http/keyed", `{}`, "k3", 0},
	} {
		var headers []string
		if c.key != "" {
			headers = []string{"Idempotency-Key", c.key}
		}
		w := send(h, "POST", c.url, c.body, headers...)
		if n += c.more; w.Code != 202 || len(d.events) != n {
			t.Errorf("%s %s %s: %d, %d events, not %d", c.url, c.body, c.key, w.Code, len(d.events), n)
		}
	}
}

func waits(r *Route) { r.Wait = true }

// The answer of a run that is as fast as can be is not missed.
func TestAnswers(t *testing.T) {
	ref := `{"file":"file-1","name":"a.pdf","type":"application/pdf","size":3,"sha256":"hash"}`
	for _, c := range []struct {
		answer Answer
		status int
		body   string
		header string
	}{
		{Answer{Status: 201, Headers: map[string]string{"X-Who": "me"}, Body: json.RawMessage(`{"twice":42}`)}, 201, `{"twice":42}`, "X-Who: me"},
		{Answer{Status: 200, Body: json.RawMessage(`"hé"`)}, 200, "hé", "Content-Type: text/plain; charset=utf-8"},
		{Answer{Status: 200, Headers: map[string]string{"content-type": "text/html"}, Body: json.RawMessage(`"<a>"`)}, 200, "<a>", "Content-Type: text/html"},
		{Answer{Status: 204, Body: json.RawMessage(`{"a":1}`)}, 204, "", ""}, {Answer{Status: 100}, 200, "", ""}, {Answer{Status: 404, Body: json.RawMessage(`null`)}, 404, "", ""},
		{Answer{Status: 302, Headers: map[string]string{"Location": "/x", "Content-Length": "9", "Connection": "x", "X-Bad": "a\nb"}}, 302, "", "Location: /x"},
		{Answer{Status: 200, Body: json.RawMessage(ref)}, 200, "PDF", "Content-Type: application/pdf"},
		{Answer{End: "completed", Body: json.RawMessage(`{"n":1}`)}, 200, `{"n":1}`, ""}, {Answer{End: "completed"}, 200, "", ""},
		{Answer{End: "failed"}, 500, `{"error":"the run failed"`, ""}, {Answer{End: "canceled"}, 500, `{"error":"the run was canceled"`, ""},
		{Answer{End: "canceled", Refused: "once: event e"}, 409, `{"error":"the run was not begun: once: event e"`, ""},
		{Answer{Refused: Unmatched}, 202, `"status":"not_started"`, ""},
	} {
		d, h := newDesk(t, Limits{}, echo(waits))
		d.file, d.answer = "PDF", func(*proto.Event) *Answer { return &c.answer }
		var w *httptest.ResponseRecorder
		synctest.Test(t, func(*testing.T) { w = send(h, "POST", "/http/echo", "{}") }) // an answer that was missed comes late
		name, value, _ := strings.Cut(c.header, ": ")
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) || c.body == "" && w.Body.Len() > 0 || name != "" && w.Header().Get(name) != value {
			t.Errorf("%+v: %d %s %v", c.answer, w.Code, w.Body, w.Header())
		}
		if w.Header().Get("Connection")+w.Header().Get("X-Bad") != "" {
			t.Errorf("%v", w.Header())
		}
		if d.asked > 0 {
			t.Errorf("%+v: the history was asked", c.answer)
		}
	}
	d, h := newDesk(t, Limits{}, echo(waits))
	d.answer = func(*proto.Event) *Answer { return &Answer{Status: 200, Body: json.RawMessage(ref)} }
	synctest.Test(t, func(*testing.T) {
		if w := send(h, "POST", "/http/echo", "{}"); w.Code != 500 && w.Code != 200 {
			t.Errorf("a file that is gone: %d", w.Code)
		}
	})
}

// An answer that was lost comes from the history, soon.
func TestALostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, h := newDesk(t, Limits{}, echo(waits))
		id := proto.EventID(proto.SourceHTTP, "echo", "key", "k")
		began := time.Now()
		go func() {
			time.Sleep(2500 * time.Millisecond)
			d.mu.Lock()
			defer d.mu.Unlock()
			d.recorded[id] = &Answer{Status: 201}
		}()
		w := send(h, "POST", "/http/echo", "{}", "Idempotency-Key", "k")
		if took := time.Since(began); w.Code != 201 || took != 3*time.Second {
			t.Errorf("%d after %v", w.Code, took)
		}
		began = time.Now()
		if w := send(h, "POST", "/http/echo", "{}", "Idempotency-Key", "k"); w.Code != 201 || time.Since(began) != 0 {
			t.Errorf("again: %d after %v", w.Code, time.Since(began))
		}
	})
}

// Who waits too long, or while ingest stops, is told where the run is. More than may
// wait are sent away.
func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, h := newDesk(t, Limits{Waiting: 2}, echo(waits))
		began := time.Now()
		w := send(h, "POST", "/http/echo", "{}")
		if took := time.Since(began); w.Code != 202 || took != 30*time.Second || !strings.Contains(w.Body.String(), `"status":"running"`) || !strings.Contains(w.Body.String(), `"run_id":"`) {
			t.Errorf("%d %s after %v", w.Code, w.Body, took)
		}
		var wait sync.WaitGroup
		for range 2 {
			wait.Go(func() {
				if w := send(h, "POST", "/http/echo", "{}"); w.Code != 202 {
					t.Errorf("%d", w.Code)
				}
			})
		}
		synctest.Wait()
		if w := send(h, "POST", "/http/echo", "{}"); w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("the third: %d", w.Code)
		}
		began = time.Now()
		h.Stop()
		h.Stop()
		wait.Wait()
		if time.Since(began) != 0 {
			t.Errorf("ended after %v", time.Since(began))
		}
		if counts, waiting := h.Stats(); waiting != 0 || fmt.Sprint(counts) != "[{echo accepted 3} {echo late 3} {echo overload 1}]" {
			t.Errorf("%v, %d wait", counts, waiting)
		}
	})
}

func TestBrowsers(t *testing.T) {
	d, h := newDesk(t, Limits{}, echo(func(r *Route) {
		r.CORS = &workflow.CORS{Origins: []string{"https://a.example"}, Headers: []string{"X-A"}, Expose: []string{"X-B"}, Credentials: true, MaxAge: time.Hour}
	}), echo(func(r *Route) { r.Path, r.Methods, r.CORS = "any", nil, &workflow.CORS{Origins: []string{"*"}} }), echo(func(r *Route) { r.Path, r.Methods = "get", []string{"GET"} }))
	for _, c := range []struct {
		method, path, origin, asks string
		status                     int
		allowed                    string
	}{
		{"OPTIONS", "echo", "https://a.example", "POST", 204, "https://a.example"}, {"OPTIONS", "echo", "https://b.example", "POST", 204, ""},
		{"OPTIONS", "echo", "https://a.example", "PUT", 204, ""}, {"OPTIONS", "get", "https://a.example", "GET", 204, ""},
		{"OPTIONS", "any", "https://b.example", "PATCH", 204, "*"}, {"OPTIONS", "echo", "", "", 204, ""},
		{"POST", "echo", "https://a.example", "", 202, "https://a.example"}, {"POST", "echo", "https://b.example", "", 202, ""},
		{"PATCH", "any", "https://b.example", "", 202, "*"}, {"HEAD", "get", "", "", 204, ""}, {"HEAD", "echo", "", "", 405, ""},
	} {
		before := len(d.events)
		headers := []string{"Origin", c.origin}
		if c.asks != "" {
			headers = append(headers, "Access-Control-Request-Method", c.asks)
		}
		w := send(h, c.method, "/http/"+c.path, "", headers...)
		if w.Code != c.status || w.Header().Get("Access-Control-Allow-Origin") != c.allowed {
			t.Errorf("%+v: %d %v", c, w.Code, w.Header())
		}
		if (len(d.events) > before) != (c.status == 202) {
			t.Errorf("%+v: %d events", c, len(d.events)-before)
		}
	}
	w := send(h, "OPTIONS", "/http/echo", "", "Origin", "https://a.example", "Access-Control-Request-Method", "POST").Header()
	if w.Get("Access-Control-Allow-Methods") != "POST" || !strings.Contains(w.Get("Access-Control-Allow-Headers"), "X-A") || w.Get("Access-Control-Max-Age") != "3600" ||
		w.Get("Access-Control-Allow-Credentials") != "true" || w.Get("Access-Control-Expose-Headers") != "X-B" {
		t.Errorf("%v", w)
	}
}

func TestTable(t *testing.T) {
	table, without := NewTable([]Route{{Workflow: "b", Path: "p", Methods: []string{"POST"}}, {Workflow: "a", Path: "p", Methods: []string{"POST", "GET"}},
		{Workflow: "b", Path: "p", Methods: []string{"PUT"}}, {Workflow: "c", Path: "p"}, {Workflow: "c", Path: "q"}})
	if len(without) != 2 || without[0].Workflow != "b" || without[1].Workflow != "c" {
		t.Errorf("%+v", without)
	}
	if got := fmt.Sprint(table.List()); got != "[POST,GET /http/p PUT /http/p ANY /http/q]" {
		t.Error(got)
	}
}

// A body that would have to be unpacked is refused for what it is.
func TestCompressedBodies(t *testing.T) {
	d, h := newDesk(t, Limits{}, echo(nil))
	for coding, want := range map[string]int{"gzip": 415, "deflate, gzip": 415, "identity": 202, "": 202} {
		if w := send(h, "POST", "/http/echo", `{}`, "Content-Encoding", coding); w.Code != want {
			t.Errorf("%q: %d %s", coding, w.Code, w.Body)
		}
	}
	if len(d.events) != 2 {
		t.Errorf("%d events", len(d.events))
	}
}
