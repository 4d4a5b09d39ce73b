package connections

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// How long the watch of the bucket may take to begin, and waits after it could
// not.
const (
	watchWithin  = 5 * time.Second
	rewatchPause = 250 * time.Millisecond
)

// follow learns all stored connections, then each change, until Close. After a
// reconnection it looks at all of them anew.
func (s *Store) follow(ctx context.Context) error {
	live, cancel := context.WithCancel(context.WithoutCancel(ctx))
	connected := s.js.Conn().StatusChanged(nats.CONNECTED)
	done := make(chan struct{})
	s.stop = func() {
		cancel()
		<-done
	}
	w, err := s.watch(live)
	if err != nil {
		cancel()
		return err
	}
	all := make(chan struct{})
	go func() {
		defer close(done)
		defer s.js.Conn().RemoveStatusListener(connected)
		s.take(live, w, connected, all)
		for live.Err() == nil {
			if w := s.rewatch(live); w != nil {
				s.take(live, w, connected, make(chan struct{}))
			}
		}
	}()
	select {
	case <-all:
		s.work.Go(func() { s.keepSealed(live) })
		return nil
	case <-ctx.Done():
		s.stop()
		return fmt.Errorf("reading the connections: %w", context.Cause(ctx))
	}
}

// watch begins a watch of the connections; it ends with its context.
func (s *Store) watch(ctx context.Context) (jetstream.KeyWatcher, error) {
	ctx, cancel := context.WithCancel(ctx)
	late := time.AfterFunc(watchWithin, cancel)
	w, err := s.kv.Watch(ctx, "connection.*")
	if err == nil && !late.Stop() {
		_ = w.Stop() // its context has ended
		err = context.DeadlineExceeded
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("watching connections: %w", err)
	}
	return w, nil
}

// rewatch waits before it gives up; nil: try again.
func (s *Store) rewatch(ctx context.Context) jetstream.KeyWatcher {
	w, err := s.watch(ctx)
	if err == nil {
		return w
	}
	select {
	case <-time.After(rewatchPause):
	case <-ctx.Done():
	}
	return nil
}

// take takes over what a watch brings until it ends, the connection is made anew,
// or ctx ends; all is closed once it has brought what there was.
func (s *Store) take(ctx context.Context, w jetstream.KeyWatcher, connected <-chan nats.Status, all chan struct{}) {
	defer w.Stop() //nolint:errcheck // of a connection that is closed: ended already
	present := map[string]bool{}
	for {
		select {
		case e, open := <-w.Updates():
			switch {
			case !open:
				return
			case e != nil:
				s.adopt(e, present)
			case present != nil:
				s.vanished(present)
				present = nil
				close(all)
			}
		case <-connected:
			return
		case <-ctx.Done():
			return
		}
	}
}

// adopt takes over an entry. Those of a watch's begin are what there is, whatever
// was known.
func (s *Store) adopt(e jetstream.KeyValueEntry, present map[string]bool) {
	name := nameOfKey(e.Key())
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.byName[name]
	if known != nil && (known.stored == nil || present == nil && known.revision > e.Revision()) {
		return // of the configuration, or newer
	}
	if e.Operation() != jetstream.KeyValuePut {
		s.drop(name)
		return
	}
	r, err := readRecord(e.Value())
	if err != nil || r.Name != name {
		return // nobody of ours wrote it
	}
	if present != nil {
		present[name] = true
	}
	if known != nil && known.revision == e.Revision() {
		return
	}
	s.put(&connection{
		name: name, kind: r.Kind, account: r.Account, client: r.ClientID, server: r.OAuth, api: r.API, stored: r, revision: e.Revision(),
	})
}

// vanished forgets what was known and is not there now.
func (s *Store) vanished(present map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, c := range s.byName {
		if c.stored != nil && !present[name] {
			s.drop(name)
		}
	}
}

// learn takes over how a connection stands in the bucket now.
func (s *Store) learn(ctx context.Context, name string) error {
	e, err := s.kv.Get(ctx, connectionKey(name))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading its record: %w", err)
	}
	s.adopt(e, nil)
	return nil
}
