package durable

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Options tune Open. The zero value is right for our own broker.
type Options struct {
	// Declared is the mode, Always or Replicated, of a server that has no flush
	// service. It is believed with a warning.
	Declared Mode
	// Streams are checked at once; any other is checked at its first Pass.
	// A stream that does not exist yet is no error.
	Streams []string
	// Find is how long to look for the flush service (default 2 s), and Wait how
	// long one flush may take (default 10 s).
	Find, Wait time.Duration
	// Flusher is the server's, where that is in this process: it is called then,
	// not sent a request.
	Flusher *Flusher
}

const (
	oldest        = "2.12" // schedules and counters we rely on
	leastReplicas = 3
	findPause     = 50 * time.Millisecond
)

// Open finds out how the server behind nc makes messages durable, and refuses a
// server where nothing does.
func Open(ctx context.Context, nc *nats.Conn, o Options) (*Gate, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("opening the gate: %w", err)
	}
	if v := nc.ConnectedServerVersion(); !atLeast(v, oldest) {
		return nil, fmt.Errorf("opening the gate: the NATS server is version %q: zflow needs %s or newer", v, oldest)
	}
	g := &Gate{nc: nc, js: js, wait: orElse(o.Wait, 10*time.Second), flusher: o.Flusher}
	g.link.Store(newLink())
	if err := g.findMode(ctx, o); err != nil {
		return nil, fmt.Errorf("opening the gate: %w", err)
	}
	for _, s := range o.Streams {
		if err := g.lane(s).ensureFit(ctx); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil, fmt.Errorf("opening the gate: %w", err)
		}
	}
	go g.watch(nc.StatusChanged(nats.DISCONNECTED, nats.RECONNECTING, nats.CLOSED))
	return g, nil
}

func (g *Gate) findMode(ctx context.Context, o Options) error {
	a, err := find(ctx, g.nc, o)
	if err == nil {
		return g.enterGroup(a)
	}
	if !errors.Is(err, nats.ErrNoResponders) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch o.Declared {
	case Always:
		g.warning = "durability is declared as always: that the server flushes each message (sync_interval: always) cannot be verified from here"
	case Replicated:
		g.warning = "durability is declared as replicated: a loss of power at a majority of the servers at once can lose acknowledged messages, unless each has sync_interval: always"
	default:
		return errors.New("this server would lose acknowledged events at a power failure: " +
			"no flush service answers (use zflow's broker), and neither always (a server with sync_interval: always) " +
			"nor replicated (streams with 3 replicas) is declared in the configuration")
	}
	g.mode = o.Declared
	return nil
}

func (g *Gate) enterGroup(a answer) error {
	if a.Mode != Group {
		return fmt.Errorf("the flush service is of mode %q, which this version does not know", a.Mode)
	}
	if id := g.nc.ConnectedServerId(); a.Server != id {
		return fmt.Errorf("the flush service is of server %s, the connection to server %s: connect to the broker itself", a.Server, id)
	}
	g.mode = Group
	g.room.note(a)
	return nil
}

// find asks for the flush service. Where none is declared away, it may still be
// starting, so it is asked until the time is up.
func find(ctx context.Context, nc *nats.Conn, o Options) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, orElse(o.Find, 2*time.Second))
	defer cancel()
	for {
		a, err := ask(ctx, nc, infoSubject)
		if !errors.Is(err, nats.ErrNoResponders) || o.Declared != "" {
			return a, err
		}
		select {
		case <-time.After(findPause):
		case <-ctx.Done():
			return a, err
		}
	}
}

// ensureFit checks, once for each stream, that its configuration can be durable.
func (l *lane) ensureFit(ctx context.Context) error {
	if l.fit.Load() {
		return nil
	}
	s, err := l.gate.js.Stream(ctx, l.stream)
	if err != nil {
		return fmt.Errorf("checking stream %s: %w", l.stream, err)
	}
	c := s.CachedInfo().Config
	switch {
	case c.PersistMode == jetstream.AsyncPersistMode:
		return fmt.Errorf("checking stream %s: its persist_mode is async, which acknowledges messages that were not written: set it to default", l.stream)
	case c.Storage != jetstream.FileStorage:
		return fmt.Errorf("checking stream %s: it is kept in memory: set its storage to file", l.stream)
	case l.gate.mode == Replicated && c.Replicas < leastReplicas:
		return fmt.Errorf("checking stream %s: it has %d replica(s), but durability is declared as replicated: it needs %d", l.stream, c.Replicas, leastReplicas)
	}
	l.fit.Store(true)
	return nil
}

// atLeast compares dotted versions, major and minor only.
func atLeast(version, least string) bool {
	v, l := strings.SplitN(version, ".", 3), strings.SplitN(least, ".", 3)
	if len(v) < 2 {
		return false
	}
	major, err1 := strconv.Atoi(v[0])
	minor, err2 := strconv.Atoi(v[1])
	leastMajor, _ := strconv.Atoi(l[0])
	leastMinor, _ := strconv.Atoi(l[1])
	return err1 == nil && err2 == nil && (major > leastMajor || major == leastMajor && minor >= leastMinor)
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
