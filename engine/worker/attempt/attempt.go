// Package attempt performs one attempt of a step: it opens what is sealed in the
// input, calls the action, and makes an outcome of whatever came: an output with
// its credentials sealed, an error by its class, a panic as an unknown outcome.
package attempt

import (
	"context"
	"encoding/json"
	"errors"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/expr"
	"zflow/internal/sealed"
	v1 "zflow/proto/zflow/v1"
)

// Caller performs actions.
type Caller struct {
	Actions *actions.Registry
	Keys    *sealed.Keys
	Log     *zap.Logger
}

// Of is what a call tells of its run. The run itself goes on changing in the hands
// of its owner while calls are in flight.
type Of struct {
	Run, Workflow, Event, Account string
	Body                          []byte        // of the event; empty where it is kept elsewhere
	Code                          *actions.Code // of a code step
}

// host is the host of what the event is about, as Zoom's events name it.
func (of Of) host() string {
	var body struct {
		Payload struct {
			Object struct {
				Host string `json:"host_id"`
			}
		}
	}
	if len(of.Body) == 0 || json.Unmarshal(of.Body, &body) != nil {
		return ""
	}
	return body.Payload.Object.Host
}

// Do performs the attempt's action, whatever that does, and tells what came of it.
func (c *Caller) Do(ctx context.Context, of Of, a *engine.Attempt) (out *engine.Outcome) {
	begun := time.Now()
	out = &engine.Outcome{}
	defer func() {
		if p := recover(); p != nil {
			c.Log.Error("an action panicked", zap.String("run_id", of.Run), zap.String("step", a.Step), zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			refused(out, actions.Unknown("the action %s broke: this is a defect of zflow", a.Uses.Action))
		}
		out.Took = max(time.Since(begun), time.Nanosecond)
	}()
	action, own := a.Uses.Own.(*actions.Action)
	if !own {
		action = c.Actions.Get(a.Uses.Action)
	}
	if action == nil {
		return refused(out, actions.Final("this worker has no action %s", a.Uses.Action))
	}
	input, secrets, err := c.open(a.Input, action.Spec.Sealed)
	if err != nil {
		return refused(out, err)
	}
	if of.Code != nil {
		of.Code.Secrets = secrets
	}
	in := actions.Call{
		Input: input, Key: of.Run + "." + a.Step, Workflow: of.Workflow, Connection: a.Connection, Account: of.Account, Event: of.Event,
		Host: of.host, Unknown: a.Unknown, Started: a.Begun, Log: func(line string) { out.Log = append(out.Log, secrets.text(line)) }, Code: of.Code,
	}
	var result actions.Result
	if a.Probe > 0 {
		out.Found, result, err = action.Probe(ctx, in)
	} else {
		result, err = action.Do(ctx, in)
	}
	if err != nil {
		return secrets.hidden(refused(out, interrupted(ctx, err)))
	}
	return c.brought(out, action, result, secrets)
}

// interrupted makes the plain error of a call whose context ended what it is: it
// does not tell whether the call happened.
func interrupted(ctx context.Context, err error) error {
	var e *actions.Error
	if ctx.Err() == nil || errors.As(err, &e) {
		return err
	}
	return actions.Unknown("the call was ended before it was answered: %v", err)
}

// open returns the input with its credentials readable, for the call alone, and those
// credentials; they stay sealed for an action that keeps what it gets.
func (c *Caller) open(input *v1.Value, stay bool) (map[string]any, hidden, error) {
	v, err := expr.DecodeJSON(input.GetJson())
	var secrets hidden
	if err == nil && !stay {
		if v, err = c.Keys.OpenValue(v); err == nil {
			secrets, err = hide(c.Keys, input.GetJson())
		}
	}
	if err != nil {
		return nil, nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, nil, errors.New("the input is no object")
	}
	return object, secrets, nil
}

// brought records an output; the credentials in it are sealed.
func (c *Caller) brought(out *engine.Outcome, action *actions.Action, r actions.Result, secrets hidden) *engine.Outcome {
	raw, err := expr.EncodeJSON(r.Output)
	if !action.Spec.Sealed { // it comes from outside
		raw = sealed.MaskForeign(raw)
	}
	if err == nil && len(action.Spec.Secret) > 0 {
		raw, err = c.Keys.Public().SealJSON(raw, sealed.At(action.Spec.Secret...))
	}
	if err == nil && len(secrets) > 0 {
		raw, err = secrets.seal(raw, c.Keys.Public())
	}
	if err != nil {
		return refused(out, actions.Unknown("the output of %s cannot be recorded: %v", action.Spec.Name, err))
	}
	out.Output = &v1.Value{Json: raw}
	return out
}

// refused records an error by its class; one without is final.
func refused(out *engine.Outcome, err error) *engine.Outcome {
	out.Error, out.Class = &v1.Error{Message: err.Error()}, string(actions.ClassFinal)
	var e *actions.Error
	if errors.As(err, &e) {
		out.Error = &v1.Error{Message: e.Message, Code: e.Code, Status: int32(e.Status)}
		out.Class, out.RetryAt = string(e.Class), e.RetryAt
	}
	if out.Class != string(actions.ClassFinal) {
		out.Error.Class = out.Class
	}
	return out
}
