// Package mailboxes reads the mailboxes on other servers that deployed workflows name.
// Workers do that, since only they have the passwords; of all workers one at a time for
// each mailbox, however many workflows name it.
package mailboxes

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"zflow/engine/catalog"
	"zflow/engine/leases"
	"zflow/proto"
	"zflow/sources/email"
	"zflow/sources/imap"
	"zflow/sources/imap/place"

	"go.uber.org/zap"
)

// Options are what mailboxes are read with.
type Options struct {
	Catalog *catalog.Catalog
	Leases  *leases.Store
	Holder  string // the worker's id
	Places  *place.Store
	Storage email.Storage
	Secrets func() map[string]string // as they are now, by name, readable
	// Token is what a connection gives for a server; nil: there are no connections.
	Token func(ctx context.Context, connection, server string) (imap.Key, error)
	Dial  func(ctx context.Context, network, address string) (net.Conn, error)
	TLS   *tls.Config // nil: the usual one
	Log   *zap.Logger
}

// Mailboxes are those that a worker process reads, or would if no other did.
type Mailboxes struct {
	Options
	large chan struct{}

	mu      sync.Mutex
	readers map[string]*reading
}

// reading is one mailbox.
type reading struct {
	mailbox imap.Mailbox
	logins  atomic.Pointer[[]login] // of the workflows that name it
	reader  *imap.Reader
	held    atomic.Bool // by this process
	stop    context.CancelFunc
	ended   chan struct{}
}

const (
	// atOnce is how many large mails a worker reads at a time.
	atOnce = 4
	// retry is when workflows that could not be read are read again.
	retry = 10 * time.Second
)

// New returns Mailboxes that Run reads.
func New(o Options) *Mailboxes {
	return &Mailboxes{Options: o, large: make(chan struct{}, atOnce), readers: map[string]*reading{}}
}

// Run reads the mailboxes of the workflows that are deployed until ctx ends.
func (m *Mailboxes) Run(ctx context.Context) error {
	entries, err := m.Catalog.Watch(ctx)
	if err != nil {
		return fmt.Errorf("reading mailboxes: %w", err)
	}
	defer m.end()
	told := ""
	for {
		again := (<-chan time.Time)(nil)
		if err := m.follow(ctx); err != nil && ctx.Err() == nil {
			again = time.After(retry)
			if err.Error() != told {
				told = err.Error()
				m.Log.Warn("which mailboxes workflows name is not known now; those known are read on", zap.Error(err))
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again:
		case _, open := <-entries:
			if !open {
				return nil // ctx has ended
			}
			catalog.Together(entries)
		}
	}
}

// end stops all readers.
func (m *Mailboxes) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, r := range m.readers {
		r.stop()
		<-r.ended
		delete(m.readers, name)
	}
}

// follow reads the mailboxes that workflows name now, and no others.
func (m *Mailboxes) follow(ctx context.Context) error {
	w, err := m.wanted(ctx)
	if err != nil {
		return err
	}
	m.readAll(ctx, w)
	return m.forget(ctx, w)
}

// readAll begins and ends readers.
func (m *Mailboxes) readAll(ctx context.Context, w *wishes) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, r := range m.readers {
		if one := w.read[name]; one == nil || one.mailbox != r.mailbox {
			r.stop()
			<-r.ended
			delete(m.readers, name)
		}
	}
	for name, one := range w.read {
		r := m.readers[name]
		if r == nil {
			r = m.begin(ctx, one)
			m.readers[name] = r
		}
		r.logins.Store(&one.logins)
	}
}

// begin reads a mailbox, while no other worker does.
func (m *Mailboxes) begin(ctx context.Context, one *wish) *reading {
	ctx, stop := context.WithCancel(ctx)
	r := &reading{mailbox: one.mailbox, stop: stop, ended: make(chan struct{})}
	r.logins.Store(&one.logins)
	r.reader = imap.New(imap.Config{Mailbox: one.mailbox, Key: func(ctx context.Context) (imap.Key, error) { return m.key(ctx, r) }, Dial: m.Dial, TLS: m.TLS,
		Storage: &m.Storage, Places: m.Places, Large: m.large, Log: m.Log})
	go func() {
		defer close(r.ended)
		m.Leases.Duty(ctx, lease(one.mailbox.Name), m.Holder, func(ctx context.Context) error {
			r.held.Store(true)
			defer r.held.Store(false)
			return r.reader.Run(ctx)
		}, func(err error) {
			m.Log.Warn("reading a mailbox ended and is begun again", zap.String("mailbox", one.mailbox.Name), zap.Error(err))
		})
	}()
	return r
}

func lease(mailbox string) string { return "mailbox." + proto.Hash(mailbox) }

// forget removes how far mailboxes were read that no workflow names any more: one that
// does so later begins anew, and not with all that came since.
func (m *Mailboxes) forget(ctx context.Context, w *wishes) error {
	if len(w.unknown) > 0 {
		return nil
	}
	all, err := m.Places.All(ctx)
	if err != nil {
		return err
	}
	for _, p := range all {
		if w.named[p.Mailbox] {
			continue
		}
		_, err := m.Leases.While(ctx, lease(p.Mailbox), m.Holder, func(ctx context.Context) error {
			now, err := m.wanted(ctx) // what was deployed meanwhile may have been read
			if err != nil || now.named[p.Mailbox] || len(now.unknown) > 0 {
				return err
			}
			m.Log.Info("no workflow names a mailbox any more: how far it was read is forgotten", zap.String("mailbox", p.Mailbox))
			return m.Places.Forget(ctx, p.Mailbox)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Stats tells how it goes with the mailboxes that this worker reads.
func (m *Mailboxes) Stats() (all []imap.Stats) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.readers {
		if r.held.Load() {
			all = append(all, r.reader.Stats())
		}
	}
	slices.SortFunc(all, func(a, b imap.Stats) int { return strings.Compare(a.Mailbox, b.Mailbox) })
	return all
}
