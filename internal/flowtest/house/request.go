package house

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"zflow/engine"
	"zflow/internal/flowtest/testfile"
	"zflow/proto"
)

// request publishes the event that ingest makes of a request to the tested workflow.
// Unless the test says who calls that is not asked: what a run sees has no trace of it.
func (h *House) request(ctx context.Context, e *testfile.Event, body []byte) (*proto.Event, error) {
	def, _, err := h.client.Catalog.Current(ctx, h.name)
	if err != nil {
		return nil, err
	}
	method, path := e.HTTP.Method, e.HTTP.Path
	t := takes(def, method, path)
	if t == nil {
		return nil, fmt.Errorf("sending a request: the workflow %s has no trigger http for %s %s", h.name, method, proto.PathHTTP+path)
	}
	if e.HTTP.Auth != nil {
		event, err := h.checked(ctx, e, t, body)
		if err == nil {
			_, err = h.client.Publisher.Publish(ctx, event)
		}
		return event, err
	}
	if path = t.Path; method == "" {
		method = append(t.Methods, "POST")[0]
	}
	trigger, err := json.Marshal(map[string]any{"method": method, "path": proto.PathHTTP + path, "query": e.HTTP.Query, "headers": e.HTTP.Headers})
	if err != nil {
		return nil, err
	}
	key := []string{"request", strconv.Itoa(e.Line)}
	if k := e.HTTP.Headers["idempotency-key"]; k != "" {
		key = []string{"key", k}
	}
	now := time.Now()
	event := &proto.Event{
		ID: proto.EventID(proto.SourceHTTP, h.name, key...), Type: h.name, Source: proto.SourceHTTP, Origin: proto.FromTest,
		ContentType: "application/json", Time: now, ReceivedAt: now, Body: body, Trigger: trigger,
	}
	_, err = h.client.Publisher.Publish(ctx, event)
	return event, err
}

// takes returns the trigger that takes such a request; what is empty fits.
func takes(def *engine.Workflow, method, path string) *engine.HTTP {
	for _, t := range def.Triggers {
		if t.HTTP != nil && (path == "" || path == t.HTTP.Path) && (method == "" || t.HTTP.Takes(method, t.HTTP.Path)) {
			return t.HTTP
		}
	}
	return nil
}
