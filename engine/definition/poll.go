package definition

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/definition/document"
	"zflow/engine/definition/form"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
	wire "zflow/proto"
)

// Polls are no closer, for the sake of the API that they ask.
const leastEvery = time.Minute

// validPath is how a field of an output, or of an item, is named.
var validPath = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)

// poll compiles a list that is read again and again, and returns what is known of
// the events that come of it.
func (b *builder) poll(t *engine.Trigger, n *node) expr.Type {
	t.Source, t.Types = engine.SourcePoll, []string{b.w.Name}
	if !b.p.Fields(n, "poll", language.Poll) {
		return expr.Type{}
	}
	if slices.ContainsFunc(b.w.Triggers, func(t engine.Trigger) bool { return t.Poll != nil }) {
		b.p.Fail(n, "make it a workflow of its own", "a workflow has one trigger poll")
	}
	t.Poll = &engine.Poll{Key: b.p.path(n.Get("key"), "key"), Removed: b.p.Flag(n.Get("removed"), "removed", false)}
	if at := n.Get("first"); at != nil {
		t.Poll.All = b.p.OneOf(at, "first", language.Firsts) == "all"
	}
	if every := b.every(n.Get("every")); every > 0 {
		t.Ticks = engine.Every(every)
	}
	var item expr.Type
	t.Poll.Uses, item = b.reading(t.Poll, n)
	t.Poll.List = b.listName(t.Poll, n)
	b.p.knownField(n.Get("key"), "an item", t.Poll.Key, item)
	return b.changes(t.Poll, n.Get("fields"), item)
}

func (b *builder) every(n *node) time.Duration {
	if n == nil {
		return 0
	}
	d := b.p.Duration(n, "every", true)
	if d > 0 && d < leastEvery {
		b.p.Fail(n, "write 1m or more", "a poll is made once a minute at most")
	}
	return d
}

// reading compiles what a poll calls, and returns what is known of an item.
func (b *builder) reading(poll *engine.Poll, n *node) (*engine.Uses, expr.Type) {
	u := &engine.Uses{Action: b.p.Text(n.Get("uses"), "uses")}
	a := b.p.action(n.Get("uses"), u.Action)
	if b.p.own[u.Action] != nil {
		b.p.Fail(n.Get("uses"), "use http.request", "a poll cannot use an action that the workflow describes")
	}
	b.connect(u, n, a)
	b.fresh()
	u.With = b.with(n, a, inPoll)
	u.Reads = func(in map[string]any) bool { return a != nil && a.Effect(in) == actions.Read }
	if a == nil {
		return u, expr.Type{}
	}
	if a.Effect(plainly(n.Get("with"))) != actions.Read {
		b.p.Fail(n.Get("uses"), "use an action that only reads", "%s may change something, which a poll must not", u.Action)
	}
	if limit, there := a.Spec.Input.Fields["limit"]; there && limit.Max != nil {
		poll.Most = int64(*limit.Max)
	}
	_, poll.Pages = a.Spec.Input.Fields["next_page_token"]
	b.arrived = typeOf(a.Spec.Output)
	poll.Items = b.items(n, a.Spec.Output)
	b.arrived = expr.Type{}
	return u, typeOfTemplate(poll.Items).Element()
}

// listName is the same for two polls as long as they read the same list and know its
// items by the same key. A time in the input, such as now(), is no other list each time.
func (b *builder) listName(poll *engine.Poll, n *node) string {
	parts := []string{poll.Uses.Action, poll.Uses.Connection, poll.Key}
	for _, name := range []string{"with", "items"} {
		text := ""
		if at := n.Get(name); at != nil {
			text = written(at)
		}
		parts = append(parts, text)
	}
	if text := strings.Join(parts[3:], " "); strings.Contains(text, "vars") {
		vars, _ := json.Marshal(b.w.Vars) // of YAML: it always marshals
		parts = append(parts, string(vars))
	}
	return wire.Hash(parts...)
}

