package zoomsim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"zflow/internal/zoomsim/rest"
)

// wire is a client's end of a socket.
type wire struct {
	t    *testing.T
	conn *websocket.Conn
}

// socketRig is a Sim with a WebSocket subscription, in virtual time.
func socketRig(t *testing.T, o Options, test func(c *client, sub Subscription)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newBubbleClient(t, o)
		sub, err := c.sim.Subscribe(t.Context(), Subscription{Socket: true, Events: []string{"meeting.*"}})
		if err != nil {
			t.Fatal(err)
		}
		test(c, sub)
	})
}

func (c *client) dial(id, token string) *wire {
	c.t.Helper()
	q := url.Values{"subscriptionId": {id}, "access_token": {token}}
	conn, _, err := websocket.Dial(c.t.Context(), "ws://zoom.test/ws?"+q.Encode(), &websocket.DialOptions{HTTPClient: c.http})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { conn.CloseNow() })
	return &wire{c.t, conn}
}

// connected dials and reads the greeting.
func (c *client) connected(id string) *wire {
	c.t.Helper()
	w := c.dial(id, c.token)
	if f := w.read(); f.Module != "build_connection" || !f.Success {
		c.t.Fatalf("%+v", f)
	}
	return w
}

func (w *wire) read() frame {
	w.t.Helper()
	_, text, err := w.conn.Read(w.t.Context())
	var f frame
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

// ended fails unless the connection has nothing more to say.
func (w *wire) ended() {
	w.t.Helper()
	if _, text, err := w.conn.Read(w.t.Context()); err == nil {
		w.t.Fatalf("still open: %s", text)
	}
}

func (w *wire) beat() {
	w.t.Helper()
	if err := w.conn.Write(w.t.Context(), websocket.MessageText, []byte(`{"module":"heartbeat"}`)); err != nil {
		w.t.Fatal(err)
	}
}

func TestEventsGoOverASocket(t *testing.T) {
	socketRig(t, Options{}, func(c *client, sub Subscription) {
		w := c.connected(sub.ID)
		if all := c.sim.Sockets(); len(all) != 1 || all[0].Subscription != sub.ID {
			t.Errorf("%+v", all)
		}
		h, err := c.sim.Happen(Event{Type: "meeting.ended"})
		if err != nil {
			t.Fatal(err)
		}
		happen(t, c.sim, Event{Type: "recording.completed"}) // not subscribed
		if f := w.read(); f.Module != "message" || !f.Success || f.Content != string(h.Body) {
			t.Errorf("%+v", f)
		}
		w.beat()
		if f := w.read(); f.Module != "heartbeat" || !f.Success || f.Content != "live" {
			t.Errorf("%+v", f)
		}
		page := c.do(mustRequest(t, c.base+"/sim/v1/ledger")).text
		if strings.Contains(page, c.token) || !strings.Contains(page, `"socket"`) {
			t.Errorf("%s", page)
		}
	})
}

func TestASocketLivesOnHeartbeats(t *testing.T) {
	socketRig(t, Options{TokenLife: 24 * time.Hour}, func(c *client, sub Subscription) {
		w := c.connected(sub.ID)
		for range 100 {
			time.Sleep(30 * time.Second)
			w.beat()
			w.read()
		}
		begun := time.Now()
		w.ended()
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("without heartbeats it lived %v", took)
		}
		synctest.Wait()
		if all := c.sim.Sockets(); len(all) != 0 {
			t.Errorf("%+v", all)
		}
	})
}

func TestWhatHappensWhileNobodyIsConnectedIsLost(t *testing.T) {
	socketRig(t, Options{}, func(c *client, sub Subscription) {
		happen(t, c.sim, Event{Type: "meeting.started"})
		synctest.Wait()
		w := c.connected(sub.ID)
		happen(t, c.sim, Event{Type: "meeting.ended"})
		if f := w.read(); !strings.Contains(f.Content, "meeting.ended") {
			t.Errorf("%+v", f)
		}
		synctest.Wait()
		all := c.sim.Ledger(Filter{Kind: KindDelivery})
		if len(all) != 2 || !strings.Contains(all[0].Note, "lost") || all[0].Status != 0 || all[1].Status != 200 {
			t.Errorf("%+v", all)
		}
		time.Sleep(2 * time.Hour) // there are no retries
		if logs := c.sim.weblog.choose(sub.App, logFilter{kind: logFailure}, time.Now()); len(logs) != 1 {
			t.Errorf("%v", logs)
		}
	})
}

func TestANewSocketClosesTheLast(t *testing.T) {
	socketRig(t, Options{}, func(c *client, sub Subscription) {
		first := c.connected(sub.ID)
		ended := make(chan error, 1)
		go func() {
			_, _, err := first.conn.Read(context.Background())
			ended <- err
		}()
		second := c.connected(sub.ID)
		if err := <-ended; websocket.CloseStatus(err) != websocket.StatusNormalClosure {
			t.Errorf("%v", err)
		}
		synctest.Wait()
		happen(t, c.sim, Event{Type: "meeting.ended"})
		if f := second.read(); f.Module != "message" {
			t.Errorf("%+v", f)
		}
	})
}

