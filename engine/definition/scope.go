package definition

import (
	"zflow/actions"
	"zflow/engine/expr"
)

// place says where an expression stands; what it may name depends on it.
type place int

const (
	inTrigger   place = iota // a trigger's if
	inDefault                // the workflow's retry.if
	inCondition              // a step's if
	inSleep
	inWith
	inRetry // a step's retry.if
	inOutput
)

const notYet = " is not in this version of zflow yet"

// scopeAt returns the scope at a place; steps are those that have run by then.
func (b *builder) scopeAt(at place) *expr.Scope {
	if s, ok := b.scopes[at]; ok {
		return s
	}
	roots := map[string]expr.Type{"event": {}, "trigger": triggerType, "vars": b.vars}
	refused := map[string]string{
		"item": "item" + notYet, "index": "index" + notYet,
		"arrived": "arrived" + notYet, "failure": "failure" + notYet,
		"secrets": "secrets stand only in with",
		"error":   "error is known only in retry.if",
		"step":    "step is known only in with and retry.if",
		"run":     "a trigger's if cannot name run: there is none yet",
		"steps":   "steps cannot be named here: none has run",
	}
	if at != inTrigger {
		roots["run"] = runType
	}
	if at != inTrigger && at != inDefault {
		roots["steps"] = expr.Object(b.done, false)
	}
	if at == inWith || at == inRetry || at == inDefault {
		roots["step"] = stepType
	}
	if at == inRetry || at == inDefault {
		roots["error"] = errorType
	}
	if at == inWith {
		roots["secrets"] = expr.Object(map[string]expr.Type{}, true)
	}
	s := expr.NewScope(roots, refused, b.later)
	b.scopes[at] = s
	return s
}

func named(names ...string) expr.Type {
	fields := make(map[string]expr.Type, len(names))
	for _, n := range names {
		fields[n] = expr.Type{}
	}
	return expr.Object(fields, false)
}

var (
	triggerType = named("id", "type", "source", "time", "received_at", "account", "origin")
	runType     = named("id", "workflow", "version", "attempt", "started_at")
	stepType    = named("key")
	errorType   = named("code", "status", "message", "class")
)

// resultType is what steps.<id> is, with this output.
func resultType(output expr.Type) expr.Type {
	return expr.Object(map[string]expr.Type{
		"output": output, "status": {}, "attempts": {},
	}, false)
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
	}
	return expr.Type{}
}

// typeOfValue is what is known of a value that is there.
func typeOfValue(v any) expr.Type {
	switch v := v.(type) {
	case map[string]any:
		fields := make(map[string]expr.Type, len(v))
		for name, f := range v {
			fields[name] = typeOfValue(f)
		}
		return expr.Object(fields, false)
	}
	return expr.Type{} // a list's elements may differ
}
