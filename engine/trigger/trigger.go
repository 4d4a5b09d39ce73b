// Package trigger says whether an event starts a run of a workflow, and turns events
// as they come into those of a history and back.
package trigger

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"zflow/engine"
	"zflow/engine/expr"
	"zflow/engine/workflow"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// Of says whether an account is that of one of a workflow's connections, and of which;
// of none, any is, and the connection is one of the account, if there is any.
type Of func(workflow string, connections []string, account string) (connection string, is bool)

// Match returns the first trigger that the event satisfies, or -1, and notes in the
// event whose account it is of. An `if` that
// cannot be evaluated matches, and its error fails the run: an event is never
// filtered in silence.
func Match(def *engine.Workflow, e *wire.Event, event *v1.Event, of Of) (at int, err error) {
	defer func() {
		if p := recover(); p != nil { // the run fails, and says so
			err = fmt.Errorf("this is a defect of zflow: %v", p)
		}
	}()
	var body any
	decoded := false
	due := map[int]bool(nil)
	if e.Kind() == wire.SourceSchedule {
		due = workflow.Due(def.Triggers, e.Time)
	}
	for i, t := range def.Triggers {
		at = i
		if !t.Takes(e.Kind(), e.Type) || own(def, e) || t.HTTP != nil && !requested(t.HTTP, e.Trigger) || t.Email != nil && !meant(t.Email, e.Trigger) || due != nil && !due[i] {
			continue
		}
		connection, is := of(def.Name, t.Connections, e.Account)
		if event.Connection = connection; !is {
			continue
		}
		if t.Source == engine.SourceCall {
			if err := handed(t.Inputs, e.Body); err != nil {
				return i, fmt.Errorf("calling %s: %w", def.Name, err)
			}
		}
		if t.If == nil {
			return i, nil
		}
		if !decoded {
			if body, err = expr.DecodeJSON(e.Body); err != nil {
				return i, fmt.Errorf("evaluating the trigger's if: %w", err)
			}
			decoded = true
		}
		yes, err := t.If.Bool(engine.TriggerEnv(def, event, body), expr.Clock{Now: e.ReceivedAt, Seed: e.ID})
		if err != nil {
			return i, fmt.Errorf("evaluating the trigger's if: %w", err)
		}
		if yes {
			return i, nil
		}
	}
	return -1, nil
}

// own tells whether an event is of the end of a run of the workflow itself, which starts
// none though the trigger names all workflows.
func own(def *engine.Workflow, e *wire.Event) bool {
	flow, _ := workflow.EndOf(e.Type)
	return e.Kind() == wire.SourceRun && flow == def.Name
}

// requested tells whether a request was one to this trigger, since a workflow may
// have several.
func requested(h *engine.HTTP, trigger []byte) bool {
	var r struct{ Method, Path string }
	return json.Unmarshal(trigger, &r) == nil && h.Takes(r.Method, strings.TrimPrefix(r.Path, wire.PathHTTP))
}

// meant tells whether a mail may start a run: one that a program sent by itself, such as
// a notice of absence, only where it is asked for, since the answer to it may be another.
func meant(t *workflow.Email, trigger []byte) bool {
	var m struct{ Automatic string }
	return t.Automatic || len(trigger) == 0 || json.Unmarshal(trigger, &m) == nil && m.Automatic == ""
}

// Event is what a history holds of an event.
func Event(e *wire.Event) *v1.Event {
	return &v1.Event{
		Id: e.ID, Type: e.Type, Source: e.Source, Account: e.Account, Subject: e.Subject, Origin: e.Origin,
		ContentType: e.ContentType, Time: e.Time.UnixNano(), ReceivedAt: e.ReceivedAt.UnixNano(), Sequence: e.Sequence,
		ReplayOf: e.ReplayOf, Trigger: e.Trigger, Body: &v1.Value{Json: e.Body, Size: uint64(len(e.Body))},
	}
}

// Wire is the event of a history as it came.
func Wire(e *v1.Event) *wire.Event {
	return &wire.Event{
		ID: e.Id, Type: e.Type, Source: e.Source, Account: e.Account, Subject: e.Subject, Origin: e.Origin,
		ContentType: e.ContentType, Time: time.Unix(0, e.Time).UTC(), ReceivedAt: time.Unix(0, e.ReceivedAt).UTC(),
		ReplayOf: e.ReplayOf, Trigger: e.Trigger, Sequence: e.Sequence, Body: e.Body.GetJson(),
	}
}
