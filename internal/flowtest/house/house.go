// Package house is all of zflow around one test: a real nats-server, the streams,
// and a real worker whose actions answer what the test says. It lives in a bubble
// of virtual time (package bubble), and its machine can be crashed at any append
// and any call.
//
// Where every run waits, the worker is stopped until something is due: a test of
// weeks costs what happens in them.
package house

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/actions"
	"zflow/engine/definition"
	"zflow/internal/app"
	"zflow/internal/app/streams"
	"zflow/internal/bubble"
	"zflow/internal/durable"
	"zflow/internal/flowtest/testfile"
	"zflow/internal/sealed"
	"zflow/internal/settings"
)

// Source is a workflow's file.
type Source struct {
	Path string
	Text []byte
}

// Config is what a house is made of.
type Config struct {
	Workflows []Source         // the tested one first, then those it calls
	Known     definition.Known // the actions of it are only asked for what they are, never called
	Outcomes  map[string][]testfile.Outcome
	Secrets   map[string]string // by name; those that the workflows name beside them are made up
	Folder    string            // that files of events are relative to
	Crash     *Crash            // nil: only where the test says so
	Clock     *bubble.Clock
	Code      func(jetstream.JetStream, *durable.Gate) *actions.Action // runs code; nil: its outcomes are stated
	Expired   func() bool                                              // says that the test has taken too long; nil: never
}

// House is a running zflow.
type House struct {
	Config
	// Quiet is called whenever nothing goes on, and says whether it did something. May be nil.
	Quiet   func(context.Context) (acted bool, err error)
	name    string // of the tested workflow
	begun   time.Time
	keys    *sealed.Keys
	secrets map[string]any // sealed
	broker  *broker
	client  *app.Client // of whoever watches
	world   *world
	now     look

	mu      sync.Mutex
	hand    *hand
	image   string // of a machine that crashed: what it goes on from
	points  []Point
	crashed bool
}

// Open starts a house with its workflows deployed. The caller closes it.
func Open(ctx context.Context, c Config) (*House, error) {
	keys, err := sealed.GenerateKeys()
	if err != nil {
		return nil, err
	}
	b, err := startBroker()
	if err != nil {
		return nil, err
	}
	h := &House{Config: c, keys: keys, broker: b, begun: time.Now()}
	h.secrets = h.sealedSecrets()
	h.world = newWorld(h)
	if err := h.open(ctx); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// limits are large enough that nothing ages within a test.
func limits() settings.Streams {
	const ages = settings.Duration(10 * 365 * 24 * time.Hour)
	return settings.Streams{Replicas: 1, EventsAge: ages, EventsBytes: 256 << 20, RunsAge: ages, RunsBytes: 256 << 20, WakesBytes: 64 << 20}
}

func (h *House) open(ctx context.Context) error {
	nc, err := connect(h.broker)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	if err := streams.Make(ctx, js, limits()); err != nil {
		return err
	}
	if err := h.watch(ctx); err != nil {
		return err
	}
	for _, w := range h.Workflows {
		d, problems, err := h.client.Catalog.Deploy(ctx, w.Path, w.Text)
		if err != nil {
			return errors.Join(err, problems.Err())
		}
		if h.name == "" {
			h.name = d.Name
		}
	}
	return h.startWorker(ctx)
}

// watch connects the one who watches.
func (h *House) watch(ctx context.Context) error {
	nc, err := connect(h.broker)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	known, err := h.world.known(h.Known, nil)
	if err == nil {
		h.client, err = app.OpenOn(ctx, nc, app.ClientConfig{Known: known})
	}
	if err != nil {
		nc.Close()
	}
	return err
}

// Close stops everything.
func (h *House) Close() error {
	if hand := h.holder(); hand != nil {
		hand.stop()
	}
	if h.client != nil {
		h.client.Close()
	}
	return h.broker.down()
}

// Workflow is the name of the tested workflow.
func (h *House) Workflow() string { return h.name }

func (h *House) holder() *hand {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.hand
}
