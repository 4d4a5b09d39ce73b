// Package stream is the load of live streams: many clients of one console, each of
// which wants every event, and events that come at a rate.
package stream

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"zflow/internal/bench/usage"
)

// Load is what is measured. All that EVENTS gets meanwhile is of the load.
type Load struct {
	URL     string // of the console
	Token   string
	Streams int
	Rate    float64       // events a second
	Length  time.Duration // for how long they come
	Publish func(ctx context.Context, n int) (sequence uint64, err error)
	Console func() (usage.Process, error) // what it has used
}

// Result is what it was like.
type Result struct {
	Events int
	Wrong  int             // messages that came twice, or not where they should
	Delays []time.Duration // from before an event is published until a client has it; a part of the clients measures
	Idle   int64           // bytes of memory before
	Opened int64           // once all streams are open
	Peak   int64           // the most that was seen while events came
	CPU    time.Duration   // of the console
}

// Figures says what it was like.
func (r *Result) Figures(streams int, figure func(what string, value float64, unit string)) {
	slices.Sort(r.Delays)
	delay := func(share float64) float64 {
		if len(r.Delays) == 0 {
			return 0
		}
		return float64(r.Delays[int(share*float64(len(r.Delays)-1))].Microseconds()) / 1000
	}
	messages, mib := float64(r.Events*streams), func(n int64) float64 { return float64(n) / (1 << 20) }
	figure("console, idle", mib(r.Idle), "MiB")
	figure("console, all streams open", mib(r.Opened), "MiB")
	figure("console, the most", mib(r.Peak), "MiB")
	figure("messages delivered", messages, "")
	figure("messages twice, missing or not in order", float64(r.Wrong), "")
	figure("from the publish to the client, p50", delay(.5), "ms")
	figure("from the publish to the client, p99", delay(.99), "ms")
	figure("CPU of the console per message", float64(r.CPU.Microseconds())/messages, "µs")
}

// Times of the load. Not all clients note times: that alone would be a load.
const (
	openWithin = time.Minute
	restWithin = time.Minute // after the last event
	noting     = 10          // one client in so many notes times
	watchEvery = 250 * time.Millisecond
)

// client is one stream.
type client struct {
	answer  *http.Response
	lines   *bufio.Reader
	last    uint64
	got     int
	wrong   int
	notes   bool
	arrived map[uint64]time.Time
}

// Run opens the streams, lets events come, and waits until each client has all.
func (l *Load) Run(ctx context.Context) (r Result, err error) {
	ctx, stop := context.WithTimeout(ctx, openWithin+l.Length+restWithin)
	defer stop()
	before, err := l.Console()
	if err != nil {
		return r, err
	}
	clients, err := l.open(ctx)
	defer func() { closeAll(clients) }()
	if err != nil {
		return r, err
	}
	opened, err := l.Console()
	if err != nil {
		return r, err
	}
	watching, watched := context.WithCancel(ctx)
	peak := make(chan int64, 1)
	go func() { peak <- l.peak(watching) }()
	sent, err := l.publish(ctx, clients)
	watched()
	after, err2 := l.Console()
	if err := errors.Join(err, err2); err != nil {
		return r, err
	}
	r.Idle, r.Opened, r.Peak = before.RSS, opened.RSS, max(<-peak, opened.RSS, after.RSS)
	r.Events, r.CPU = len(sent), after.CPU-before.CPU
	for _, c := range clients {
		if r.Wrong += c.wrong; c.got != len(sent) {
			r.Wrong++
		}
		for sequence, at := range c.arrived {
			r.Delays = append(r.Delays, at.Sub(sent[sequence]))
		}
	}
	return r, nil
}

func closeAll(clients []*client) {
	for _, c := range clients {
		_ = c.answer.Body.Close() // it was only read
	}
}

