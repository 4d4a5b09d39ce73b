package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"zflow/engine"
	"zflow/engine/definition"
	v1 "zflow/proto/zflow/v1"
)

// driven is a run whose calls are answered at once.
type driven struct {
	b        *testing.B
	flow     *engine.Workflow
	run      *engine.Run
	now      time.Time
	outcomes map[engine.AttemptID]*engine.Outcome
	open     []*engine.Attempt
	appends  []*v1.Facts
}

func drive(b *testing.B, flow *engine.Workflow) *driven {
	d := &driven{b: b, flow: flow, run: engine.NewRun("run"), now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), outcomes: map[engine.AttemptID]*engine.Outcome{}}
	event := &v1.Event{Id: "e1", Type: "meeting.ended", Body: &v1.Value{Json: []byte(`{"payload":{"object":{"id":"1","duration":5}}}`)}}
	facts, err := d.run.Begin(d.now, &v1.RunStarted{Workflow: flow.Name, Event: event}, claim(1), nil)
	if err != nil {
		b.Fatal(err)
	}
	d.appends = append(d.appends, &v1.Facts{Facts: facts, State: "running"})
	d.decide()
	return d
}

func (d *driven) decide() {
	next, err := d.run.Decide(d.flow, engine.Turn{Now: d.now, Outcomes: d.outcomes})
	if err != nil {
		d.b.Fatal(err)
	}
	d.open = next.Calls
	if len(next.Facts) > 0 {
		d.appends = append(d.appends, &v1.Facts{Facts: next.Facts, State: string(d.run.State)})
	}
}

// answer ends the call that has been open the longest.
func (d *driven) answer() {
	d.outcomes = map[engine.AttemptID]*engine.Outcome{d.open[0].AttemptID: {Output: &v1.Value{Json: []byte(`{"n":1}`)}, Took: time.Second}}
	d.decide()
}

func (d *driven) toEnd() {
	for !d.run.State.Ended() {
		d.answer()
	}
}

// parsed is a workflow in YAML.
func parsed(b *testing.B, src string) *engine.Workflow {
	b.Helper()
	w, problems := definition.Parse("bench.yaml", []byte("name: bench\non: { zoom: meeting.ended }\n"+src), definition.Known{Actions: tools(b)})
	if w == nil {
		b.Fatal(problems)
	}
	return w
}

// hundred is a workflow of a hundred steps, each of which names the one before.
func hundred(b *testing.B) *engine.Workflow {
	var src strings.Builder
	fmt.Fprint(&src, "steps:\n  - { id: s0, uses: write.it }\n")
	for i := 1; i < 100; i++ {
		fmt.Fprintf(&src, "  - { id: s%d, uses: write.it, with: { a: \"${{ steps.s%d.output.n + 1 }}\", id: \"${{ event.payload.object.id }}\" } }\n", i, i-1)
	}
	return parsed(b, src.String())
}

// looped is a loop of a thousand iterations, each of two calls.
func looped(b *testing.B) *engine.Workflow {
	return parsed(b, `
steps:
  - { id: before, set: 1 }
  - id: each
    for_each: ${{ 1..1000 }}
    at_once: 50
    steps:
      - { id: one, uses: write.it, with: { n: "${{ item + steps.before.output }}" } }
      - { id: two, uses: write.it, with: { n: "${{ steps.one.output.n }}" } }
output: ${{ len(steps.each.output) }}
`)
}

// BenchmarkThreeSteps is all that the core does for a run of three steps.
func BenchmarkThreeSteps(b *testing.B) {
	flow := parsed(b, "steps: [ { id: a, uses: write.it }, { id: b, uses: write.it }, { id: c, uses: write.it } ]\n")
	b.ReportAllocs()
	for b.Loop() {
		drive(b, flow).toEnd()
	}
}

// BenchmarkHundredSteps is a decision in a run of a hundred steps, on average.
func BenchmarkHundredSteps(b *testing.B) {
	flow := hundred(b)
	b.ReportAllocs()
	d := drive(b, flow)
	for b.Loop() {
		if d.run.State.Ended() {
			d = drive(b, flow)
		}
		d.answer()
	}
}

// BenchmarkLoop is a loop of 1,000 iterations of two calls, 50 at once, to its end.
func BenchmarkLoop(b *testing.B) {
	flow := looped(b)
	b.ReportAllocs()
	for b.Loop() {
		drive(b, flow).toEnd()
	}
}

// BenchmarkReplay folds a history of 1,000 facts, from the bytes in which it is stored.
func BenchmarkReplay(b *testing.B) {
	d := drive(b, looped(b))
	for d.run.Facts < 1000 {
		d.answer()
	}
	var stored [][]byte
	for _, a := range d.appends {
		data, err := proto.Marshal(a)
		if err != nil {
			b.Fatal(err)
		}
		stored = append(stored, data)
	}
	b.ReportAllocs()
	for b.Loop() {
		run := engine.NewRun("run")
		for _, data := range stored {
			a := &v1.Facts{}
			if err := proto.Unmarshal(data, a); err != nil {
				b.Fatal(err)
			}
			if err := run.Replay([]*v1.Facts{a}); err != nil {
				b.Fatal(err)
			}
		}
	}
}
