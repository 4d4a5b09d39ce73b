package queue

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"zflow/engine"
	"zflow/engine/expr"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// keyShown is how many bytes of a key people see.
const keyShown = 200

// Queued returns the fact by which a run of a workflow with a concurrency queues at
// its gate.
func Queued(w *engine.Workflow, e *v1.Event) (*v1.Fact, error) {
	key, err := Text(w, e, w.Concurrency.Key)
	if err != nil {
		return nil, fmt.Errorf("evaluating the key of concurrency: %w", err)
	}
	c := w.Concurrency
	return &v1.Fact{Kind: &v1.Fact_GateQueued{GateQueued: &v1.GateQueued{
		Gate: proto.Gate(w.Name, c.Name, key), Key: strings.ToValidUTF8(key[:min(len(key), keyShown)], ""),
		Limit: uint32(c.Limit), WhenBusy: string(c.Busy)}}}, nil
}

// Text evaluates a key over what a trigger's if sees; of no template, "".
func Text(w *engine.Workflow, e *v1.Event, t *expr.Template) (string, error) {
	if t == nil {
		return "", nil
	}
	body, err := expr.DecodeJSON(e.Body.GetJson())
	if err != nil {
		body = string(e.Body.GetJson())
	}
	v, err := t.Eval(engine.TriggerEnv(w, e, body), expr.Clock{Now: time.Unix(0, e.ReceivedAt).UTC(), Seed: e.Id})
	if err == nil && v == nil {
		err = errors.New("it is null")
	}
	if err != nil {
		return "", err
	}
	return expr.AsText(v)
}

// Entered returns the fact by which a run enters its gate.
func Entered(r *engine.Run) *v1.Fact {
	return &v1.Fact{Kind: &v1.Fact_GateEntered{GateEntered: &v1.GateEntered{Gate: r.Gate.Gate, Place: r.Gate.Place}}}
}

// Refused returns the fact that ends a run which is not to run, and says why.
func Refused(why string) *v1.Fact {
	return &v1.Fact{Kind: &v1.Fact_RunCanceled{RunCanceled: &v1.RunCanceled{Why: why}}}
}

// Full is Refused for a run that skips, and has found its gate full.
func Full(r *engine.Run) *v1.Fact {
	if r.Gate.Key == "" {
		return Refused("the gate is full")
	}
	return Refused("the gate is full for the key " + r.Gate.Key)
}

// Skips says that a run does not wait where its gate is full.
func Skips(r *engine.Run) bool { return engine.Busy(r.Gate.WhenBusy) == engine.BusySkip }
