package code

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"zflow/engine/data"
	"zflow/engine/steppath"
	"zflow/internal/sealed"
	"zflow/proto"
)

// MaxKept is how much the code of a step may keep for itself, in bytes of JSON.
const MaxKept = 60 << 10

var errKept = fmt.Errorf("a step keeps at most %d KiB for itself: use a data store", MaxKept>>10)

const (
	mostSeen  = 100 // ids that a step remembers that it passed on
	longestID = 128 // of which longer ones are remembered by their hash
)

// kept is what a step keeps for itself, and what that was before its last change, for
// the attempts that follow if the worker ends before it can tell: each sees what
// the first saw.
type kept struct {
	state
	By     string `json:"by,omitempty"` // the step of a run that changed it last; a hash
	Before *state `json:"before,omitempty"`
}

type state struct {
	Values map[string]json.RawMessage `json:"values,omitempty"`
	Seen   []string                   `json:"seen,omitempty"` // ids, the last one last
}

// ownKeys is how the keys begin under which steps keep what they keep for themselves.
const ownKeys = "$db/"

// place is where a step keeps what it keeps: in the store of its workflow. The iterations
// of a loop share it.
func (s *asked) place() data.Place {
	_, path, _ := strings.Cut(s.call.Key, ".")
	return data.Place{Workflow: s.call.Workflow, Key: ownKeys + steppath.Static(path)}
}

// own loads what the step keeps, or saves what is new of it.
func (s *asked) own(ctx context.Context, store *data.Store, q question) (a answer, err error) {
	if q.Op == "load" {
		e, err := store.Get(ctx, s.place())
		if err != nil {
			return a, err
		}
		was, err := s.base(e)
		if err != nil {
			return a, err
		}
		if a.Value, err = encode(was.Values); err == nil {
			a.Value = readable(a.Value)
		}
		return a, err
	}
	value, err := s.keepable(q.Value)
	if err != nil {
		return a, err
	}
	var sets map[string]json.RawMessage
	if err := json.Unmarshal(value, &sets); err != nil {
		return a, fmt.Errorf("reading what the step keeps: %w", err)
	}
	for i, id := range q.IDs {
		if q.IDs[i] = s.hide.text(id); len(id) > longestID && q.Of != "greatest" {
			q.IDs[i] = proto.Hash(id)
		}
	}
	_, err = store.Change(ctx, s.place(), s.mark(), func(e data.Entry) (data.Next, error) {
		was, err := s.base(e)
		if err != nil {
			return data.Next{}, err
		}
		is := kept{state: state{Values: merged(was.Values, sets)}, By: proto.Hash(s.call.Key), Before: &was}
		if a.Fresh, is.Seen, err = fresh(q.Of, was.Seen, q.IDs); err != nil {
			return data.Next{}, err
		}
		raw, err := is.bytes()
		return data.Next{Value: raw, Leave: len(sets) == 0 && len(q.IDs) == 0}, err
	})
	return a, err
}

// base is what an attempt of this step begins with.
func (s *asked) base(e data.Entry) (state, error) {
	var k kept
	if e.Value == nil {
		return k.state, nil
	}
	if err := json.Unmarshal(e.Value, &k); err != nil {
		return k.state, fmt.Errorf("reading %s: %w", e.Key, err)
	}
	if k.By == proto.Hash(s.call.Key) && k.Before != nil {
		return *k.Before, nil
	}
	return k.state, nil
}

// merged sets values; null takes one away. Others may have changed the rest meanwhile.
func merged(old, sets map[string]json.RawMessage) map[string]json.RawMessage {
	all := make(map[string]json.RawMessage, len(old)+len(sets))
	for key, v := range old {
		all[key] = v
	}
	for key, v := range sets {
		if all[key] = v; string(v) == "null" {
			delete(all, key)
		}
	}
	return all
}

// bytes is what is stored of it, with the state before where both have room.
func (k kept) bytes() ([]byte, error) {
	values, err := encode(k.Values)
	if err != nil {
		return nil, err
	}
	if len(values) > MaxKept {
		return nil, errKept
	}
	if sealed.Contains(string(values)) {
		return nil, errors.New("what a step keeps for itself cannot hold credentials")
	}
	return encode(k)
}

// fresh tells which ids were not passed on before, as a source's dedupe wants it: unique
// (none of the last ones), greatest (greater numbers than all before), or last (those
// behind the last one).
func fresh(dedupe string, seen, ids []string) (is []bool, now []string, err error) {
	is, now = make([]bool, len(ids)), append([]string(nil), seen...)
	switch dedupe {
	case "unique":
		known := map[string]bool{}
		for _, id := range seen {
			known[id] = true
		}
		for i, id := range ids {
			if is[i] = !known[id]; is[i] {
				known[id], now = true, append(now, id)
			}
		}
		return is, now[max(len(now)-mostSeen, 0):], nil
	case "greatest":
		return greater(now, ids)
	case "last":
		if len(ids) == 0 {
			return is, now, nil
		}
		from := 0
		for i, id := range ids {
			if len(seen) > 0 && id == seen[0] {
				from = i + 1
			}
		}
		for i := range ids {
			is[i] = i >= from
		}
		return is, ids[len(ids)-1:], nil
	}
	if len(ids) > 0 {
		return nil, nil, fmt.Errorf("dedupe is unique, greatest or last, not %.40q", dedupe)
	}
	return is, now, nil
}

func greater(seen, ids []string) (is []bool, now []string, err error) {
	most := math.Inf(-1)
	if len(seen) > 0 {
		if most, err = strconv.ParseFloat(seen[0], 64); err != nil {
			most = math.Inf(-1)
		}
	}
	is, now = make([]bool, len(ids)), seen
	for i, id := range ids {
		n, err := strconv.ParseFloat(id, 64)
		if err != nil || math.IsNaN(n) {
			return nil, nil, fmt.Errorf("with dedupe: greatest ids are numbers, not %.40q", id)
		}
		if is[i] = n > most; is[i] {
			most, now = n, []string{id}
		}
	}
	return is, now, nil
}
