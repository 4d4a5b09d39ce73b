package data

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"zflow/internal/durable"
	"zflow/proto"
)

// record is an entry as stored. One without a value was deleted.
type record struct {
	Value   json.RawMessage `json:"value,omitempty"`
	Expires int64           `json:"expires,omitempty"` // Unix, milliseconds
	Marks   []mark          `json:"marks,omitempty"`   // of the last changes, the last one last
	Aside   int64           `json:"aside,omitempty"`   // when a mark was last put aside; Unix, milliseconds
}

// mark says that a step changed an entry, and what it was answered.
type mark struct {
	Step     string          `json:"step"` // a hash of its key
	At       int64           `json:"at"`   // Unix, milliseconds
	Revision uint64          `json:"revision,omitempty"`
	Answer   json.RawMessage `json:"answer,omitempty"`
}

const (
	// kept is how long marks are kept.
	kept = time.Hour
	// inside is how many marks an entry has at most.
	inside = 32
)

func read(raw []byte) (record, error) {
	var r record
	if len(raw) == 0 {
		return r, nil
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, fmt.Errorf("reading what %s has: %w", proto.Data, err)
	}
	return r, nil
}

func (r *record) bytes() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(r)
	return b.Bytes(), err
}

// entry is the record as others see it.
func (r *record) entry(key string, old durable.Entry, now time.Time) Entry {
	e := Entry{Key: key, Revision: old.Revision, Written: old.Written}
	if r.over(now) {
		return e
	}
	e.Value = r.Value
	if r.Expires != 0 {
		e.Expires = time.UnixMilli(r.Expires).UTC()
	}
	return e
}

// over tells that the value's life is over.
func (r *record) over(now time.Time) bool { return r.Expires != 0 && now.UnixMilli() >= r.Expires }

// find returns the mark of a step, or nil. revision is that of the entry, which
// the last mark's change made.
func (r *record) find(step string, revision uint64) *mark {
	for i, m := range r.Marks {
		if m.Step != step {
			continue
		}
		if i == len(r.Marks)-1 {
			m.Revision = revision
		}
		return &m
	}
	return nil
}

// lookAside tells whether marks may have been put aside that still count. Where
// there is no entry, none was within the hour: its message would still be there.
func (r *record) lookAside(now time.Time) bool {
	return r.Aside != 0 && now.Sub(time.UnixMilli(r.Aside)) <= kept+late
}

// next is the record that follows with one more mark; aside are those that have
// no room in it and are too young to be forgotten.
func (r *record) next(value json.RawMessage, expires time.Time, m mark, revision uint64) (n record, aside []mark) {
	n = record{Value: value, Aside: r.Aside, Marks: slices.Clone(r.Marks)}
	if !expires.IsZero() && value != nil {
		n.Expires = expires.UnixMilli()
	}
	if last := len(n.Marks) - 1; last >= 0 {
		n.Marks[last].Revision = revision
	}
	oldest := m.At - (kept + late).Milliseconds()
	n.Marks = slices.DeleteFunc(n.Marks, func(m mark) bool { return m.At < oldest })
	if many := len(n.Marks) - inside + 1; many > 0 {
		aside, n.Marks = n.Marks[:many], slices.Clone(n.Marks[many:])
		n.Aside = m.At
	}
	n.Marks = append(n.Marks, m)
	return n, aside
}

// life is how long the entry's message is to live: its value's life, and the marks'
// after that; 0 is for ever.
func (r *record) life(now time.Time) time.Duration {
	switch {
	case r.Value == nil:
		return kept + 2*late
	case r.Expires == 0:
		return 0
	}
	left := max(time.UnixMilli(r.Expires).Sub(now), 0)
	return (left + kept + 2*late).Round(time.Second)
}
