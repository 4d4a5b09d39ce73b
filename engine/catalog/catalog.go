package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/engine/definition"
	"zflow/internal/durable"
	"zflow/proto"
)

// ErrNotDeployed says that no workflow of the name is deployed.
var ErrNotDeployed = errors.New("no such workflow is deployed")

// ErrNoVersion says that a version of a workflow was never deployed here.
var ErrNoVersion = errors.New("this version was never deployed here")

// ErrAway says that the server did not say what is stored: asked again it may. All
// other reasons why a version cannot be had stay as they are.
var ErrAway = errors.New("the server gave no answer")

// ErrNewer says that a version is for a newer zflow than this.
var ErrNewer = errors.New("it is for a newer zflow")

// Catalog reads and changes the deployed workflows. It is safe for concurrent use.
type Catalog struct {
	js     jetstream.JetStream
	gate   *durable.Gate
	bucket jetstream.KeyValue
	known  definition.Known
	taken  taken

	mu       sync.RWMutex
	compiled map[workflowVersion]*engine.Workflow
}

// Create makes the bucket unless it is there. Replicas is 1, or 3 in a cluster.
func Create(ctx context.Context, js jetstream.JetStream, replicas int) error {
	_, err := js.CreateStream(ctx, jetstream.StreamConfig{
		Name:              proto.Bucket(proto.Definitions),
		Description:       "zflow: deployed workflows and their versions",
		Subjects:          []string{"$KV." + proto.Definitions + ".>"},
		Storage:           jetstream.FileStorage,
		Replicas:          max(replicas, 1),
		MaxMsgsPerSubject: 1,
		Discard:           jetstream.DiscardNew,
		AllowRollup:       true,
		DenyDelete:        true,
		AllowDirect:       false, // a direct get may be answered by a follower that lags
	})
	if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return fmt.Errorf("creating bucket %s: %w", proto.Definitions, err)
	}
	return createCode(ctx, js, replicas)
}

// Open finds the bucket. Known is what definitions may refer to.
func Open(ctx context.Context, js jetstream.JetStream, gate *durable.Gate, known definition.Known) (*Catalog, error) {
	bucket, err := js.KeyValue(ctx, proto.Definitions)
	if err != nil {
		return nil, fmt.Errorf("opening bucket %s: %w", proto.Definitions, err)
	}
	return &Catalog{js: js, gate: gate, bucket: bucket, known: known, taken: taken{turn: make(chan struct{}, 1)}, compiled: map[workflowVersion]*engine.Workflow{}}, nil
}

// Get returns the entry of a workflow, or ErrNotDeployed.
func (c *Catalog) Get(ctx context.Context, name string) (Entry, error) {
	e, err := c.load(ctx, name)
	if err == nil && (e == nil || e.State == Removed) {
		err = ErrNotDeployed
	}
	if err != nil {
		return Entry{}, fmt.Errorf("getting workflow %s: %w", name, err)
	}
	return *e, nil
}

// load returns nil for a workflow that was never deployed.
func (c *Catalog) load(ctx context.Context, name string) (*Entry, error) {
	if !validName(name) {
		return nil, nil
	}
	kv, err := c.bucket.Get(ctx, name)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	e, err := decodeEntry(name, kv.Value(), kv.Revision())
	if err != nil {
		return nil, err
	}
	return &e, nil
}

// validName tells whether name can be that of a workflow: a key without a dot,
// which would be that of a version.
func validName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

// List returns the deployed workflows by name; entries that cannot be read are
// listed as Unreadable.
func (c *Catalog) List(ctx context.Context) ([]Entry, error) {
	all := []Entry{}
	err := c.entries(ctx, "*", func(kv jetstream.KeyValueEntry) error {
		if e := readEntry(kv); e.State != Removed {
			all = append(all, e)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing workflows: %w", err)
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// readEntry turns what a watcher delivers into an entry.
func readEntry(kv jetstream.KeyValueEntry) Entry {
	if kv.Operation() != jetstream.KeyValuePut {
		return Entry{Name: kv.Key(), State: Removed, Revision: kv.Revision()}
	}
	e, err := decodeEntry(kv.Key(), kv.Value(), kv.Revision())
	if err != nil {
		return Entry{Name: kv.Key(), State: Unreadable, Revision: kv.Revision()}
	}
	return e
}

// Pause keeps a workflow's events waiting until Resume; its runs go on.
func (c *Catalog) Pause(ctx context.Context, name string) error {
	return c.setState(ctx, "pausing", name, Paused)
}

// Resume lets a paused workflow have its events, also those that waited.
func (c *Catalog) Resume(ctx context.Context, name string) error {
	return c.setState(ctx, "resuming", name, Active)
}

// Remove ends a workflow: its consumer is deleted, events that it has not taken
// pass by. Its runs go on with their versions.
func (c *Catalog) Remove(ctx context.Context, name string) error {
	return c.setState(ctx, "removing", name, Removed)
}

func (c *Catalog) setState(ctx context.Context, verb, name string, to State) error {
	_, _, err := c.change(ctx, name, func(old *Entry) (Entry, error) {
		if old == nil || old.State == Removed && to != Removed {
			return Entry{}, ErrNotDeployed
		}
		next := *old
		next.State = to
		return next, nil
	})
	if err == nil {
		err = c.settle(ctx, name)
	}
	if err != nil {
		return fmt.Errorf("%s workflow %s: %w", verb, name, err)
	}
	return nil
}

// change writes what decide makes of the present entry, until no other change
// comes between and the Gate is passed. It tells whether it wrote anything. Each
// turn of the loop is another's success, or another server.
func (c *Catalog) change(ctx context.Context, name string, decide func(old *Entry) (Entry, error)) (Entry, bool, error) {
	for wrote := false; ; {
		mark := c.gate.Mark()
		old, err := c.load(ctx, name)
		if err != nil {
			return Entry{}, false, err
		}
		next, err := decide(old)
		if err != nil {
			return Entry{}, false, err
		}
		if old == nil || next != *old {
			next.Revision, err = c.write(ctx, next, old)
			if errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
				continue
			}
			if err != nil {
				return Entry{}, false, err
			}
			wrote = true
		}
		err = c.gate.Pass(ctx, proto.Bucket(proto.Definitions), mark)
		if !errors.Is(err, durable.ErrChanged) {
			return next, wrote, err
		}
	}
}

func (c *Catalog) write(ctx context.Context, e Entry, old *Entry) (revision uint64, err error) {
	value, err := e.encode()
	if err != nil {
		return 0, err
	}
	if old != nil {
		revision = old.Revision
	}
	return c.bucket.Update(ctx, e.Name, value, revision)
}

// now is the broker's time.
func (c *Catalog) now(ctx context.Context) (time.Time, error) {
	events, err := c.js.Stream(ctx, proto.Events)
	if err != nil {
		return time.Time{}, fmt.Errorf("looking at stream %s: %w", proto.Events, err)
	}
	return events.CachedInfo().TimeStamp, nil
}
