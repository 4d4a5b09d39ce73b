package nats_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/actions"
	"zflow/actions/actionstest"
	"zflow/actions/nats"
	"zflow/internal/natstest"
)

type object = map[string]any

const sealed = "~zf1.abcdefgh.AAAABBBBCCCC-_~"

type rig struct {
	t   *testing.T
	nc  *client.Conn // of others
	js  jetstream.JetStream
	all map[string]*actions.Action
}

// open starts a server on which the worker may publish to allowed.> and orders.> only.
func open(t *testing.T) *rig {
	s := natstest.Start(t, natstest.Configure(func(o *server.Options) {
		worker := &server.Permissions{Publish: &server.SubjectPermission{Allow: []string{"allowed.>", "orders.>", "$JS.API.>"}}}
		o.Users = []*server.User{{Username: "worker", Password: "w", Permissions: worker}, {Username: "other", Password: "o"}}
		o.NoAuthUser = "other"
	}))
	nc := s.Connect(t, client.UserInfo("worker", "w"))
	r := &rig{t: t, nc: s.Connect(t, client.UserInfo("other", "o")), js: natstest.JetStream(t, nc), all: map[string]*actions.Action{}}
	for _, a := range nats.Actions(nats.Options{Conn: nc, JS: r.js, Reveal: func(string) (string, error) { return `hun"ter2`, nil }}) {
		r.all[a.Spec.Name] = a
	}
	return r
}

func (r *rig) do(name string, input object) (object, *actions.Error) {
	r.t.Helper()
	a := r.all["nats."+name]
	got, err := a.Do(r.t.Context(), actions.Call{Input: input, Key: "run1.tell"})
	var e *actions.Error
	if errors.As(err, &e) {
		return nil, e
	}
	if err != nil {
		r.t.Fatalf("a plain error: %v", err)
	}
	for _, problem := range actionstest.Check(a.Spec.Output, got.Output) {
		r.t.Error(problem)
	}
	return got.Output.(object), nil
}

