package house

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"zflow/actions"
	"zflow/engine/definition"
	"zflow/engine/definition/document"
	"zflow/engine/expr"
	"zflow/engine/steppath"
	"zflow/engine/worker"
	"zflow/internal/flowtest/testfile"
	"zflow/proto"
)

// world is what actions act on: it answers what the test says, and keeps a ledger
// of the calls.
type world struct {
	house *House

	mu       sync.Mutex
	begun    map[string]worker.Begin // the last begin of a step's call, by key
	made     map[string]int          // calls of a step
	calls    []*Made
	problems []string
	accounts map[string]string // of connections that the test names
}

// Made is a call that was made.
type Made struct {
	Run, Step, Action string
	Attempt           uint32
	Probe             bool // it only looked whether an earlier attempt had happened
	Effect            actions.Effect
	With              map[string]any
	Hash              string // of With
	At                time.Time
	outcome           testfile.Outcome
}

func newWorld(h *House) *world {
	return &world{house: h, begun: map[string]worker.Begin{}, made: map[string]int{}, accounts: map[string]string{}}
}

func (w *world) problem(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if text := fmt.Sprintf(format, args...); !slices.Contains(w.problems, text) {
		w.problems = append(w.problems, text)
	}
}

// calling notes by what right a call begins.
func (w *world) calling(b worker.Begin) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun[b.Run+"."+b.Step] = b
}

// known returns what workflows may refer to, with actions that answer for a worker.
func (w *world) known(k definition.Known, one *hand) (definition.Known, error) {
	all := []*actions.Action{}
	for _, name := range k.Actions.Names() {
		all = append(all, w.action(k.Actions.Get(name), one))
	}
	for _, name := range []string{"emit", "respond"} {
		if k.Actions.Get(name) == nil {
			spec := actions.Spec{Name: name, Input: actions.Schema{Type: "object", Open: true}, Effect: actions.Idempotent}
			all = append(all, w.action(&actions.Action{Spec: spec}, one))
		}
	}
	if describe := k.Describe; describe != nil {
		k.Describe = func(f *document.File, n *document.Node) *actions.Action {
			if a := describe(f, n); a != nil {
				return w.action(a, one)
			}
			return nil
		}
	}
	var err error
	k.Actions, err = actions.NewRegistry(all...)
	return k, err
}

// action is one of the same spec that answers what the test says.
func (w *world) action(real *actions.Action, one *hand) *actions.Action {
	a := *real
	a.Do = func(ctx context.Context, c actions.Call) (actions.Result, error) { return w.do(ctx, one, real, c) }
	if real.Probe != nil {
		a.Probe = func(ctx context.Context, c actions.Call) (bool, actions.Result, error) {
			return w.probe(ctx, one, real, c)
		}
	}
	return &a
}

// errDead is what a call of a dead worker brings, to nobody.
var errDead = actions.Unknown("the worker is dead")

func (w *world) do(ctx context.Context, one *hand, real *actions.Action, c actions.Call) (actions.Result, error) {
	run, step, _ := strings.Cut(c.Key, ".")
	outcomes := w.outcomes(step, real.Spec.Name)
	switch {
	case one == nil || one.dead.Load():
		return actions.Result{}, errDead
	case len(outcomes) == 0 && real.Spec.Name == "emit":
		return w.emit(ctx, c)
	case len(outcomes) == 0 && c.Code != nil && w.house.Code != nil:
		return w.house.Code(one.js, one.gate).Do(ctx, c)
	}
	if a, err := w.itself(ctx, one, step, real.Spec.Name); a != nil || err != nil {
		return w.really(ctx, a, c, err)
	}
	if wrong := inputProblems(real.Spec.Input, c.Input); wrong != "" {
		return actions.Result{}, actions.Final("%s", wrong)
	}
	if len(outcomes) == 0 && real.Spec.Name == "respond" {
		outcomes = []testfile.Outcome{{}}
	}
	if len(outcomes) == 0 {
		w.problem("step %s calls %s, and the test does not say what comes of it: add it to steps, such as %s: { output: {} }", step, real.Spec.Name, ID(step))
		return actions.Result{}, actions.Final("the test does not say what comes of it")
	}
	point := Point{Before, Call, step + " (" + real.Spec.Name + ")"}
	if w.house.at(one, point) {
		return actions.Result{}, errDead
	}
	m := w.record(run, step, real, c)
	w.mu.Lock()
	m.outcome = outcomes[min(w.made[c.Key], len(outcomes)-1)]
	w.made[c.Key]++
	w.mu.Unlock()
	if err := took(ctx, m.outcome.Takes); err != nil {
		return actions.Result{}, err
	}
	point.When = After
	if w.house.at(one, point) {
		return actions.Result{}, errDead
	}
	return answer(m.outcome)
}

