package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"zflow/internal/sealed"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomsim"
	"zflow/proto"
	"zflow/sources"

	"github.com/coder/websocket"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// rig is a Source and the far end of its connections, in a bubble.
type rig struct {
	*Source
	logs  *observer.ObservedLogs
	conns chan *websocket.Conn
	beats chan time.Time

	mu      sync.Mutex
	token   string
	renewed int
	missed  int
	quiet   bool // no beat is answered
	failure error
	stored  []*proto.Event
}

func run(t *testing.T, play func(*testing.T, *rig)) {
	t.Helper()
	keys, err := sealed.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		r := &rig{logs: logs, conns: make(chan *websocket.Conn, 10), beats: make(chan time.Time, 1000), token: "tok/en-1"}
		pipe := zoomsim.NewPipe()
		server := &http.Server{Handler: http.HandlerFunc(r.accept)}
		go func() { _ = server.Serve(pipe) }()
		r.Source, err = New(Config{
			App: "main", URL: "ws://ws.zoom.example/ws?subscriptionId=s1", Key: keys.Public(), Log: zap.New(core),
			Token: r.give, Renew: r.renew, Publish: r.publish, Client: &http.Client{Transport: pipe.Transport()},
			Missed: func() { r.mu.Lock(); r.missed++; r.mu.Unlock() },
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()
		play(t, r)
		stop()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
		r.saidNothing(t)
		_ = server.Close()
		_ = pipe.Close()
		r.Client.CloseIdleConnections()
		time.Sleep(time.Minute)
	})
}

func (r *rig) accept(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	right := q.URL.Query().Get("access_token") == r.token && q.URL.Query().Get("subscriptionId") == "s1"
	r.mu.Unlock()
	c, err := websocket.Accept(w, q, nil)
	if err != nil {
		return
	}
	if !right {
		_ = c.Write(q.Context(), websocket.MessageText, []byte(`{"module":"build_connection","success":false,"content":"Invalid Token"}`))
		_ = c.CloseNow()
		return
	}
	_ = c.Write(q.Context(), websocket.MessageText, []byte(`{"module":"build_connection","success":true,"content":"build success"}`))
	r.conns <- c
	for {
		_, data, err := c.Read(context.Background())
		if err != nil {
			return
		}
		if string(data) == heartbeat {
			r.beats <- time.Now()
			r.mu.Lock()
			quiet := r.quiet
			r.mu.Unlock()
			if quiet {
				continue
			}
			_ = c.Write(context.Background(), websocket.MessageText, []byte(`{"module":"heartbeat","success":true,"content":"live"}`))
		}
	}
}

func (r *rig) give(context.Context) (zoomapi.Token, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return zoomapi.Token{Access: fmt.Sprintf("tok/en-%d", r.renewed+1), Connection: "school"}, nil
}

func (r *rig) renew(ctx context.Context, _ zoomapi.Token) (zoomapi.Token, error) {
	r.mu.Lock()
	r.renewed++
	r.mu.Unlock()
	return r.give(ctx)
}

func (r *rig) publish(_ context.Context, e *proto.Event) (sources.Ack, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failure != nil {
		return sources.Ack{}, r.failure
	}
	again := slices.ContainsFunc(r.stored, func(o *proto.Event) bool { return o.ID == e.ID })
	if !again {
		r.stored = append(r.stored, e)
	}
	return sources.Ack{Duplicate: again}, nil
}

func (r *rig) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

func (r *rig) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.stored)
}

// saidNothing looks for what no log may hold.
func (r *rig) saidNothing(t *testing.T) {
	t.Helper()
	for _, l := range r.logs.All() {
		text := fmt.Sprint(l.Message, l.ContextMap())
		if strings.Contains(text, "tok/en") || strings.Contains(text, "tok%2Fen") || strings.Contains(text, "hidden-topic") {
			t.Errorf("logged: %s", text)
		}
	}
}

