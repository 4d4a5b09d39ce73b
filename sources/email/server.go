package email

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
	"go.uber.org/zap"
)

// Limits bound what is taken. Zeros are the defaults.
type Limits struct {
	Size        int64 // of a mail, in bytes: 25 MiB
	Recipients  int   // of a mail: 100
	Connections int   // at once: 500
	Each        int   // of them from one address: 50
	Rate        int   // mails a second from one address, on average over ten seconds; 0: any number
}

// Config says how to receive mail.
type Config struct {
	Limits
	Storage
	Name    string      // of this server, as it greets: a host name
	Domains []string    // whose mail is received; "*": all
	TLS     *tls.Config // nil: no STARTTLS
	// Known tells whether a workflow has a mailbox; an error: nobody knows now.
	Known func(ctx context.Context, mailbox string) (bool, error)
	Log   *zap.Logger
}

const (
	commandWithin = time.Minute      // from one command to the next
	pauseWithin   = time.Minute      // between parts of a mail
	mailWithin    = 10 * time.Minute // for all of it
	storeWithin   = 30 * time.Second
	longestLine   = 1 << 20 // many mails have longer ones than they may

	// Mails up to so many bytes are read whenever they come; of larger ones some at a
	// time, so that they cannot fill the memory.
	smallMail  = 512 << 10
	largeMails = 4
	largeWait  = 30 * time.Second
)

// Server receives mail.
type Server struct {
	config Config
	smtp   *smtp.Server
	counts counts
	rate   brake
	large  chan struct{} // holds one for each large mail that is being read

	draining atomic.Bool
	mu       sync.Mutex
	busy     int           // mails that are being taken
	idle     chan struct{} // closed when there is none and it drains
}

// NewServer returns a server that Serve starts.
func NewServer(c Config) *Server {
	c.Size, c.Recipients = cmp.Or(c.Size, 25<<20), cmp.Or(c.Recipients, 100)
	c.Connections, c.Each = cmp.Or(c.Connections, 500), cmp.Or(c.Each, 50)
	s := &Server{config: c, counts: newCounts(), rate: brake{most: c.Rate}, large: make(chan struct{}, largeMails), idle: make(chan struct{})}
	s.smtp = smtp.NewServer(smtp.BackendFunc(s.session))
	s.smtp.Domain = cmp.Or(c.Name, "localhost")
	s.smtp.TLSConfig = c.TLS
	s.smtp.MaxMessageBytes, s.smtp.MaxRecipients, s.smtp.MaxLineLength = c.Size, c.Recipients, longestLine
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = commandWithin, commandWithin
	s.smtp.EnableSMTPUTF8 = true
	s.smtp.ErrorLog = logged{c.Log}
	return s
}

// Serve receives mail until Stop.
func (s *Server) Serve(l net.Listener) error {
	return s.smtp.Serve(&limited{Listener: l, most: s.config.Connections, each: s.config.Each, from: map[string]int{},
		refused: func() { s.counts.add(Overload) }})
}

// Stop takes no more mails, waits for those that are under way until ctx ends, and
// closes all connections.
func (s *Server) Stop(ctx context.Context) {
	s.mu.Lock()
	if s.draining.CompareAndSwap(false, true) && s.busy == 0 {
		close(s.idle)
	}
	s.mu.Unlock()
	select {
	case <-s.idle:
	case <-ctx.Done():
	}
	_ = s.smtp.Close() // an error of a listener that is closed already
}

// begin takes on a mail, unless the server stops.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() {
		return false
	}
	s.busy++
	return true
}

func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy--; s.busy == 0 && s.draining.Load() {
		close(s.idle)
	}
}

// Stats returns how often each outcome was.
func (s *Server) Stats() map[Outcome]int64 {
	all := map[Outcome]int64{}
	for o, n := range s.counts {
		all[o] = n.Load()
	}
	return all
}

// receives tells whether a domain's mail is for us.
func (s *Server) receives(domain string) bool {
	for _, d := range s.config.Domains {
		if d == "*" || strings.EqualFold(d, domain) {
			return true
		}
	}
	return false
}

// mailbox finds whose mailbox an address is: without what follows a +, unless that is
// part of a mailbox's name.
func (s *Server) mailbox(ctx context.Context, local string) (name, tag string, err error) {
	local = strings.ToLower(local)
	known, err := s.config.Known(ctx, local)
	if known || err != nil {
		return local, "", err
	}
	name, tag, tagged := strings.Cut(local, "+")
	if !tagged {
		return "", "", nil
	}
	if known, err = s.config.Known(ctx, name); !known {
		name = ""
	}
	return name, tag, err
}

// takeLarge waits for a place for a large mail.
func (s *Server) takeLarge() (release func(), ok bool) {
	select {
	case s.large <- struct{}{}:
		return func() { <-s.large }, true
	case <-time.After(largeWait):
		return nil, false
	}
}

// logged takes what the SMTP library complains of: of clients, mostly.
type logged struct{ log *zap.Logger }

func (l logged) Printf(format string, v ...any) { l.log.Sugar().Debugf("smtp: "+format, v...) }
func (l logged) Println(v ...any)               { l.log.Sugar().Debug(append([]any{"smtp: "}, v...)...) }
