package code

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"zflow/actions"
	"zflow/engine/data"
	"zflow/internal/natstest"
)

// keeping is a rig whose code may use stores, and what is in them.
type keeping struct {
	*rig
	store *data.Store
	begun time.Time
}

func newKeeping(t *testing.T) *keeping {
	t.Helper()
	r := newRig(t, nil)
	s := natstest.Start(t)
	if err := data.Create(t.Context(), s.JetStream(t), 1, 0); err != nil {
		t.Fatal(err)
	}
	store, err := data.Open(t.Context(), s.JetStream(t), s.Gate(t))
	if err != nil {
		t.Fatal(err)
	}
	r.options.Data = func(context.Context) (*data.Store, error) { return store, nil }
	r.action = Action(r.options)
	return &keeping{r, store, time.Now()}
}

type object = map[string]any

// step runs code as the step at a path of a run, an attempt later than the last.
func (k *keeping) step(key, text string, input object, args ...any) (any, error) {
	k.t.Helper()
	k.begun = k.begun.Add(time.Second)
	c := actions.Call{Key: key, Workflow: "flow", Input: input, Started: k.begun, Code: &actions.Code{Scope: map[string][]byte{}}}
	for _, a := range args {
		raw, err := json.Marshal(a)
		if err != nil {
			k.t.Fatal(err)
		}
		c.Code.Scope["event"] = raw
	}
	return k.run(text, c)
}

func (k *keeping) value(p data.Place) string {
	k.t.Helper()
	e, err := k.store.Get(k.t.Context(), p)
	if err != nil {
		k.t.Fatal(err)
	}
	return string(e.Value)
}

const withStore = `export default defineComponent({ props: { data: { type: "data_store" } }, async run({ steps, $ }) { %s } })`

var named = object{"$stores": object{"data": "visitors"}}

// Each of these is what Pipedream documents of its data stores.
func TestStore(t *testing.T) {
	k := newKeeping(t)
	cases := []struct{ body, want string }{
		{`await this.data.set("a", { n: 1, list: [true, null] }); return this.data.get("a")`, `{"list":[true,null],"n":1}`},
		{`return [await this.data.get("none"), await this.data.has("a"), await this.data.has("none")].map((v) => v ?? "none")`, `["none",true,false]`},
		{`await this.data.set(7, "seven"); await this.data.set(8n, 2n ** 53n + 1n); return [await this.data.get("7"), await this.data.get(8)]`, `["seven","9007199254740993"]`},
		{`return this.data.keys()`, `["7","8","a"]`},
		{`const all = []; for await (const [key, v] of this.data) all.push(key + "=" + typeof v); return all`, `["7=string","8=string","a=object"]`},
		{`return [await this.data.size(), (await this.data.entries())[0], (await this.data.values()).length]`, `[3,["7","seven"],3]`},
		{`await this.data.delete("7"); await this.data.delete("7"); return this.data.keys().then((k) => k.length)`, `2`},
		{`await this.data.set("t", 1, { ttl: 3600 }); await this.data.setTtl("t", 1800); await this.data.setTtl("t", null); return this.data.get("t")`, `1`},
		{`return Promise.all([..."abcdefghij"].map(async (c, i) => { await this.data.set("p/" + c, i); return this.data.get("p/" + c) }))`, `[0,1,2,3,4,5,6,7,8,9]`},
		{`this.data.set("later", 1).then(() => this.data.set("latest", 2)); return 1`, `1`},
		{`return [await this.data.get("later"), await this.data.get("latest")]`, `[1,2]`},
		{`const big = "x".repeat(200000); for (let i = 0; i < 8; i++) await this.data.set("big" + i, big); const r = Promise.all([0,1,2,3,4,5,6,7].map((i) => this.data.get("big" + i))); for (let i = 0; i < 20; i++) await null; for (let i = 0; i < 3000; i++) console.log("y".repeat(200)); return (await r).map((v) => v.length)`, `[200000,200000,200000,200000,200000,200000,200000,200000]`},
		{`return (await this.data.entries()).length`, `23`},
		{`await this.data.clear(); return this.data.size()`, `0`},
		{`try { await this.data.set("x".repeat(300), 1) } catch (e) { return [e.code, e.message] }`, `["bad_key","this.data.set() failed: a key is text of 1 to 256 bytes"]`},
		{`try { await this.data.set("x", "x".repeat(300000)) } catch (e) { return e.code }`, `"too_large"`},
		{`try { await this.data.get({}) } catch (e) { return e.message }`, `"a key is text, this is object"`},
		{`try { await this.data.set("x", 1, { ttl: 0 }) } catch (e) { return e.message }`, `"this.data.set() failed: a ttl is a number of seconds from 1 to 315360000 (10 years), not 0"`},
		{`try { await this.data.setTtl("none", 5) } catch (e) { return e.message }`, `"this.data has no key none, whose ttl could be set"`},
	}
	var text strings.Builder // one bundle for all
	for _, c := range cases {
		fmt.Fprintf(&text, "async function () { %s },\n", c.body)
	}
	all := `const all = [` + text.String() + `]; export default { props: { data: { type: "data_store" } }, run() { return all[this.i].call(this) } }`
	for i, c := range cases {
		got, err := k.step(fmt.Sprint("run.s", i), all, object{"$stores": object{"data": "visitors"}, "i": int64(i)})
		if raw, _ := encode(got); err != nil || string(raw) != `{"$return_value":`+c.want+`}` {
			t.Errorf("%s:\n%.300s %v, want %s", c.body, raw, err, c.want)
		}
	}
}

