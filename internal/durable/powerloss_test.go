package durable_test

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	"zflow/internal/natstest"
	"zflow/proto"
)

const perLife = 10 // crash images of one server's life

var images = flag.Int("powerloss.images", 80, "how many crash images are booted")

// TestPowerLoss boots servers on crash images and finds everything there that
// had passed the Gate.
func TestPowerLoss(t *testing.T) {
	if testing.Short() {
		*images = min(*images, 20)
	}
	for life := range *images / perLife {
		lost := newLife(t, uint64(life), true).run(t)
		for _, l := range lost {
			t.Errorf("life %d: %s", life, l)
		}
	}
}

// TestPowerLossWithoutGate shows that the test above can fail: where nobody asks
// for a flush, acknowledged messages are lost.
func TestPowerLossWithoutGate(t *testing.T) {
	lost := newLife(t, 1, false).run(t)
	if len(lost) == 0 {
		t.Error("without the Gate nothing was lost: the crash images prove nothing")
	}
}

// key of a message: its stream, and its sequence or (in a bucket) its key.
type key struct {
	stream   string
	sequence uint64
	name     string
}

// stored is what must be found again.
type stored struct {
	sequence uint64
	sum      uint32
}

// life is a server under load, and what it has promised.
type life struct {
	seed  uint64
	gated bool
	disk  *disk
	s     *natstest.Server
	js    jetstream.JetStream
	gate  *durable.Gate

	mu sync.Mutex
	promises
	passed chan struct{} // one for each promise; who fills it waits
}

func newLife(t *testing.T, seed uint64, gated bool) *life {
	t.Helper()
	dir := t.TempDir()
	l := &life{
		seed: seed, gated: gated, disk: newDisk(t, dir),
		promises: promises{"", map[key]stored{}, map[string]uint64{}, map[string]bool{}},
		passed:   make(chan struct{}, 8),
	}
	sweep := 20 * time.Millisecond
	if !gated {
		sweep = time.Hour
	}
	l.s = natstest.Start(t, natstest.Dir(dir),
		natstest.Flusher(durable.FlusherOptions{Sync: l.disk.sync, Sweep: sweep, Reserve: 1}),
		natstest.Configure(func(o *server.Options) {
			if seed%2 == 1 {
				o.SyncInterval = 100 * time.Millisecond // compacts that often
			}
		}))
	l.js, l.gate = l.s.JetStream(t), l.s.Gate(t)
	l.create(t)
	return l
}

const bucket = "KV_GRANTS"

// smallBlocks is a limit under which the server makes blocks of 32 KB; it keeps
// to them when the limit is lifted.
const smallBlocks = 100_000

func (l *life) create(t *testing.T) {
	t.Helper()
	bucketBytes := int64(0) // blocks of 4 MiB, compacted when half of one is dead
	if l.seed%2 == 1 {
		bucketBytes = smallBlocks
	}
	for _, c := range []jetstream.StreamConfig{
		{Name: proto.Events, Subjects: []string{"zflow.event.>"}, Duplicates: 2 * time.Hour, MaxBytes: 16 << 20},
		{Name: proto.Runs, Subjects: []string{"zflow.run.>"}, MaxBytes: smallBlocks},
		{Name: proto.Wakes, Subjects: []string{"zflow.wake.>"}, Retention: jetstream.WorkQueuePolicy},
		{Name: bucket, Subjects: []string{"$KV.GRANTS.>"}, MaxMsgsPerSubject: 1, AllowRollup: true, MaxBytes: bucketBytes},
	} {
		mark := l.gate.Mark()
		if _, err := l.js.CreateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		c.MaxBytes = -1
		if _, err := l.js.UpdateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		consumer := jetstream.ConsumerConfig{Durable: "w", AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: -1}
		if _, err := l.js.CreateOrUpdateConsumer(t.Context(), c.Name, consumer); err != nil {
			t.Fatal(err)
		}
		if err := l.gate.Pass(t.Context(), c.Name, mark); err != nil {
			t.Fatal(err)
		}
	}
}

// run keeps the server busy, crashes it again and again, and returns what each
// image has lost.
func (l *life) run(t *testing.T) (lost []string) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var work sync.WaitGroup
	for i, f := range []func(context.Context, *rand.Rand) error{l.event, l.event, l.append, l.append, l.put, l.put, l.wake, l.finish, l.purge} {
		work.Go(func() {
			r := rand.New(rand.NewPCG(l.seed, uint64(i)))
			for ctx.Err() == nil {
				if err := f(ctx, r); err != nil && ctx.Err() == nil {
					t.Errorf("life %d: worker %d: %v", l.seed, i, err)
					stop()
				}
			}
		})
	}
	r := rand.New(rand.NewPCG(l.seed, 1000))
	for i := range perLife {
		for range 50 + r.IntN(200) {
			select {
			case <-l.passed:
			case <-ctx.Done():
				return append(lost, "the work failed")
			}
		}
		if r.IntN(2) == 0 {
			l.disk.remember()
		}
		image := filepath.Join(t.TempDir(), "image")
		p := l.crash(t, r, image)
		for _, what := range p.recall(t, image, r) {
			lost = append(lost, fmt.Sprintf("image %d (index and consumer files %s): %s", i, p.states, what))
		}
	}
	stop()
	work.Wait()
	l.s.Stop()
	return lost
}

