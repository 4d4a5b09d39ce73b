package durable_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"zflow/internal/durable"
	"zflow/internal/natstest"
	"zflow/proto"
)

// TestPassSince: for what had come before a flush was asked for that flush will
// do, under way or over; what came later needs another.
func TestPassSince(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		v := newValve()
		s := natstest.Start(t, natstest.Dir(dir), natstest.Flusher(durable.FlusherOptions{Sync: v.sync, Sweep: time.Hour, Reserve: 1}))
		js, g := s.JetStream(t), s.Gate(t)
		create(t, js, events)
		m := g.Mark()
		publish(t, js)
		if err := g.Pass(t.Context(), proto.Events, m); err != nil {
			t.Fatal(err)
		}
		publish(t, js)
		early := g.Moment(proto.Events)
		v.held.Store(true)
		before := g.Flushes()
		var passed atomic.Int32
		pass := func(moment uint64) {
			if err := g.PassSince(t.Context(), proto.Events, moment, m); err != nil {
				t.Error(err)
			}
			passed.Add(1)
		}
		go pass(early)
		<-v.entered // the flush is under way
		publish(t, js)
		late := g.Moment(proto.Events)
		go pass(early)
		go pass(late)
		synctest.Wait()
		if passed.Load() != 0 {
			t.Fatalf("%d passed before the flush ended", passed.Load())
		}
		v.release <- nil
		<-v.entered
		synctest.Wait()
		if passed.Load() != 2 {
			t.Errorf("%d passed after the first flush, want 2", passed.Load())
		}
		v.held.Store(false)
		v.release <- nil
		synctest.Wait()
		pass(early)
		pass(late)
		if n := g.Flushes() - before; n != 2 || passed.Load() != 5 {
			t.Errorf("%d passes took %d flushes, want 5 and 2", passed.Load(), n)
		}
	})
}

// TestPassSinceAfterAReconnect: a flush of before proves nothing about what came after.
func TestPassSinceAfterAReconnect(t *testing.T) {
	s := natstest.Start(t, natstest.Listen)
	nc := connect(t, s.URL())
	js, g := natstest.JetStream(t, nc), natstest.Gate(t, nc)
	create(t, js, events)
	old, moment := g.Mark(), g.Moment(proto.Events)
	publish(t, js)
	back := nc.StatusChanged(nats.CONNECTED)
	if err := nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	<-back
	if err := g.Pass(t.Context(), proto.Events, g.Mark()); err != nil {
		t.Fatal(err)
	}
	if err := g.PassSince(t.Context(), proto.Events, moment, old); !errors.Is(err, durable.ErrChanged) {
		t.Errorf("PassSince = %v, want ErrChanged", err)
	}
}

// TestFlusherInProcess: it is called and not asked, and another server's is no use.
func TestFlusherInProcess(t *testing.T) {
	ours, other := natstest.Start(t), natstest.Start(t)
	js, nc := ours.JetStream(t), ours.Connect(t)
	create(t, js, events)
	create(t, other.JetStream(t), events)
	open := func(f *durable.Flusher) *durable.Gate {
		g, err := durable.Open(t.Context(), nc, durable.Options{Flusher: f})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	pass := func(g *durable.Gate) error {
		m := g.Mark()
		publish(t, js)
		return g.Pass(t.Context(), proto.Events, m)
	}
	sent := nc.Stats().OutMsgs
	g := open(ours.Flusher())
	if err := pass(g); err != nil {
		t.Error(err)
	}
	asked := nc.Stats().OutMsgs - sent
	if err := pass(g); err != nil || nc.Stats().OutMsgs-sent != asked {
		t.Errorf("a pass sent %d messages, %v", nc.Stats().OutMsgs-sent-asked, err)
	}
	if n := ours.Flusher().Counts().Requests; n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
	if err := pass(open(other.Flusher())); !errors.Is(err, durable.ErrChanged) {
		t.Errorf("by another server's: %v, want ErrChanged", err)
	}
	m := g.Mark()
	ours.Down()
	if err := g.Pass(t.Context(), proto.Events, m); err == nil {
		t.Error("passed though the flush service has ended")
	}
}
