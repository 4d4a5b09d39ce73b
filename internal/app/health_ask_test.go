package app_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zflow/internal/app"
	"zflow/internal/settings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestAskHealth(t *testing.T) {
	asked := make(chan string, 16)
	sick := false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		if sick {
			http.Error(w, "the flush service has ended", http.StatusServiceUnavailable)
		}
	}))
	defer s.Close()
	address := s.Listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	for _, listen := range []string{address, ":" + port, "0.0.0.0:" + port} {
		if err := app.AskHealth(t.Context(), listen); err != nil {
			t.Errorf("%s: %v", listen, err)
		} else if path := <-asked; path != "/healthz" {
			t.Errorf("%s: asked %s", listen, path)
		}
	}
	sick = true
	if err := app.AskHealth(t.Context(), address); err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "the flush service has ended") {
		t.Errorf("a sick process: %v", err)
	}
	for listen, want := range map[string]string{"": "serves none", "9090": "missing port", "127.0.0.1:1": "refused"} {
		if err := app.AskHealth(t.Context(), listen); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", listen, err, want)
		}
	}
}

// TestWorkerEndsWhileItWaits: being asked to end before the server was there is no
// failure; having no keys is.
func TestWorkerEndsWhileItWaits(t *testing.T) {
	dir := t.TempDir()
	c := settings.Default()
	c.NATS.URL, c.Worker.MetricsListen = "nats://127.0.0.1:1", ""
	c.Worker.SealingKeysFile = filepath.Join(dir, "sealing.keys")
	core, logs := observer.New(zapcore.ErrorLevel)
	if err := app.RunWorker(t.Context(), c, zap.New(core)); err == nil || !strings.Contains(err.Error(), "sealing.keys") {
		t.Errorf("without keys: %v", err)
	}
	if _, err := app.CreateKeys(c.Worker.SealingKeysFile, filepath.Join(dir, "sealing.pub")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := app.RunWorker(ctx, c, zap.New(core)); err != nil {
		t.Errorf("asked to end: %v", err)
	}
	if logs.Len() > 0 {
		t.Errorf("it logs %v", logs.All())
	}
}
