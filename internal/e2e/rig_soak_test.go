//go:build unix

package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine/catalog"
	"zflow/internal/app"
	"zflow/proto"
)

// soak is a broker, three workers of which the first is never restarted, and
// what is known of what they have done.
type soak struct {
	*procRig
	short   bool
	veteran string // id of the first worker
	clock   soakClock
	tail    soakTail
	stop    context.CancelFunc

	folder sync.RWMutex // who prunes compares with all that is deployed

	mu          sync.Mutex
	faults      []string
	restarts    map[string]int
	commands    int
	again       map[string]int // commands given again, by why
	slowest     time.Duration
	slowestWhat string
	holding     int // changes that were seen to hold
}

func startSoak(ctx context.Context, short bool) (*soak, error) {
	p, err := newProcStarter()
	if err != nil {
		return nil, err
	}
	s := &soak{procRig: &procRig{procStarter: p, broker: p.newBroker(), api: newProcAPI(1, killLatency)}, short: short,
		tail: soakTail{runs: map[string]*soakRun{}, byFlow: map[string][]*soakRun{}}, restarts: map[string]int{}, again: map[string]int{}}
	if err := s.broker.run(); err != nil {
		return nil, err
	}
	client, err := procConnect(ctx, p.url)
	if err != nil {
		s.close(false)
		return nil, err
	}
	s.load = &procLoad{client: client, accepted: map[string]string{}}
	for _, name := range []string{"worker-a", "worker-b", "worker-c"} {
		w := p.newWorker(name)
		if err = w.run(); err != nil {
			s.close(false)
			return nil, err
		}
		s.workers = append(s.workers, w)
	}
	if s.veteran, err = s.up(ctx, s.workers[0]); err != nil {
		s.close(false)
		return nil, err
	}
	follow, stop := context.WithCancel(ctx)
	s.stop = stop
	go s.tail.follow(follow, client.JS)
	return s, nil
}

