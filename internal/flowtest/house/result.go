package house

import (
	"context"
	"maps"
	"slices"

	"github.com/nats-io/nats.go"

	"zflow/engine"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// again publishes an event without the id by which the server would know it.
func (h *House) again(ctx context.Context, e *proto.Event) error {
	subject, header := e.Wire()
	m := &nats.Msg{Subject: subject, Header: maps.Clone(nats.Header(header)), Data: e.Body}
	delete(m.Header, nats.MsgIdHdr)
	_, err := h.client.JS.PublishMsg(ctx, m)
	return err
}

// Run returns a run and its facts; nil: it was not started.
func (h *House) Run(id string) (*engine.Run, []*v1.Fact) {
	s := h.now.all[id]
	if s == nil {
		return nil, nil
	}
	var facts []*v1.Fact
	for _, a := range s.history.Appends {
		facts = append(facts, a.Facts...)
	}
	return s.run, facts
}

// Runs are the ids of all runs, those of called workflows too.
func (h *House) Runs() []string { return slices.Sorted(maps.Keys(h.now.all)) }

// Definition returns the tested workflow as it runs.
func (h *House) Definition(ctx context.Context) (*engine.Workflow, error) {
	e, err := h.client.Catalog.Get(ctx, h.name)
	if err != nil {
		return nil, err
	}
	return h.client.Catalog.Workflow(ctx, h.name, e.Version)
}

// Asking are the paths of steps whose attempt was lost and of which a person is
// asked what it did, by run.
func (h *House) Asking() map[string][]string {
	all := map[string][]string{}
	for id, s := range h.now.all {
		for path, step := range s.run.Steps {
			if step.Status == engine.StepAsking && !s.run.State.Ended() {
				all[id] = append(all[id], path)
			}
		}
	}
	return all
}

// Truth says what a person who looks would find of a step's last call.
func (h *House) Truth(run, step string) (happened bool, output any) {
	return h.world.happened(run, step)
}
