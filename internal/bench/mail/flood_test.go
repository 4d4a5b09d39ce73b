package mail

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"zflow/actions"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/email"

	"go.uber.org/zap"
)

// office takes so many mails, each with its attachment, and no more.
type office struct {
	mu     sync.Mutex
	most   int
	events map[string]bool
	files  map[string]bool
}

var errFull = errors.New("enough")

func (o *office) publish(_ context.Context, e *proto.Event) (sources.Ack, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.events) == o.most {
		return sources.Ack{}, errFull
	}
	o.events[e.ID] = true
	return sources.Ack{}, nil
}

func (o *office) put(_ context.Context, r io.Reader, f actions.File, _ int64) (actions.File, error) {
	raw, err := io.ReadAll(r)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.files[string(raw)] = true; f.Name != "order.csv" || len(raw) < attached-100 || len(raw) > attached {
		err = errors.New("the attachment is another")
	}
	return f, err
}

func newOffice(t *testing.T, most int) (*office, Target) {
	t.Helper()
	o := &office{most: most, events: map[string]bool{}, files: map[string]bool{}}
	s := email.NewServer(email.Config{Domains: []string{"*"}, Log: zap.NewNop(), Known: func(_ context.Context, box string) (bool, error) { return box == "desk", nil },
		Storage: email.Storage{Publish: o.publish, Files: func() (email.Put, email.Settle, error) {
			return o.put, func(context.Context) error { return nil }, nil
		}, MaxPayload: func() int64 { return 1 << 20 }}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() { s.Stop(context.Background()); <-done })
	return o, Target{l.Addr().String(), "desk@example.org"}
}

// TestFlood: what is counted as sent is there, each mail once and with a file of its own.
func TestFlood(t *testing.T) {
	o, to := newOffice(t, 1<<30)
	a := to.Flood(t.Context(), 4, 20*time.Millisecond)
	if a.Sent < 4 || a.Sent != len(o.events) || a.Sent != len(o.files) || a.Refused != 0 || a.Problem != nil || a.P50 <= 0 || a.P99 < a.P50 || a.Within <= 0 {
		t.Errorf("%+v of %d events, %d files", a, len(o.events), len(o.files))
	}
}

// TestFloodIsRefused: a mail that is not taken is no mail that was sent, and is told.
func TestFloodIsRefused(t *testing.T) {
	o, to := newOffice(t, 7)
	a := to.Flood(t.Context(), 4, time.Hour)
	if a.Sent != 7 || len(o.events) != 7 || a.Refused != 4 || a.Problem == nil {
		t.Errorf("%+v", a)
	}
	to.To = "nobody@example.org"
	if a := to.Flood(t.Context(), 2, time.Hour); a.Sent != 0 || a.Refused != 2 {
		t.Errorf("%+v", a)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if a := to.Flood(ctx, 2, time.Hour); a.Sent != 0 {
		t.Errorf("%+v", a)
	}
}
