package described

import (
	"time"

	"zflow/actions"
	"zflow/actions/http"
	"zflow/engine/expr"
)

// judge tells what an answer means: the rules first, then success, then the status.
func (a *attempt) judge(c *call, answer *http.Answer) *actions.Error {
	env := expr.Env{"answer": answer.Output, "call": c.id}
	for name, v := range a.env {
		if name != "token" {
			env[name] = v
		}
	}
	for _, r := range a.rules {
		if yes, err := r.when.Bool(env, a.clock); err == nil && yes { // one that cannot be told does not hold
			return a.apply(r, env, answer)
		}
	}
	if e := answer.Refusal(); e != nil {
		if s := e.Status; c.effect == actions.Write && s >= 500 && s != 501 && s != 503 {
			e.Class = actions.ClassUnknown
		}
		return e
	}
	if a.success == nil || c != a.description.calls[len(a.description.calls)-1] {
		return nil
	}
	ok, err := a.success.Bool(env, a.clock)
	switch {
	case err != nil:
		return a.strange(c, answer, "")
	case !ok:
		return answer.Error(answer.Output["json"])
	}
	return nil
}

// apply makes the error that a rule says.
func (a *attempt) apply(r *rule, env expr.Env, answer *http.Answer) *actions.Error {
	e := answer.Error(answer.Output["json"])
	e.Class, e.RetryAt = r.class, answer.RetryAt()
	text := func(t *expr.Template) string {
		if t == nil {
			return ""
		}
		v, err := t.Eval(env, a.clock)
		if err != nil || v == nil {
			return ""
		}
		return actions.Text(v)
	}
	if m := text(r.message); m != "" {
		e.Message = answer.Says(m)
	}
	if c := text(r.code); c != "" && len(c) <= 64 {
		e.Code = c
	}
	if s := seconds(text(r.retryAfter)); s > 0 {
		e.RetryAt = time.Now().Add(s)
	}
	if at := seconds(text(r.retryAt)); at > 0 && e.RetryAt.IsZero() {
		e.RetryAt = time.Unix(0, int64(at))
	}
	if r.class != actions.ClassRetryable {
		e.RetryAt = time.Time{}
	}
	return e
}

// seconds reads a number of them, with or without a fraction.
func seconds(text string) time.Duration {
	d, err := time.ParseDuration(text + "s")
	if err != nil || d < 0 {
		return 0
	}
	return d
}

// strange is the error of an answer that says success in a way that we do not know.
func (a *attempt) strange(of any, answer *http.Answer, why string) *actions.Error {
	e := answer.Error(nil)
	e.Message += ": the answer is not the one expected"
	if why != "" {
		e.Message += ": " + why
	}
	e.Class = actions.ClassFinal
	effect := a.spec.Effect
	if c, ok := of.(*call); ok {
		effect = c.effect
	}
	if effect == actions.Write {
		e.Class = actions.ClassUnknown
	}
	return e
}