func body(n int) string {
	return fmt.Sprintf(`{"event":"meeting.ended","event_ts":%d,"payload":{"account_id":"A","object":{"uuid":"u==","topic":"hidden-topic"}}}`, 1790000000000+n)
}

func send(t *testing.T, c *websocket.Conn, body string) {
	t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	raw(t, c, `{"module":"message","content":`+string(content)+`}`)
}

func raw(t *testing.T, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// TestEventsComeIn: what is no event is counted, and stops nothing.
func TestEventsComeIn(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		c := <-r.conns
		send(t, c, body(1))
		raw(t, c, `{"module":"message","content":`+body(2)+`}`) // not written as a text
		send(t, c, body(1))
		send(t, c, `{"event":"brand.new","payload":{}}`)
		for _, text := range []string{`{`, ``, `[]`, `{"module":"message"}`, `{"module":"message","content":"no JSON, hidden-topic"}`, `{"module":"message","content":null}`, `{"module":"else"}`} {
			raw(t, c, text)
		}
		if err := c.Write(t.Context(), websocket.MessageBinary, []byte("hidden-topic")); err != nil {
			t.Fatal(err)
		}
		send(t, c, body(3))
		synctest.Wait()
		if r.count() != 4 {
			t.Fatalf("%d events", r.count())
		}
		s := r.Stats()
		if !s.Open || s.Connections != 1 || s.App != "main" || s.Counts[Accepted] != 4 || s.Counts[Duplicate] != 1 ||
			s.Counts[Malformed] != 8 || s.Counts[UnknownType] != 1 || !s.Last.Equal(time.Now()) {
			t.Errorf("%+v", s)
		}
		e := r.stored[0]
		if e.Origin != proto.FromWebSocket || e.Source != "zoom/main" || e.Type != "meeting.ended" || !e.ReceivedAt.Equal(time.Now()) {
			t.Errorf("%+v", e)
		}
	})
}

// TestItBeats: every 30 seconds, and with answers it lives for hours.
func TestItBeats(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		begun := time.Now()
		c := <-r.conns
		for i := range 240 {
			if at := <-r.beats; at.Sub(begun) != time.Duration(i+1)*beat {
				t.Fatalf("beat %d after %v", i, at.Sub(begun))
			}
		}
		send(t, c, body(1))
		synctest.Wait()
		if r.count() != 1 || r.Stats().Connections != 1 {
			t.Errorf("%d events, %+v", r.count(), r.Stats())
		}
	})
}

// TestItConnectsAgain: what was sent meanwhile is missed, which is said.
func TestItConnectsAgain(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		for i := range 5 {
			c := <-r.conns
			send(t, c, body(i))
			synctest.Wait()
			_ = c.CloseNow()
		}
		<-r.conns
		synctest.Wait()
		if r.count() != 5 || r.missed != 6 || r.Stats().Connections != 6 {
			t.Errorf("%d events, missed %d times, %+v", r.count(), r.missed, r.Stats())
		}
	})
}

// TestItWaitsLongerEachTime: up to a minute, so that a Zoom in trouble is left alone.
func TestItWaitsLongerEachTime(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		c := <-r.conns
		r.set(func() { r.token = "nobody's" }) // Zoom refuses whatever comes
		_ = c.CloseNow()
		time.Sleep(time.Hour)
		r.mu.Lock()
		tries := r.renewed
		r.mu.Unlock()
		if tries < 50 || tries > 150 {
			t.Errorf("%d attempts in an hour", tries)
		}
		r.set(func() { r.token = fmt.Sprintf("tok/en-%d", r.renewed+2) })
		begun := time.Now()
		<-r.conns
		if took := time.Since(begun); took > longest {
			t.Errorf("connected after %v", took)
		}
	})
}

// TestSilenceEndsIt: a connection over which nothing comes is dead, whatever TCP says.
func TestSilenceEndsIt(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		<-r.conns
		begun := time.Now()
		r.set(func() { r.quiet = true })
		<-r.conns
		if took := time.Since(begun); took < 2*beat || took > 3*beat {
			t.Errorf("connected again after %v", took)
		}
	})
}

