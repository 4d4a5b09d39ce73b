package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"zflow/engine"
	"zflow/engine/history"
	v1 "zflow/proto/zflow/v1"
)

// Approval is a person's answer to a step that asks: an approval, or one whose
// attempt has an unknown outcome.
type Approval struct {
	Run, Step string
	Choice    string            // one of the question's
	Fields    map[string]string // of an approval: answers by name, read as their types say
	Data      json.RawMessage   // instead of Fields; of an unknown attempt that is done: the step's output
	Comment   string
	By        string
}

// Question is what a step asks a person.
type Question struct {
	Step    string
	Choices []string
	Fields  map[string]engine.Field
	Unknown bool // what became of an attempt
}

// Choices are what can be said of an attempt of unknown outcome.
func Choices() []string { return []string{engine.ChoiceRetry, engine.ChoiceDone, engine.ChoiceFail} }

// questions lists what a run asks, by step.
func questions(r *engine.Run) []Question {
	var all []Question
	for _, path := range slices.Sorted(maps.Keys(r.Steps)) {
		s := r.Steps[path]
		switch {
		case s.Status == engine.StepAsking:
			all = append(all, Question{Step: path, Choices: Choices(), Unknown: true})
		case s.Status == engine.StepWaiting && s.Wait != nil && s.Wait.Approval != nil:
			q := Question{Step: path, Choices: s.Wait.Approval.Choices}
			if json.Unmarshal(s.Wait.Approval.GetFields().GetJson(), &q.Fields) != nil {
				q.Fields = nil // of another version: the worker judges the answer
			}
			all = append(all, q)
		}
	}
	return all
}

func asks(r *engine.Run, step string) bool {
	return slices.ContainsFunc(questions(r), func(q Question) bool { return q.Step == step })
}

// Approve answers a step that asks, and returns the run once its history shows it.
func (o *Operator) Approve(ctx context.Context, a Approval) (Run, error) {
	head, err := o.Find(ctx, a.Run)
	if err != nil {
		return Run{}, err
	}
	r, err := o.approve(ctx, head, a)
	if err != nil {
		return r, fmt.Errorf("approving step %s of run %s: %w", a.Step, head.Run, err)
	}
	return r, nil
}

func (o *Operator) approve(ctx context.Context, head history.Head, a Approval) (Run, error) {
	_, r, err := o.Load(ctx, head)
	if err != nil {
		return Run{}, err
	}
	q, err := question(r, a.Step)
	if err != nil {
		return Run{}, err
	}
	data, err := q.answer(a)
	if err != nil {
		return Run{}, classed(ErrInvalid, err)
	}
	return o.order(ctx, head, &v1.Command{Kind: kindApprove, By: a.By, Reason: a.Comment, Step: a.Step, Choice: a.Choice, Data: data})
}

// question returns what a step asks, or explains why it cannot be answered.
func question(r *engine.Run, step string) (Question, error) {
	if r.State.Ended() {
		return Question{}, classed(ErrConflict, fmt.Errorf("the run has ended: %s", r.State))
	}
	all := questions(r)
	var asking []string
	for _, q := range all {
		if q.Step == step {
			return q, nil
		}
		asking = append(asking, q.Step)
	}
	if len(asking) == 0 {
		return Question{}, classed(ErrConflict, errors.New("no step of the run asks for anything"))
	}
	return Question{}, classed(ErrConflict, fmt.Errorf("the step that asks is %s", strings.Join(asking, ", ")))
}

// answer checks an answer, and returns what it says beside the choice.
func (q Question) answer(a Approval) (json.RawMessage, error) {
	switch {
	case !slices.Contains(q.Choices, a.Choice):
		return nil, fmt.Errorf("the choice is one of %s, not %q", strings.Join(q.Choices, ", "), a.Choice)
	case len(a.Data) > 0 && !json.Valid(a.Data):
		return nil, errors.New("the data is not JSON")
	case len(a.Data) > 0 && len(a.Fields) > 0:
		return nil, errors.New("the answers are given twice: as fields and as data")
	case len(a.Data) > mostSent:
		return nil, fmt.Errorf("the data has %d bytes, it may have %d", len(a.Data), mostSent)
	case q.Unknown && len(a.Fields) > 0:
		return nil, errors.New("it asks what became of an attempt, and for no fields")
	case q.Unknown && len(a.Data) > 0 && a.Choice != engine.ChoiceDone:
		return nil, fmt.Errorf("an output goes with the choice %s", engine.ChoiceDone)
	case q.Unknown:
		return a.Data, nil
	}
	return q.fields(a)
}

// fields returns the answers to an approval's fields as a JSON object.
func (q Question) fields(a Approval) (json.RawMessage, error) {
	given := map[string]json.RawMessage{}
	if len(a.Data) > 0 && json.Unmarshal(a.Data, &given) != nil {
		return nil, errors.New("the data is no JSON object of the fields' names and values")
	}
	for name, text := range a.Fields {
		given[name] = typed(q.Fields[name].Type, text)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		f, ok := q.Fields[name]
		if !ok {
			return nil, fmt.Errorf("it asks for no field %s%s", name, offered(q.Fields))
		}
		if !fits(f.Type, given[name]) {
			return nil, fmt.Errorf("the field %s is a %s, and %s is none", name, f.Type, given[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(q.Fields)) {
		if _, ok := given[name]; q.Fields[name].Required && !ok {
			return nil, fmt.Errorf("the field %s is missing", name)
		}
	}
	return json.Marshal(given)
}

func offered(fields map[string]engine.Field) string {
	if len(fields) == 0 {
		return ""
	}
	return ", but for " + strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
}

// typed is a field's answer as it is written on a command line.
func typed(kind, text string) json.RawMessage {
	if raw := json.RawMessage(text); (kind == "number" || kind == "boolean") && json.Valid(raw) {
		return raw
	}
	return appendText(nil, text)
}

// fits tells whether a JSON value is of a field's type.
func fits(kind string, raw json.RawMessage) bool {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return false
	}
	ok := true
	switch kind {
	case "number":
		_, ok = v.(float64)
	case "boolean":
		_, ok = v.(bool)
	case "text", "date":
		_, ok = v.(string)
	}
	return ok
}
