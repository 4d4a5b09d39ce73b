package live

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Message is one of a stream.
type Message struct {
	Subject  string
	Header   map[string][]string
	Data     []byte
	Sequence uint64
	Time     time.Time // when it was stored

	once     sync.Once
	rendered []byte
}

// Rendered returns what render makes of the message: it is made once for all
// followers, so all must want it alike.
func (m *Message) Rendered(render func(*Message) []byte) []byte {
	m.once.Do(func() { m.rendered = render(m) })
	return m.rendered
}

// The ring holds so much, and begins with so many that were there before: then who
// comes back at once finds its place in it.
const (
	ringMessages = 2048
	ringBytes    = 8 << 20
	ringBefore   = 128
)

// The reader asks for so much at a time, and begins anew when the server is silent
// for two heartbeats, or after an error.
const (
	readMessages  = 256
	readBytes     = 16 << 20 // above the largest message that a server takes
	readHeartbeat = 5 * time.Second
	readExpiry    = 30 * time.Second
	readAgain     = 250 * time.Millisecond
	idle          = 30 * time.Second // after it an unused consumer is gone
)

// ErrReset says that the stream no longer has what was read from it, such as after
// a power failure, or lost so much at its beginning that there is a gap.
var ErrReset = errors.New("the stream is not what it was: begin again")

// Hub is where those meet who follow one stream. It reads the stream while somebody
// does. It is safe for concurrent use.
type Hub struct {
	js     jetstream.JetStream
	stream string

	mu        sync.Mutex
	followers int
	stop      context.CancelFunc // of the reader
	readers   sync.WaitGroup
	epoch     int // what was read in another is forgotten
	ring      []*Message
	bytes     int
	low, high uint64        // all of the stream above low and up to high is in the ring
	news      chan struct{} // closed when something comes
}

// NewHub returns a hub of a stream.
func NewHub(js jetstream.JetStream, stream string) *Hub {
	return &Hub{js: js, stream: stream, news: make(chan struct{})}
}

// Followers is how many there are.
func (h *Hub) Followers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.followers
}

// state asks what the stream has.
func (h *Hub) state(ctx context.Context) (jetstream.StreamState, error) {
	s, err := h.js.Stream(ctx, h.stream)
	if err != nil {
		return jetstream.StreamState{}, fmt.Errorf("following %s: %w", h.stream, err)
	}
	return s.CachedInfo().State, nil
}

// join counts a follower, and starts the reader for the first.
func (h *Hub) join(s jetstream.StreamState) (epoch int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.followers++; h.followers == 1 {
		h.begin(s.LastSeq - min(s.LastSeq, ringBefore))
		h.low = max(h.low, min(s.LastSeq, s.FirstSeq-min(s.FirstSeq, 1)))
		h.high = h.low
		ctx, stop := context.WithCancel(context.Background())
		h.stop = stop
		h.readers.Go(func() { h.read(ctx) })
	}
	return h.epoch
}

// begin forgets what was read, and that anything was before a place.
func (h *Hub) begin(place uint64) {
	h.epoch++
	h.ring, h.bytes, h.low, h.high = nil, 0, place, place
	h.tell()
}

// tell wakes those who wait for news.
func (h *Hub) tell() {
	close(h.news)
	h.news = make(chan struct{})
}

// leave is the end of what join began.
func (h *Hub) leave() {
	h.mu.Lock()
	h.followers--
	last := h.followers == 0
	if last {
		h.stop()
		h.begin(0)
	}
	h.mu.Unlock()
	if last {
		h.readers.Wait()
	}
}

// read reads the stream until ctx ends.
func (h *Hub) read(ctx context.Context) {
	again := time.NewTicker(readAgain)
	defer again.Stop()
	for ctx.Err() == nil {
		// Whatever it was: it begins again where it was, and followers wait meanwhile.
		_ = h.readOn(ctx)
		select {
		case <-ctx.Done():
		case <-again.C:
		}
	}
}

