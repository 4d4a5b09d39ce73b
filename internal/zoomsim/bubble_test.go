package zoomsim

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"zflow/internal/zoomcatalog"
	"zflow/internal/zoomsim/rest"
)

// newBubbleClient is newClient over memory, for synctest bubbles.
func newBubbleClient(t *testing.T, o Options) *client {
	t.Helper()
	pipe := NewPipe()
	s := New(o)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, pipe) }()
	transport := pipe.Transport()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &client{t: t, sim: s, base: "http://zoom.test", http: &http.Client{Transport: transport, CheckRedirect: stay}}
	c.token = c.fetch()
	return c
}

// endpoint is a webhook receiver in memory that answers what it is told to.
type endpoint struct {
	mu     sync.Mutex
	secret string
	answer func(n int, r *http.Request) int // the status of the nth delivery; 0: none at all
	got    []delivered
	broken bool // URL validation fails
}

// delivered is a webhook as it arrived.
type delivered struct {
	at     time.Time
	body   string
	header http.Header
}

// RoundTrip receives a webhook.
func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if v, _ := rest.DecodeObject(body); v["event"] == "endpoint.url_validation" {
		return e.validate(v), nil
	}
	e.mu.Lock()
	e.got = append(e.got, delivered{at: time.Now(), body: string(body), header: r.Header})
	n, answer := len(e.got), e.answer
	e.mu.Unlock()
	status := http.StatusNoContent
	if answer != nil {
		status = answer(n, r)
	}
	if status == 0 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return respond(status, ""), nil
}

func (e *endpoint) validate(v map[string]any) *http.Response {
	e.mu.Lock()
	defer e.mu.Unlock()
	payload, _ := v["payload"].(map[string]any)
	plain := rest.Text(payload["plainToken"])
	if e.broken {
		return respond(http.StatusOK, `{"plainToken":"`+plain+`","encryptedToken":"00"}`)
	}
	return respond(http.StatusOK, `{"plainToken":"`+plain+`","encryptedToken":"`+hexMAC(e.secret, plain)+`"}`)
}

func (e *endpoint) setBroken(broken bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.broken = broken
}

func (e *endpoint) deliveries() []delivered {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]delivered(nil), e.got...)
}

const ownerEmail = zoomcatalog.SampleHostEmail

const testSecret = "secret-of-the-endpoint"

// withEndpoint runs a test in virtual time with a Sim whose webhooks go to e.
func withEndpoint(t *testing.T, o Options, e *endpoint, test func(*Sim)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e.secret = testSecret
		o.Client, o.Apps = e, []App{{SecretToken: testSecret}}
		s := New(o)
		if _, err := s.Subscribe(t.Context(), Subscription{URL: "https://flow.test/hooks/zoom/default"}); err != nil {
			t.Fatal(err)
		}
		test(s)
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func mustRequest(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
