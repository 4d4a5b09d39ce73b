package attempt

import (
	"context"
	"errors"
	"strings"
	"testing"

	"go.uber.org/zap"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/expr"
	"zflow/engine/workflow"
	"zflow/internal/sealed"
	v1 "zflow/proto/zflow/v1"
)

const (
	token = `tok"en-31415`
	pin   = "4711"
)

// TestSecretsThatAreRepeated: what a server repeats of a credential is readable in no error
// and no log line; in an output it is sealed, so that it can be handed on.
func TestSecretsThatAreRepeated(t *testing.T) {
	keys, err := sealed.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	caller := &Caller{Keys: keys, Log: zap.NewNop()}
	echo := func(do func(actions.Call) (actions.Result, error)) *engine.Outcome {
		action := &actions.Action{Spec: actions.Spec{Name: "echo"}, Do: func(_ context.Context, c actions.Call) (actions.Result, error) { return do(c) }}
		raw, err := expr.EncodeJSON(map[string]any{"header": "Bearer " + keys.Public().Seal(token), "pin": keys.Public().Seal(pin), "n": int64(4711)})
		if err != nil {
			t.Fatal(err)
		}
		return caller.Do(t.Context(), Of{}, &engine.Attempt{Uses: &workflow.Uses{Action: "echo", Own: action}, Input: &v1.Value{Json: raw}})
	}

	out := echo(func(c actions.Call) (actions.Result, error) {
		if c.Input["header"] != "Bearer "+token {
			t.Errorf("the call got %v", c.Input["header"])
		}
		c.Log("sent " + token)
		return actions.Result{}, actions.Final("the key %s is wrong", token).With(401, token)
	})
	if e := out.Error; e.Message != "the key •••• is wrong" || e.Code != sealed.Masked || out.Log[0] != "sent ••••" {
		t.Errorf("%v, log %q", e, out.Log)
	}
	if out = echo(func(actions.Call) (actions.Result, error) { return actions.Result{}, actions.Retryable("later") }); out.Error.Class != "retryable" || out.Class != "retryable" {
		t.Errorf("of another class: %v", out.Error)
	}
	if out = echo(func(actions.Call) (actions.Result, error) { return actions.Result{}, errors.New(token) }); out.Error.Class != "" || out.Error.Message != sealed.Masked {
		t.Errorf("a plain error: %v", out.Error)
	}

	out = echo(func(actions.Call) (actions.Result, error) {
		return actions.Result{Output: map[string]any{"was": []any{"x-" + token + "-y", pin}, token: int64(4711)}}, nil
	})
	raw := string(out.Output.GetJson())
	if strings.Contains(raw, "31415") {
		t.Errorf("readable: %s", raw)
	}
	v, err := expr.DecodeJSON([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := keys.OpenValue(v)
	if was := opened.(map[string]any); err != nil || was["was"].([]any)[0] != "x-"+token+"-y" || was["was"].([]any)[1] != pin || was[sealed.Masked] != int64(4711) {
		t.Errorf("%v %v", opened, err)
	}
}
