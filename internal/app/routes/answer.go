package routes

import (
	"context"
	"encoding/json"
	"errors"

	"zflow/engine"
	"zflow/engine/history"
	"zflow/internal/sealed"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
	"zflow/sources/http"
)

// mostAnswer is the longest body of an answer; what is longer is given as a file.
const mostAnswer = 4 << 20

// Recorded is the answer that a history has; nil: none yet.
type Recorded struct {
	Answer *http.Answer `json:"answer"`
}

func (d *Desk) onAnswer(ctx context.Context, q Question) (any, error) {
	run := proto.RunID(q.Workflow, q.Event)
	if proto.Token(q.Workflow) != q.Workflow {
		return nil, errors.New("that is no workflow's name")
	}
	h, err := d.History.Load(ctx, q.Workflow, run)
	if err != nil {
		return nil, err
	}
	for _, a := range h.Appends {
		if err := d.fetch(ctx, a.Facts); err != nil {
			return nil, err
		}
	}
	r := engine.NewRun(run)
	if err := r.Replay(h.Appends); err != nil {
		return nil, err
	}
	return Recorded{AnswerOf(r)}, nil
}

// fetch brings values from BLOBS.
func (d *Desk) fetch(ctx context.Context, facts []*v1.Fact) error {
	for _, v := range history.Values(facts) {
		if v.Blob == "" {
			continue
		}
		raw, err := d.Blobs.Get(ctx, v.Blob)
		if err != nil {
			return err
		}
		v.Json = raw
	}
	return nil
}

// AnswerOf is what a run says to who waits for it: by its first respond, else by its
// end; nil: nothing yet.
func AnswerOf(r *engine.Run) *http.Answer {
	if r.Start == nil {
		return nil
	}
	if s := responded(r); s != nil {
		return limited(answerOf(s.Input.GetJson()))
	}
	if r.End == nil {
		return nil
	}
	a := &http.Answer{End: string(r.State)}
	switch {
	case r.End.GetRunCompleted() != nil:
		a.Body = sealed.MaskBytes(r.End.GetRunCompleted().GetOutput().GetJson())
	case r.End.GetRunCanceled() != nil && len(r.Steps) == 0 && r.Cancel == nil:
		a.Refused = sealed.Mask(r.End.GetRunCanceled().GetWhy())
	}
	return limited(a)
}

// responded is the step that answered: of several the one that began first.
func responded(r *engine.Run) *engine.StepState {
	var first *engine.StepState
	at := ""
	for path, s := range r.Steps {
		if s.Start.GetUses() != "respond" || s.Status != engine.StepCompleted {
			continue
		}
		if first == nil || s.Begun.Before(first.Begun) || s.Begun.Equal(first.Begun) && path < at {
			first, at = s, path
		}
	}
	return first
}

// answerOf reads what respond was given.
func answerOf(input []byte) *http.Answer {
	var in struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		Body    json.RawMessage   `json:"body"`
	}
	if err := json.Unmarshal(sealed.MaskBytes(input), &in); err != nil {
		return &http.Answer{Status: 500} // respond refuses such input
	}
	if in.Status == 0 {
		in.Status = 200
	}
	return &http.Answer{Status: in.Status, Headers: in.Headers, Body: in.Body}
}

// limited replaces an answer that is too long to be sent.
func limited(a *http.Answer) *http.Answer {
	if len(a.Body) <= mostAnswer {
		return a
	}
	return &http.Answer{Status: 500, Headers: map[string]string{"Content-Type": "application/json"},
		Body: json.RawMessage(`{"error":"the run's answer is longer than 4 MiB: answer with a file"}`)}
}