// peak is the most memory until ctx ends; what cannot be read is not counted.
func (l *Load) peak(ctx context.Context) (most int64) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return most
		case <-tick.C:
			if u, err := l.Console(); err == nil {
				most = max(most, u.RSS)
			}
		}
	}
}

// open returns once each stream has begun.
func (l *Load) open(ctx context.Context) (clients []*client, err error) {
	h := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	for n := range l.Streams {
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, l.URL+"/api/v1/events/stream", nil)
		if err != nil {
			return clients, err
		}
		q.Header.Set("Authorization", "Bearer "+l.Token)
		a, err := h.Do(q)
		if err != nil {
			return clients, fmt.Errorf("opening stream %d: %w", n+1, err)
		}
		c := &client{answer: a, lines: bufio.NewReaderSize(a.Body, 4<<10), notes: n%noting == 0, arrived: map[uint64]time.Time{}}
		clients = append(clients, c)
		if a.StatusCode != http.StatusOK {
			return clients, fmt.Errorf("opening stream %d: it answers %s", n+1, a.Status)
		}
		if _, err := c.line(); err != nil { // the comment that it begins with
			return clients, fmt.Errorf("opening stream %d: %w", n+1, err)
		}
	}
	return clients, nil
}

// line is the next line, or the beginning of a long one.
func (c *client) line() ([]byte, error) {
	line, err := c.lines.ReadSlice('\n')
	for long := err; errors.Is(long, bufio.ErrBufferFull); {
		_, long = c.lines.ReadSlice('\n')
		err = long
		line = line[:0] // what follows took its place
	}
	return line, err
}

// read counts what comes, up to a sequence that is told once it is known.
func (c *client) read(until func() (uint64, bool)) error {
	for {
		if end, known := until(); known && c.last >= end {
			return nil
		}
		line, err := c.line()
		if err != nil {
			return fmt.Errorf("reading a stream after %d: %w", c.last, err)
		}
		id, ok := bytes.CutPrefix(line, []byte("id: "))
		if !ok {
			continue
		}
		sequence, err := strconv.ParseUint(string(bytes.TrimSpace(id)), 10, 64)
		if err != nil || c.last > 0 && sequence != c.last+1 {
			c.wrong++
		}
		c.got++
		if c.last = max(c.last, sequence); c.notes {
			c.arrived[sequence] = time.Now()
		}
	}
}

// published is what was stored so far.
type published struct {
	mu   sync.Mutex
	at   map[uint64]time.Time // by sequence, when its publish began
	last uint64
	done bool
}

func (p *published) end() (uint64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last, p.done
}

// publish lets events come while all clients read, and one more at the end: who has
// that has all.
func (l *Load) publish(ctx context.Context, clients []*client) (map[uint64]time.Time, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { closeAll(clients) })() // which ends the readers
	p := &published{at: map[uint64]time.Time{}}
	var readers, publishers sync.WaitGroup
	for _, c := range clients {
		readers.Go(func() {
			if err := c.read(p.end); err != nil {
				cancel(err)
			}
		})
	}
	one := func(n int) {
		begun := time.Now()
		sequence, err := l.Publish(ctx, n)
		if err != nil {
			cancel(fmt.Errorf("publishing event %d: %w", n, err))
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.at[sequence], p.last = begun, max(p.last, sequence)
	}
	count := max(1, int(l.Rate*l.Length.Seconds()))
	for n, begun := 0, time.Now(); n < count && ctx.Err() == nil; n++ {
		due := begun.Add(time.Duration(float64(n) / l.Rate * float64(time.Second)))
		select {
		case <-time.After(time.Until(due)):
			publishers.Go(func() { one(n) })
		case <-ctx.Done():
		}
	}
	publishers.Wait()
	p.mu.Lock()
	p.done, p.last = true, p.last+1 // the one that follows
	p.mu.Unlock()
	if ctx.Err() == nil {
		one(count)
	}
	readers.Wait()
	return p.at, context.Cause(ctx)
}
