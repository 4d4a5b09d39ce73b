package pipedream

import (
	"fmt"
	"strconv"
	"strings"

	"zflow/engine/definition/document"
)

type (
	node = document.Node
	pair = document.Pair
)

// special returns how a component is translated that is no action here.
func special(key string) func(*values) made {
	switch {
	case strings.HasPrefix(key, "filter-"):
		return filter
	case strings.HasPrefix(key, "delay-"), strings.HasPrefix(key, "helper_functions-delay"):
		return delay
	case strings.HasPrefix(key, "http-") && strings.HasSuffix(key, "-request"):
		return request
	}
	return nil
}

func (s step) prop(names ...string) *node {
	for _, name := range names {
		for _, p := range s.props {
			if p.Key.Value == name && !p.Value.IsNull() {
				return p.Value
			}
		}
	}
	return nil
}

// conditions of filters: %[1]s and %[2]s are what they compare.
var conditions = map[string]string{
	"TEXT_EQUALS":         "string(%[1]s) == string(%[2]s)",
	"TEXT_NOT_EQUALS":     "string(%[1]s) != string(%[2]s)",
	"IN":                  "string(%[1]s) contains string(%[2]s)",
	"CONTAINS":            "string(%[1]s) contains string(%[2]s)",
	"NOT_IN":              "not (string(%[1]s) contains string(%[2]s))",
	"NOT_CONTAINS":        "not (string(%[1]s) contains string(%[2]s))",
	"STARTS_WITH":         "hasPrefix(string(%[1]s), string(%[2]s))",
	"NOT_STARTS_WITH":     "not hasPrefix(string(%[1]s), string(%[2]s))",
	"ENDS_WITH":           "hasSuffix(string(%[1]s), string(%[2]s))",
	"NOT_ENDS_WITH":       "not hasSuffix(string(%[1]s), string(%[2]s))",
	"GREATER_THAN":        "%[1]s > %[2]s",
	"GREATER_THAN_EQUALS": "%[1]s >= %[2]s",
	"LESS_THAN":           "%[1]s < %[2]s",
	"LESS_THAN_EQUALS":    "%[1]s <= %[2]s",
	"EQUALS":              "%[1]s == %[2]s",
	"TRUE":                "lower(string(%[1]s)) == 'true'",
	"FALSE":               "lower(string(%[1]s)) == 'false'",
	"IS_NULL":             "(%[1]s) == null",
	"NOT_NULL":            "(%[1]s) != null",
	"IN_ARRAY":            "(%[1]s) in (%[2]s)",
	"NOT_IN_ARRAY":        "(%[1]s) not in (%[2]s)",
	"KEY_EXISTS":          "get(%[1]s, %[2]s) != null",
	"KEY_NOT_EXISTS":      "get(%[1]s, %[2]s) == null",
}

// numbers are those that compare numbers, also where they stand as text.
var numbers = map[string]bool{"GREATER_THAN": true, "GREATER_THAN_EQUALS": true, "LESS_THAN": true, "LESS_THAN_EQUALS": true, "EQUALS": true}

// filter ends the run as completed, by a condition or always.
func filter(v *values) made {
	s := v.step
	_, key := s.component()
	ends := strings.Contains(key, "end")
	reason := s.prop("reason", "messageOnEnd")
	stop := newObject().put("status", "completed")
	if reason != nil {
		stop.put("message", v.value(reason, "reason"))
	}
	o := newObject().put("id", s.id)
	condition := s.prop("condition")
	if condition == nil {
		if !ends || s.prop("operand1", "initialValue") != nil {
			v.broken(s.at, fmt.Errorf("the filter %s has no condition", s.name))
		}
		return made{steps: []object{o.put("stop", stop)}}
	}
	form, ok := conditions[strings.ToUpper(condition.Value)]
	if !ok {
		v.broken(condition, fmt.Errorf("the condition %s is not known", condition.Value))
		return made{}
	}
	first, second := v.source(s.prop("operand1", "initialValue"), "value"), v.source(s.prop("operand2", "secondValue", "arrayType"), "other")
	if cased := s.prop("caseSensitive"); cased != nil && cased.Value == "false" && strings.Contains(form, "string(%[2]s)") {
		form = strings.NewReplacer("string(%[1]s)", "lower(string(%[1]s))", "string(%[2]s)", "lower(string(%[2]s))").Replace(form)
	}
	if numbers[strings.ToUpper(condition.Value)] {
		first, second = asNumber(first), asNumber(second)
	}
	cond := fmt.Sprintf(form, first, second)
	if !strings.Contains(form, "%[2]s") {
		cond = fmt.Sprintf(form, first)
	}
	if !ends {
		cond = "not (" + cond + ")"
	}
	o.put("if", cond)
	return made{steps: []object{o.put("stop", stop)}}
}

// asNumber is an operand as a number: what is a fixed one is written as it is.
func asNumber(s string) string {
	if plain := strings.Trim(s, "'"); plain != "" {
		if _, err := strconv.ParseFloat(plain, 64); err == nil {
			return plain
		}
	}
	return "float(" + s + ")"
}

// units of delays, in seconds.
var units = map[string]string{
	"millisecond": "ms", "milliseconds": "ms", "ms": "ms", "second": "s", "seconds": "s", "s": "s", "minute": "m", "minutes": "m", "m": "m",
	"hour": "h", "hours": "h", "h": "h", "day": "d", "days": "d", "d": "d", "week": "w", "weeks": "w", "w": "w",
}

var seconds = map[string]string{"ms": " / 1000", "s": "", "m": " * 60", "h": " * 3600", "d": " * 86400", "w": " * 604800"}

