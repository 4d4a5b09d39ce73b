package stream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"zflow/internal/bench/usage"
)

// console sends what is published to whoever listens, as it is told to.
type console struct {
	mu   sync.Mutex
	last uint64
	to   []chan uint64
	send func(uint64) string
}

func (c *console) publish(_ context.Context, _ int) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	for _, to := range c.to {
		to <- c.last
	}
	return c.last, nil
}

func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	mine := make(chan uint64, 100)
	c.mu.Lock()
	c.to = append(c.to, mine)
	c.mu.Unlock()
	out := http.NewResponseController(w)
	fmt.Fprint(w, ": from here on\n\n")
	for out.Flush() == nil {
		select {
		case n := <-mine:
			fmt.Fprint(w, c.send(n))
		case <-r.Context().Done():
			return
		}
	}
}

func frame(n uint64) string {
	return fmt.Sprintf("id: %d\nevent: x\ndata: %s\n\n", n, strings.Repeat("x", 10_000))
}

func run(t *testing.T, token string, send func(uint64) string) (Result, error) {
	t.Helper()
	c := &console{send: send}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	l := Load{URL: server.URL, Token: token, Streams: 3, Rate: 1000, Length: 20 * time.Millisecond, Publish: c.publish,
		Console: func() (usage.Process, error) { return usage.Process{RSS: 1 << 20}, nil }}
	return l.Run(t.Context())
}

func TestEachStreamGetsEachMessage(t *testing.T) {
	r, err := run(t, "secret", frame)
	if err != nil || r.Events != 21 || r.Wrong != 0 || len(r.Delays) != 21 || r.Peak != 1<<20 {
		t.Fatalf("%+v, %v", r, err)
	}
	figures := map[string]float64{}
	r.Figures(3, func(what string, value float64, _ string) { figures[what] = value })
	if figures["messages delivered"] != 63 || figures["console, idle"] != 1 || figures["from the publish to the client, p99"] <= 0 {
		t.Errorf("%v", figures)
	}
}

func TestWhatIsWrongIsCounted(t *testing.T) {
	for name, send := range map[string]func(uint64) string{
		"twice":   func(n uint64) string { return strings.Repeat(frame(n), 1+int(n&1)) },
		"missing": func(n uint64) string { return frame(n)[:len(frame(n))*int(min(1, (n+1)%7))] },
	} {
		if r, err := run(t, "secret", send); err != nil || r.Wrong == 0 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestALoadThatCannotBe(t *testing.T) {
	if _, err := run(t, "wrong", frame); err == nil || !strings.Contains(err.Error(), "it answers 401") {
		t.Errorf("with a wrong token: %v", err)
	}
	gone := errors.New("gone")
	c := &console{send: frame}
	server := httptest.NewServer(c)
	defer server.Close()
	l := Load{URL: server.URL, Token: "secret", Streams: 2, Rate: 100, Length: time.Second, Console: func() (usage.Process, error) { return usage.Process{}, nil },
		Publish: func(context.Context, int) (uint64, error) { return 0, gone }}
	if _, err := l.Run(t.Context()); !errors.Is(err, gone) {
		t.Errorf("nothing can be published: %v", err)
	}
}
