package event

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"zflow/internal/zoomcatalog"
	"zflow/proto"
)

// ID derives the event's id from its business key, which is the catalogue's. Where
// that has none, or where the event lacks what it names, all that the event says
// identifies it: an entry that is missing or wrong neither loses nor merges events.
func ID(app string, e *Envelope) string { return idBy(zoomcatalog.KeyOf(e.Type), app, e) }

func idBy(key zoomcatalog.Key, app string, e *Envelope) string {
	if values, ok := valuesOf(key, e); ok {
		return proto.EventID(app, e.Type, values...)
	}
	return proto.EventID(app, e.Type, "digest", digest(e.body))
}

// valuesOf returns what the event has at the paths of a key. Without a time of its
// own, without anything that the event is about or any part of that, they would not
// tell two events apart.
func valuesOf(key zoomcatalog.Key, e *Envelope) ([]string, bool) {
	if key.Whole() || e.At.IsZero() {
		return nil, false
	}
	values := []string{"ts=" + strconv.FormatInt(e.At.UnixMilli(), 10), "account=" + e.Account}
	for _, group := range [][]string{key.Object, key.Part} {
		before := len(values)
		values = appendKey(values, e.payload, group)
		if len(group) > 0 && len(values) == before {
			return nil, false
		}
	}
	return appendKey(values, e.payload, key.More), true
}

func appendKey(key []string, payload map[string]any, paths []string) []string {
	for _, p := range paths {
		values := lookUp(payload, p)
		slices.Sort(values) // deliveries list files in any order
		for _, v := range values {
			key = append(key, p+"="+v)
		}
	}
	return key
}

// digest is the hash of a body without what differs between two deliveries of one
// event: order, spelling of numbers, tokens and download addresses.
func digest(body map[string]any) string {
	tree := stableObject(body)
	delete(tree, "event") // it is the event's type, which is cleaned
	sum := sha256.Sum256(textOf(tree))
	return hex.EncodeToString(sum[:])
}

func stable(value any) any {
	switch v := value.(type) {
	case json.Number:
		return v.String()
	case []any:
		return stableList(v)
	case map[string]any:
		return stableObject(v)
	}
	return value
}

// stableList puts a list of objects (files, members) in an order of its own: they
// are delivered in any. The order of other lists may mean something.
func stableList(items []any) []any {
	list, objects := make([]any, len(items)), true
	for i := range items {
		list[i] = stable(items[i])
		_, object := items[i].(map[string]any)
		objects = objects && object
	}
	if !objects || len(items) < 2 {
		return list
	}
	texts := make([]json.RawMessage, len(list))
	for i := range list {
		texts[i] = textOf(list[i])
	}
	slices.SortFunc(texts, func(a, b json.RawMessage) int { return bytes.Compare(a, b) })
	for i := range texts {
		list[i] = texts[i]
	}
	return list
}

func stableObject(object map[string]any) map[string]any {
	m := make(map[string]any, len(object))
	for name, value := range object {
		if !zoomcatalog.Volatile(name) {
			m[name] = stable(value)
		}
	}
	return m
}

// textOf is the JSON of a tree; its keys are in order.
func textOf(tree any) json.RawMessage {
	text, err := json.Marshal(tree)
	if err != nil { // a tree that came from JSON always goes back; its print tells it apart too
		return strconv.AppendQuote(nil, fmt.Sprint(tree))
	}
	return text
}
