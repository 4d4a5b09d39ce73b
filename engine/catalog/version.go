package catalog

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// deploymentSuffix ends the key of a version's last deployment.
const deploymentSuffix = ".deployed"

// Version is one version of a workflow that was deployed at some time.
type Version struct {
	Version    string    `json:"version"`
	StoredAt   time.Time `json:"stored_at"`   // at its first deployment
	DeployedAt time.Time `json:"deployed_at"` // its last deployment; a rollback is none
	File       string    `json:"file"`        // from which it came then
}

// deployment is what stands in the bucket beside a version.
type deployment struct {
	At   time.Time `json:"at"`
	File string    `json:"file,omitempty"`
}

// Versions lists all versions of a workflow, deployed or removed, the one that
// was deployed last first. A rollback does not change their order.
func (c *Catalog) Versions(ctx context.Context, name string) ([]Version, error) {
	if !validName(name) {
		return nil, fmt.Errorf("listing the versions of workflow %.80q: %w", name, ErrNotDeployed)
	}
	byVersion := map[string]*Version{}
	err := c.entries(ctx, name+".*", func(kv jetstream.KeyValueEntry) error {
		v := strings.TrimPrefix(kv.Key(), name+".")
		byVersion[v] = &Version{Version: v, StoredAt: kv.Created().UTC(), DeployedAt: kv.Created().UTC()}
		return nil
	}, jetstream.MetaOnly())
	if err == nil {
		err = c.entries(ctx, name+".*"+deploymentSuffix, func(kv jetstream.KeyValueEntry) error {
			v := byVersion[strings.TrimSuffix(strings.TrimPrefix(kv.Key(), name+"."), deploymentSuffix)]
			d, err := decodeDeployment(kv)
			if v != nil && err == nil {
				v.DeployedAt, v.File = d.At, d.File
			}
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("listing the versions of workflow %s: %w", name, err)
	}
	if len(byVersion) == 0 {
		return nil, fmt.Errorf("listing the versions of workflow %s: %w", name, ErrNotDeployed)
	}
	all := make([]Version, 0, len(byVersion))
	for _, v := range byVersion {
		all = append(all, *v)
	}
	slices.SortFunc(all, func(a, b Version) int {
		if n := b.DeployedAt.Compare(a.DeployedAt); n != 0 {
			return n
		}
		return strings.Compare(a.Version, b.Version)
	})
	return all, nil
}

func decodeDeployment(kv jetstream.KeyValueEntry) (d deployment, err error) {
	if err := json.Unmarshal(kv.Value(), &d); err != nil {
		return d, fmt.Errorf("reading %s: %w", kv.Key(), err)
	}
	return d, nil
}

// errInterrupted says that a list may lack what a restart of the server kept back.
var errInterrupted = errors.New("the connection was made anew meanwhile: try again")

var errUnanswered = errors.New("the server does not answer")

// entries calls f for what stands in the bucket under keys of a pattern, as one
// server told it over one connection: who prunes by a list must not miss one.
func (c *Catalog) entries(ctx context.Context, keys string, f func(jetstream.KeyValueEntry) error, opts ...jetstream.WatchOpt) error {
	for again := mostLists; ; again-- {
		mark := c.gate.Mark()
		all, err := c.collect(ctx, keys, opts)
		switch same := c.gate.Mark() == mark; {
		case again > 0 && ctx.Err() == nil && (!same || errors.Is(err, errUnanswered)):
			continue
		case err == nil && !same:
			err = errInterrupted
		}
		for i := 0; i < len(all) && err == nil; i++ {
			err = f(all[i])
		}
		return err
	}
}

// mostLists is how often a list is begun again.
const mostLists = 5

// nextWithin is how long the next entry of a list may take: a request that a restart
// of the server swallowed is never answered.
const nextWithin = 3 * time.Second

func (c *Catalog) collect(ctx context.Context, keys string, opts []jetstream.WatchOpt) (all []jetstream.KeyValueEntry, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(nextWithin, func() { cancel(errUnanswered) })
	defer late.Stop()
	w, err := c.bucket.Watch(ctx, keys, append(slices.Clone(opts), jetstream.IgnoreDeletes())...)
	if err != nil {
		return nil, cmp.Or(context.Cause(ctx), err)
	}
	defer stop(w)
	for {
		select {
		case kv, open := <-w.Updates():
			late.Reset(nextWithin)
			switch {
			case !open:
				return nil, errors.New("the connection was closed")
			case kv == nil:
				return all, nil
			}
			all = append(all, kv)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// noteDeployment writes, beside a version, that it is being deployed. It is
// durable with the entry, which passes the same Gate later.
func (c *Catalog) noteDeployment(ctx context.Context, name, v, file string, now time.Time) error {
	value, err := json.Marshal(deployment{now, file})
	if err != nil {
		return err
	}
	if _, err := c.bucket.Put(ctx, versionKey(name, v)+deploymentSuffix, value); err != nil {
		return fmt.Errorf("noting the deployment of version %s: %w", v, err)
	}
	return nil
}

// fileOf returns from which file a version was deployed, as far as is known.
func (c *Catalog) fileOf(ctx context.Context, name, v string) (string, error) {
	kv, err := c.bucket.Get(ctx, versionKey(name, v)+deploymentSuffix)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	d, err := decodeDeployment(kv)
	return d.File, err
}

// Rollback makes a stored version of a deployed workflow the active one again. It
// must be one that this zflow can run. A paused workflow stays paused.
func (c *Catalog) Rollback(ctx context.Context, name, v string) (Deployed, error) {
	d, err := c.rollback(ctx, name, v)
	if err != nil {
		return Deployed{}, fmt.Errorf("rolling workflow %s back to version %s: %w", name, v, err)
	}
	return d, nil
}

func (c *Catalog) rollback(ctx context.Context, name, v string) (Deployed, error) {
	w, err := c.compile(ctx, name, v)
	if err != nil {
		return Deployed{}, err
	}
	if _, err := c.contested(ctx, name+".yaml", w); err != nil {
		return Deployed{}, err
	}
	now, err := c.now(ctx)
	if err != nil {
		return Deployed{}, err
	}
	file, err := c.fileOf(ctx, name, v)
	if err != nil {
		return Deployed{}, err
	}
	return c.activate(ctx, name, func(old *Entry) (Entry, Change, error) {
		if old == nil || old.State == Removed {
			return Entry{}, Unchanged, ErrNotDeployed
		}
		next, change := advance(old, name, v, file, now)
		return next, change, nil
	})
}
