package poll_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/definition"
	"zflow/engine/poll"
	"zflow/engine/tick"
	"zflow/internal/durable"
	"zflow/internal/natstest"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
	"zflow/sources"
)

// bench is a server, a list somewhere, and what polls made of it.
type bench struct {
	t       testing.TB
	js      jetstream.JetStream
	bucket  *durable.Bucket
	events  *sources.Publisher
	def     *engine.Workflow
	ticks   time.Time
	poller  *poll.Poller
	list    service
	publish func(context.Context, *proto.Event) error // in place of the real one
	counts  map[string]int
	mu      sync.Mutex
}

// service is the list that is polled, page by page.
type service struct {
	mu     sync.Mutex
	items  []any
	size   int // of a page; 0: all are one
	page   func(n int) error
	calls  int
	inputs []map[string]any
	more   bool
	around bool // every page has the same token
}

func (s *service) set(items ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items = items
}

func (s *service) call(_ context.Context, a *engine.Attempt) *engine.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	var input map[string]any
	if err := json.Unmarshal(a.Input.Json, &input); err != nil {
		return &engine.Outcome{Error: &v1.Error{Message: err.Error()}}
	}
	s.calls++
	s.inputs = append(s.inputs, input)
	from := 0
	if token, ok := input["next_page_token"].(string); ok && !s.around {
		fmt.Sscan(token, &from)
	}
	if s.page != nil {
		if err := s.page(s.calls); err != nil {
			return refusal(err)
		}
	}
	to, out := len(s.items), map[string]any{"more": s.more}
	if s.size > 0 && from+s.size < len(s.items) || s.around {
		to = min(from+max(s.size, 1), len(s.items))
		out["next_page_token"] = fmt.Sprint(to)
	}
	out["people"] = s.items[from:to]
	raw, err := json.Marshal(out)
	if err != nil {
		return refusal(err)
	}
	return &engine.Outcome{Output: &v1.Value{Json: raw}}
}

func refusal(err error) *engine.Outcome {
	var e *actions.Error
	if errors.As(err, &e) {
		return &engine.Outcome{Error: &v1.Error{Message: e.Message, Code: e.Code, Status: int32(e.Status)}, Class: string(e.Class), RetryAt: e.RetryAt}
	}
	return &engine.Outcome{Error: &v1.Error{Message: err.Error()}, Class: string(actions.ClassFinal)}
}

func known(t testing.TB) definition.Known {
	t.Helper()
	open := actions.Schema{Type: "object", Open: true}
	paged := actions.Schema{Type: "object", Open: true, Fields: map[string]actions.Schema{"next_page_token": {Type: "string"}}}
	most := 2500.0
	limited := actions.Schema{Type: "object", Open: true, Fields: map[string]actions.Schema{"limit": {Type: "integer", Max: &most}}}
	all := []*actions.Action{
		{Spec: actions.Spec{Name: "club.list", Effect: actions.Read, Input: paged, Output: open}},
		{Spec: actions.Spec{Name: "club.some", Effect: actions.Read, Input: limited, Output: open}},
		{Spec: actions.Spec{Name: "log", Effect: actions.Read, Input: open, Output: open}},
	}
	r, err := actions.NewRegistry(all...)
	if err != nil {
		t.Fatal(err)
	}
	return definition.Known{Actions: r}
}

// newBench is a bench whose workflow polls like this.
func newBench(t testing.TB, how string) *bench {
	t.Helper()
	natstest.VirtualTime(t)
	s := natstest.Start(t)
	b := &bench{t: t, js: s.JetStream(t), counts: map[string]int{}}
	b.must(tick.Create(context.Background(), b.js, 1))
	b.must(sources.Create(context.Background(), b.js, sources.Limits{MaxBytes: 1 << 28}))
	var err error
	b.bucket, err = tick.Open(context.Background(), b.js, s.Gate(t))
	b.must(err)
	b.events = sources.NewPublisher(b.js, s.Gate(t))
	b.define(how)
	b.poller = b.another()
	return b
}

func bubble(t *testing.T, how string, test func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(newBench(t, how)) })
}