// Errors of stores say what to do, and end only the step.
func TestStoreErrors(t *testing.T) {
	k := newKeeping(t)
	for _, c := range []struct {
		body  string
		input object
		want  string
	}{
		{`return this.data.get("a")`, nil, "this.data is a data store: say which with: { $stores: { data: NAME } }"},
		{`return this.data.get("a")`, object{"$stores": "visitors"}, "$stores names the stores that the code may use"},
		{`return this.data.get("a")`, object{"$stores": object{"data": false}}, "$stores.data is a store's name, or true for the workflow's own, not false"},
		{`return this.data.get("a")`, object{"$stores": object{"data": "No Name"}}, "this.data.get() failed: a store's name has 1 to 64 of a-z"},
		{`const a = {}; a.a = a; await this.data.set("a", a)`, named, "the value is circular"},
		{`this.data.set("", 1)`, named, "nobody handled it: this.data.set() failed: a key is text"},
	} {
		_, err := k.step("run.s", fmt.Sprintf(withStore, c.body), c.input)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.body, err, c.want)
		}
	}
}

// A step reaches the stores that it names, and no others, whatever its code says; its
// workflow's own by true.
func TestStoresAreNamed(t *testing.T) {
	k := newKeeping(t)
	sneak := `export default (all) => all[Symbol.for("zflow.ask")]({ op: "get", store: "%s", key: "a" }).then((a) => a.found, (e) => e.message)`
	for name, want := range map[string]any{"data": false, "visitors": `the step names no store "visitors": write with: { $stores: { visitors: NAME } }`} {
		if got, err := k.step("run.s", fmt.Sprintf(sneak, name), named); err != nil || got != want {
			t.Errorf("%s: %v %v, want %v", name, got, err, want)
		}
	}
	if _, err := k.step("run.s", fmt.Sprintf(withStore, `await this.data.set("a", 1)`), object{"$stores": object{"data": true}}); err != nil {
		t.Error(err)
	}
	if got := k.value(data.Place{Workflow: "flow", Key: "a"}); got != "1" {
		t.Errorf("in the workflow's own store is %s", got)
	}
}