// promises are what an image must keep.
type promises struct {
	states   string // what became of index and consumer files
	messages map[key]stored
	last     map[string]uint64 // the highest sequence promised, by stream
	open     map[string]bool   // keys with a put under way
}

// crash makes an image of the disk, while the work goes on: only what makes a
// promise void (an ack, a purge, a put over it) has to wait for its end.
func (l *life) crash(t *testing.T, r *rand.Rand, image string) promises {
	l.mu.Lock()
	defer l.mu.Unlock()
	state := l.disk.crash(t, r, image)
	return promises{state, maps.Clone(l.messages), maps.Clone(l.last), maps.Clone(l.open)}
}

// publish stores a body and promises it once it has passed the Gate.
func (l *life) publish(ctx context.Context, stream, subject, name string, body []byte) error {
	mark := l.gate.Mark()
	a, err := l.js.Publish(ctx, subject, body)
	if err != nil {
		return err
	}
	if l.gated {
		if err := l.gate.Pass(ctx, stream, mark); err != nil {
			return err
		}
	}
	l.mu.Lock()
	k := key{stream: stream, sequence: a.Sequence}
	if name != "" {
		k = key{stream: stream, name: name}
	}
	if l.messages[k].sequence < a.Sequence {
		l.messages[k] = stored{sequence: a.Sequence, sum: crc32.ChecksumIEEE(body)}
	}
	l.last[stream] = max(l.last[stream], a.Sequence)
	delete(l.open, name)
	l.mu.Unlock()
	select {
	case l.passed <- struct{}{}:
	case <-ctx.Done():
	}
	return nil
}

func body(r *rand.Rand, least, most int) []byte {
	b := make([]byte, least+r.IntN(most-least))
	for i := 0; i+8 <= len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], r.Uint64())
	}
	return b
}

func (l *life) event(ctx context.Context, r *rand.Rand) error {
	return l.publish(ctx, proto.Events, fmt.Sprintf("zflow.event.x.%d", r.IntN(50)), "", body(r, 200, 20_000))
}

func (l *life) append(ctx context.Context, r *rand.Rand) error {
	return l.publish(ctx, proto.Runs, fmt.Sprintf("zflow.run.w.%d.running", r.IntN(500)), "", body(r, 100, 2_000))
}

func (l *life) wake(ctx context.Context, r *rand.Rand) error {
	return l.publish(ctx, proto.Wakes, fmt.Sprintf("zflow.wake.w.%d", r.IntN(50)), "", body(r, 10, 2_000))
}

// put writes a hot key mostly, a cold one at times. A key has one writer at a
// time, as everything of ours that is written by compare and swap.
func (l *life) put(ctx context.Context, r *rand.Rand) error {
	name := fmt.Sprintf("hot%d", r.IntN(10))
	if r.IntN(20) == 0 {
		name = fmt.Sprintf("cold%d", r.IntN(30))
	}
	l.mu.Lock()
	taken := l.open[name]
	l.open[name] = true
	l.mu.Unlock()
	if taken {
		return nil
	}
	return l.publish(ctx, bucket, "$KV.GRANTS."+name, name, body(r, 500, 30_000))
}

// finish takes wakes off the queue. What is acked is not promised any more.
func (l *life) finish(ctx context.Context, _ *rand.Rand) error {
	c, err := l.js.Consumer(ctx, proto.Wakes, "w")
	if err != nil {
		return err
	}
	batch, err := c.Fetch(10, jetstream.FetchMaxWait(20*time.Millisecond))
	if err != nil {
		return err
	}
	for m := range batch.Messages() {
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Stream%3 == 0 {
			continue // waits for its redelivery
		}
		l.mu.Lock()
		k := key{stream: proto.Wakes, sequence: meta.Sequence.Stream}
		_, promised := l.messages[k]
		delete(l.messages, k)
		l.mu.Unlock()
		if !promised {
			continue
		}
		if err := m.Ack(); err != nil {
			return err
		}
	}
	return nil
}

