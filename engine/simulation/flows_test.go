package simulation

import (
	"context"
	"maps"
	"slices"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/definition"
)

// source is the workflows of the plays, as a person writes them. An event of type
// x.asked starts x; n is different in each event, k is not.
var source = map[string]string{
	"chain": `
steps:
  - { id: a, uses: test.put }
  - { id: b, uses: test.write, on_unknown: retry, timeout: 6s }
  - { id: c, uses: test.read }
output: ${{ steps.c.output }}`,
	"naps": `
steps:
  - { id: a, uses: test.put }
  - { sleep: 7s }
  - { id: b, uses: test.probed }
  - { sleep: 1s }
  - { id: c, uses: test.write, on_unknown: fail, continue_on_error: true }`,
	"wide": `
steps:
  - parallel:
      left: [ { id: each, for_each: [ 1, 2, 3 ], at_once: 2, steps: [ { id: a, uses: test.put }, { id: b, uses: test.probed } ] } ]
      right: [ { sleep: 4s }, { id: c, uses: test.put } ]
  - { id: d, uses: test.read }`,
	"pick": `
steps:
  - switch:
      - { if: event.n % 2 == 0, steps: [ { id: a, uses: test.put }, { sleep: 3s } ] }
      - else: [ { id: b, uses: test.write, on_unknown: ask } ]
  - { id: c, for_each: [ 1, 2 ], uses: test.write, on_unknown: retry, until: item == 1 }`,
	"waits": `
steps:
  - { id: came, wait_for: { event: came, match: { n: "${{ event.n }}" }, timeout: 30s, on_timeout: continue } }
  - { id: a, uses: test.put, if: steps.came.outcome == 'arrived' }`,
	"stays": `
steps:
  - { id: a, uses: test.read }
  - { id: came, wait_for: { event: came, match: { n: "${{ event.n }}" } } }
  - { id: b, uses: test.put }`,
	"asks": `
steps:
  - { id: told, wait_for: { signal: go } }
  - { id: a, uses: test.put }
  - { id: ok, approval: { message: may I, remind: 20s } }
  - { id: b, uses: test.put, if: steps.ok.outcome == 'approved' }`,
	"parent": `
steps:
  - { id: before, uses: test.put }
  - { id: child, call: child, with: { n: "${{ event.n }}" }, continue_on_error: true }
  - { id: after, uses: test.put }`,
	"child": `
on: { call: { inputs: { n: number } } }
steps:
  - { id: a, uses: test.put }
  - { sleep: 3s }
  - { id: b, uses: test.frail, retry: { attempts: 1 } }`,
	"one": `
concurrency: { key: "${{ event.k }}" }
steps: [ { id: a, uses: test.put }, { sleep: 3s }, { id: b, uses: test.probed } ]`,
	"two": `
concurrency: { key: "${{ event.k }}", limit: 2 }
steps: [ { id: a, uses: test.put }, { id: b, uses: test.frail, retry: { attempts: 1 } } ]`,
	"skips": `
concurrency: { key: "${{ event.k }}", when_busy: skip }
steps: [ { id: a, uses: test.put }, { sleep: 5s }, { id: b, uses: test.put } ]`,
	"replaces": `
concurrency: { key: "${{ event.k }}", when_busy: replace }
steps: [ { sleep: 4s }, { id: a, uses: test.put } ]`,
	"once": `
on: { event: once.asked, once: { key: "${{ event.k }}", per: 24h } }
steps: [ { id: a, uses: test.put } ]`,
	"some": `
on: { event: some.asked, if: event.n % 2 == 0 }
steps: [ { id: a, uses: test.put } ]`,
	"saga": `
steps:
  - { id: a, uses: test.put, undo: { uses: test.put } }
  - { id: b, uses: test.probed, undo: { uses: test.write, on_unknown: retry } }
  - { id: c, uses: test.frail, retry: { attempts: 2 } }
on_failure: [ { id: d, uses: test.put } ]
finally: [ { id: e, uses: test.put } ]`,
	"late": `
timeout: 9s
steps: [ { id: a, uses: test.put }, { sleep: 6s }, { id: b, uses: test.put }, { sleep: 2h } ]
finally: [ { id: c, uses: test.put } ]`,
}

var (
	flowNames = slices.Sorted(maps.Keys(source))
	flows     = parse()
)

// parse reads the workflows as they are deployed.
func parse() map[string]*engine.Workflow {
	all := map[string]*engine.Workflow{}
	for name, text := range source {
		head := "name: " + name + "\nretry: { attempts: 30, delay: 400ms, max_delay: 4s }\n"
		if text[1:4] != "on:" {
			head += "on: { event: " + name + ".asked }\n"
		}
		w, problems := definition.Parse(name+".yaml", []byte(head+text), definition.Known{Actions: registry()})
		if w == nil || len(problems) > 0 {
			panic(problems.Err())
		}
		all[name] = w
	}
	return all
}

// registry has one action of each effect, one that can find out what it did, and one
// that often fails for good. The world answers for them.
func registry() *actions.Registry {
	do := func(context.Context, actions.Call) (actions.Result, error) { return actions.Result{}, nil }
	probe := func(context.Context, actions.Call) (bool, actions.Result, error) {
		return false, actions.Result{}, nil
	}
	open := actions.Schema{Type: "object", Open: true}
	action := func(name string, e actions.Effect) *actions.Action {
		return &actions.Action{Do: do, Spec: actions.Spec{Name: name, Summary: "Counts.", Input: open, Output: open, Effect: e}}
	}
	probed := action("test.probed", actions.Write)
	probed.Probe = probe
	r, err := actions.NewRegistry(probed, action("test.write", actions.Write), action("test.put", actions.Idempotent),
		action("test.read", actions.Read), action("test.frail", actions.Idempotent))
	if err != nil {
		panic(err)
	}
	return r
}