func TestABadTokenIsToldSo(t *testing.T) {
	socketRig(t, Options{TokenLife: 45 * time.Second}, func(c *client, sub Subscription) {
		w := c.dial(sub.ID, "made-up")
		if f := w.read(); f.Module != "build_connection" || f.Success || f.Content != "Invalid Token" {
			t.Errorf("%+v", f)
		}
		w.ended()
		other := c.form("/oauth/token", c.sim.Apps()[1], url.Values{"grant_type": {"client_credentials"}})
		w = c.dial(sub.ID, rest.Text(other.body["access_token"])) // another app's
		if f := w.read(); f.Success {
			t.Errorf("%+v", f)
		}
		w = c.connected(sub.ID)
		time.Sleep(time.Minute - time.Second)
		w.beat()
		if f := w.read(); f.Module != "heartbeat" || f.Success || f.Content != "Invalid Token" {
			t.Errorf("%+v", f)
		}
		w.ended()
		c.token = c.fetch()
		w = c.connected(sub.ID)
		c.sim.VoidTokens()
		happen(t, c.sim, Event{Type: "meeting.ended"})
		if f := w.read(); f.Module != "message" || f.Success || f.Content != "Invalid Token" {
			t.Errorf("%+v", f)
		}
		w.ended()
	})
}

func TestASocketNeedsItsSubscription(t *testing.T) {
	c := newClient(t, Options{Client: &endpoint{secret: testSecret}, Apps: []App{{SecretToken: testSecret}}})
	hook, err := c.sim.Subscribe(t.Context(), Subscription{URL: "https://flow.test/"})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", "unknown", hook.ID} {
		c.call("GET", "/ws?subscriptionId="+id+"&access_token="+c.token, "").want(t, http.StatusNotFound, 300)
	}
	sub := c.call("POST", "/sim/v1/subscriptions", `{"socket":true}`).want(t, http.StatusOK, 0)
	c.call("GET", "/ws?subscriptionId="+rest.Text(sub.body["id"]), "").want(t, http.StatusUpgradeRequired, 0)
}

func TestASocketIsDropped(t *testing.T) {
	socketRig(t, Options{}, func(c *client, sub Subscription) {
		w := c.connected(sub.ID)
		if err := c.sim.BreakSocket(SocketFault{Subscription: sub.ID, Drop: true}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.conn.Read(c.t.Context()); err == nil || websocket.CloseStatus(err) != -1 {
			t.Errorf("ended with %v", err)
		}
		synctest.Wait()
		if err := c.sim.BreakSocket(SocketFault{Subscription: sub.ID, Drop: true}); err == nil {
			t.Error("a connection that is gone was dropped")
		}
	})
}

func TestASilentSocket(t *testing.T) {
	socketRig(t, Options{}, func(c *client, sub Subscription) {
		w := c.connected(sub.ID)
		c.call("POST", "/sim/v1/sockets", `{"subscription":"`+sub.ID+`","silent":true}`).want(t, http.StatusOK, 0)
		happen(t, c.sim, Event{Type: "meeting.ended"})
		synctest.Wait()
		if all := c.sim.Ledger(Filter{Kind: KindDelivery}); len(all) != 1 || !strings.Contains(all[0].Note, "silent") {
			t.Errorf("%+v", all)
		}
		for range 10 {
			w.beat()
			time.Sleep(30 * time.Second)
		}
		if all := c.sim.Sockets(); len(all) != 1 {
			t.Errorf("%+v", all)
		}
		w = c.connected(sub.ID) // a new one speaks
		w.beat()
		if f := w.read(); f.Content != "live" {
			t.Errorf("%+v", f)
		}
	})
}

func TestGarbageOverASocket(t *testing.T) {
	socketRig(t, Options{}, func(c *client, sub Subscription) {
		w := c.connected(sub.ID)
		got := make(chan int)
		go func() {
			n := 0
			for range 2 * len(garbage) {
				if _, _, err := w.conn.Read(context.Background()); err == nil {
					n++
				}
			}
			got <- n
		}()
		if err := c.sim.BreakSocket(SocketFault{Subscription: sub.ID, Garbage: 2 * len(garbage)}); err != nil {
			t.Fatal(err)
		}
		if n := <-got; n != 2*len(garbage) {
			t.Errorf("%d frames", n)
		}
	})
}

func TestWhatAClientSaysIsBorneByTheSocket(t *testing.T) {
	socketRig(t, Options{}, func(c *client, sub Subscription) {
		w := c.connected(sub.ID)
		for _, text := range []string{"", "hello", `{"module":7}`, `{"module":"heartbeats"}`} {
			if err := w.conn.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		w.beat()
		if f := w.read(); f.Content != "live" {
			t.Errorf("%+v", f)
		}
	})
}

func TestChaosOnASocket(t *testing.T) {
	socketRig(t, Options{}, func(c *client, sub Subscription) {
		w := c.connected(sub.ID)
		c.sim.SetChaos(Chaos{Fail: 1})
		happen(t, c.sim, Event{Type: "meeting.started"})
		synctest.Wait()
		c.sim.SetChaos(Chaos{Drop: 1})
		happen(t, c.sim, Event{Type: "meeting.started"})
		synctest.Wait()
		c.sim.SetChaos()
		happen(t, c.sim, Event{Type: "meeting.ended"})
		if f := w.read(); !strings.Contains(f.Content, "meeting.ended") {
			t.Errorf("%+v", f)
		}
	})
}