// TestATokenThatIsRefused: in the middle of a connection, and at its beginning.
func TestATokenThatIsRefused(t *testing.T) {
	for _, said := range []string{`{"module":"heartbeat","success":false,"content":"Token is invalid"}`, `{"module":"","content":"Invalid Token"}`,
		`{"module":"build_connection","success":false,"content":"Token is expired"}`} {
		run(t, func(t *testing.T, r *rig) {
			c := <-r.conns
			r.set(func() { r.token = "tok/en-2" })
			raw(t, c, said)
			c = <-r.conns
			send(t, c, body(1))
			synctest.Wait()
			if r.renewed != 1 || r.count() != 1 {
				t.Errorf("%s: renewed %d times, %d events", said, r.renewed, r.count())
			}
		})
	}
}

// TestNATSIsAway: what came in is kept until it is stored, and the connection lives.
func TestNATSIsAway(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		c := <-r.conns
		r.set(func() { r.failure = errors.New("away") })
		sent := make(chan bool)
		go func() { // who sends more than is taken waits
			defer close(sent)
			for i := range 3 * atOnce {
				content, _ := json.Marshal(body(i))
				_ = c.Write(context.Background(), websocket.MessageText, []byte(`{"module":"message","content":`+string(content)+`}`))
			}
		}()
		time.Sleep(10 * time.Minute)
		if r.count() != 0 {
			t.Fatal("stored while away")
		}
		r.set(func() { r.failure = nil })
		<-sent
		time.Sleep(time.Second)
		if r.count() != 3*atOnce || r.Stats().Counts[Unavailable] == 0 {
			t.Errorf("%d of %d events, %+v", r.count(), 3*atOnce, r.Stats())
		}
	})
}

// TestItLeavesWithWhatItHas: at the end what is being stored has a moment.
func TestItLeavesWithWhatItHas(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		c := <-r.conns
		r.set(func() { r.failure = errors.New("away") })
		send(t, c, body(1))
		synctest.Wait()
		go func() {
			time.Sleep(2 * time.Second)
			r.set(func() { r.failure = nil })
		}()
		t.Cleanup(func() {
			if r.count() != 1 {
				t.Errorf("%d events", r.count())
			}
		})
	})
}

func TestOversize(t *testing.T) {
	run(t, func(t *testing.T, r *rig) {
		r.Most = func() int64 { return 1000 }
		c := <-r.conns
		send(t, c, strings.Replace(body(1), "hidden-topic", strings.Repeat("x", 1000), 1))
		send(t, c, body(2))
		synctest.Wait()
		if s := r.Stats(); s.Counts[Oversize] != 1 || r.count() != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestNewChecksTheAddress(t *testing.T) {
	for _, u := range []string{"", "https://ws.zoom.us/ws", "wss://", "wss://ws.zoom.us/ws?subscriptionId=a&access_token=hush", "::"} {
		if _, err := New(Config{App: "main", URL: u}); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", u, err)
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte(`{"module":"message","content":"{\"event\":\"a\"}"}`))
	f.Add([]byte(`{"module":"build_connection","success":false,"content":"Invalid Token"}`))
	f.Add([]byte(`{"module":1}`))
	keys, err := sealed.GenerateKeys()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		s, err := New(Config{App: "main", URL: "wss://z/ws", Key: keys.Public(),
			Token:   func(context.Context) (zoomapi.Token, error) { return zoomapi.Token{}, nil },
			Renew:   func(context.Context, zoomapi.Token) (zoomapi.Token, error) { return zoomapi.Token{}, nil },
			Publish: func(context.Context, *proto.Event) (sources.Ack, error) { return sources.Ack{}, nil }})
		if err != nil {
			return
		}
		l := &link{Source: s}
		_ = l.take(context.Background(), data)
		s.leave()
	})
}
