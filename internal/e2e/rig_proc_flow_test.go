//go:build unix

package e2e

import (
	"context"
	"fmt"
	"strings"
	"time"

	"zflow/engine"
	"zflow/internal/operator"
	"zflow/proto"
)

// procFlow is a workflow of a rig.
type procFlow struct {
	event, name string
	on          string // its trigger; empty: the event, as one of Zoom's
	head        string // more keys of the file
	steps       string
	ends        engine.State // empty: completed
	then        func(*procLoad, context.Context, procSent)
}

// procSent is an event that was accepted.
type procSent struct {
	n   int
	run string
}

// procChild is the workflow that others call.
const procChild = "child"

// procFlows are the workflows of a rig. First those without state of their own: two
// writes that are no idempotent ones; a read, a sleep and an idempotent write; a
// sleep that parks the run, then a write. Then the language's: a called child;
// keys with room for one run and for two; branches and a loop with iterations at
// the same time; a wait for an event; an undo and finally; a signal and an approval.
var procFlows = []procFlow{
	{event: "meeting.ended", name: "posts", steps: `
  - { id: first, uses: http.request, with: { method: POST, url: "API/first", json: { run: "${{ run.id }}" } }, on_unknown: retry }
  - { id: second, uses: http.request, with: { method: POST, url: "API/second" }, on_unknown: retry }`},
	{event: "meeting.started", name: "mixed", steps: `
  - { id: get, uses: http.request, with: { url: "API/get" } }
  - { id: nap, sleep: 300ms }
  - { id: put, uses: http.request, with: { method: PUT, url: "API/put", json: { key: "${{ step.key }}" } } }`},
	{event: "recording.completed", name: "parks", steps: `
  - { id: nap, sleep: 2500ms }
  - { id: post, uses: http.request, with: { method: POST, url: "API/post" }, on_unknown: retry }`},
	{name: procChild, on: "call: { inputs: { id: integer } }", steps: `
  - { id: post, uses: http.request, with: { method: POST, url: "API/child", json: { id: "${{ event.id }}" } }, on_unknown: retry }`},
	{event: "e2e.calls", name: "calls", on: "event: e2e.calls", steps: `
  - { id: one, call: child, with: { id: "${{ event.payload.object.id }}" } }
  - { id: post, uses: http.request, with: { method: POST, url: "API/calls" }, on_unknown: retry }`},
	{event: "e2e.line", name: "line", on: "event: e2e.line", head: `
concurrency: { key: "${{ event.payload.object.key }}" }`, steps: `
  - { id: post, uses: http.request, with: { method: POST, url: "API/line" }, on_unknown: retry }`},
	{event: "e2e.pair", name: "pair", on: "event: e2e.pair", head: `
concurrency: { key: "${{ event.payload.object.key }}", limit: 2 }`, steps: `
  - { id: nap, sleep: 100ms }
  - { id: post, uses: http.request, with: { method: POST, url: "API/pair" }, on_unknown: retry }`},
	{event: "e2e.fan", name: "fan", on: "event: e2e.fan", steps: `
  - id: both
    parallel:
      left: [ { id: post, uses: http.request, with: { method: POST, url: "API/left" }, on_unknown: retry } ]
      right:
        - { id: each, for_each: [ 1, 2, 3 ], at_once: 2, uses: http.request, with: { method: POST, url: "API/each", json: { n: "${{ item }}" } }, on_unknown: retry }
        - { id: get, uses: http.request, with: { url: "API/right" } }`},
	{event: "e2e.awaits", name: "awaits", on: "event: e2e.awaits", then: (*procLoad).await, steps: `
  - { id: came, wait_for: { event: e2e.awaited, match: { payload.object.id: "${{ event.payload.object.id }}" } } }
  - { id: post, uses: http.request, with: { method: POST, url: "API/awaits" }, on_unknown: retry }`},
	{event: "e2e.undoes", name: "undoes", on: "event: e2e.undoes", ends: engine.Failed, head: `
finally: [ { id: last, uses: http.request, with: { method: POST, url: "API/last" }, on_unknown: retry } ]`, steps: `
  - { id: made, uses: http.request, with: { method: POST, url: "API/made" }, on_unknown: retry,
      undo: { uses: http.request, with: { method: POST, url: "API/unmade" }, on_unknown: retry } }
  - { stop: { status: failed, message: "as it was to" } }`},
	{event: "e2e.asks", name: "asks", on: "event: e2e.asks", then: (*procLoad).answer, steps: `
  - { id: go, wait_for: { signal: go } }
  - { id: ask, approval: { message: "go on?" } }
  - { id: post, uses: http.request, with: { method: POST, url: "API/asks" }, on_unknown: retry }`},
}

// procPlain is the order in which events are published for the first three, procAll
// for all.
var (
	procPlain = []int{0, 1, 0, 2, 1}
	procAll   = []int{0, 4, 5, 1, 6, 7, 2, 8, 9, 5, 10, 6}
)

func (f procFlow) source(api string) []byte {
	on := f.on
	if on == "" {
		on = "zoom: " + f.event
	}
	return fmt.Appendf(nil, "name: %s\non: [ { %s } ]\nretry: { attempts: 30, delay: 100ms }%s\nsteps:%s\n",
		f.name, on, strings.ReplaceAll(f.head, "API", api), strings.ReplaceAll(f.steps, "API", api))
}

// procEnds is the state in which runs of a workflow are to end.
func procEnds(workflow string) engine.State {
	for _, f := range procFlows {
		if f.name == workflow && f.ends != "" {
			return f.ends
		}
	}
	return engine.Completed
}

// procEvent is event n of a type.
func procEvent(kind string, n int) *proto.Event {
	e := &proto.Event{
		ID: proto.EventID("default", kind, fmt.Sprint(n)), Type: kind, Source: "zoom/default", Account: "acct",
		Origin: proto.FromTest, Time: time.Now(), ReceivedAt: time.Now(), ContentType: "application/json",
		Body: fmt.Appendf(nil, `{"event":%q,"payload":{"account_id":"acct","object":{"id":%d,"key":"k%d"}}}`, kind, n, n%7),
	}
	if strings.HasPrefix(kind, "e2e.") {
		e.Source, e.Account = proto.SourceApp, ""
	}
	return e
}

// await publishes what a run waits for, at once or a while later.
func (l *procLoad) await(ctx context.Context, s procSent) {
	<-time.After(time.Duration(s.n%5) * 300 * time.Millisecond)
	l.accept(ctx, procEvent("e2e.awaited", s.n))
}

// answer gives a run the signal that it waits for, then the approval. A word that
// came twice, since its answer was lost, changes nothing.
func (l *procLoad) answer(ctx context.Context, s procSent) {
	o := l.client.Operator()
	l.insist(ctx, func(ctx context.Context) error {
		_, err := o.Signal(ctx, operator.Signal{Run: s.run, Name: "go", By: "test"})
		return err
	})
	l.insist(ctx, func(ctx context.Context) error {
		_, err := o.Approve(ctx, operator.Approval{Run: s.run, Step: "ask", Choice: "approved", By: "test"})
		if err != nil && strings.Contains(err.Error(), "has ended") { // answered, though the answer to that was lost
			return nil
		}
		return err
	})
}

// insist does something until it succeeds.
func (l *procLoad) insist(ctx context.Context, do func(context.Context) error) {
	for ctx.Err() == nil {
		try, cancel := context.WithTimeout(ctx, 12*time.Second)
		err := do(try)
		cancel()
		if err == nil {
			return
		}
		<-time.After(300 * time.Millisecond)
	}
}
