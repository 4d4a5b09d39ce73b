package durable

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"zflow/proto"
)

// startLimit bounds how long the server may take to answer at the start.
const startLimit = time.Minute

// FlusherOptions tune a Flusher. The zero value is right for a broker.
type FlusherOptions struct {
	// Appended names the streams whose files are never rewritten; default
	// EVENTS and RUNS.
	Appended []string
	// Sweep is how often everything that changed is flushed unasked (default 1 s).
	Sweep time.Duration
	// Reserve is how many bytes of the disk are kept free; default 512 MiB, or
	// 5 % of a smaller disk.
	Reserve uint64
	// Patience is how long a stream may refuse writes (default 30 s).
	Patience time.Duration
	// WriteErrors tells the streams of the account that have seen a write error, and
	// the error. Only the server itself knows it of streams that deny deletes, since
	// those cannot be probed; nil: they are not found out.
	WriteErrors func() map[string]string
	// Sync flushes one file or folder; default fdatasync and fsync.
	Sync func(*os.File) error
}

// Flusher flushes a server's stream files on request.
type Flusher struct {
	nc      *nats.Conn
	streams string // folder with one folder per stream
	o       FlusherOptions
	server  string
	ready   chan struct{}
	failed  chan error
	work    sync.WaitGroup

	mu      sync.Mutex
	lines   map[string]*line
	stopped bool

	space  space
	counts counters
}

// NewFlusher flushes the streams of one account, whose folder is
// <store>/jetstream/<account>. nc is an in-process connection of a user of this
// account that may serve zflow.flush.> and use the JetStream API.
func NewFlusher(nc *nats.Conn, accountDir string, o FlusherOptions) *Flusher {
	if o.Appended == nil {
		o.Appended = []string{proto.Events, proto.Runs}
	}
	if o.Sync == nil {
		o.Sync = syncFile
	}
	o.Sweep, o.Patience = orElse(o.Sweep, time.Second), orElse(o.Patience, 30*time.Second)
	return &Flusher{
		nc: nc, streams: filepath.Join(accountDir, "streams"), o: o,
		ready: make(chan struct{}), failed: make(chan error, 1),
		lines: map[string]*line{},
	}
}

// Ready is closed when requests are answered.
func (f *Flusher) Ready() <-chan struct{} { return f.ready }

// Run answers until ctx ends (then nil), or until a flush fails or a stream
// refuses writes for too long: then the broker must end.
func (f *Flusher) Run(ctx context.Context) error {
	defer f.closeFiles()
	subs, err := f.start(ctx)
	if err != nil {
		return fmt.Errorf("starting the flush service: %w", err)
	}
	close(f.ready)
	err = f.watch(ctx)
	for _, s := range subs {
		_ = s.Unsubscribe() // fails on a closed connection only, which serves nobody
	}
	f.stop()
	return err
}

// start checks what it stands on, flushes all that is there, and serves.
func (f *Flusher) start(ctx context.Context) ([]*nats.Subscription, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	f.server = f.nc.ConnectedServerId()
	if err := f.checkLayout(ctx); err != nil {
		return nil, f.explain(err)
	}
	if err := f.flushAll(); err != nil {
		return nil, err
	}
	return f.serve(ctx)
}

// explain says of an error that the disk is full, where it is.
func (f *Flusher) explain(err error) error {
	if f.space.measure(f.streams, f.o.Reserve) == nil {
		if d := f.space.now(); d.Free < d.Reserve {
			return fmt.Errorf("%w: the disk is full, %d of %d bytes are free", err, d.Free, d.Size)
		}
	}
	return err
}

// stop lets the flushes under way end, and begins no other.
func (f *Flusher) stop() {
	f.mu.Lock()
	f.stopped = true
	f.mu.Unlock()
	f.work.Wait()
}

// flushAll flushes every stream: a server killed before us may have left
// written blocks that nobody flushed.
func (f *Flusher) flushAll() error {
	if err := f.space.measure(f.streams, f.o.Reserve); err != nil {
		return err
	}
	names, err := f.list()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := f.line(name).files.flush(true); err != nil && !errors.Is(err, errNoStream) {
			return err
		}
	}
	return nil
}

func (f *Flusher) serve(ctx context.Context) ([]*nats.Subscription, error) {
	info, err := f.nc.Subscribe(infoSubject, f.onInfo)
	if err != nil {
		return nil, err
	}
	flush, err := f.nc.Subscribe(proto.FlushSubject("*"), f.onFlush)
	if err != nil {
		return nil, err
	}
	return []*nats.Subscription{info, flush}, f.nc.FlushWithContext(ctx)
}

// watch sweeps and probes until there is a reason to end.
func (f *Flusher) watch(ctx context.Context) error {
	probes := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f.work.Go(func() { probes <- f.probe(ctx) })
	closed := f.nc.StatusChanged(nats.CLOSED)
	defer f.nc.RemoveStatusListener(closed)
	tick := time.NewTicker(f.o.Sweep)
	defer tick.Stop()
	for {
		select {
		case <-closed:
			return errors.New("the flush service lost its connection")
		case <-ctx.Done():
			return nil
		case err := <-f.failed:
			return err
		case err := <-probes:
			return err
		case <-tick.C:
			if err := f.sweep(); err != nil {
				return err
			}
		}
	}
}

// sweep measures the disk and queues a flush of every stream.
func (f *Flusher) sweep() error {
	if err := f.space.measure(f.streams, f.o.Reserve); err != nil {
		return err
	}
	names, err := f.list()
	if err != nil {
		return err
	}
	for _, name := range names {
		f.enqueue(f.line(name), nil)
	}
	return nil
}

func (f *Flusher) list() ([]string, error) {
	entries, err := os.ReadDir(f.streams)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // no stream yet
	}
	if err != nil {
		return nil, fmt.Errorf("listing the streams: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") { // a dot: being deleted
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (f *Flusher) onInfo(m *nats.Msg) {
	d := f.space.now()
	f.reply(m, answer{Server: f.server, Mode: Group, Size: d.Size, Free: d.Free, Reserve: d.Reserve})
}

func (f *Flusher) onFlush(m *nats.Msg) {
	f.request(strings.TrimPrefix(m.Subject, proto.FlushSubject("")), func(a answer) { f.reply(m, a) })
}

// request flushes a stream, and then answers.
func (f *Flusher) request(stream string, respond func(answer)) {
	f.counts.requests.Add(1)
	l := f.known(stream)
	if l == nil {
		respond(answer{Server: f.server, Error: fmt.Sprintf("there is no stream %q", stream)})
		return
	}
	f.enqueue(l, respond)
}

func (f *Flusher) reply(m *nats.Msg, a answer) {
	_ = m.Respond(a.encode()) // who asked sees a lost answer as a lost connection
}

// known returns the line of a stream that exists. A subject may carry anything,
// so what is no plain folder name is not looked for.
func (f *Flusher) known(stream string) *line {
	if strings.ContainsAny(stream, `/\.`) || stream == "" {
		return nil
	}
	if info, err := os.Stat(filepath.Join(f.streams, stream)); err != nil || !info.IsDir() {
		return nil
	}
	return f.line(stream)
}

func (f *Flusher) closeFiles() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.lines {
		l.files.close()
	}
}
