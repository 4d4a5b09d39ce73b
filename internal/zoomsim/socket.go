package zoomsim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/coder/websocket"

	"zflow/internal/zoomsim/rest"
)

// Zoom's rules for WebSockets.
const (
	heartbeatWithin = time.Minute // asked for every 30 s; without any for so long the connection ends
	sendWithin      = 3 * time.Second
)

// Texts of a socket that a client goes by.
const (
	socketLive     = "live"
	socketBadToken = "Invalid Token"
)

// socket is the open connection of a subscription.
type socket struct {
	sub    *subscription
	token  string
	conn   *websocket.Conn
	since  time.Time
	silent bool // guarded by the Sim's lock
}

// frame is what goes over a socket. Content is text, also where it is JSON.
type frame struct {
	Module  string         `json:"module"`
	Success bool           `json:"success"`
	Content string         `json:"content"`
	Header  map[string]any `json:"header,omitempty"`
}

// serveSocket opens a connection, which closes the subscription's last, and keeps
// it until it ends.
func (s *Sim) serveSocket(w http.ResponseWriter, r *http.Request) {
	entry := Entry{Kind: KindSocket, Operation: "connect", Method: r.Method, Path: r.URL.Path, Time: time.Now()}
	q := r.URL.Query()
	sub := s.socketSubscription(q.Get("subscriptionId"))
	if sub == nil {
		s.reply(w, entry, rest.Error(http.StatusNotFound, 300, "Event subscription does not exist: %s.", q.Get("subscriptionId")))
		return
	}
	if !s.hold() {
		return
	}
	defer s.work.Done()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // a browser's origin is no concern here
	if err != nil {
		return // answered by Accept
	}
	entry.App, entry.Status = sub.App, http.StatusSwitchingProtocols
	k := &socket{sub: sub, token: q.Get("access_token"), conn: conn, since: time.Now()}
	good := s.tokenFits(k)
	if !good {
		entry.Note = socketBadToken
	}
	s.ledger.add(entry)
	ctx, cancel := s.untilDone()
	defer cancel()
	defer conn.CloseNow()
	if !good {
		s.bid(ctx, k, "build_connection")
		return
	}
	if last := s.open(k); last != nil {
		last.conn.Close(websocket.StatusNormalClosure, "another connection was opened")
	}
	defer s.shut(k)
	if k.write(ctx, frame{Module: "build_connection", Success: true, Content: "ok"}) == nil {
		s.converse(ctx, k)
	}
}

// hold makes Close wait for what the caller does; false means that it is too late.
func (s *Sim) hold() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		return false
	}
	s.work.Add(1)
	return true
}

// untilDone returns a context that ends with the Sim.
func (s *Sim) untilDone() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	s.work.Go(func() {
		select {
		case <-s.done:
			cancel()
		case <-over:
		}
	})
	return ctx, func() { close(over); cancel() }
}

func (s *Sim) socketSubscription(id string) *subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.subs, func(sub *subscription) bool { return sub.ID == id && sub.Socket })
	if i < 0 {
		return nil
	}
	return s.subs[i]
}

// tokenFits tells whether the connection's token is still good for its app.
func (s *Sim) tokenFits(k *socket) bool {
	g, err := s.oauth.Grant(k.token)
	return err == nil && g.App.ClientID == k.sub.App
}

func (s *Sim) open(k *socket) (last *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last = s.sockets[k.sub.ID]
	s.sockets[k.sub.ID] = k
	return last
}

func (s *Sim) shut(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sockets[k.sub.ID] == k {
		delete(s.sockets, k.sub.ID)
	}
}

// socketOf returns the open connection of a subscription, or nil.
func (s *Sim) socketOf(id string) (k *socket, silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k = s.sockets[id]
	return k, k != nil && k.silent
}

// converse answers heartbeats until there are none for too long.
func (s *Sim) converse(ctx context.Context, k *socket) {
	for {
		wait, cancel := context.WithTimeout(ctx, heartbeatWithin)
		_, text, err := k.conn.Read(wait)
		cancel()
		if err != nil {
			return
		}
		v, _ := rest.DecodeObject(text)
		if _, silent := s.socketOf(k.sub.ID); silent || v["module"] != "heartbeat" {
			continue
		}
		if !s.tokenFits(k) {
			s.bid(ctx, k, "heartbeat")
			return
		}
		if k.write(ctx, frame{Module: "heartbeat", Success: true, Content: socketLive}) != nil {
			return
		}
	}
}

