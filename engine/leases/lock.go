package leases

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	"zflow/internal/pause"
)

// renewAt is how long after its last renewal a lock is renewed, dropAt when it is
// given up if that did not succeed: while it is surely still held.
const (
	renewAt = Age / 4
	dropAt  = Age * 2 / 3
)

// While runs do under a lock, unless another holder has it; held tells which. The
// context of do ends before the lock may be another's: that is no error here, since
// who holds it next goes on.
func (s *Store) While(ctx context.Context, name, holder string, do func(context.Context) error) (held bool, err error) {
	sent := time.Now()
	revision, ok, err := s.lock(ctx, name, holder, 0)
	if err != nil || !ok {
		return false, err
	}
	locked, cancel := context.WithCancel(ctx)
	defer cancel()
	kept := make(chan uint64, 1)
	go func() {
		defer cancel()
		kept <- s.keep(locked, name, holder, revision, sent)
	}()
	err = do(locked)
	cancel()
	if revision = <-kept; revision == 0 {
		return true, err
	}
	return true, errors.Join(err, s.unlock(ctx, name, revision))
}

// Duty runs do under a lock for as long as ctx allows, in whichever of the processes
// that call it holds the lock: when one goes, another takes over within seconds.
// What do returns is handed to failed; do is begun again.
func (s *Store) Duty(ctx context.Context, name, holder string, do func(context.Context) error, failed func(error)) {
	for ctx.Err() == nil {
		_, err := s.While(ctx, name, holder, do)
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
		pause.For(ctx, renewAt)
	}
}

// keep renews a lock that was sent for at this time, until ctx ends or the lock is
// lost, and returns its last revision, 0 if it was lost.
func (s *Store) keep(ctx context.Context, name, holder string, revision uint64, sent time.Time) uint64 {
	for {
		if pause.For(ctx, renewAt); ctx.Err() != nil {
			return revision
		}
		asked := time.Now()
		// One that is under way ends, so that the lock can be given back.
		within, cancel := context.WithDeadline(context.WithoutCancel(ctx), sent.Add(dropAt))
		now, ok, err := s.lock(within, name, holder, revision)
		cancel()
		switch {
		case err == nil && !ok, time.Since(sent) >= dropAt:
			return 0
		case err == nil:
			revision, sent = now, asked
		}
	}
}

// lock takes or renews a lock for Age; revision is that of the last taking, 0 for
// the first. ok is false while another holds it.
func (s *Store) lock(ctx context.Context, name, holder string, revision uint64) (now uint64, ok bool, err error) {
	if revision == 0 {
		now, err = s.leases.Create(ctx, name, []byte(holder))
	} else {
		now, err = s.leases.Update(ctx, name, []byte(holder), revision)
	}
	if durable.Conflict(err) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("taking lock %s: %w", name, err)
	}
	return now, true, nil
}

// unlock gives a lock back, even if ctx has ended; one that somebody else has
// taken meanwhile stays.
func (s *Store) unlock(ctx context.Context, name string, revision uint64) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Age/3)
	defer cancel()
	err := s.leases.Delete(ctx, name, jetstream.LastRevision(revision))
	if err != nil && !durable.Conflict(err) {
		return fmt.Errorf("giving back lock %s: %w", name, err)
	}
	return nil
}