// purge drops the oldest half of EVENTS once that is a block, which rewrites the
// block that is then the oldest.
func (l *life) purge(ctx context.Context, r *rand.Rand) error {
	s, err := l.js.Stream(ctx, proto.Events)
	if err != nil {
		return err
	}
	state := s.CachedInfo().State
	if state.Bytes < 4<<20 {
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(r.IntN(50)) * time.Millisecond):
		}
		return nil
	}
	first := (state.FirstSeq + state.LastSeq) / 2
	l.mu.Lock()
	for k := range l.messages {
		if k.stream == proto.Events && k.sequence < first {
			delete(l.messages, k)
		}
	}
	l.mu.Unlock()
	return s.Purge(ctx, jetstream.WithPurgeSequence(first))
}

// recall boots a server on an image and returns what it does not remember.
func (p promises) recall(t *testing.T, image string, r *rand.Rand) (lost []string) {
	s := natstest.Start(t, natstest.Dir(image), natstest.NoFlusher)
	defer s.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	js := s.JetStream(t)
	streams := map[string]jetstream.Stream{}
	for name := range p.last {
		sequence := p.floor(name)
		st, err := js.Stream(ctx, name)
		if err != nil {
			return append(lost, fmt.Sprintf("stream %s: %v", name, err))
		}
		streams[name] = st
		if got := st.CachedInfo().State.LastSeq; got < sequence {
			lost = append(lost, fmt.Sprintf("stream %s went back to %d, was %d", name, got, sequence))
		}
		if _, err := st.Consumer(ctx, "w"); err != nil {
			lost = append(lost, fmt.Sprintf("consumer of %s: %v", name, err))
		}
	}
	found := map[key]stored{}
	for name, st := range streams {
		if err := read(ctx, name, st, found); err != nil {
			lost = append(lost, fmt.Sprintf("reading %s: %v", name, err))
		}
	}
	for k, want := range p.messages {
		got := found[k]
		switch {
		case p.open[k.name]:
			// The window that docs/promises.md names: a put was under way.
		case got.sequence < want.sequence, got.sequence == want.sequence && got.sum != want.sum:
			lost = append(lost, fmt.Sprintf("%v: promised %v, found %v", k, want, got))
		}
	}
	if r.IntN(4) == 0 {
		lost = append(lost, reaches(ctx, js)...)
	}
	return lost
}

// floor is the sequence below which a stream must not go back. A put takes the
// value before it out of the bucket, with the block that it was alone in, before
// it is flushed itself: so keys with a put under way do not count.
func (p promises) floor(stream string) (sequence uint64) {
	if stream != bucket {
		return p.last[stream]
	}
	for k, m := range p.messages {
		if k.stream == stream && !p.open[k.name] {
			sequence = max(sequence, m.sequence)
		}
	}
	return sequence
}

// read takes all messages of a stream; of a bucket the last one of each key.
func read(ctx context.Context, name string, st jetstream.Stream, found map[key]stored) error {
	if st.CachedInfo().Config.Retention == jetstream.WorkQueuePolicy { // which allows no second consumer
		return readEach(ctx, name, st, found)
	}
	left := st.CachedInfo().State.Msgs
	if left == 0 {
		return nil
	}
	all, err := st.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	batch, err := all.Fetch(int(left), jetstream.FetchContext(ctx))
	if err != nil {
		return err
	}
	for m := range batch.Messages() {
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		keep(found, name, m.Subject(), meta.Sequence.Stream, m.Data())
	}
	return batch.Error()
}

func readEach(ctx context.Context, name string, st jetstream.Stream, found map[key]stored) error {
	for seq := st.CachedInfo().State.FirstSeq; seq <= st.CachedInfo().State.LastSeq; seq++ {
		m, err := st.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		keep(found, name, m.Subject, seq, m.Data)
	}
	return nil
}

func keep(found map[key]stored, stream, subject string, sequence uint64, data []byte) {
	k := key{stream: stream, sequence: sequence}
	if name, ok := strings.CutPrefix(subject, "$KV.GRANTS."); ok {
		k = key{stream: stream, name: name}
	}
	if found[k].sequence < sequence {
		found[k] = stored{sequence: sequence, sum: crc32.ChecksumIEEE(data)}
	}
}

// reaches shows that the consumer of EVENTS gets what is published from now on.
func reaches(ctx context.Context, js jetstream.JetStream) []string {
	a, err := js.Publish(ctx, "zflow.event.x.new", []byte("after"))
	if err != nil {
		return []string{"publishing after the boot: " + err.Error()}
	}
	c, err := js.Consumer(ctx, proto.Events, "w")
	if err != nil {
		return []string{"consuming after the boot: " + err.Error()}
	}
	for {
		m, err := c.Next(jetstream.FetchContext(ctx))
		if err != nil {
			return []string{"consuming after the boot: " + err.Error()}
		}
		if meta, err := m.Metadata(); err == nil && meta.Sequence.Stream == a.Sequence {
			return nil
		}
	}
}
