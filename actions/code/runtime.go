package code

import (
	"sync"

	"zflow/actions/code/bundle"
	"zflow/actions/code/node"
)

// Runtime is a worker's Node.js. It is looked for when code is run for the first time.
type Runtime struct {
	options node.Options

	mu     sync.Mutex
	pool   *node.Pool
	closed bool
}

// NewRuntime returns a runtime; it starts nothing yet.
func NewRuntime(o node.Options) *Runtime { return &Runtime{options: o} }

// Pool returns the processes, or why there are none.
func (r *Runtime) Pool() (*node.Pool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pool != nil {
		return r.pool, nil
	}
	if r.closed {
		return nil, errClosed
	}
	var err error
	r.pool, err = node.Open(r.options)
	return r.pool, err
}

// Found is the Node.js that code is run with, or why there is none.
func (r *Runtime) Found() (node.Found, error) {
	pool, err := r.Pool()
	if err != nil {
		return node.Found{}, err
	}
	return pool.Found(), nil
}

// Close ends all processes.
func (r *Runtime) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.pool == nil {
		return nil
	}
	pool := r.pool
	r.pool = nil
	return pool.Close()
}

// ready is a bundle that was read.
type ready struct {
	*bundle.Bundle
	once      sync.Once
	positions *bundle.Positions
	bad       error
}

// cache keeps bundles at hand.
type cache struct {
	mu   sync.Mutex
	size int
	by   map[string]*ready
}

// maxCached bounds the bytes of the bundles that are kept.
const maxCached = 64 << 20

func (c *cache) get(name string, load func() ([]byte, error)) (*ready, error) {
	c.mu.Lock()
	b := c.by[name]
	c.mu.Unlock()
	if b != nil {
		return b, nil
	}
	data, err := load()
	if err != nil {
		return nil, err
	}
	read, err := bundle.Decode(data)
	if err != nil {
		return nil, err
	}
	b = &ready{Bundle: read}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size += len(data); c.by == nil || c.size > maxCached {
		c.by, c.size = map[string]*ready{}, len(data)
	}
	c.by[name] = b
	return b, nil
}
