package natstest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	"zflow/internal/natstest"
)

var stream = jetstream.StreamConfig{Name: "EVENTS", Subjects: []string{"zflow.event.>"}}

// publish sends one message through the Gate.
func publish(t testing.TB, js jetstream.JetStream, g *durable.Gate) uint64 {
	t.Helper()
	m := g.Mark()
	a, err := js.Publish(t.Context(), "zflow.event.x", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Pass(t.Context(), "EVENTS", m); err != nil {
		t.Fatal(err)
	}
	return a.Sequence
}

func TestVirtualTime(t *testing.T) {
	dir := t.TempDir()
	begun := time.Now()
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		s := natstest.Start(t, natstest.Dir(dir))
		js, g := s.JetStream(t), s.Gate(t)
		if _, err := js.CreateStream(t.Context(), stream); err != nil {
			t.Fatal(err)
		}
		publish(t, js, g)
		time.Sleep(24 * time.Hour)
		publish(t, js, g)
		s.Restart(t)
		time.Sleep(time.Second) // the connection comes back
		if seq := publish(t, s.JetStream(t), s.Gate(t)); seq != 3 {
			t.Errorf("sequence after the restart = %d, want 3", seq)
		}
	})
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("a virtual day took %v", took)
	}
}

func TestListenRestart(t *testing.T) {
	s := natstest.Start(t, natstest.Listen)
	back := make(chan struct{})
	nc, err := nats.Connect(s.URL(), nats.ReconnectWait(time.Millisecond), nats.MaxReconnects(-1),
		nats.ReconnectHandler(func(*nats.Conn) { close(back) }))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	url := s.URL()
	s.Restart(t)
	<-back
	if s.URL() != url {
		t.Errorf("URL after a restart = %s, want %s", s.URL(), url)
	}
}

func TestImage(t *testing.T) {
	s := natstest.Start(t)
	js, g := s.JetStream(t), s.Gate(t)
	if _, err := js.CreateStream(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	last := publish(t, js, g)
	other := natstest.Start(t, natstest.Dir(s.Image(t)))
	st, err := other.JetStream(t).Stream(context.Background(), "EVENTS")
	if err != nil {
		t.Fatal(err)
	}
	if got := st.CachedInfo().State.LastSeq; got != last {
		t.Errorf("last sequence in the image = %d, want %d", got, last)
	}
}
