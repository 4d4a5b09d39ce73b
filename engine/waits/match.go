package waits

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"zflow/engine/expr/jsonvalue"
	"zflow/proto"
)

// Entry is where an event finds those who wait for it.
type Entry struct{ key string }

// sets are the sets of match paths in use, by type or pattern. Each is sorted.
type sets map[string][][]string

// addPaths makes sure that the router looks for a waiter's set of paths.
func (s *Store) addPaths(ctx context.Context, w *Waiter, paths []string) error {
	key := proto.PathsKey(w.Source, w.Type)
	if strings.Contains(w.Type, "*") {
		key = proto.PatternsKey(w.Source)
	}
	return s.bucket.Change(ctx, key, func(old []byte) ([]byte, error) {
		all, err := decodeSets(key, old)
		if err != nil {
			return nil, err
		}
		for _, set := range all[w.Type] {
			if slices.Equal(set, paths) {
				return old, nil
			}
		}
		all[w.Type] = append(all[w.Type], paths)
		next, err := json.Marshal(all)
		if err == nil && len(next) > maxEntry {
			err = fmt.Errorf("the sets of paths that were ever matched on are over %d bytes: match %s on fewer different paths", maxEntry, w.Type)
		}
		return next, err
	})
}

func decodeSets(key string, data []byte) (sets, error) {
	all := sets{}
	if len(data) == 0 {
		return all, nil
	}
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("reading %s in %s: %w", key, proto.Waiters, err)
	}
	return all, nil
}

// Match returns where somebody waits for an event with this body. A body that is no
// JSON has no values; who matches on none waits for it too.
func (s *Store) Match(ctx context.Context, source, eventType string, body []byte) ([]Entry, error) {
	var found []Entry
	fields := &fields{body: body}
	for _, key := range []string{proto.PathsKey(source, eventType), proto.PatternsKey(source)} {
		at, err := s.bucket.Get(ctx, key)
		if err != nil {
			return nil, err
		}
		all, err := decodeSets(key, at.Value)
		if err != nil {
			return nil, err
		}
		for _, pattern := range slices.Sorted(maps.Keys(all)) {
			if !proto.MatchesType(pattern, eventType) {
				continue
			}
			entries, err := s.entries(ctx, source, pattern, all[pattern], fields)
			if err != nil {
				return nil, err
			}
			found = append(found, entries...)
		}
	}
	return found, nil
}

// entries returns those of one type or pattern that have a waiter.
func (s *Store) entries(ctx context.Context, source, pattern string, all [][]string, f *fields) ([]Entry, error) {
	var found []Entry
	for _, paths := range all {
		values, ok := f.values(paths)
		if !ok {
			continue
		}
		key := proto.WaitKey(source, pattern, paths, values)
		switch at, err := s.bucket.Get(ctx, key); {
		case err != nil:
			return nil, err
		case at.Value != nil:
			found = append(found, Entry{key})
		}
	}
	return found, nil
}

// Wants says whether an event is one that the waiter waits for, by source, type and
// values; for looking through events that came before it was registered.
func (w *Waiter) Wants(source, eventType string, body []byte) bool {
	if source != w.Source || !proto.MatchesType(w.Type, eventType) {
		return false
	}
	f := &fields{body: body}
	for path, want := range w.Match {
		if got, ok := f.values([]string{path}); !ok || got[0] != want {
			return false
		}
	}
	return true
}

// fields are an event's values; its body is decoded when one is asked for.
type fields struct {
	body    []byte
	decoded any
	done    bool
}

// values returns the texts at the paths, if all are there.
func (f *fields) values(paths []string) ([]string, bool) {
	values := make([]string, len(paths))
	for i, path := range paths {
		if !f.done {
			f.decoded, _ = jsonvalue.Decode(f.body) // no JSON: null, which has no values
			f.done = true
		}
		var ok bool
		if values[i], ok = text(f.decoded, path); !ok {
			return nil, false
		}
	}
	return values, true
}

var brackets = strings.NewReplacer("[", ".", "]", "")

// text returns what a match of this path in a decoded body is compared with; not ok
// where the body has no such value, or null.
func text(body any, path string) (value string, ok bool) {
	for _, name := range strings.Split(brackets.Replace(path), ".") {
		switch at := body.(type) {
		case map[string]any:
			body = at[name]
		case []any:
			i, err := strconv.ParseUint(name, 10, 31)
			if err != nil || i >= uint64(len(at)) {
				return "", false
			}
			body = at[i]
		default:
			return "", false
		}
	}
	value, err := jsonvalue.Text(body)
	return value, err == nil
}