// written is a tree as it stands in the file, without its layout.
func written(n *node) string {
	switch n.Kind {
	case document.List:
		var items []string
		for _, i := range n.Items {
			items = append(items, written(i))
		}
		return "[" + strings.Join(items, ",") + "]"
	case document.Object:
		var fields []string
		for _, f := range n.Fields {
			fields = append(fields, strconv.Quote(f.Key.Value)+":"+written(f.Value))
		}
		slices.Sort(fields)
		return "{" + strings.Join(fields, ",") + "}"
	}
	return strconv.Quote(n.Value)
}

// plainly returns those texts of an input that are fixed, which is enough to tell
// what a call does.
func plainly(n *node) map[string]any {
	in := map[string]any{}
	if n == nil || n.Kind != document.Object {
		return in
	}
	for _, f := range n.Fields {
		if f.Value.IsText() && !expr.Contains(f.Value.Value) {
			in[f.Key.Value] = f.Value.Value
		}
	}
	return in
}

// items compiles where in the output the list is.
func (b *builder) items(n *node, output actions.Schema) *expr.Template {
	at := n.Get("items")
	src := ""
	switch {
	case at == nil && output.Type == "array":
		at, src = n, "output"
	case at == nil:
		lists := slices.DeleteFunc(slices.Sorted(maps.Keys(output.Fields)), func(name string) bool { return output.Fields[name].Type != "array" })
		if len(lists) != 1 {
			b.p.Fail(n, form.Suggestion("", lists), "poll needs the key items: where in the output the list is")
			return nil
		}
		at, src = n, "output."+lists[0]
	case expr.Contains(at.Value):
		return b.listOf(at, b.p.Text(at, "items"))
	default:
		path := b.p.path(at, "items")
		if _, there := b.p.knownField(at, "the output", path, b.arrived); !there {
			return nil
		}
		src = "output." + path
	}
	return b.listOf(at, "${{ "+src+" }}")
}

// listOf compiles an expression that is to be a list.
func (b *builder) listOf(n *node, src string) *expr.Template {
	if _, whole := expr.Whole(src); !whole {
		b.p.Fail(n, "such as ${{ filter(output.users, .type == 2) }}", "items is one expression, without text around it")
		return nil
	}
	t := b.template(value{src, &node{Kind: document.Scalar, Tag: "!!str", Value: src, Line: n.Line, Column: n.Column}}, inItems)
	if of := typeOfTemplate(t); t != nil && (of.IsObject() || of.Kind() != "") {
		b.p.Fail(n, "", "items is no list")
		return nil
	}
	return t
}

// path reads the name of a field.
func (p *parser) path(n *node, what string) string {
	s := p.Text(n, what)
	if s != "" && !validPath.MatchString(s) {
		p.Fail(n, "such as id, or user.id", "%s is no field: %q", what, s)
		return ""
	}
	return s
}

// knownField returns the type of a field; one that cannot be there is reported.
func (p *parser) knownField(n *node, what, path string, in expr.Type) (of expr.Type, there bool) {
	if path == "" {
		return of, false // reported
	}
	of = in
	for name := range strings.SplitSeq(path, ".") {
		f, ok := of.Field(name)
		if !ok {
			p.Fail(n, form.Suggestion(name, of.FieldNames()), "%s has no field %s", what, path)
			return expr.Type{}, false
		}
		of = f
	}
	return of, true
}

// changes reads the fields in which an item can change, and returns what is known of
// the events.
func (b *builder) changes(poll *engine.Poll, n *node, item expr.Type) expr.Type {
	before := map[string]expr.Type{}
	if n != nil {
		list := []*node{n}
		if n.Kind == document.List {
			list = n.Items
		}
		if len(list) == 0 {
			b.p.Fail(n, "leave it out for all", "the list of fields is empty")
		}
		for _, f := range list {
			path := b.p.path(f, "a field")
			poll.Fields = append(poll.Fields, path)
			before[path], _ = b.p.knownField(f, "an item", path, item)
		}
	}
	old := expr.Type{}
	if len(before) > 0 {
		old = expr.Object(before, false)
	}
	text := expr.Scalar(expr.Text)
	return expr.Object(map[string]expr.Type{"change": text, "key": {}, "item": item, "before": old, "polled_at": text}, false)
}
