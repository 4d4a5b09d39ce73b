package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// rewatchPause is how long a watch that could not be renewed waits.
const rewatchPause = 250 * time.Millisecond

// watchWithin is how long a watch may take to begin.
const watchWithin = 2 * time.Second

// stopWithin is how long the end of a watcher is waited for.
const stopWithin = time.Second

// Watch delivers the deployed workflows, then each change, a removal too, until
// ctx ends and the channel is closed. Of several changes in short order it may
// deliver only the last. It survives reconnections and restarts of the server:
// it looks at everything anew then, and delivers what differs. What it delivers
// is not durable yet, and may be older than what Get returns.
func (c *Catalog) Watch(ctx context.Context) (<-chan Entry, error) {
	w, err := c.bucket.Watch(ctx, "*")
	if err != nil {
		return nil, fmt.Errorf("watching workflows: %w", err)
	}
	v := &watch{c: c, seen: map[string]Entry{}, out: make(chan Entry)}
	connected := c.js.Conn().StatusChanged(nats.CONNECTED)
	go func() {
		defer close(v.out)
		defer c.js.Conn().RemoveStatusListener(connected)
		for w != nil {
			v.follow(ctx, w, connected)
			stop(w)
			w = c.rewatch(ctx)
		}
	}()
	return v.out, nil
}

// together is how long changes are waited for that come together.
const together = 100 * time.Millisecond

// Together takes the changes that follow one of Watch in short order, for who looks at
// all workflows anew whatever changed.
func Together(entries <-chan Entry) {
	for end := time.After(together); ; {
		select {
		case _, open := <-entries:
			if !open {
				return
			}
		case <-end:
			return
		}
	}
}

// rewatch returns nil when ctx has ended.
func (c *Catalog) rewatch(ctx context.Context) jetstream.KeyWatcher {
	for ctx.Err() == nil {
		if w := c.watchSoon(ctx); w != nil {
			return w
		}
		select {
		case <-time.After(rewatchPause):
		case <-ctx.Done():
		}
	}
	return nil
}

// watchSoon is a watcher, unless it takes too long: a request that a restart of the
// server left without an answer. The watcher ends with its context.
func (c *Catalog) watchSoon(ctx context.Context) jetstream.KeyWatcher {
	ctx, cancel := context.WithCancel(ctx)
	late := time.AfterFunc(watchWithin, cancel)
	w, err := c.bucket.Watch(ctx, "*")
	switch {
	case err == nil && late.Stop():
		return w
	case err == nil:
		stop(w)
	}
	cancel()
	return nil
}

// stop ends a watcher and frees what it may be blocked on. The client closes the
// updates when the subscription has ended, but not always where that ended by
// itself; nobody waits for it longer than a moment.
func stop(w jetstream.KeyWatcher) {
	_ = w.Stop() // of a connection that is closed: ended already
	end := time.NewTimer(stopWithin)
	defer end.Stop()
	for {
		select {
		case _, open := <-w.Updates():
			if !open {
				return
			}
		case <-end.C:
			return
		}
	}
}

// watch is what a Watch has delivered.
type watch struct {
	c    *Catalog
	seen map[string]Entry
	out  chan Entry
}

// follow delivers what a watcher brings until it ends, the connection is made
// anew, or ctx ends.
func (v *watch) follow(ctx context.Context, w jetstream.KeyWatcher, connected <-chan nats.Status) {
	present := map[string]bool{}
	for {
		select {
		case kv, open := <-w.Updates():
			switch {
			case !open:
				return
			case kv == nil:
				v.vanished(ctx, present)
			default:
				e := readEntry(kv)
				present[e.Name] = true
				v.deliver(ctx, e)
			}
		case <-connected:
			return
		case <-ctx.Done():
			return
		}
	}
}

// deliver passes on an entry that is news.
func (v *watch) deliver(ctx context.Context, e Entry) {
	before, known := v.seen[e.Name]
	if !known && e.State == Removed || known && before == e {
		return
	}
	select {
	case v.out <- e:
		v.seen[e.Name] = e
	case <-ctx.Done():
	}
}

// vanished delivers as removed what was seen and is not there now: an entry
// that a power failure took before it was durable.
func (v *watch) vanished(ctx context.Context, present map[string]bool) {
	for name := range v.seen {
		if !present[name] {
			v.deliver(ctx, Entry{Name: name, State: Removed})
		}
	}
}
