package definition

import (
	"maps"
	"slices"

	"zflow/actions"
	"zflow/engine/expr"
)

// place says where an expression stands; what it may name depends on it.
type place int

const (
	inAuth    place = iota // how callers of an HTTP trigger show who they are
	inLogin                // the password of a mailbox
	inPoll                 // the with of a poll
	inItems                // the items of a poll
	inTrigger              // a trigger's if and once
	inGate                 // the key of concurrency
	inDefault              // the workflow's retry.if
	inOutput
	inStep    // a step's if, and whatever is not named below
	inLoop    // the if and the list of a loop, which come before it
	inInput   // of emit, respond and call
	inWith    // of uses
	inRetry   // a step's retry.if
	inArrival // the if of a wait
)

// loop is what a step inside one can name.
type loop struct {
	as   string
	item expr.Type
}

// scopeAt returns the scope at a place. The steps in it are those that are seen
// when an expression is compiled; the rest holds until fresh.
func (b *builder) scopeAt(at place) *expr.Scope {
	if s, ok := b.scopes[at]; ok {
		return s
	}
	roots := map[string]expr.Type{"event": b.event, "trigger": triggerType, "vars": b.vars}
	if b.requested {
		roots["trigger"] = requestType
	}
	refused := map[string]string{
		"item":    "item is known only in a loop",
		"index":   "index is known only in a loop",
		"arrived": "arrived is known only in the if of wait_for",
		"failure": "failure is known only in on_failure and finally",
		"secrets": "secrets stand only in the with of uses and code",
		"error":   "error is known only in retry.if",
		"step":    "step is known only in with and retry.if",
		"run":     "run cannot be named here: there is none yet",
		"steps":   "steps cannot be named here: none has run",
	}
	if at > inGate {
		roots["run"] = runType
	}
	if at > inDefault {
		roots["steps"] = expr.Object(b.seen, false)
		b.inLoops(at, roots, refused)
	}
	if at > inDefault && b.here != nil && b.here.chain()[0].branch != "steps" {
		roots["failure"] = failureType
	}
	switch at {
	case inAuth:
		b.early(roots, refused, "nobody knows yet whether the request is to be believed")
	case inLogin:
		b.early(roots, refused, "no mail has come yet")
	case inPoll, inItems:
		b.inPolls(at, roots, refused)
	case inInput:
		roots["step"] = stepType
	case inWith:
		roots["step"], roots["secrets"] = stepType, expr.Object(map[string]expr.Type{}, true)
	case inRetry, inDefault:
		roots["step"], roots["error"] = stepType, errorType
	case inArrival:
		roots["arrived"] = b.arrived
	}
	s := expr.NewScope(roots, refused, b.hidden)
	b.scopes[at] = s
	return s
}

// early has what is known before there is an event.
func (b *builder) early(roots map[string]expr.Type, refused map[string]string, why string) {
	for _, name := range []string{"event", "trigger"} {
		delete(roots, name)
		refused[name] = name + " cannot be named here: " + why
	}
	roots["secrets"] = expr.Object(map[string]expr.Type{}, true)
}

// inPolls has what is known when no event has come yet.
func (b *builder) inPolls(at place, roots map[string]expr.Type, refused map[string]string) {
	for _, name := range []string{"event", "trigger", "run", "steps", "step"} {
		delete(roots, name)
		refused[name] = name + " cannot be named here: a poll looks for events, none has come yet"
	}
	if at == inPoll {
		roots["secrets"] = expr.Object(map[string]expr.Type{}, true)
		refused["output"] = "output is known only in items"
		return
	}
	roots["output"] = b.arrived
}

// inLoops adds the names of the loops around a place.
func (b *builder) inLoops(at place, roots map[string]expr.Type, refused map[string]string) {
	for _, l := range b.loops {
		if l.as != "item" {
			refused["item"] = "the element is called " + l.as + " here"
		}
		roots[l.as], roots["index"] = l.item, expr.Type{}
	}
	if at == inLoop {
		why := " is not known before the loop: to leave elements out, use filter() in for_each"
		refused[b.as], refused["index"] = b.as+why, "index"+why
	}
}

// fresh forgets the scopes, because other names are known now.
func (b *builder) fresh() { b.scopes = map[place]*expr.Scope{} }

func named(names ...string) expr.Type {
	fields := make(map[string]expr.Type, len(names))
	for _, n := range names {
		fields[n] = expr.Type{}
	}
	return expr.Object(fields, false)
}

var (
	triggerType = named("id", "type", "source", "time", "received_at", "account", "connection", "origin")
	requestType = named("id", "type", "source", "time", "received_at", "account", "connection", "origin", "method", "path", "query", "headers")
	runType     = named("id", "workflow", "version", "attempt", "started_at", "url")
	stepType    = named("key")
	errorType   = named("code", "status", "message", "class")
	failureType = expr.Object(map[string]expr.Type{"step": {}, "reason": {}, "error": errorType}, false)
)

// resultType is what steps.<id> is, with this output.
func resultType(output expr.Type, outcome bool) expr.Type {
	fields := map[string]expr.Type{"output": output, "status": {}, "attempts": {}, "error": errorType}
	if outcome {
		fields["outcome"] = expr.Type{}
	}
	return expr.Object(fields, false)
}

// typeOf is what is known of a value by its schema.
func typeOf(s actions.Schema) expr.Type {
	switch {
	case s.Type == "object" && len(s.Fields) > 0:
		fields := make(map[string]expr.Type, len(s.Fields))
		for name, f := range s.Fields {
			fields[name] = typeOf(f)
		}
		return expr.Object(fields, s.Open)
	case s.Type == "array" && s.Items != nil:
		return expr.List(typeOf(*s.Items))
	case s.Type == "string":
		return expr.Scalar(expr.Text)
	case s.Type == "integer" || s.Type == "number":
		return expr.Scalar(expr.Number)
	case s.Type == "boolean":
		return expr.Scalar(expr.Bool)
	}
	return expr.Type{}
}

// added puts the steps of one map among those of another; what is there twice is
// of either type.
func added(to, from map[string]expr.Type) {
	for _, id := range slices.Sorted(maps.Keys(from)) {
		if t, twice := to[id]; twice {
			to[id] = expr.Union(t, from[id])
			continue
		}
		to[id] = from[id]
	}
}
