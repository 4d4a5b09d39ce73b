package durable

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// line is the queue of one stream: all requests at hand share one flush.
type line struct {
	files *files

	mu      sync.Mutex
	waiting []func(answer)
	swept   bool // a sweep waits too
	running bool
}

func (f *Flusher) line(stream string) *line {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.lines[stream]
	if l == nil {
		l = &line{files: newFiles(filepath.Join(f.streams, stream), slices.Contains(f.o.Appended, stream), f.sync)}
		f.lines[stream] = l
	}
	return l
}

func (f *Flusher) sync(file *os.File) error {
	f.counts.syncs.Add(1)
	return f.o.Sync(file)
}

// enqueue adds who waits for an answer, or a sweep (nil), to a line.
func (f *Flusher) enqueue(l *line, respond func(answer)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if respond == nil {
		l.swept = true
	} else {
		l.waiting = append(l.waiting, respond)
	}
	if !l.running {
		l.running = f.begin(l)
	}
	if !l.running && respond != nil {
		l.waiting = nil
		respond(answer{Server: f.server, Error: "the flush service has ended"})
	}
}

// begin starts serving a line, unless the Flusher has stopped.
func (f *Flusher) begin(l *line) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.stopped {
		f.work.Go(func() { f.serveLine(l) })
	}
	return !f.stopped
}

// serveLine flushes for all at hand until nobody waits.
func (f *Flusher) serveLine(l *line) {
	var spare []func(answer)
	for {
		l.mu.Lock()
		batch, swept := l.waiting, l.swept
		if len(batch) == 0 && !swept {
			l.running = false
			l.mu.Unlock()
			return
		}
		l.waiting, l.swept = spare[:0], false
		l.mu.Unlock()
		f.answerAll(batch, f.flush(l, swept))
		spare = batch
	}
}

func (f *Flusher) flush(l *line, swept bool) error {
	begun := time.Now()
	err := l.files.flush(swept)
	f.counts.note(time.Since(begun))
	if err != nil && !errors.Is(err, errNoStream) {
		select {
		case f.failed <- err:
		default: // one reason to end is enough
		}
	}
	return err
}

func (f *Flusher) answerAll(batch []func(answer), err error) {
	d := f.space.now()
	a := answer{Server: f.server, Free: d.Free, Reserve: d.Reserve}
	if err != nil {
		a.Error = err.Error()
	}
	for _, respond := range batch {
		respond(a)
	}
}
