package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"zflow/internal/app"
	"zflow/internal/bench/usage"
	"zflow/proto"
)

// secret signs the webhooks.
const secret = "a-secret-of-the-benchmark"

// system is what is measured: a process, and for zflow a connection to it.
type system struct {
	name    string
	folder  string
	process *process
	client  *app.Client // nil: the null pipeline
}

func (b *bench) start(ctx context.Context, name string) error {
	s := &system{name: name, folder: filepath.Join(b.folder, name)}
	var err error
	if s.process, err = start(ctx, b.Program, order{System: name, Folder: s.folder, API: b.url, Secret: secret}, b.Errors); err != nil {
		return err
	}
	b.systems = append(b.systems, s)
	if name == Null {
		return nil
	}
	declared := ""
	if name == Always {
		declared = Always
	}
	s.client, err = app.Connect(ctx, s.process.at.NATS, "", declared)
	return err
}

func (s *system) end() error {
	if s.client != nil {
		s.client.Close()
	}
	return s.process.end()
}

// counts is what a system has used and done so far.
type counts struct {
	usage.Process
	flushes uint64
	appends uint64 // messages in RUNS
	all     uint64 // messages in all streams
	stored  int64  // bytes in files
}

func (s *system) counts(ctx context.Context) (c counts, err error) {
	if c.Process, err = usage.Read(s.process.pid()); err != nil || s.client == nil {
		return c, err
	}
	if c.appends, c.all, err = s.messages(ctx); err != nil {
		return c, err
	}
	r, err := s.process.ask(request{})
	if err != nil {
		return c, err
	}
	if c.flushes = r.Flushes; s.name == Always {
		c.flushes = c.all // the server flushes each
	}
	c.stored, err = usage.Stored(filepath.Join(s.folder, "data"))
	return c, err
}

// messages says how many messages were ever stored.
func (s *system) messages(ctx context.Context) (runs, all uint64, err error) {
	for _, name := range []string{proto.Runs, proto.Events, proto.Wakes, proto.Bucket(proto.Leases)} {
		stream, err := s.client.JS.Stream(ctx, name)
		if err != nil {
			return 0, 0, fmt.Errorf("counting messages: %w", err)
		}
		n := stream.CachedInfo().State.LastSeq
		if all += n; name == proto.Runs {
			runs = n
		}
	}
	return runs, all, nil
}

// rest waits until nothing is appended any more: the third call is not a run's
// last append.
func (s *system) rest(ctx context.Context) error {
	if s.client == nil {
		return nil
	}
	for last, quiet := uint64(0), 0; quiet < 3; {
		n, _, err := s.messages(ctx)
		if err != nil {
			return err
		}
		if quiet++; n != last {
			last, quiet = n, 0
		}
		if err := wait(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// wait returns after a while, or with ctx's error.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
