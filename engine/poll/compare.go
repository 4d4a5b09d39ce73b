package poll

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"zflow/engine"
	"zflow/engine/expr"
	wire "zflow/proto"
)

// item is what is known of one.
type item struct {
	Hash   string          `json:"h"`           // of the fields
	Values json.RawMessage `json:"v,omitempty"` // of the fields, by name; nil: they are too large
	Key    json.RawMessage `json:"k,omitempty"` // as it came, where that is no text
}

// listed is an item of the list that was read.
type listed struct {
	item
	key   string
	whole json.RawMessage
}

// event is one that a comparison brought.
type event struct {
	ID   string          `json:"id"`
	Item string          `json:"item"` // its key
	Body json.RawMessage `json:"body"`
}

// comparison compares a list with what is known, some items at a time.
type comparison struct {
	poll     *engine.Poll
	workflow string
	at       time.Time // when the list was read
	list     []listed  // what is still to be compared
	there    map[string]bool
	base     state // what is known so far
	first    bool  // nothing was known of this list
	fresh    bool  // other fields are compared from now on
}

// round is what some items of the list brought.
type round struct {
	events  []event
	changed bool // something is known now that was not
	last    bool
}

// Limits of a round, so that a list that has changed as a whole takes no more room
// than one that has not.
const (
	roundEvents = 1000
	roundBytes  = 4 << 20
	mostValues  = 4 << 10 // of an item's fields, for before
	mostItem    = 1 << 20
)

// take makes the items of a list comparable.
func (c *comparison) take(list []any) error {
	c.there = make(map[string]bool, len(list))
	seen := make(map[string]string, len(list))
	for i, v := range list {
		one, err := c.listed(i, v)
		if err != nil {
			return err
		}
		hash, twice := seen[one.key]
		switch {
		case twice && hash != one.Hash:
			return failed("two different items have the %s %s: name a field as key that tells them apart", c.poll.Key, one.key)
		case twice: // it slid to the next page while the list was read
			continue
		}
		seen[one.key], c.there[one.key] = one.Hash, true
		c.list = append(c.list, one)
	}
	return nil
}

func (c *comparison) listed(i int, v any) (one listed, err error) {
	id := at(v, c.poll.Key)
	switch id := id.(type) {
	case string:
		one.key = id
	case int64, float64, bool:
		if one.item.Key, err = expr.EncodeJSON(id); err != nil {
			return one, failed("item %d: %v", i+1, err)
		}
		one.key = string(one.item.Key)
	}
	if one.key == "" {
		return one, failed("item %d of the list has no %s, by which it would be known: it is %s", i+1, c.poll.Key, expr.KindOf(id))
	}
	if one.whole, err = expr.EncodeJSON(v); err != nil {
		return one, failed("item %s: %v", one.key, err)
	}
	if len(one.whole) > mostItem {
		return one, failed("item %s takes %d KiB, at most are %d", one.key, len(one.whole)>>10, mostItem>>10)
	}
	values := v
	if len(c.poll.Fields) > 0 {
		fields := make(map[string]any, len(c.poll.Fields))
		for _, path := range c.poll.Fields {
			fields[path] = at(v, path)
		}
		values = fields
	}
	plain, err := masked(values)
	if err != nil {
		return one, failed("item %s: %v", one.key, err)
	}
	one.Hash = wire.Hash(string(plain))
	if one.Values, err = expr.EncodeJSON(values); err != nil {
		return one, failed("item %s: %v", one.key, err)
	}
	if len(one.Values) > mostValues {
		one.Values = nil
	}
	return one, nil
}

// at finds a field by its path; null where there is none.
func at(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	return v
}

func fieldsOf(p *engine.Poll) string { return wire.Hash(p.Fields...) }

// compare makes what is known that of the next items of the list, and at last
// without those that are gone.
func (c *comparison) compare(k *known) (r round, err error) {
	r.changed = c.first && c.base.Version == 0
	room := roundBytes
	for len(c.list) > 0 && len(r.events) < roundEvents && room > 0 {
		now := c.list[0]
		c.list = c.list[1:]
		was, there := k.items[now.key]
		if there && was.Hash == now.Hash {
			continue
		}
		k.items[now.key], r.changed = now.item, true
		if there && c.fresh || c.first && !c.poll.All {
			continue
		}
		change := change{Change: "added", Key: now.rawKey(now.key), Item: now.whole}
		if there {
			change.Change, change.Before = "changed", was.Values
		}
		if err := c.add(&r, now.key, change); err != nil {
			return r, err
		}
		room -= len(now.whole)
	}
	if len(c.list) > 0 {
		return r, nil
	}
	for _, key := range slices.Sorted(maps.Keys(k.items)) {
		if c.there[key] {
			continue
		}
		if len(r.events) >= roundEvents {
			return r, nil
		}
		was := k.items[key]
		delete(k.items, key)
		r.changed = true
		if !c.poll.Removed {
			continue
		}
		if err := c.add(&r, key, change{Change: "removed", Key: was.rawKey(key), Before: was.Values}); err != nil {
			return r, err
		}
	}
	r.last = true
	return r, nil
}

// rawKey is the key as it came.
func (i item) rawKey(text string) json.RawMessage {
	if i.Key != nil {
		return i.Key
	}
	raw, _ := json.Marshal(text) // a text always marshals
	return raw
}

// change is the body of an event.
type change struct {
	Change   string          `json:"change"` // added, changed, removed
	Key      json.RawMessage `json:"key"`
	Item     json.RawMessage `json:"item"`   // null where it was removed
	Before   json.RawMessage `json:"before"` // the values of the fields; null where it was added
	PolledAt time.Time       `json:"polled_at"`
}

func (c *comparison) add(r *round, key string, what change) error {
	what.PolledAt = c.at.UTC()
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	id := wire.EventID(wire.SourcePoll, c.workflow, c.base.Since.UTC().Format(time.RFC3339Nano), versionText(c.base.Version+1), key)
	r.events = append(r.events, event{id, key, body})
	return nil
}