func TestPublish(t *testing.T) {
	r := open(t)
	if _, err := natstest.JetStream(t, r.nc).CreateStream(t.Context(), jetstream.StreamConfig{Name: "ORDERS", Subjects: []string{"orders.>"}, MaxMsgSize: 1000}); err != nil {
		t.Fatal(err)
	}
	for i, duplicate := range []bool{false, true} {
		got, err := r.do("publish", object{"subject": "orders.paid", "data": object{"n": int64(1), "s": sealed}, "headers": object{"X-Token": sealed, "n": int64(5)}})
		if err != nil || !reflect.DeepEqual(got, object{"stream": "ORDERS", "sequence": int64(1), "duplicate": duplicate}) {
			t.Errorf("attempt %d: %v, %v", i, got, err)
		}
	}
	s, _ := r.js.Stream(t.Context(), "ORDERS")
	m, err := s.GetMsg(t.Context(), 1)
	if err != nil || string(m.Data) != `{"n":1,"s":"hun\"ter2"}` || m.Header.Get("X-Token") != `hun"ter2` || m.Header.Get("n") != "5" {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := r.do("publish", object{"subject": "orders.large", "text": strings.Repeat("x", 2000)}); err == nil || err.Class != actions.ClassFinal || err.Code != "refused" {
		t.Errorf("%+v", err)
	}
	sub, _ := r.nc.SubscribeSync("allowed.>")
	_ = r.nc.Flush()
	if got, err := r.do("publish", object{"subject": "allowed.x", "text": "hi"}); err != nil || got["stream"] != "" {
		t.Errorf("%v, %v", got, err)
	}
	if m, err := sub.NextMsgWithContext(t.Context()); err != nil || string(m.Data) != "hi" {
		t.Errorf("%v, %v", m, err)
	}
	if _, err := r.do("publish", object{"subject": "allowed.x", "stream": true}); err == nil || err.Code != "no_stream" {
		t.Errorf("%+v", err)
	}
}

// TestRefusalsAreErrors: the server says no without an answer to the message.
func TestRefusalsAreErrors(t *testing.T) {
	r := open(t)
	for _, name := range []string{"publish", "request", "publish"} {
		_, err := r.do(name, object{"subject": "secret.plans", "timeout": "60s"})
		if err == nil || err.Class != actions.ClassFinal || err.Code != "denied" || !strings.HasPrefix(err.Message, "the server does not let this worker publish to secret.plans: allow it") {
			t.Errorf("%s: %+v", name, err)
		}
		if _, err := r.do("publish", object{"subject": "allowed.x"}); err != nil {
			t.Errorf("an allowed one after a refused one: %v", err)
		}
	}
}

func TestRequest(t *testing.T) {
	r := open(t)
	_, err := r.nc.Subscribe("allowed.*", func(m *client.Msg) {
		reply := client.NewMsg(m.Reply)
		reply.Header.Set("X-Echo", m.Header.Get("X-Token"))
		reply.Data = m.Data
		switch m.Subject {
		case "allowed.silent":
			return
		case "allowed.bytes":
			reply.Data = []byte{0xff}
		case "allowed.broken":
			reply.Header.Set("Nats-Service-Error", "no such course")
			reply.Header.Set("Nats-Service-Error-Code", "404")
		}
		_ = m.RespondMsg(reply)
	})
	if err != nil || r.nc.Flush() != nil {
		t.Fatal(err)
	}
	if got, err := r.do("request", object{"subject": "allowed.echo", "data": []any{int64(1)}, "headers": object{"X-Token": sealed}}); err != nil ||
		!reflect.DeepEqual(got, object{"data": []any{int64(1)}, "text": "[1]", "headers": object{"X-Echo": "••••"}}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := r.do("request", object{"subject": "allowed.echo", "text": "I am " + sealed}); err != nil || got["text"] != "I am ••••" || got["data"] != nil {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := r.do("request", object{"subject": "allowed.bytes"}); err != nil || got["base64"] != "/w==" {
		t.Errorf("%v, %v", got, err)
	}
	for subject, want := range map[string]actions.Error{
		"allowed.broken":    {Class: actions.ClassFinal, Code: "404", Message: "allowed.broken answered with an error: no such course"},
		"allowed.none.here": {Class: actions.ClassRetryable, Code: "no_responders", Message: "nobody listens at allowed.none.here"},
		"allowed.silent":    {Class: actions.ClassUnknown, Code: "timeout", Message: "nobody answered at allowed.silent within 50ms"},
	} {
		wait := "30s"
		if subject == "allowed.silent" {
			wait = "50ms"
		}
		if _, err := r.do("request", object{"subject": subject, "timeout": wait}); err == nil || *err != want {
			t.Errorf("%s: %+v", subject, err)
		}
	}
}

func TestWrongInputs(t *testing.T) {
	r := open(t)
	for says, input := range map[string]object{
		"subject is missing":                   {},
		"is zflow's own":                       {"subject": "zflow.command.x"},
		"zflow\" is zflow's own":               {"subject": "zflow"},
		"is the server's own":                  {"subject": "$JS.API.STREAM.DELETE.EVENTS"},
		"is an inbox":                          {"subject": "_INBOX_worker.x"},
		"goes to one subject":                  {"subject": "orders.*"},
		"has an empty part":                    {"subject": "orders..x"},
		"or has a space":                       {"subject": "orders.x y"},
		"text is not text":                     {"subject": "a", "text": int64(5)},
		"choose one":                           {"subject": "a", "text": "x", "data": "y"},
		"headers is an object":                 {"subject": "a", "headers": "x"},
		"is no name of a header":               {"subject": "a", "headers": object{"a b": "x"}},
		"the header Nats-Rollup is NATS's own": {"subject": "a", "headers": object{"Nats-Rollup": "all"}},
		"the header a is no text on one line":  {"subject": "a", "headers": object{"a": "x\r\nNats-Rollup: all"}},
		"the server takes":                     {"subject": "a", "text": strings.Repeat("x", 9<<20)},
		"timeout is a duration":                {"subject": "a", "timeout": "1h"},
	} {
		if got, err := r.do("request", input); err == nil || err.Class != actions.ClassFinal || !strings.Contains(err.Message, says) {
			t.Errorf("%.200v: %v, %v; want %q", input, got, err, says)
		}
	}
	if _, err := r.do("publish", object{"subject": "a", "stream": "yes"}); err == nil || err.Message != "stream is true or false" {
		t.Error(err)
	}
	for _, a := range nats.Actions(nats.Options{}) {
		if _, err := a.Do(context.Background(), actions.Call{Input: object{"subject": "a"}}); err == nil || err.Error() != "messages cannot be sent from here" {
			t.Error(err)
		}
	}
}
