package waits

import (
	"encoding/json"
	"fmt"
	"slices"

	"zflow/proto"
)

// entry is who waits for the same events with the same values.
type entry struct {
	Waiters []*waiting `json:"waiters"`
}

// waiting is one of them, with what came for it. Its names are short: an entry may
// have thousands.
type waiting struct {
	Wait
	Arrived
}

func decode(key string, data []byte) (*entry, error) {
	e := &entry{}
	if len(data) == 0 {
		return e, nil
	}
	if err := json.Unmarshal(data, e); err != nil {
		return nil, fmt.Errorf("reading %s in %s: %w", key, proto.Waiters, err)
	}
	return e, nil
}

func (e *entry) size() int {
	data, _ := json.Marshal(e) // has nothing that could fail
	return len(data)
}

func (e *entry) find(w Wait) *waiting {
	for _, at := range e.Waiters {
		if at.Wait == w {
			return at
		}
	}
	return nil
}

func (e *entry) drop(w Wait) {
	e.Waiters = slices.DeleteFunc(e.Waiters, func(at *waiting) bool { return at.Wait == w })
}

// arrive adds an arrival to all, and returns them. 21 bytes are what a sequence
// takes at most.
func (e *entry) arrive(sequence uint64) []Wait {
	room := (maxEntry - e.size()) / 21
	all := make([]Wait, len(e.Waiters))
	for i, w := range e.Waiters {
		all[i] = w.Wait
		switch {
		case slices.Contains(w.Sequences, sequence):
		case len(w.Sequences) < maxArrived && room > 0:
			w.Sequences = append(w.Sequences, sequence)
			room--
		case w.From == 0:
			w.From, w.To = sequence, sequence
		default:
			w.From, w.To = min(w.From, sequence), max(w.To, sequence)
		}
	}
	return all
}

// took drops what was dealt with. Arrivals that had no room meanwhile stay: those
// behind what was looked through, and all if there is one before it.
func (w *waiting) took(a Arrived) {
	w.Sequences = slices.DeleteFunc(w.Sequences, func(s uint64) bool { return slices.Contains(a.Sequences, s) })
	switch {
	case w.From == 0 || a.From == 0 || w.From < a.From || w.From > a.To:
	case w.To <= a.To:
		w.From, w.To = 0, 0
	default:
		w.From = a.To + 1
	}
}
