package durable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/proto"
)

// Gate is where callers wait until what they published is durable. It is safe
// for any number of callers and lives as long as its connection.
type Gate struct {
	nc      *nats.Conn
	js      jetstream.JetStream
	mode    Mode
	warning string
	wait    time.Duration
	flusher *Flusher // of the server, where that is in this process; nil: it is asked over nc

	lanes   sync.Map // stream name to *lane
	link    atomic.Pointer[link]
	room    room
	flushes atomic.Uint64
	passes  atomic.Uint64
}

// lane carries the waiters of one stream. At most one request is under way;
// whoever comes meanwhile waits for the next.
type lane struct {
	gate    *Gate
	stream  string
	subject string
	fit     atomic.Bool // the stream's configuration was seen to be durable

	mu      sync.Mutex
	next    *batch
	last    *batch // that was sent; nil: none was
	sent    uint64 // batches
	running bool
}

// batch is one request and all who wait for it.
type batch struct {
	done   chan struct{}
	number uint64 // from 1, given just before it is sent
	mark   Mark   // who answered, on which connection
	err    error
}

// Mode says how this server makes messages durable.
func (g *Gate) Mode() Mode { return g.mode }

// Warning says what could not be verified, for people; it is empty in group mode.
func (g *Gate) Warning() string { return g.warning }

// Flushes counts the flush requests sent, Passes the calls of Pass.
func (g *Gate) Flushes() uint64 { return g.flushes.Load() }

// Passes counts the calls of Pass.
func (g *Gate) Passes() uint64 { return g.passes.Load() }

// Mark is taken just before a publish.
func (g *Gate) Mark() Mark {
	// The count first: it moves last at a reconnect, so a torn reading equals
	// no later one.
	reconnects := g.nc.Stats().Reconnects
	return Mark{server: g.nc.ConnectedServerId(), reconnects: reconnects}
}

// Pass returns nil once everything that the stream acknowledged before the call
// is durable, provided that server and connection are still those of the mark.
func (g *Gate) Pass(ctx context.Context, stream string, m Mark) error {
	return g.pass(ctx, g.lane(stream), math.MaxUint64, m)
}

// Moment is taken when a message of the stream has come, for PassSince.
func (g *Gate) Moment(stream string) uint64 {
	l := g.lane(stream)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent
}

// PassSince is Pass for what was stored before the moment: a flush that others
// asked for since then will do, and may be over already.
func (g *Gate) PassSince(ctx context.Context, stream string, moment uint64, m Mark) error {
	return g.pass(ctx, g.lane(stream), moment, m)
}

func (g *Gate) pass(ctx context.Context, l *lane, since uint64, m Mark) error {
	g.passes.Add(1)
	if err := l.ensureFit(ctx); err != nil {
		return err
	}
	if g.mode != Group {
		if m.server == "" || g.Mark() != m {
			return ErrChanged
		}
		return nil
	}
	b := l.join(since)
	select {
	case <-b.done:
	case <-ctx.Done():
		return fmt.Errorf("waiting for the flush of %s: %w", l.stream, ctx.Err())
	}
	if b.err != nil {
		return b.err
	}
	if b.mark != m {
		return ErrChanged
	}
	return nil
}

func (g *Gate) lane(stream string) *lane {
	if l, ok := g.lanes.Load(stream); ok {
		return l.(*lane)
	}
	l, _ := g.lanes.LoadOrStore(stream, &lane{gate: g, stream: stream, subject: proto.FlushSubject(stream)})
	return l.(*lane)
}

// join returns the first batch that was not sent before since many were.
func (l *lane) join(since uint64) *batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last != nil && l.last.number > since && !l.last.failed() {
		return l.last
	}
	if l.next == nil {
		l.next = &batch{done: make(chan struct{})}
	}
	if !l.running {
		l.running = true
		go l.run()
	}
	return l.next
}

// run sends batch after batch until nobody waits.
func (l *lane) run() {
	for b := l.take(); b != nil; b = l.take() {
		b.mark, b.err = l.gate.flush(l.stream, l.subject)
		close(b.done)
	}
}

// yields is how often a batch lets others run before it is sent. Who has nothing
// else to do loses no time by it; on a busy machine those who are about to come
// come first, and each flush serves more of them: 60 % fewer flushes at 64 runs.
const yields = 4

func (l *lane) take() *batch {
	for range yields {
		runtime.Gosched()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.next
	l.next = nil
	if b != nil {
		l.sent++
		b.number, l.last = l.sent, b
	}
	l.running = b != nil
	return b
}

// failed says that it is done, and in vain.
func (b *batch) failed() bool {
	select {
	case <-b.done:
		return b.err != nil
	default:
		return false
	}
}

// flush asks the broker once. The mark it returns is that of the answer.
func (g *Gate) flush(stream, subject string) (Mark, error) {
	g.flushes.Add(1)
	ctx, cancel := context.WithTimeout(g.link.Load().ctx, g.wait)
	defer cancel()
	a, err := g.askFor(ctx, stream, subject)
	if linkLost(err) {
		return Mark{}, ErrChanged
	}
	if err != nil {
		return Mark{}, fmt.Errorf("flushing stream %s: %w", stream, err)
	}
	if a.Error != "" {
		return Mark{}, fmt.Errorf("flushing stream %s: the broker says: %s", stream, a.Error)
	}
	g.room.note(a)
	return Mark{server: a.Server, reconnects: g.nc.Stats().Reconnects}, nil
}

// askFor asks for one flush. The Flusher of another server than the connection's
// answers with that server's id, so that no mark equals its answer's.
func (g *Gate) askFor(ctx context.Context, stream, subject string) (answer, error) {
	if g.flusher == nil {
		return ask(ctx, g.nc, subject)
	}
	answered := make(chan answer, 1)
	g.flusher.request(stream, func(a answer) { answered <- a })
	select {
	case a := <-answered:
		return a, nil
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
}

// linkLost tells the errors of a connection that broke while an answer was due.
func linkLost(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, nats.ErrConnectionClosed) ||
		errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, nats.ErrDisconnected)
}

// ask sends one request to the Flusher.
func ask(ctx context.Context, nc *nats.Conn, subject string) (answer, error) {
	var a answer
	m, err := nc.RequestWithContext(ctx, subject, nil)
	if errors.Is(err, nats.ErrNoResponders) {
		return a, fmt.Errorf("no flush service answers at %s: %w", subject, err)
	}
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return a, fmt.Errorf("reading the answer of the flush service: %w", err)
	}
	return a, nil
}
