package durable_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	"zflow/internal/natstest"
	"zflow/proto"
)

// unflushed lists what a stream's folder holds and no flush has covered.
func (d *disk) unflushed(t *testing.T, stream string) (names []string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	dir := filepath.Join(d.root, "jetstream", "$G", "streams", stream)
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !flushed(path) {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		folder, err := os.Stat(filepath.Dir(path))
		if err != nil {
			return err
		}
		if d.sizes[inode(info)] != info.Size() || d.names[inode(folder)][e.Name()] != inode(info) {
			names = append(names, e.Name())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func recorded(t *testing.T, change func(*server.Options)) (*natstest.Server, *disk) {
	t.Helper()
	dir := t.TempDir()
	d := newDisk(t, dir)
	return natstest.Start(t, natstest.Dir(dir), natstest.Configure(change),
		natstest.Flusher(durable.FlusherOptions{Sync: d.sync, Sweep: time.Hour, Reserve: 1})), d
}

func pass(t *testing.T, g *durable.Gate, stream string) {
	t.Helper()
	if err := g.Pass(t.Context(), stream, g.Mark()); err != nil {
		t.Fatal(err)
	}
}

// TestRewrittenBlocks: where the server puts a new file in the place of one that
// was flushed, the next pass flushes that too.
func TestRewrittenBlocks(t *testing.T) {
	blockOf := func(d *disk, stream string, n int) os.FileInfo {
		info, err := os.Stat(filepath.Join(d.root, "jetstream", "$G", "streams", stream, "msgs", fmt.Sprintf("%d.blk", n)))
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	fill := func(t *testing.T, js jetstream.JetStream, subject func(int) string, n int) {
		t.Helper()
		for i := range n {
			if _, err := js.Publish(t.Context(), subject(i), make([]byte, 16<<10)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name    string
		config  jetstream.StreamConfig
		subject func(int) string
		count   int
		rewrite func(*testing.T, jetstream.JetStream)
	}{
		{
			name:    "a bucket with hot keys",
			config:  jetstream.StreamConfig{Name: "KV_B", Subjects: []string{"$KV.B.>"}, MaxMsgsPerSubject: 1},
			subject: func(i int) string { return fmt.Sprintf("$KV.B.%d", i) }, count: 300, // more than a block of 4 MiB
			rewrite: func(t *testing.T, js jetstream.JetStream) {
				fill(t, js, func(i int) string { return fmt.Sprintf("$KV.B.%d", 1+i) }, 200) // the first stays
			},
		},
		{
			name:    "the head of EVENTS is purged",
			config:  jetstream.StreamConfig{Name: proto.Events, Subjects: []string{"zflow.event.>"}, MaxBytes: 16 << 20},
			subject: func(int) string { return "zflow.event.x" }, count: 300,
			rewrite: func(t *testing.T, js jetstream.JetStream) {
				s, err := js.Stream(t.Context(), proto.Events)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Purge(t.Context(), jetstream.WithPurgeSequence(200)); err != nil {
					t.Fatal(err)
				}
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, d := recorded(t, func(*server.Options) {})
			js, g := s.JetStream(t), s.Gate(t)
			create(t, js, c.config)
			fill(t, js, c.subject, c.count)
			pass(t, g, c.config.Name)
			if left := d.unflushed(t, c.config.Name); left != nil {
				t.Fatalf("not flushed by the first pass: %v", left)
			}
			before := blockOf(d, c.config.Name, 1)
			c.rewrite(t, js)
			if os.SameFile(before, blockOf(d, c.config.Name, 1)) {
				t.Fatal("the server did not rewrite its first block: the test proves nothing")
			}
			pass(t, g, c.config.Name)
			if left := d.unflushed(t, c.config.Name); left != nil {
				t.Errorf("not flushed after the rewrite: %v", left)
			}
		})
	}
}

// TestStreamMadeAgain: a stream of the same name starts from nothing.
func TestStreamMadeAgain(t *testing.T) {
	s, d := recorded(t, func(*server.Options) {})
	js, g := s.JetStream(t), s.Gate(t)
	c := jetstream.StreamConfig{Name: proto.Runs, Subjects: []string{"zflow.event.>"}, MaxBytes: 16 << 20}
	for round, count := range []int{200, 205, 20} { // blocks of 69 messages
		create(t, js, c)
		for range count {
			if _, err := js.Publish(t.Context(), "zflow.event.x", make([]byte, 60_000)); err != nil {
				t.Fatal(err)
			}
		}
		pass(t, g, c.Name)
		if left := d.unflushed(t, c.Name); left != nil {
			t.Errorf("round %d: not flushed: %v", round, left)
		}
		if err := js.DeleteStream(t.Context(), c.Name); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Pass(t.Context(), c.Name, g.Mark()); err == nil || !strings.Contains(err.Error(), "there is no s") {
		t.Errorf("Pass of a deleted stream = %v", err)
	}
}

// TestConsumerMadeLater: its description lasts once the stream has been passed.
func TestConsumerMadeLater(t *testing.T) {
	s, d := recorded(t, func(*server.Options) {})
	js, g := s.JetStream(t), s.Gate(t)
	create(t, js, events)
	pass(t, g, proto.Events)
	for _, name := range []string{"first", "second"} {
		if _, err := js.CreateOrUpdateConsumer(t.Context(), proto.Events, jetstream.ConsumerConfig{Durable: name}); err != nil {
			t.Fatal(err)
		}
		pass(t, g, proto.Events)
		if left := d.unflushed(t, proto.Events); left != nil {
			t.Errorf("consumer %s: not flushed: %v", name, left)
		}
	}
}

// TestStartFlushesWhatIsThere: a server that was killed leaves written blocks
// that nobody flushed; a duplicate's acknowledgement may stand for one.
func TestStartFlushesWhatIsThere(t *testing.T) {
	stock := natstest.Start(t, natstest.NoFlusher)
	js := stock.JetStream(t)
	create(t, js, jetstream.StreamConfig{Name: proto.Events, Subjects: []string{"zflow.event.>"}, MaxBytes: 16 << 20})
	for range 150 { // three blocks
		if _, err := js.Publish(t.Context(), "zflow.event.x", make([]byte, 60_000)); err != nil {
			t.Fatal(err)
		}
	}
	image := stock.Image(t)
	d := newDisk(t, image)
	natstest.Start(t, natstest.Dir(image), natstest.Flusher(durable.FlusherOptions{Sync: d.sync, Sweep: time.Hour, Reserve: 1}))
	if left := d.unflushed(t, proto.Events); left != nil {
		t.Errorf("not flushed at the start: %v", left)
	}
}

// TestNothingNewNeedsNoFlush: an idle stream costs the disk nothing.
func TestNothingNewNeedsNoFlush(t *testing.T) {
	s, _ := recorded(t, func(*server.Options) {})
	js, g := s.JetStream(t), s.Gate(t)
	create(t, js, events)
	publish(t, js)
	pass(t, g, proto.Events)
	before := s.Flusher().Counts()
	pass(t, g, proto.Events)
	if after := s.Flusher().Counts(); after.Syncs != before.Syncs || after.Requests != before.Requests+1 || after.Flushes != before.Flushes+1 {
		t.Errorf("a pass with nothing new: %+v, then %+v", before, after)
	}
}
