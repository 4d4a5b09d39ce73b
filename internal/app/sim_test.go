package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestRunSim: it serves, delivers to a URL, and ends without an error whatever its
// context ended with, such as a signal.
func TestRunSim(t *testing.T) {
	c, _ := devConfig(t)
	c.SimListen, c.ZoomSecret = "", "shared"
	d := startDev(t, c)
	ctx, cancel := context.WithCancelCause(t.Context())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- RunSim(ctx, l, "shared", d.IngestURL()+"/hooks/zoom/default") }()
	for subscribed := false; !subscribed; {
		a, err := http.Get("http://" + l.Addr().String() + "/sim/v1/subscriptions")
		if err != nil {
			t.Fatal(err)
		}
		text := make([]byte, 100)
		n, _ := a.Body.Read(text)
		a.Body.Close()
		subscribed = strings.Contains(string(text[:n]), "hooks/zoom")
	}
	cancel(errors.New("interrupt signal received"))
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

// TestRunSimWithoutIngest: a URL that cannot be validated ends it.
func TestRunSimWithoutIngest(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	err = RunSim(t.Context(), l, "shared", "http://127.0.0.1:1/hooks/zoom/default")
	if err == nil || !strings.Contains(err.Error(), "subscribing http://127.0.0.1:1/") || strings.Contains(err.Error(), "\n") {
		t.Errorf("ended with %v", err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("still listening")
	}
}
