package data_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"zflow/actions"
	"zflow/actions/actionstest"
	act "zflow/actions/data"
	"zflow/engine/data"
	"zflow/internal/natstest"
)

type rig struct {
	t   *testing.T
	all map[string]*actions.Action
}

func open(t *testing.T) rig {
	t.Helper()
	s := natstest.Start(t)
	if err := data.Create(t.Context(), s.JetStream(t), 1, 0); err != nil {
		t.Fatal(err)
	}
	store, err := data.Open(t.Context(), s.JetStream(t), s.Gate(t))
	if err != nil {
		t.Fatal(err)
	}
	return rig{t, byName(act.Actions(store))}
}

func byName(all []*actions.Action) map[string]*actions.Action {
	out := map[string]*actions.Action{}
	for _, a := range all {
		out[strings.TrimPrefix(a.Spec.Name, "data.")] = a
	}
	return out
}

type object = map[string]any

func (r rig) call(step, name string, input object) (object, *actions.Error) {
	r.t.Helper()
	a := r.all[name]
	if problems := actionstest.Check(a.Spec.Input, input); len(problems) > 0 && step != "bad" {
		r.t.Errorf("%s: %v", name, problems)
	}
	got, err := a.Do(context.Background(), actions.Call{Input: input, Key: step, Workflow: "w", Started: time.Now()})
	var e *actions.Error
	if err != nil {
		if !errors.As(err, &e) {
			r.t.Fatalf("%s: a plain error: %v", name, err)
		}
		return nil, e
	}
	for _, problem := range actionstest.Check(a.Spec.Output, got.Output) {
		r.t.Errorf("%s: output: %s", name, problem)
	}
	return got.Output.(object), nil
}

// want calls, and compares what came without the revision.
func (r rig) want(step, name string, input, want object) object {
	r.t.Helper()
	got, err := r.call(step, name, input)
	if err != nil {
		r.t.Fatalf("%s %v: %v", name, input, err)
	}
	rest := object{}
	for k, v := range got {
		if k != "revision" && k != "expires_at" {
			rest[k] = v
		}
	}
	if !reflect.DeepEqual(rest, want) {
		r.t.Errorf("%s %v: %v, want %v", name, input, rest, want)
	}
	return got
}

func TestSetAndGet(t *testing.T) {
	r := open(t)
	r.want("1", "get", object{"key": "k"}, object{"found": false, "value": nil})
	for i, v := range []any{int64(9007199254740993), "12345678901234567890", 1.5, true, nil, []any{int64(1), object{"a<b": "ü"}}, "~zf1.x"} {
		r.want(fmt.Sprint("set", i), "set", object{"key": "k", "value": v}, object{"set": true})
		r.want("1", "get", object{"key": "k", "default": "no"}, object{"found": true, "value": v})
	}
	r.want("2", "set", object{"key": "k", "value": "other", "if": "absent"}, object{"set": false, "value": "~zf1.x"})
	r.want("3", "set", object{"key": "new", "value": "first", "if": "absent"}, object{"set": true})
	r.want("3", "set", object{"key": "new", "value": "first", "if": "absent"}, object{"set": true}) // repeated, it was first still
	at := r.want("4", "get", object{"key": "new"}, object{"found": true, "value": "first"})["revision"]
	r.want("5", "set", object{"key": "new", "value": "second", "if": "unchanged", "revision": at}, object{"set": true})
	r.want("6", "set", object{"key": "new", "value": "third", "if": "unchanged", "revision": at}, object{"set": false, "value": "second"})
	r.want("7", "delete", object{"key": "new", "if": "unchanged", "revision": at}, object{"deleted": false})
	r.want("8", "delete", object{"key": "new"}, object{"deleted": true})
	r.want("8", "delete", object{"key": "new"}, object{"deleted": true})
	r.want("9", "delete", object{"key": "new"}, object{"deleted": false})
}