// another is a poller as another worker has it.
func (b *bench) another() *poll.Poller {
	return poll.New(poll.Config{
		Bucket: b.bucket, Call: b.list.call, Now: time.Now, Log: zap.NewNop(),
		Publish: func(ctx context.Context, e *proto.Event) error {
			if b.publish != nil {
				return b.publish(ctx, e)
			}
			return b.really(ctx, e)
		},
		Account: func(name string) (string, bool) { return "acct", name == "school" },
		Secrets: map[string]any{"key": "sealed"},
		Count: func(name, _ string, n int) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.counts[name] += n
		},
	})
}

func (b *bench) really(ctx context.Context, e *proto.Event) error {
	_, err := b.events.Publish(ctx, e)
	return err
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// define deploys, so to speak, another version of the workflow.
func (b *bench) define(how string) {
	b.t.Helper()
	src := "name: club\nvars: { kind: gold }\non:\n  poll: { every: 1m, " + how + " }\nsteps:\n  - sleep: 1s\n"
	def, problems := definition.Parse("club.yaml", []byte(src), known(b.t))
	if def == nil {
		b.t.Fatal(problems)
	}
	b.def = def
}

// tick polls at the next tick.
func (b *bench) tick() {
	b.t.Helper()
	b.ticks = time.Now()
	b.must(b.again())
	time.Sleep(time.Minute)
}

// again polls at the same tick as before.
func (b *bench) again() error {
	return b.poller.Do(context.Background(), poll.Tick{Workflow: b.def, Trigger: &b.def.Triggers[0], At: b.ticks})
}

// stored are the events in EVENTS.
func (b *bench) stored() (all []*proto.Event) {
	b.t.Helper()
	s, err := b.js.Stream(context.Background(), proto.Events)
	b.must(err)
	for seq := uint64(1); seq <= s.CachedInfo().State.LastSeq; seq++ {
		m, err := s.GetMsg(context.Background(), seq)
		b.must(err)
		e, err := proto.ReadEvent(m.Subject, m.Header, m.Data, seq, m.Time)
		b.must(err)
		all = append(all, e)
	}
	return all
}

type body struct {
	Change   string
	Key      any
	Item     map[string]any
	Before   map[string]any
	PolledAt time.Time `json:"polled_at"`
}

func (b *bench) bodies() (all []body) {
	b.t.Helper()
	for _, e := range b.stored() {
		var one body
		b.must(json.Unmarshal(e.Body, &one))
		all = append(all, one)
	}
	return all
}

// want checks the events: change, key, name before, name now.
func (b *bench) want(all ...string) {
	b.t.Helper()
	var got []string
	for _, e := range b.bodies() {
		got = append(got, fmt.Sprintf("%s %v %v %v", e.Change, e.Key, e.Before["name"], e.Item["name"]))
	}
	slices.Sort(got)
	slices.Sort(all)
	if !slices.Equal(got, all) {
		b.t.Errorf("the events are\n  %s\nnot\n  %s", strings.Join(got, "\n  "), strings.Join(all, "\n  "))
	}
}

func (b *bench) status() poll.Status {
	b.t.Helper()
	s, err := poll.StatusOf(context.Background(), b.bucket, b.def.Name)
	b.must(err)
	return s
}

// wantProblem checks why the last poll has failed.
func (b *bench) wantProblem(times int, text string) {
	b.t.Helper()
	p := b.status().Problem
	if p == nil || p.Times != times || !strings.Contains(p.Message, text) {
		b.t.Errorf("the problem is %+v, want one with %q, %d times", p, text, times)
	}
}

// left are the keys in TICKS.
func (b *bench) left() (all []string) {
	b.t.Helper()
	s, err := b.js.Stream(context.Background(), "KV_TICKS")
	b.must(err)
	i, err := s.Info(context.Background(), jetstream.WithSubjectFilter(">"))
	b.must(err)
	for name := range i.State.Subjects {
		all = append(all, strings.TrimPrefix(name, "$KV.TICKS."))
	}
	return all
}

func who(id any, name string) map[string]any { return map[string]any{"id": id, "name": name} }
