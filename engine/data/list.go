package data

import (
	"context"
	"slices"
	"strings"

	"zflow/proto"
)

// Query says which keys of a store to list.
type Query struct {
	Prefix string
	After  string // the last key of the page before
	Limit  int
}

// maxPage bounds the bytes of the values of one page.
const maxPage = 1 << 20

// List returns keys with their values, in the order of the keys, and whether there
// are more. The place's Key does not matter.
func (s *Store) List(ctx context.Context, p Place, q Query) (page []Entry, more bool, err error) {
	store, err := p.store()
	if err != nil {
		return nil, false, err
	}
	err = s.bucket.Durably(ctx, func() error {
		page, more, err = s.page(ctx, store, q)
		return err
	})
	return page, more, err
}

func (s *Store) page(ctx context.Context, store string, q Query) (page []Entry, more bool, err error) {
	keys, err := s.keys(ctx, store, q)
	size := 0
	for _, key := range keys {
		old, err := s.bucket.Get(ctx, proto.DataKey(store, key))
		if err != nil {
			return nil, false, err
		}
		r, err := read(old.Value)
		if err != nil {
			return nil, false, err
		}
		e := r.entry(key, old, s.now())
		if e.Value == nil {
			continue
		}
		if size += len(e.Value); len(page) == q.Limit || len(page) > 0 && size > maxPage {
			return page, true, nil
		}
		page = append(page, e)
	}
	return page, false, err
}

// keys returns the keys that a query is about, sorted; some may have no value any more.
func (s *Store) keys(ctx context.Context, store string, q Query) (keys []string, err error) {
	names, err := s.bucket.Below(ctx, store)
	for _, name := range names {
		key := proto.Text(strings.TrimPrefix(name, store+"."))
		if strings.HasPrefix(key, q.Prefix) && (q.After == "" || key > q.After) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, err
}