// readOn reads from where the ring ends until an error.
func (h *Hub) readOn(ctx context.Context) error {
	s, err := h.state(ctx)
	if err != nil {
		return err
	}
	consumer, err := h.js.CreateConsumer(ctx, h.stream, ephemeral(jetstream.ConsumerConfig{OptStartSeq: h.resume(ctx, s)}))
	if err != nil {
		return err
	}
	defer remove(h.js, h.stream, consumer)
	messages, err := consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(readMessages, readBytes),
		jetstream.PullExpiry(readExpiry), jetstream.PullHeartbeat(readHeartbeat))
	if err != nil {
		return err
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	defer h.onReturn(messages.Stop)()
	for n := uint64(1); ; n++ {
		m, err := messages.Next()
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Consumer != n {
			return fmt.Errorf("message %d came as the reader's %d of %d", meta.Sequence.Stream, meta.Sequence.Consumer, n) // one was lost on the way
		}
		h.add(ctx, &Message{Subject: m.Subject(), Header: m.Headers(), Data: m.Data(), Sequence: meta.Sequence.Stream, Time: meta.Timestamp})
	}
}

// onReturn calls f when the server has been away and is there again: the consumer
// is gone then, which heartbeats would tell later.
func (h *Hub) onReturn(f func()) (stop func()) {
	nc := h.js.Conn()
	back := nc.StatusChanged(nats.CONNECTED)
	go func() {
		for range back {
			f()
		}
	}()
	return func() { nc.RemoveStatusListener(back) } // which closes it
}

// ephemeral completes what a consumer of ours is: in memory, without
// acknowledgements, and gone when nobody asks it any more.
func ephemeral(c jetstream.ConsumerConfig) jetstream.ConsumerConfig {
	c.AckPolicy, c.MemoryStorage, c.Replicas, c.InactiveThreshold = jetstream.AckNonePolicy, true, 1, idle
	if c.OptStartTime == nil {
		c.DeliverPolicy = jetstream.DeliverByStartSequencePolicy
	} else {
		c.DeliverPolicy = jetstream.DeliverByStartTimePolicy
	}
	return c
}

// removeWithin is how long the server may take to delete a consumer; one that stays
// is gone when it has been idle.
const removeWithin = 2 * time.Second

func remove(js jetstream.JetStream, stream string, c jetstream.Consumer) {
	ctx, cancel := context.WithTimeout(context.Background(), removeWithin)
	defer cancel()
	_ = js.DeleteConsumer(ctx, stream, c.CachedInfo().Name)
}

// resume is where the reader goes on. Where the stream lost what comes there, or
// what was read, everybody begins again.
func (h *Hub) resume(ctx context.Context, s jetstream.StreamState) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() == nil && (s.LastSeq < h.high || s.FirstSeq > h.high+1) {
		h.begin(s.LastSeq)
	}
	return h.high + 1
}

// add puts what was read into the ring.
func (h *Hub) add(ctx context.Context, m *Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Err() != nil || m.Sequence <= h.high {
		return // of an earlier reader
	}
	h.ring, h.bytes, h.high = append(h.ring, m), h.bytes+len(m.Data), m.Sequence
	for len(h.ring) > ringMessages || h.bytes > ringBytes && len(h.ring) > 1 {
		h.low, h.bytes = h.ring[0].Sequence, h.bytes-len(h.ring[0].Data)
		h.ring[0] = nil // for it to be collected before the array is
		h.ring = h.ring[1:]
	}
	h.tell()
}

// batch is how many messages a follower gets at a time.
const batch = 64

// take returns what the ring has for a follower and moves its place; behind says
// that the ring begins after it. News is closed when there may be more.
func (h *Hub) take(f *Follower) (got []*Message, news <-chan struct{}, behind bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case f.epoch != h.epoch:
		return nil, nil, false, ErrReset
	case f.after < h.low:
		return nil, nil, true, nil
	}
	i := sort.Search(len(h.ring), func(i int) bool { return h.ring[i].Sequence > f.after })
	for ; i < len(h.ring) && len(got) < batch; i++ {
		f.after = h.ring[i].Sequence
		if f.filter.lets(h.ring[i].Subject) {
			got = append(got, h.ring[i])
		}
	}
	if i == len(h.ring) {
		f.after = max(f.after, h.high)
	}
	return got, h.news, false, nil
}

// begins is where the ring begins.
func (h *Hub) begins() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.low
}