func delay(v *values) made {
	s := v.step
	value, unit := s.prop("delayDurationValue", "milliseconds", "delayValue"), "ms"
	if u := s.prop("delayDurationUnit", "delayUnit"); u != nil {
		unit = units[strings.ToLower(u.Value)]
		if unit == "" {
			v.broken(u, fmt.Errorf("the unit %s is not known", u.Value))
			return made{}
		}
	}
	if value == nil {
		v.broken(s.at, fmt.Errorf("nobody knows how long %s is to wait", s.name))
		return made{}
	}
	o := newObject().put("id", s.id)
	if hasExpression(value) {
		return made{steps: []object{o.put("sleep", plain("${{ float("+v.source(value, "delay")+")"+seconds[unit]+" }}"))}}
	}
	return made{steps: []object{o.put("sleep", plain(strings.TrimSpace(value.Value)+unit))}}
}

// request is an HTTP request, as the builder of requests or the older props have it.
func request(v *values) made {
	s := v.step
	_, key := s.component()
	in := &requestParts{v: v, with: newObject()}
	if whole := s.prop("httpRequest"); whole != nil && whole.Kind == document.Object {
		in.read(whole.Get)
	} else {
		in.read(func(name string) *node { return s.prop(name) })
	}
	if verb := strings.TrimSuffix(strings.TrimPrefix(key, "http-"), "-request"); !in.with.has("method") && verb != "custom" && verb != "get" {
		in.with.put("method", strings.ToUpper(verb))
	}
	call := unique(s.id+"_call", v.ids)
	o := newObject().put("id", call).put("uses", "http.request").put("with", in.with)
	set := newObject().put("id", s.id).put("set", fmt.Sprintf("${{ steps.%s.output.json ?? steps.%s.output.text }}", call, call))
	return made{steps: []object{o, set}}
}

type requestParts struct {
	v    *values
	with object
}

func (r *requestParts) read(get func(string) *node) {
	if n := get("url"); n != nil {
		r.with.put("url", r.v.value(n, "url"))
	}
	if n := get("method"); n != nil && !strings.EqualFold(n.Value, "get") {
		r.with.put("method", r.v.value(n, "method"))
	}
	if n := get("params"); n != nil {
		r.named("query", n)
	}
	if n := get("headers"); n != nil {
		r.named("headers", n)
	}
	if n := get("auth"); n != nil {
		r.auth(n)
	}
	if n := get("body"); n != nil && n.Kind == document.Object && n.Get("contentType") != nil {
		r.body(n)
		return
	}
	for _, name := range []string{"body", "data"} {
		if n := get(name); n != nil && !n.IsNull() {
			r.raw(n, "")
		}
	}
}

// named are names with values: an object, or a list of {name, value, disabled}.
func (r *requestParts) named(field string, n *node) {
	o := newObject()
	for _, f := range n.Fields {
		o.put(f.Key.Value, r.v.value(f.Value, field+"_"+f.Key.Value))
	}
	for _, i := range n.Items {
		name, off := i.Get("name"), i.Get("disabled")
		if name == nil || name.Value == "" || i.Get("value") == nil || off != nil && off.Value == "true" {
			continue
		}
		o.put(name.Value, r.v.value(i.Get("value"), field+"_"+name.Value))
	}
	if n.Kind == document.Scalar && !n.IsNull() && n.Value != "" {
		r.v.broken(n, fmt.Errorf("the %s of the request are no list of names and values", field))
	}
	if !o.empty() {
		r.with.put(field, o)
	}
}

func (r *requestParts) auth(n *node) {
	kind := n.Get("type")
	switch {
	case n.IsNull() || kind != nil && kind.Value == "none":
	case kind != nil && kind.Value == "basic" && n.Get("username") != nil:
		o := newObject().put("username", r.v.value(n.Get("username"), "username"))
		if p := n.Get("password"); p != nil {
			o.put("password", r.v.value(p, "password"))
		}
		r.with.put("auth", newObject().put("basic", o))
	case kind != nil && kind.Value == "bearer" && n.Get("token") != nil:
		r.with.put("auth", newObject().put("bearer", r.v.value(n.Get("token"), "token")))
	default:
		r.v.broken(n, fmt.Errorf("the way in which the request signs in is not known"))
	}
}

// body is {type, contentType, fields or raw}.
func (r *requestParts) body(n *node) {
	kind := n.Get("contentType").Value
	fields := n.Get("fields")
	switch {
	case fields != nil && fields.Kind == document.List && strings.Contains(kind, "json"):
		r.named("json", fields)
	case fields != nil && fields.Kind == document.List:
		r.named("form", fields)
	case n.Get("raw") != nil:
		r.raw(n.Get("raw"), kind)
	}
}

// raw is a body as text or as a value.
func (r *requestParts) raw(n *node, kind string) {
	if n.Kind != document.Scalar || !n.IsText() {
		r.with.put("json", r.v.value(n, "body"))
		return
	}
	if all, err := pieces(n.Value); err == nil && len(all) == 1 && all[0].js && kind == "" {
		r.with.put("json", r.v.value(n, "body"))
		return
	}
	r.with.put("text", r.v.value(n, "body"))
	if kind == "" {
		kind = "application/json"
	}
	headers := r.with.get("headers")
	if headers == nil {
		r.with.put("headers", newObject().put("content-type", kind))
		return
	}
	for i := 0; i < len(headers.Content); i += 2 {
		if strings.EqualFold(headers.Content[i].Value, "content-type") {
			return
		}
	}
	object{headers}.put("content-type", kind)
}
