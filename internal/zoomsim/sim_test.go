package zoomsim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"zflow/internal/zoomsim/rest"
)

func TestManyClientsAtOnce(t *testing.T) {
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer hook.Close()
	c := newClient(t, Options{Limits: map[string]Limit{"LIGHT": {PerDay: 1000}}})
	c.sim.subs = append(c.sim.subs, &subscription{Subscription: Subscription{ID: "s", URL: hook.URL}, gone: make(chan struct{})})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 20 {
				id, uuid := c.create(fmt.Sprintf(`{"topic":"%d/%d","settings":{"approval_type":0}}`, i, n))
				c.call("PATCH", "/v2/meetings/"+id, `{"settings":{"waiting_room":false},"topic":"x"}`)
				c.call("POST", "/v2/meetings/"+id+"/registrants", lina)
				c.call("GET", "/v2/users/me/meetings?page_size=5", "")
				c.call("GET", "/v2/meetings/"+url.PathEscape(url.PathEscape(uuid)), "")
				c.call("DELETE", "/v2/meetings/"+id, "")
			}
		})
	}
	all.Wait()
	if _, err := c.sim.WaitLedger(t.Context(), Filter{Kind: KindDelivery}, 8*20*4); err != nil {
		t.Error(err)
	}
	if r := c.call("GET", "/v2/users/me/meetings", ""); rest.Text(r.body["total_records"]) != "0" {
		t.Errorf("%s", r.text)
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pipe := NewPipe()
		s := New(Options{})
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- s.Serve(ctx, pipe) }()
		client := &http.Client{Transport: pipe.Transport()}
		a, err := client.Get("http://zoom.test/sim/v1/apps")
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		client.CloseIdleConnections()
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if _, err := client.Get("http://zoom.test/sim/v1/apps"); err == nil {
			t.Error("answered after its end")
		}
	})
}

func TestServeReleasesCallsThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pipe := NewPipe()
		s := New(Options{})
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- s.Serve(ctx, pipe) }()
		s.Inject(Fault{Hang: true})
		ended := make(chan error, 1)
		go func() {
			_, err := (&http.Client{Transport: pipe.Transport()}).Get("http://zoom.test/v2/meetings/1")
			ended <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-ended; err == nil {
			t.Error("the call was answered")
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

func TestServeDoesNotWaitForUnusedConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pipe := NewPipe()
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- New(Options{}).Serve(ctx, pipe) }()
		c, err := pipe.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		synctest.Wait()
		begin := time.Now()
		cancel()
		if err := <-served; err != nil || time.Since(begin) > time.Second {
			t.Errorf("ended after %v, %v", time.Since(begin), err)
		}
	})
}

func TestServeTellsThatItsListenerFailed(t *testing.T) {
	pipe := NewPipe()
	if err := pipe.Close(); err != nil {
		t.Fatal(err)
	}
	if err := New(Options{}).Serve(t.Context(), pipe); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
	if _, err := pipe.Dial(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
}

func TestDialingAPipeThatNobodyServesEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewPipe().Dial(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
