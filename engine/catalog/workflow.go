package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/engine/definition"
)

// maxCompiled bounds the compiled versions that are kept at hand.
const maxCompiled = 1024

type workflowVersion struct{ name, version string }

func versionKey(name, v string) string { return name + "." + v }

// Workflow returns a version of a workflow, compiled, or ErrNoVersion; ErrAway where
// the server did not say. It comes from memory but for the first time.
func (c *Catalog) Workflow(ctx context.Context, name, v string) (*engine.Workflow, error) {
	key := workflowVersion{name, v}
	c.mu.RLock()
	w := c.compiled[key]
	c.mu.RUnlock()
	if w != nil {
		return w, nil
	}
	w, err := c.compile(ctx, name, v)
	if err != nil {
		return nil, fmt.Errorf("loading workflow %s, version %s: %w", name, v, err)
	}
	c.keep(key, w)
	return w, nil
}

// Current returns a workflow as it is deployed now, and whether it is active; nil if
// none of the name is deployed.
func (c *Catalog) Current(ctx context.Context, name string) (w *engine.Workflow, active bool, err error) {
	e, err := c.Get(ctx, name)
	if errors.Is(err, ErrNotDeployed) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	w, err = c.Workflow(ctx, name, e.Version)
	return w, e.State == Active, err
}

// Each does something for each deployed workflow; what fails for one keeps no other
// back.
func (c *Catalog) Each(ctx context.Context, do func(ctx context.Context, name string) error) error {
	entries, err := c.List(ctx)
	for _, e := range entries {
		err = errors.Join(err, do(ctx, e.Name))
	}
	return err
}

func (c *Catalog) compile(ctx context.Context, name, v string) (*engine.Workflow, error) {
	there, err := c.loadVersion(ctx, name, v)
	if err != nil {
		return nil, err
	}
	known := c.known
	known.Bundle = nil
	if len(there.Code) > 0 {
		known.Bundle = definition.Stored(there.Code)
	}
	w, problems := definition.Parse(name+".yaml", []byte(there.Source), known)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if w.Name != name || w.Version != v {
		return nil, fmt.Errorf("what is stored under it is %s, version %s", w.Name, w.Version)
	}
	return w, nil
}

func (c *Catalog) loadVersion(ctx context.Context, name, v string) (version, error) {
	var there version
	if !validName(name) || !validName(v) {
		return there, ErrNoVersion
	}
	kv, err := c.bucket.Get(ctx, versionKey(name, v))
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrInvalidKey) {
		return there, ErrNoVersion
	}
	if err != nil {
		return there, fmt.Errorf("%w: %w", ErrAway, err)
	}
	if err := json.Unmarshal(kv.Value(), &there); err != nil {
		return there, err
	}
	if there.Level > level {
		return there, fmt.Errorf("%w: it needs engine level %d, this one has %d", ErrNewer, there.Level, level)
	}
	return there, nil
}

// keep remembers a compiled version, in place of any other when there are many.
func (c *Catalog) keep(key workflowVersion, w *engine.Workflow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.compiled) >= maxCompiled {
		for other := range c.compiled {
			delete(c.compiled, other)
			break
		}
	}
	c.compiled[key] = w
}
