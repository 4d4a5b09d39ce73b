package socket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"zflow/internal/pause"
	"zflow/internal/sealed"
	"zflow/internal/zoomapi"
	"zflow/proto"
	"zflow/sources"

	"github.com/coder/websocket"
	"go.uber.org/zap"
)

const (
	beat      = 30 * time.Second // Zoom's own measure
	silence   = 5 * beat / 2     // after which a connection counts as dead
	dialTime  = 15 * time.Second // for connecting, with what Zoom says first
	shortest  = time.Second      // between two attempts to connect
	longest   = time.Minute      // the same, once many have failed
	steady    = time.Minute      // a connection that lived so long begins anew with the shortest
	atOnce    = 32               // events being stored
	portion   = 8 << 10          // bytes of an event that take one place
	places    = 8 << 10          // 64 MiB: what waits to be stored while NATS is away
	readLimit = 16 << 20         // of one frame
	leaving   = 5 * time.Second  // for what is being stored at the end
)

// Config is what a Source is made of.
type Config struct {
	App string // whose events they are, as for webhooks
	URL string // wss://ws.zoom.us/ws?subscriptionId=…, without a token

	Token   func(context.Context) (zoomapi.Token, error)
	Renew   func(context.Context, zoomapi.Token) (zoomapi.Token, error) // after Zoom refused one
	Publish func(context.Context, *proto.Event) (sources.Ack, error)
	Key     sealed.PublicKey // seals the credentials in events
	Missed  func()           // events may have been missed until now; nil: nobody cares
	Most    func() int64     // the longest body that can be stored; nil: any
	Client  *http.Client     // nil: net/http's
	Log     *zap.Logger
}

// Source is the WebSocket of one app's subscription.
type Source struct {
	Config
	counters
	waiting chan struct{} // places taken by what is not stored yet
	storing chan struct{} // slots
}

// New checks the address.
func New(c Config) (*Source, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "wss" && u.Scheme != "ws" {
		return nil, fmt.Errorf("making the WebSocket of app %s: its address is not like wss://ws.zoom.us/ws?subscriptionId=…", c.App)
	}
	if u.Query().Has("access_token") {
		return nil, fmt.Errorf("making the WebSocket of app %s: leave access_token out of its address, it is added", c.App)
	}
	if c.Token == nil || c.Renew == nil || c.Publish == nil || c.Key.ID() == "" {
		return nil, fmt.Errorf("making the WebSocket of app %s: it needs tokens, a publisher and a sealing key", c.App)
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	c.Log = c.Log.With(zap.String("app", c.App))
	return &Source{Config: c, waiting: make(chan struct{}, places), storing: make(chan struct{}, atOnce)}, nil
}

// Run keeps a connection until ctx ends, then waits a little for what is being
// stored. The caller sees to it that it runs once at a time.
func (s *Source) Run(ctx context.Context) error {
	wait := shortest
	var refused *zoomapi.Token
	gone := make(chan struct{})
	defer close(gone)
	for {
		begun := time.Now()
		link, err := s.connect(ctx, &refused)
		if err == nil {
			link.gone = gone
			err = link.receive(ctx)
			if errors.Is(err, errToken) {
				refused = &link.token
			}
		}
		s.ended()
		if ctx.Err() != nil {
			s.leave()
			return nil
		}
		if time.Since(begun) > steady {
			wait = shortest
		}
		s.Log.Warn("the WebSocket ended and is opened again", zap.Error(err), zap.Duration("in", wait))
		pause.For(ctx, wait/2+rand.N(wait/2+1))
		wait = min(2*wait, longest)
	}
}

// errToken says that Zoom wants another token.
var errToken = errors.New("the token is refused")

// connect opens a connection, with a new token where the last was refused.
func (s *Source) connect(ctx context.Context, refused **zoomapi.Token) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	token, err := s.token(ctx, *refused)
	if err != nil {
		return nil, fmt.Errorf("getting a token: %w", err)
	}
	*refused = nil
	sep := "?"
	if strings.Contains(s.URL, "?") {
		sep = "&"
	}
	address := s.URL + sep + "access_token=" + url.QueryEscape(token.Access)
	conn, answer, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: s.Client})
	if err != nil {
		if answer != nil && answer.StatusCode == http.StatusUnauthorized {
			*refused = &token
		}
		return nil, fmt.Errorf("connecting: %s", withoutToken(err, token.Access))
	}
	conn.SetReadLimit(readLimit)
	return &link{Source: s, conn: conn, token: token}, nil
}

func (s *Source) token(ctx context.Context, refused *zoomapi.Token) (zoomapi.Token, error) {
	if refused != nil {
		return s.Renew(ctx, *refused)
	}
	return s.Token(ctx)
}

// withoutToken hides the token in an error that quotes the address.
func withoutToken(err error, token string) string {
	text := strings.ReplaceAll(err.Error(), token, "••••")
	return strings.ReplaceAll(text, url.QueryEscape(token), "••••")
}

// leave waits for the events that are being stored.
func (s *Source) leave() {
	ends := time.After(leaving)
	for taken := range cap(s.waiting) {
		select {
		case s.waiting <- struct{}{}:
		case <-ends:
			release(s.waiting, taken)
			return
		}
	}
	release(s.waiting, cap(s.waiting))
}

func (s *Source) most() int64 {
	if s.Most == nil {
		return readLimit
	}
	return cmp.Or(s.Most(), readLimit)
}

func release(places chan struct{}, n int) {
	for range n {
		<-places
	}
}