// bid tells a client that its token is no good any more, and closes.
func (s *Sim) bid(ctx context.Context, k *socket, module string) {
	if k.write(ctx, frame{Module: module, Content: socketBadToken}) == nil {
		k.conn.Close(websocket.StatusPolicyViolation, socketBadToken)
	}
}

func (k *socket) write(ctx context.Context, f frame) error {
	return k.send(ctx, websocket.MessageText, rest.Encode(f))
}

func (k *socket) send(ctx context.Context, kind websocket.MessageType, b []byte) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	return k.conn.Write(ctx, kind, b)
}

// pass sends a delivery over the open connection. There is one try: what happens
// while nobody is connected is lost.
func (s *Sim) pass(d delivery) {
	r := receipt{err: s.passOnce(d), code: -3}
	if r.err == nil {
		r.status = http.StatusOK
	}
	e := Entry{Kind: KindDelivery, Event: d.kind, App: d.sub.App, Path: "/ws", Attempt: 1, Status: r.status, Body: wordOf(d.body), Time: time.Now()}
	if r.err != nil {
		e.Note = r.err.Error()
	}
	s.weblog.add(d, 0, r)
	s.ledger.add(e)
}

func (s *Sim) passOnce(d delivery) error {
	k, silent := s.socketOf(d.sub.ID)
	ctx, cancel := s.untilDone()
	defer cancel()
	switch {
	case d.fail:
		return errors.New("chaos: never arrives")
	case k == nil:
		return errors.New("nobody is connected: lost")
	case silent:
		return errors.New("the connection is silent: lost")
	case !s.tokenFits(k):
		s.bid(ctx, k, "message")
		return errors.New("the token is no good: lost")
	}
	return k.write(ctx, frame{Module: "message", Success: true, Content: string(d.body), Header: map[string]any{"clientid": d.sub.App}})
}

// SocketFault makes an open connection go wrong.
type SocketFault struct {
	Subscription string `json:"subscription"`
	Drop         bool   `json:"drop,omitempty"`    // ends without a word
	Silent       bool   `json:"silent,omitempty"`  // stays open, but nothing comes any more, no heartbeats either
	Garbage      int    `json:"garbage,omitempty"` // so many frames that are no messages
}

// garbage are frames that a client must outlive.
var garbage = []string{
	"", "not JSON", `[]`, `{"module":"message","success":true,"content":{"no":"text"}}`, `{"module":"message","success":true,"content":"{"}`,
	`{"module":"unheard_of"}`, "\xff\xfe", `{"module":"message","success":true,"content":"null"}`,
}

// BreakSocket makes the open connection of a subscription go wrong.
func (s *Sim) BreakSocket(f SocketFault) error {
	k, _ := s.socketOf(f.Subscription)
	if k == nil {
		return fmt.Errorf("breaking a connection: subscription %s has none", f.Subscription)
	}
	for i := range f.Garbage {
		kind := websocket.MessageText
		if i%2 == 1 {
			kind = websocket.MessageBinary
		}
		if err := k.send(context.Background(), kind, []byte(garbage[i%len(garbage)])); err != nil {
			return fmt.Errorf("sending garbage: %w", err)
		}
	}
	if f.Silent {
		s.mu.Lock()
		k.silent = true
		s.mu.Unlock()
	}
	if f.Drop {
		return k.conn.CloseNow()
	}
	return nil
}

// Connected is an open connection.
type Connected struct {
	Subscription string    `json:"subscription"`
	App          string    `json:"client_id"`
	Since        time.Time `json:"since"`
}

// Sockets returns the open connections.
func (s *Sim) Sockets() []Connected {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []Connected{}
	for id, k := range s.sockets {
		all = append(all, Connected{Subscription: id, App: k.sub.App, Since: k.since})
	}
	slices.SortFunc(all, func(a, b Connected) int { return a.Since.Compare(b.Since) })
	return all
}
