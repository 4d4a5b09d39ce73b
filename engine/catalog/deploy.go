package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"zflow/engine/definition"
	"zflow/internal/durable"
	"zflow/proto"
)

// Change says what a deployment did.
type Change string

// Changes.
const (
	Created   Change = "created"
	Updated   Change = "updated"
	Unchanged Change = "unchanged"
)

// Deployed is a deployment's outcome.
type Deployed struct {
	Entry
	Change Change `json:"change"`
}

// Deploy checks a definition and makes it the active version of its workflow;
// file is its name, for messages. A paused workflow stays paused. With problems
// that are errors nothing is deployed; warnings are returned beside the outcome. One
// of them is that requests are another workflow's, unless that is among leaving: those
// that are deployed anew or removed together with it.
func (c *Catalog) Deploy(ctx context.Context, file string, src []byte, leaving ...string) (Deployed, definition.Problems, error) {
	w, problems := definition.Parse(file, src, c.known)
	if err := problems.Err(); err != nil {
		return Deployed{}, problems, err
	}
	contested, err := c.contested(ctx, file, w, leaving...)
	if problems = append(problems, contested...); err != nil {
		return Deployed{}, problems, fmt.Errorf("deploying %s: %w", file, err)
	}
	bundles, err := c.storeCode(ctx, w)
	if err != nil {
		return Deployed{}, problems, fmt.Errorf("deploying %s: %w", file, err)
	}
	d, err := c.deploy(ctx, w.Name, w.Version, file, version{level, string(src), bundles})
	if err != nil {
		return Deployed{}, problems, fmt.Errorf("deploying %s: %w", file, err)
	}
	return d, problems, nil
}

func (c *Catalog) deploy(ctx context.Context, name, v, file string, what version) (Deployed, error) {
	now, err := c.now(ctx)
	if err != nil {
		return Deployed{}, err
	}
	if err := c.storeVersion(ctx, name, v, what); err != nil {
		return Deployed{}, err
	}
	old, err := c.load(ctx, name)
	if err != nil {
		return Deployed{}, err
	}
	if old == nil || old.Version != v || old.State == Removed {
		if err := c.noteDeployment(ctx, name, v, file, now); err != nil {
			return Deployed{}, err
		}
	}
	return c.activate(ctx, name, func(old *Entry) (Entry, Change, error) {
		next, change := advance(old, name, v, file, now)
		return next, change, nil
	})
}

// activate writes the entry that decide makes of the present one, and makes the
// consumer fit.
func (c *Catalog) activate(ctx context.Context, name string, decide func(old *Entry) (Entry, Change, error)) (Deployed, error) {
	change := Unchanged
	e, wrote, err := c.change(ctx, name, func(old *Entry) (Entry, error) {
		next, done, err := decide(old)
		change = done
		return next, err
	})
	if err != nil {
		return Deployed{}, err
	}
	if wrote && change == Unchanged { // written by an earlier try, whose durability was in doubt
		change = Updated
	}
	return Deployed{e, change}, c.settle(ctx, name)
}

// advance returns the entry that follows old when version v is deployed.
func advance(old *Entry, name, v, file string, now time.Time) (Entry, Change) {
	next := Entry{Name: name, Version: v, State: Active, FirstDeployedAt: now, DeployedAt: now, File: file}
	switch {
	case old == nil || old.State == Removed:
		return next, Created
	case old.Version == v:
		return *old, Unchanged
	}
	next.State, next.FirstDeployedAt = old.State, old.FirstDeployedAt
	return next, Updated
}

// storeVersion returns nil when the source of the version is stored and durable.
func (c *Catalog) storeVersion(ctx context.Context, name, v string, what version) error {
	value, err := json.Marshal(what)
	if err != nil {
		return err
	}
	for {
		mark := c.gate.Mark()
		_, err := c.bucket.Create(ctx, versionKey(name, v), value)
		if durable.Conflict(err) {
			err = c.sameVersion(ctx, name, v, what)
		}
		if err != nil {
			return fmt.Errorf("storing version %s: %w", v, err)
		}
		err = c.gate.Pass(ctx, proto.Bucket(proto.Definitions), mark)
		if !errors.Is(err, durable.ErrChanged) {
			return err
		}
	}
}

// sameVersion checks that what is stored under a version is this source.
func (c *Catalog) sameVersion(ctx context.Context, name, v string, what version) error {
	there, err := c.loadVersion(ctx, name, v)
	if err == nil && (there.Source != what.Source || !maps.Equal(there.Code, what.Code)) {
		err = errors.New("another source is stored under it")
	}
	return err
}
