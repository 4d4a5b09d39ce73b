package child

import "sync"

// Bounded keeps what is written to it, up to a limit. What comes beyond is dropped,
// and Over is called once: to kill the child, most likely. It never refuses a write:
// a child that gets no room would wait for ever.
type Bounded struct {
	Limit int
	Over  func() // nil: nothing

	mu   sync.Mutex
	kept []byte
	over bool
}

// Write takes all of p, and keeps what there is room for.
func (b *Bounded) Write(p []byte) (int, error) {
	b.mu.Lock()
	room := b.Limit - len(b.kept)
	b.kept = append(b.kept, p[:min(room, len(p))]...)
	first := len(p) > room && !b.over
	b.over = b.over || first
	b.mu.Unlock()
	if first && b.Over != nil {
		b.Over()
	}
	return len(p), nil
}

// Bytes returns what was kept.
func (b *Bounded) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.kept
}

// Exceeded tells whether more came than was kept.
func (b *Bounded) Exceeded() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.over
}
