package code

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"zflow/actions"
	"zflow/engine/data"
	"zflow/internal/sealed"
)

// grants is the input of a step that names the stores which its code may use, by the
// names that the code has for them: a shared store's, or true for the workflow's own.
const grants = "$stores"

// mostAsked is how often the code of one call may ask.
const mostAsked = 10_000

// asked answers what the code of one call asks: of the stores that its step names, of
// what the step itself keeps, and to have something sent.
type asked struct {
	open  func(context.Context) (*data.Store, error)
	act   func(ctx context.Context, action string, c actions.Call) (actions.Result, error)
	call  actions.Call
	hide  hidden
	log   func(line string)
	named map[string]data.Place
	asked int
	sent  int
}

func (r *runner) asked(c actions.Call, hide hidden, log func(line string)) (*asked, error) {
	s := &asked{open: r.Data, act: r.Act, call: c, hide: hide, log: log, named: map[string]data.Place{}}
	given, there := c.Input[grants]
	names, ok := given.(map[string]any)
	if there && !ok {
		return nil, actions.Final("%s names the stores that the code may use: { data: NAME }, with true for the workflow's own", grants)
	}
	for name, of := range names {
		switch of := of.(type) {
		case string:
			s.named[name] = data.Place{Shared: of}
		case bool:
			s.named[name] = data.Place{Workflow: c.Workflow}
		}
		if s.named[name] == (data.Place{}) || of == false {
			return nil, actions.Final("%s.%s is a store's name, or true for the workflow's own, not %v", grants, name, of)
		}
	}
	return s, nil
}

// question is what the code asks.
type question struct {
	Op    string          `json:"op"`
	Store string          `json:"store"` // as the code names it
	Key   string          `json:"key"`
	After string          `json:"after"`
	TTL   *float64        `json:"ttl"` // seconds; nil: for ever
	Value json.RawMessage `json:"value"`
	Of    string          `json:"dedupe"`
	IDs   []string        `json:"ids"`

	Action string `json:"action"` // that is to be done
}

// answer is what it is told.
type answer struct {
	Error string          `json:"error,omitempty"`
	Code  string          `json:"code,omitempty"`
	Again bool            `json:"retryable,omitempty"` // it may succeed another time
	Found bool            `json:"found"`
	Value json.RawMessage `json:"value,omitempty"`
	Items [][2]any        `json:"items,omitempty"` // keys, and their values
	Last  string          `json:"last,omitempty"`  // there are more, behind this key
	Fresh []bool          `json:"fresh,omitempty"`
}

// ask answers a question, always.
func (s *asked) ask(ctx context.Context, raw []byte) []byte {
	var q question
	if err := json.Unmarshal(raw, &q); err != nil {
		return refusal(fmt.Errorf("the question cannot be read: %w", err))
	}
	if s.asked++; s.asked > mostAsked {
		return refusal(fmt.Errorf("the code asked more than %d times: let it do less in one call", mostAsked))
	}
	a, err := s.answer(ctx, q)
	if err != nil {
		return refusal(err)
	}
	text, err := encode(a)
	if err != nil {
		return refusal(err)
	}
	return text
}

func refusal(err error) []byte {
	var e *actions.Error
	again := errors.As(err, &e) && e.Class == actions.ClassRetryable
	text, _ := encode(answer{Error: err.Error(), Code: codeOf(err), Again: again}) // of texts
	return text
}

func codeOf(err error) string {
	switch {
	case errors.Is(err, data.ErrKey), errors.Is(err, data.ErrStore):
		return "bad_key"
	case errors.Is(err, data.ErrLarge), errors.Is(err, errKept):
		return "too_large"
	case errors.Is(err, data.ErrKeys), errors.Is(err, data.ErrFull):
		return "full"
	}
	return ""
}

func (s *asked) answer(ctx context.Context, q question) (a answer, err error) {
	if q.Op == "send" {
		return a, s.send(ctx, q)
	}
	if s.open == nil {
		return a, errors.New("there is no store here")
	}
	store, err := s.open(ctx)
	if err != nil {
		return a, err
	}
	if q.Op == "load" || q.Op == "save" {
		return s.own(ctx, store, q)
	}
	p, ok := s.named[q.Store]
	if !ok {
		return a, fmt.Errorf("the step names no store %q: write with: { %s: { %s: NAME } }", q.Store, grants, q.Store)
	}
	p.Key = q.Key
	if q.Op == "list" {
		return list(ctx, store, p, q.After)
	}
	if sealed.Contains(q.Key) || s.hide.text(q.Key) != q.Key {
		return a, errors.New("a key cannot be a credential: nobody could find it again")
	}
	if strings.HasPrefix(q.Key, ownKeys) && p.Workflow != "" {
		return a, fmt.Errorf("keys that begin with %s are what steps keep for themselves", ownKeys)
	}
	if q.Op == "get" {
		e, err := store.Get(ctx, p)
		return answer{Found: e.Value != nil, Value: readable(e.Value)}, err
	}
	return s.change(ctx, store, p, q)
}

// readable is a value as code gets it: exact, and credentials masked.
func readable(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return nil
	}
	return exact(sealed.MaskBytes(raw))
}

// change changes a key. Each change is one of its own: where a step is attempted again,
// its code may change the key again.
func (s *asked) change(ctx context.Context, store *data.Store, p data.Place, q question) (a answer, err error) {
	ends, err := end(q.TTL)
	if err != nil {
		return a, err
	}
	value, err := s.keepable(q.Value)
	if err != nil {
		return a, err
	}
	_, err = store.Change(ctx, p, s.mark(), func(e data.Entry) (data.Next, error) {
		a.Found = e.Value != nil
		switch q.Op {
		case "set":
			return data.Next{Value: value, Expires: ends}, nil
		case "ttl":
			return data.Next{Leave: !a.Found, Value: e.Value, Expires: ends}, nil
		case "delete":
			return data.Next{Leave: !a.Found}, nil
		}
		return data.Next{}, fmt.Errorf("stores have no %q", q.Op)
	})
	return a, err
}

// mark is what a change is known by while it is made.
func (s *asked) mark() string {
	return s.call.Key + "@" + strconv.FormatInt(s.call.Started.UnixNano(), 10) + "#" + strconv.Itoa(s.asked)
}

// keepable is a value as it is kept: without credentials that the code was given.
func (s *asked) keepable(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 {
		return json.RawMessage("null"), nil
	}
	v, err := actions.DecodeJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("the value is no JSON: %w", err)
	}
	return encode(s.hide.value(v))
}

// longest is how long a value may be told to live.
const longest = 10 * 365 * 24 * time.Hour

// end is when the life of a value is over.
func end(seconds *float64) (time.Time, error) {
	if seconds == nil {
		return time.Time{}, nil
	}
	if n := *seconds; math.IsNaN(n) || n < 1 || n > longest.Seconds() {
		return time.Time{}, fmt.Errorf("a ttl is a number of seconds from 1 to %.0f (10 years), not %v", longest.Seconds(), n)
	}
	return time.Now().Add(time.Duration(*seconds * float64(time.Second))), nil
}

// aPage is how many entries are listed at once.
const aPage = 500

func list(ctx context.Context, store *data.Store, p data.Place, after string) (a answer, err error) {
	page, more, err := store.List(ctx, p, data.Query{After: after, Limit: aPage})
	for _, e := range page {
		if strings.HasPrefix(e.Key, ownKeys) && p.Workflow != "" {
			continue
		}
		a.Items = append(a.Items, [2]any{e.Key, readable(e.Value)})
	}
	if more {
		a.Last = page[len(page)-1].Key
	}
	return a, err
}