// TestExactly: steps of many runs count at once, and each attempt is made twice.
func TestExactly(t *testing.T) {
	r := open(t)
	var all sync.WaitGroup
	for i := range 40 {
		for range 2 {
			all.Go(func() {
				r.call(fmt.Sprint("step", i), "increment", object{"key": "n", "by": int64(3)})
				r.call(fmt.Sprint("step", i), "append", object{"key": "l", "value": int64(i)})
			})
		}
	}
	all.Wait()
	r.want("x", "get", object{"key": "n"}, object{"found": true, "value": int64(120)})
	list, _ := r.call("x", "get", object{"key": "l"})
	seen := map[any]bool{}
	for _, v := range list["value"].([]any) {
		seen[v] = true
	}
	if len(seen) != 40 || len(list["value"].([]any)) != 40 {
		t.Errorf("40 steps appended %v", list["value"])
	}
	a := r.all["increment"]
	for step, want := range map[string]bool{"step7": true, "never": false} {
		call := actions.Call{Input: object{"key": "n"}, Key: step, Workflow: "w", Started: time.Now()}
		if found, out, err := a.Probe(t.Context(), call); found != want || err != nil || want && out.Output.(object)["value"] == nil {
			t.Errorf("%s: %v, %v, %v", step, found, out, err)
		}
	}
	call := actions.Call{Input: object{"key": "n"}, Key: "long ago", Workflow: "w", Started: time.Now().Add(-2 * time.Hour)}
	var e *actions.Error
	if found, _, err := a.Probe(t.Context(), call); found || !errors.As(err, &e) || e.Class != actions.ClassFinal {
		t.Errorf("a step of two hours ago: %v, %v; a person decides", found, err)
	}
}

func TestNumbersAndLists(t *testing.T) {
	r := open(t)
	r.want("1", "increment", object{"key": "n"}, object{"value": int64(1)})
	r.want("2", "increment", object{"key": "n", "by": int64(-5)}, object{"value": int64(-4)})
	r.want("3", "increment", object{"key": "n", "by": 0.5}, object{"value": -3.5})
	for i := range 5 {
		r.want(fmt.Sprint("a", i), "append", object{"key": "l", "value": int64(i), "keep": int64(3)}, object{"length": int64(min(i+1, 3))})
	}
	r.want("x", "get", object{"key": "l"}, object{"found": true, "value": []any{int64(2), int64(3), int64(4)}})
	r.want("x", "list", object{"prefix": "l"}, object{"items": []any{object{"key": "l", "value": []any{int64(2), int64(3), int64(4)}, "revision": int64(8)}}, "more": false, "last": "l"})
	r.want("s", "set", object{"key": "max", "value": int64(9223372036854775807)}, object{"set": true})
	for name, bad := range map[string]struct {
		input object
		says  string
	}{
		"increment max":  {object{"key": "max"}, "does not fit into 64 bits"},
		"increment l":    {object{"key": "l"}, `the value of "l" is not a number`},
		"append n":       {object{"key": "n", "value": "x"}, `the value of "n" is not a list`},
		"increment text": {object{"key": "n", "by": "1"}, "by is not a number"},
		"set long":       {object{"key": "k", "value": strings.Repeat("x", 300<<10)}, "at most 256 KiB"},
		"set nothing":    {object{"key": "k"}, "value is missing"},
		"set key":        {object{"key": int64(1), "value": "x"}, "key is not text"},
		"get empty":      {object{"key": ""}, "a key is text of 1 to 256 bytes"},
		"get store":      {object{"key": "k", "store": "A b"}, "a store's name has"},
		"set ttl":        {object{"key": "k", "value": "x", "ttl": "10"}, "ttl: "},
		"set short":      {object{"key": "k", "value": "x", "ttl": "1ms"}, "ttl is from 1s"},
		"set if":         {object{"key": "k", "value": "x", "if": "new"}, "if is absent or unchanged"},
		"set unchanged":  {object{"key": "k", "value": "x", "if": "unchanged"}, "belong together"},
		"delete absent":  {object{"key": "k", "if": "absent"}, "unchanged only"},
		"list many":      {object{"limit": int64(5000)}, "limit is a whole number from 1 to 1000"},
		"append keep":    {object{"key": "z", "value": "x", "keep": int64(0)}, "keep is a whole number from 1"},
	} {
		action, _, _ := strings.Cut(name, " ")
		if _, err := r.call("bad", action, bad.input); err == nil || err.Class != actions.ClassFinal || !strings.Contains(err.Message, bad.says) {
			t.Errorf("%s: %v, want %q", name, err, bad.says)
		}
	}
}

func TestSpecs(t *testing.T) {
	for name, a := range open(t).all {
		if !a.Spec.Sealed {
			t.Errorf("%s would be given open credentials, and keep them", name)
		}
		for _, x := range a.Spec.Examples {
			r := open(t)
			got, err := r.all[name].Do(t.Context(), actions.Call{Input: x.Input, Key: "s", Workflow: "w", Started: time.Now()})
			if err != nil || x.Output != nil && !reflect.DeepEqual(fmt.Sprint(got.Output), fmt.Sprint(x.Output)) {
				t.Errorf("%s, %s: %v, %v", name, x.Title, got.Output, err)
			}
		}
	}
	for name, a := range byName(act.Actions(nil)) {
		if _, err := a.Do(t.Context(), actions.Call{Input: object{"key": "k", "value": "v"}}); err == nil {
			t.Errorf("%s without a store", name)
		}
	}
}
