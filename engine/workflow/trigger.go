package workflow

import (
	"time"

	"zflow/engine/expr"
	v1 "zflow/proto/zflow/v1"
)

// TriggerValue is what expressions see of an event as trigger: what all events have,
// and what its source says besides, such as a request's method.
func TriggerValue(e *v1.Event) map[string]any {
	all := map[string]any{}
	if len(e.Trigger) > 0 {
		if more, err := expr.DecodeJSON(e.Trigger); err == nil { // else nobody wrote it who may
			all, _ = more.(map[string]any)
		}
	}
	if all == nil {
		all = map[string]any{}
	}
	for name, value := range map[string]any{
		"id": e.Id, "type": e.Type, "source": e.Source, "account": e.Account, "connection": e.Connection, "origin": e.Origin,
		"time": text(e.Time), "received_at": text(e.ReceivedAt),
	} {
		all[name] = value
	}
	return all
}

func text(nanoseconds int64) string { return time.Unix(0, nanoseconds).UTC().Format(time.RFC3339Nano) }
