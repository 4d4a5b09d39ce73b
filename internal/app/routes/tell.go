package routes

import (
	"encoding/json"

	"github.com/nats-io/nats.go"

	"zflow/actions/flow"
	"zflow/engine"
	"zflow/internal/sealed"
	"zflow/proto"
	"zflow/sources/http"
)

// Tell tells who waits what runs answer. A message that is lost is made up for by
// who waits, who asks.
type Tell struct{ nc *nats.Conn }

// Over returns what tells over a connection.
func Over(nc *nats.Conn) Tell { return Tell{nc} }

// Responded tells what respond says.
func (t Tell) Responded(event string, a flow.Answer) error {
	raw, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return t.nc.Publish(proto.ResponseSubject(event), sealed.MaskBytes(raw))
}

// Ended tells of the end of a run that a request started.
func (t Tell) Ended(r *engine.Run) {
	if e := r.Start.GetEvent(); e.GetSource() == proto.SourceHTTP {
		t.answer(e.Id, AnswerOf(r))
	}
}

// Unmatched tells that no trigger takes a request.
func (t Tell) Unmatched(e *proto.Event) {
	if e.Source == proto.SourceHTTP {
		t.answer(e.ID, &http.Answer{Refused: http.Unmatched})
	}
}

func (t Tell) answer(event string, a *http.Answer) {
	if raw, err := json.Marshal(a); err == nil { // it is made of JSON
		_ = t.nc.Publish(proto.ResponseSubject(event), raw) // who waits asks, where it is lost
	}
}