// Credentials that the code was given are not kept readable, and those that are kept
// sealed do not come out.
func TestStoresHoldNoCredentials(t *testing.T) {
	k := newKeeping(t)
	c := actions.Call{Key: "run.s", Workflow: "flow", Input: object{"$stores": object{"data": "visitors"}, "key": "hunter2-hunter2"}, Code: &actions.Code{Secrets: []string{"hunter2-hunter2"}}}
	for body, want := range map[string]string{
		`await this.data.set("a", ["is " + this.key])`:      "",
		`await this.data.set("k" + this.key, 1)`:            "a key cannot be a credential",
		`await this.data.set("~zf1.abc.def", 1)`:            "",
		`await this.data.set("b", { ["x" + this.key]: 1 })`: "",
	} {
		if _, err := k.run(fmt.Sprintf(withStore, body), c); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
	if a, b := k.value(data.Place{Shared: "visitors", Key: "a"}), k.value(data.Place{Shared: "visitors", Key: "b"}); a != `["is ••••"]` || b != `{"x••••":1}` {
		t.Errorf("kept are %s and %s", a, b)
	}
}

const source = `export default { type: "source", dedupe: "%s", props: { db: "$.service.db" }, async run(event) {
  const n = (this.db.get("n") ?? 0) + 1;
  this.db.set("n", n);
  this.db.set(5, { at: n });
  for (const id of event.ids) this.$emit({ n, five: this.db.get("5").at }, { id });
} }`

func emitted(v any) (ids []any) {
	for _, e := range v.(object)["$return_value"].([]any) {
		ids = append(ids, e.(object)["id"])
	}
	return ids
}

// What a step keeps for itself is there in the next run; an attempt that is repeated
// sees what the first saw, and passes on the same.
func TestOwn(t *testing.T) {
	k := newKeeping(t)
	text := fmt.Sprintf(source, "unique")
	for i, c := range []struct {
		run  string
		ids  []any
		want []any
		n    int64
	}{
		{"r1", []any{1, "b"}, []any{int64(1), "b"}, 1},
		{"r1", []any{1, "b"}, []any{int64(1), "b"}, 1}, // the same step again
		{"r2", []any{"b", 3, 3}, []any{int64(3)}, 2},
		{"r2", []any{"b", 3, 3}, []any{int64(3)}, 2},
		{"r3", []any{1, 2}, []any{int64(2)}, 3},
	} {
		got, err := k.step(c.run+".each[7].look", text, object{}, object{"ids": c.ids})
		if err != nil {
			t.Fatal(err)
		}
		if ids := emitted(got); !reflect.DeepEqual(ids, c.want) {
			t.Errorf("%d: %v, want %v", i, ids, c.want)
		}
		first := got.(object)["$return_value"].([]any)[0].(object)["event"]
		if !reflect.DeepEqual(first, object{"n": c.n, "five": c.n}) {
			t.Errorf("%d: %v, want %v", i, first, c.n)
		}
	}
	if got := k.value(data.Place{Workflow: "flow", Key: "$db/each.look"}); !strings.Contains(got, `"values":{"5":{"at":3},"n":3}`) {
		t.Error(got)
	}
	if got, err := k.step("r4.other", text, object{}, object{"ids": []any{1}}); err != nil || len(emitted(got)) != 1 {
		t.Errorf("another step has what this one keeps: %v %v", got, err)
	}
}

// What steps keep for themselves is not in their workflow's store, as code sees it.
func TestOwnIsApart(t *testing.T) {
	k := newKeeping(t)
	if _, err := k.step("r1.keeps", `export default { props: { db: "$.service.db" }, run() { this.db.set("n", 1) } }`, object{}); err != nil {
		t.Fatal(err)
	}
	body := `await this.data.set("a", 1); const keys = await this.data.keys(); await this.data.clear(); return [keys, await this.data.get("$db/keeps").catch((e) => e.message)]`
	got, err := k.step("r1.s", fmt.Sprintf(withStore, body), object{"$stores": object{"data": true}})
	want := []any{[]any{"a"}, "this.data.get() failed: keys that begin with $db/ are what steps keep for themselves"}
	if err != nil || !reflect.DeepEqual(got.(object)["$return_value"], want) {
		t.Errorf("%v %v", got, err)
	}
	if got := k.value(data.Place{Workflow: "flow", Key: "$db/keeps"}); !strings.Contains(got, `"n":1`) {
		t.Errorf("after clear() the step keeps %q", got)
	}
}

// Failed code keeps nothing, and too much is refused.
func TestOwnErrors(t *testing.T) {
	k := newKeeping(t)
	action := `export default { props: { db: { type: "$.service.db" } }, run() { %s } }`
	for body, want := range map[string]string{
		`this.db.set("n", 1); throw new Error("no luck")`: "no luck",
		`this.db.set("n", "x".repeat(70000))`:             "this.db holds 60 KiB at most, not 69: use a data store",
		`this.db.set("n", 1n)`:                            "what this.db keeps is JSON",
		`this.db.get(null)`:                               "a key is text, this is null",
	} {
		if _, err := k.step("r.s", fmt.Sprintf(action, body), object{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
	sneak := `export default (all) => all[Symbol.for("zflow.ask")]({ op: "save" }, { n: "x".repeat(70000) }).catch((e) => e.code)`
	if got, err := k.step("r.s", sneak, object{}); got != "too_large" {
		t.Errorf("%v %v", got, err)
	}
	if got := k.value(data.Place{Workflow: "flow", Key: "$db/s"}); got != "" {
		t.Errorf("kept is %s", got)
	}
}

func TestFresh(t *testing.T) {
	for _, c := range []struct {
		dedupe          string
		seen, ids, next []string
		want            []bool
	}{
		{"unique", nil, []string{"a", "a", "b"}, []string{"a", "b"}, []bool{true, false, true}},
		{"unique", []string{"b"}, []string{"a", "b"}, []string{"b", "a"}, []bool{true, false}},
		{"greatest", nil, []string{"3", "1", "4"}, []string{"4"}, []bool{true, false, true}},
		{"greatest", []string{"10"}, []string{"9", "10", "11.5"}, []string{"11.5"}, []bool{false, false, true}},
		{"last", nil, []string{"a", "b"}, []string{"b"}, []bool{true, true}},
		{"last", []string{"a"}, []string{"x", "a", "b"}, []string{"b"}, []bool{false, false, true}},
		{"last", []string{"gone"}, []string{"a"}, []string{"a"}, []bool{true}},
		{"", nil, nil, nil, []bool{}},
	} {
		is, now, err := fresh(c.dedupe, c.seen, c.ids)
		if err != nil || !reflect.DeepEqual(is, c.want) || !reflect.DeepEqual(now, c.next) {
			t.Errorf("%+v: %v %v %v", c, is, now, err)
		}
	}
	for dedupe, want := range map[string]string{"greatest": "ids are numbers", "other": "dedupe is unique, greatest or last"} {
		if _, _, err := fresh(dedupe, nil, []string{"x"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Error(err)
		}
	}
	many := make([]string, 250)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	if _, now, _ := fresh("unique", nil, many); len(now) != mostSeen || now[0] != "150" {
		t.Errorf("%d are remembered, from %s", len(now), now[0])
	}
}