func (s *soak) fault(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

// held notes after how much of the broker's time a change was seen to hold. The
// short form runs beside other tests, on a machine that has no time to spare.
func (s *soak) held(after time.Duration, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if limit := soakHolds; after > 3*limit || *soakWhole && after > limit {
		s.fault("%s: the worker that nobody restarted took %v", what, after.Round(time.Millisecond))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding++
	if after > s.slowest {
		s.slowest, s.slowestWhat = after, what
	}
}

// answers tells whether JetStream answers.
func (s *soak) answers(ctx context.Context) bool {
	try, cancel := context.WithTimeout(ctx, 250*time.Millisecond)
	defer cancel()
	_, err := s.load.client.JS.Stream(try, proto.Events)
	return err == nil
}

// command does what a command of the CLI does, on a connection of its own, and as
// a person would gives it again where it failed. Who removes does so alone.
func (s *soak) command(ctx context.Context, removes bool, do func(context.Context, *app.Client) error) error {
	if removes {
		s.folder.Lock()
		defer s.folder.Unlock()
	} else {
		s.folder.RLock()
		defer s.folder.RUnlock()
	}
	for until := time.Now().Add(time.Minute); ; {
		err := s.try(ctx, do)
		s.mu.Lock()
		if s.commands++; err != nil {
			s.again[soakWhy(err)]++
		}
		s.mu.Unlock()
		if err == nil || ctx.Err() != nil {
			return err
		}
		if time.Now().After(until) {
			s.broker.signal(syscall.SIGQUIT) // it is stuck: its log tells where
			return err
		}
		<-time.After(100 * time.Millisecond)
	}
}

func (s *soak) try(ctx context.Context, do func(context.Context, *app.Client) error) error {
	client, err := app.Connect(ctx, s.url, "", "")
	if err != nil {
		return err
	}
	defer client.Close()
	return do(ctx, client)
}

// soakWhy is the root of an error.
func soakWhy(err error) string {
	for next := err; next != nil; next = errors.Unwrap(next) {
		err = next
	}
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return text
}

// consumers lists those of a stream.
func (s *soak) consumers(ctx context.Context, stream string) ([]string, error) {
	in, err := s.load.client.JS.Stream(ctx, stream)
	if err != nil {
		return nil, err
	}
	all := in.ConsumerNames(ctx)
	var names []string
	for name := range all.Name() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, all.Err()
}

// has says whether a workflow has a consumer.
func (s *soak) has(ctx context.Context, name string) bool {
	for {
		_, err := s.load.client.JS.Consumer(ctx, proto.Events, name)
		if err == nil || errors.Is(err, jetstream.ErrConsumerNotFound) || ctx.Err() != nil {
			return err == nil
		}
		<-time.After(100 * time.Millisecond) // the broker is down
	}
}

// finish checks what is left when nothing is restarted any more.
func (s *soak) finish(ctx context.Context, lives []*soakLife) {
	want := []string{"router"}
	for _, l := range lives {
		if len(l.changes) > 0 && l.now().state != catalog.Removed {
			want = append(want, l.name)
		}
	}
	s.consumersAre(ctx, "at the end", want)
	for _, l := range lives {
		if len(l.changes) > 0 && l.now().state == catalog.Paused {
			if err := l.resume(ctx); err != nil {
				s.fault("%s: %v", l.name, err)
			}
		}
	}
	s.ended(ctx, lives)
	for _, l := range lives {
		l.audit()
	}
	s.doctor(ctx)
	err := s.command(ctx, true, func(ctx context.Context, c *app.Client) error {
		return soakPrune(ctx, c, func(string) bool { return false })
	})
	if err != nil {
		s.fault("pruning all: %v", err)
	}
	s.consumersAre(ctx, "with nothing deployed", []string{"router"})
}

// settled weighs the oldest worker once it has let go of what was deployed.
func (s *soak) settled(ctx context.Context, before procWeight) procWeight {
	for begun := time.Now(); ; {
		after, err := s.weight(ctx, s.workers[0])
		if err == nil {
			err = after.outgrew(before)
		}
		if err == nil {
			return after
		}
		if time.Since(begun) > 2*soakHolds || ctx.Err() != nil {
			s.fault("%v", err)
			return after
		}
		<-time.After(200 * time.Millisecond)
	}
}

func (s *soak) consumersAre(ctx context.Context, when string, events []string) {
	slices.Sort(events)
	for stream, want := range map[string][]string{proto.Events: events, proto.Wakes: {"commands", "wakes"}} {
		if got, err := s.consumers(ctx, stream); err != nil || !slices.Equal(got, want) {
			s.fault("%s the consumers of %s are %v (%v), not %v", when, stream, got, err, want)
		}
	}
}

// ended waits until all runs that are owed have ended.
func (s *soak) ended(ctx context.Context, lives []*soakLife) {
	for until := time.Now().Add(time.Minute); ; {
		open := ""
		for _, l := range lives {
			open = max(open, l.unfinished())
		}
		if open == "" {
			return
		}
		if time.Now().After(until) || ctx.Err() != nil {
			s.fault("a minute later, %s", open)
			return
		}
		<-time.After(50 * time.Millisecond)
	}
}

func (s *soak) doctor(ctx context.Context) {
	d, err := app.NewDoctor(app.DoctorConfig{URL: s.url})
	if err != nil {
		s.fault("%v", err)
		return
	}
	d.Histories = true
	for _, f := range d.Examine(ctx).Findings {
		s.fault("the doctor finds: %s %s: %s", f.Check, f.About, f.Wrong)
	}
}

// tell reports what was seen, and what is wrong.
func (s *soak) tell(t *testing.T, lives []*soakLife) {
	t.Helper()
	sent := 0
	for _, l := range lives {
		sent += l.sent
	}
	for i, p := range append(slices.Clone(s.workers), s.broker) {
		n := p.byItself()
		s.restarts[p.name+", by itself"] += n
		if n > 0 && (i == 0 || p == s.broker) {
			s.fault("%s ended by itself\n%s", p.name, s.tail10(p))
		}
	}
	t.Logf("restarts: %v", soakCounts(s.restarts))
	t.Logf("%d workflows, %d events, %d publishes that failed; %d commands, of which failed and were given again: %v; %d changes were seen to hold",
		len(lives), sent, s.load.tries, s.commands, soakCounts(s.again), s.holding)
	for _, f := range s.faults[:min(len(s.faults), 12)] {
		t.Error(f)
	}
	if more := len(s.faults) - 12; more > 0 {
		t.Errorf("and %d more", more)
	}
	if len(s.faults) > 0 {
		t.Errorf("more in %s", s.dir)
	}
}

func (s *soak) tail10(p *process) string { return s.procStarter.tail(p.name, 10) }

func soakCounts(all map[string]int) string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, fmt.Sprintf("%s: %d", what, all[what]))
	}
	return strings.Join(parts, "; ")
}
