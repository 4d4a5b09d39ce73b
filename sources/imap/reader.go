package imap

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"zflow/internal/pause"
	"zflow/sources/email"
	"zflow/sources/imap/place"

	"go.uber.org/zap"
)

// Mailbox is one on another server.
type Mailbox struct {
	Name    string // the type of its events
	Address string // of the server: host:port
	Secure  string // implicit, starttls, none
	User    string
	Folder  string
	Every   time.Duration // between two looks, though the server may tell sooner
	Since   time.Duration // at the first look, mails that came so long ago are taken too
	Seen    bool          // mails that were taken are marked as read
	Move    string        // the folder to which they go; empty: they stay
}

// Config says how to read a mailbox.
type Config struct {
	Mailbox
	Key     func(context.Context) (Key, error) // as it is now
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	TLS     *tls.Config // nil: the usual one
	Storage *email.Storage
	Places  *place.Store
	Large   chan struct{} // holds one for each large mail that is being read
	MaxSize int64         // of a mail: 25 MiB
	Log     *zap.Logger
}

// Key is what a mailbox is opened with.
type Key struct {
	Text  string
	Token bool // of OAuth; else it is a password
	// Renew makes the next Key another one, since this was refused; nil: nothing can.
	Renew func(context.Context) error
}

const (
	firstPause = 5 * time.Second
	mostPause  = 5 * time.Minute
	longPause  = time.Hour // until a person has changed something
	saveWithin = 10 * time.Second
	lookAgain  = 5 * time.Second
	// quiet is how long a mailbox may not be read before that is told as more than a
	// failure that passes.
	quiet = 10 * time.Minute
	// noteEvery is how often it is noted that a mailbox was read, where nothing came.
	noteEvery = time.Minute
)

// Reader reads a mailbox.
type Reader struct {
	Config
	position place.Position
	saved    time.Time     // when the position was
	told     string        // the failure that was told last
	alarmed  bool          // that it is quiet was told
	first    time.Duration // the pause after a first failure
	renewed  time.Time     // when a token was, since the server did not take it

	mu     sync.Mutex
	stats  Stats
	counts map[Outcome]int64
}

// New returns a Reader that Run starts.
func New(c Config) *Reader {
	c.MaxSize = cmp.Or(c.MaxSize, 25<<20)
	c.Log = c.Log.With(zap.String("mailbox", c.Name))
	return &Reader{Config: c, first: firstPause, counts: map[Outcome]int64{}}
}

// Run reads the mailbox until ctx ends.
func (r *Reader) Run(ctx context.Context) error {
	begun := time.Now()
	for wait := r.first; ctx.Err() == nil; {
		key, err := r.Key(ctx)
		looked := false
		if err == nil {
			looked, err = r.session(ctx, key)
		}
		if ctx.Err() != nil {
			return nil
		}
		if looked { // servers end connections now and then
			r.Log.Debug("the connection to the mailbox ended", zap.Error(err))
			pause.For(ctx, r.first/5)
			wait = r.first
			continue
		}
		r.failed(ctx, err, begun)
		r.rest(ctx, err, key.Text, wait)
		wait = min(2*wait, mostPause)
	}
	return nil
}

// rest waits before the next try: long where only a person can help, unless the
// key changes.
func (r *Reader) rest(ctx context.Context, err error, key string, wait time.Duration) {
	var f *failure
	wait += rand.N(wait / 4)
	if errors.As(err, &f) && f.lasting {
		wait = longPause
	}
	for end := time.Now().Add(wait); time.Now().Before(end); {
		if !pause.For(ctx, min(lookAgain, time.Until(end))) {
			return
		}
		if now, err := r.Key(ctx); err == nil && now.Text != key {
			return
		}
	}
}

// failed tells a failure, once as long as it is the same, and keeps it with the position.
func (r *Reader) failed(ctx context.Context, err error, begun time.Time) {
	text := explain(err)
	if text != r.told {
		r.told = text
		r.Log.Warn("the mailbox cannot be read: its mails wait", zap.String("error", text))
		r.problem(ctx, text)
	}
	last := r.Stats().Looked
	if last.IsZero() {
		last = begun
	}
	if time.Since(last) > quiet && !r.alarmed {
		r.alarmed = true
		r.Log.Error("the mailbox was not read for a while: no workflow learns of its mails", zap.Time("last", last), zap.String("error", text))
	}
}

// problem keeps why the mailbox cannot be read, where others look for it.
func (r *Reader) problem(ctx context.Context, text string) {
	r.note(func(s *Stats) { s.Problem = text })
	p, err := r.Places.Load(ctx, r.Name)
	if err == nil {
		p.Mailbox, p.Problem = r.Name, &place.Problem{Message: text, Since: time.Now().UTC()}
		err = r.Places.Save(ctx, p)
	}
	if err != nil && ctx.Err() == nil {
		r.Log.Warn("why the mailbox cannot be read cannot be kept", zap.Error(err))
	}
}

// read notes that the mailbox was read.
func (r *Reader) read(ctx context.Context) error {
	now := time.Now().UTC()
	r.note(func(s *Stats) { s.Looked, s.Problem = now, "" })
	if r.told != "" {
		r.Log.Info("the mailbox is read again")
		r.told, r.alarmed = "", false
	}
	p := &r.position
	p.Looked = now
	if p.Problem == nil && now.Sub(r.saved) < noteEvery {
		return nil
	}
	p.Problem = nil
	return r.save(ctx)
}

// save notes how far the mailbox was read; what was published is noted though the reader
// is to end.
func (r *Reader) save(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveWithin)
	defer cancel()
	if err := r.Places.Save(ctx, r.position); err != nil {
		return err
	}
	r.saved = time.Now()
	return nil
}