// really calls an action that reaches nothing outside, and enters it into the ledger;
// log is called by so many that it is left out.
func (w *world) really(ctx context.Context, a *actions.Action, c actions.Call, err error) (actions.Result, error) {
	if err != nil {
		return actions.Result{}, err
	}
	if run, step, _ := strings.Cut(c.Key, "."); a.Spec.Name != "log" {
		w.record(run, step, a, c)
	}
	return a.Do(ctx, c)
}

func took(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return actions.Unknown("the call was ended before it was answered")
	}
}

// record enters a call into the ledger.
func (w *world) record(run, step string, real *actions.Action, c actions.Call) *Made {
	raw, err := expr.EncodeJSON(c.Input)
	if err != nil {
		w.problem("step %s: its input is no JSON: %v", step, err)
	}
	sum := sha256.Sum256(raw)
	w.mu.Lock()
	defer w.mu.Unlock()
	m := &Made{Run: run, Step: step, Action: real.Spec.Name, Attempt: w.begun[c.Key].Attempt, Effect: real.Effect(c.Input),
		With: c.Input, Hash: hex.EncodeToString(sum[:8]), At: time.Now()}
	w.calls = append(w.calls, m)
	return m
}

func answer(o testfile.Outcome) (actions.Result, error) {
	switch e := o.Error; {
	case o.Unknown:
		return actions.Result{}, actions.Unknown("the test says that nobody knows what came of it")
	case e == nil:
		return actions.Result{Output: o.Output}, nil
	case e.RetryAfter > 0:
		return actions.Result{}, actions.RetryAfter(time.Now().Add(e.RetryAfter), "%s", e.Message).With(e.Status, e.Code)
	case e.Retryable:
		return actions.Result{}, actions.Retryable("%s", e.Message).With(e.Status, e.Code)
	default:
		return actions.Result{}, actions.Final("%s", e.Message).With(e.Status, e.Code)
	}
}

// probe finds out what the ledger knows of a step's last call.
func (w *world) probe(ctx context.Context, one *hand, real *actions.Action, c actions.Call) (bool, actions.Result, error) {
	run, step, _ := strings.Cut(c.Key, ".")
	if one == nil || one.dead.Load() || w.house.at(one, Point{Before, Call, "the probe of " + step}) {
		return false, actions.Result{}, errDead
	}
	if a, err := w.itself(ctx, one, step, real.Spec.Name); a != nil || err != nil {
		if err != nil {
			return false, actions.Result{}, err
		}
		return a.Probe(ctx, c)
	}
	happened, output := w.happened(run, step)
	w.record(run, step, real, c).Probe = true
	return happened, actions.Result{Output: output}, nil
}

// happened says whether the last call of a step has happened, and what it brought.
func (w *world) happened(run, step string) (bool, any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range slices.Backward(w.calls) {
		if m.Run == run && m.Step == step && !m.Probe {
			o := m.outcome
			return o.Error == nil && (!o.Unknown || o.Happened), o.Output
		}
	}
	return false, nil
}

// ID is the end of a step's path: its id with the index of its iteration.
func ID(path string) string {
	step, undo := strings.CutSuffix(path, steppath.Undo)
	id := step[strings.LastIndexByte(step, '.')+1:]
	if undo {
		id += steppath.Undo
	}
	return id
}

// outcomes finds what the test says of a step: by its path, by its path without
// the indexes, by its id, by its action.
func (w *world) outcomes(path, action string) []testfile.Outcome {
	whole := steppath.Static(path)
	for _, name := range []string{path, whole, ID(path), ID(whole), action} {
		if o, ok := w.house.Outcomes[name]; ok {
			return o
		}
	}
	return nil
}

// emit publishes an event, once, in the house itself.
func (w *world) emit(ctx context.Context, c actions.Call) (actions.Result, error) {
	kind, _ := c.Input["type"].(string)
	body, err := expr.EncodeJSON(c.Input["data"])
	if err != nil || kind == "" {
		return actions.Result{}, errors.Join(actions.Final("emit has no type"), err)
	}
	e := appEvent(kind, c.Key, body)
	e.Account = c.Account
	if _, err := w.house.client.Publisher.Publish(ctx, e); err != nil {
		return actions.Result{}, actions.Retryable("the event was not published: %v", err)
	}
	return actions.Result{Output: map[string]any{"id": e.ID}}, nil
}

func appEvent(kind, key string, body []byte) *proto.Event {
	now := time.Now()
	return &proto.Event{ID: proto.EventID("app", kind, key), Type: kind, Source: "app", Origin: proto.FromTest,
		ContentType: "application/json", Time: now, ReceivedAt: now, Body: body}
}

// Calls are those made so far.
func (h *House) Calls() []*Made {
	h.world.mu.Lock()
	defer h.world.mu.Unlock()
	return slices.Clone(h.world.calls)
}

// Problems are what is wrong with the test itself.
func (h *House) Problems() []string {
	h.world.mu.Lock()
	defer h.world.mu.Unlock()
	return slices.Clone(h.world.problems)
}
