package attempt

import (
	"fmt"
	"time"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/expr"
	"zflow/internal/sealed"
)

// queue is how long code may wait until a process is free for it, besides its own time.
const queue = 10 * time.Minute

// CodeOf is what the code of an attempt's step runs and sees, and how long its call may
// take, of which the code has so long; nil, and just that, where it is no code step. It
// reads the run, and so is called by the run's owner.
func CodeOf(run *engine.Run, flow *engine.Workflow, a *engine.Attempt, long time.Duration) (*actions.Code, time.Duration, error) {
	if a.Uses.Code == nil {
		return nil, long, nil
	}
	env, err := run.Scope(flow, a.Step)
	if err != nil {
		return nil, long, err
	}
	code := &actions.Code{Limit: long, Bundle: a.Uses.Code.Bundle, Workflow: flow.Name + "@" + flow.Version, Scope: make(map[string][]byte, len(env))}
	for name, v := range env {
		raw, err := expr.EncodeJSON(v)
		if err != nil {
			return nil, long, fmt.Errorf("reading %s for the code of %s: %w", name, a.Step, err)
		}
		code.Scope[name] = sealed.MaskBytes(raw)
	}
	return code, long + queue, nil
}
