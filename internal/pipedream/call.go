package pipedream

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"zflow/actions"
)

// call writes a request to Zoom that no action makes, as code: what the code needs of
// the step's props is its input.
func (t *translation) call(v *values, r row) made {
	account := t.account(v)
	if account == "" {
		account = "zoom"
		t.note(v.step.at.Get("uses"), true, v.step.id+" names no account: it is that of the connection zoom", "connect it under this name, or write the name of another one")
	}
	method, path, _ := strings.Cut(r.Call, " ")
	c := &callParts{v: v, known: map[string]bool{}}
	with := newObject()
	for _, part := range []struct {
		name   string
		fields []field
		fixed  map[string]any
	}{
		{"path", pathFields(path), nil},
		{"query", fieldsFrom(r.Query), nil},
		{"body", fieldsFrom(r.Body), r.Set},
	} {
		if o := c.read(part.fields, part.fixed); !o.empty() {
			with.put(part.name, o)
		}
	}
	c.rest(r)
	o := newObject().put("id", v.step.id).put("connection", account)
	switch method {
	case "GET":
		o.put("effect", "read")
	case "PUT", "PATCH", "DELETE":
		o.put("effect", "idempotent")
	}
	if !with.empty() {
		o.put("with", with)
	}
	t.note(v.step.at.Get("uses"), true, fmt.Sprintf("%s is %s of Zoom's API, for which there is no action: the step does it in code", v.step.id, r.Call), "")
	if r.Say != "" {
		t.note(v.step.at.Get("uses"), true, r.Say, "")
	}
	return made{steps: []object{o.put("code", source(method, path, r.List))}}
}

// callParts are the parts of a request that come from the props of a step.
type callParts struct {
	v     *values
	known map[string]bool
}

func (c *callParts) read(fields []field, fixed map[string]any) object {
	o := newObject()
	for _, f := range fields {
		c.known[f.prop] = true
		if n := c.v.step.prop(f.prop); n != nil {
			c.put(o, f.field, c.v.input(c.v, n, f, actions.Schema{}))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fixed)) {
		o.put(name, fixed[name])
	}
	return o
}

// put puts a value where a field stands: a.b is in an object, a[].b in the one element
// of a list.
func (c *callParts) put(o object, name string, value any) {
	outer, inner, nested := strings.Cut(name, ".")
	if !nested {
		o.put(name, value)
		return
	}
	outer, list := strings.CutSuffix(outer, "[]")
	at := o.get(outer)
	switch {
	case at == nil && list:
		o.put(outer, []object{newObject().put(inner, value)})
	case at == nil:
		o.put(outer, newObject().put(inner, value))
	case list:
		object{at.Content[0]}.put(inner, value)
	default:
		object{at}.put(inner, value)
	}
}

// rest tells of props that have no place.
func (c *callParts) rest(r row) {
	for prop := range strings.FieldsSeq(r.Drop) {
		c.known[prop] = true
	}
	for _, p := range c.v.step.props {
		if !c.known[p.Key.Value] && !isAccount(p.Value) && !p.Value.IsNull() {
			c.v.note(p.Key, true, fmt.Sprintf("%s has no field for %s, which was left out", r.Call, p.Key.Value), "")
		}
	}
}

var pathProp = regexp.MustCompile(`\{(\w+)\}`)

func pathFields(path string) (all []field) {
	for _, m := range pathProp.FindAllStringSubmatch(path, -1) {
		all = append(all, field{prop: m[1], field: m[1]})
	}
	return all
}

// source is the code that makes a request, of all pages where a field lists something.
func source(method, path, list string) string {
	var b strings.Builder
	line := func(form string, args ...any) { fmt.Fprintf(&b, form+"\n", args...) }
	id := pathProp.MatchString(path)
	line("export default async ({ inputs: { path, query, body }, connection }) => {")
	if id { // Zoom wants it so for ids with slashes
		line("  const id = (v) => (/^\\/|\\/\\//.test(v) ? encodeURIComponent(encodeURIComponent(v)) : encodeURIComponent(v));")
	}
	line("  const url = new URL(`${connection.api_url}%s`);", pathProp.ReplaceAllString(path, "$${id(path.$1)}"))
	line("  for (const [name, v] of Object.entries(query ?? {})) if (v !== null) url.searchParams.set(name, v);")
	line("  const call = async () => {")
	line("    const answer = await fetch(url, { method: %q, headers: { ...connection.headers, \"content-type\": \"application/json\" }, body: body && JSON.stringify(body) });", method)
	line("    const text = await answer.text();")
	line("    if (answer.ok) return text === \"\" ? null : JSON.parse(text);")
	again := "answer.status === 429"
	if method == "GET" {
		again += " || answer.status >= 500"
	}
	line("    throw Object.assign(new Error(`Zoom answered ${answer.status}: ${text.slice(0, 300)}`), { status: answer.status, retryable: %s });", again)
	line("  };")
	if list == "" {
		line("  return call();")
	} else {
		line("  url.searchParams.set(\"page_size\", \"300\");")
		line("  const all = [];")
		line("  for (;;) {")
		line("    const page = await call();")
		line("    all.push(...(page.%s ?? []));", list)
		line("    if (!page.next_page_token) return all;")
		line("    url.searchParams.set(\"next_page_token\", page.next_page_token);")
		line("  }")
	}
	line("};")
	return b.String()
}
