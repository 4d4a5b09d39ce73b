package gates_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"zflow/engine/gates"
	"zflow/proto"
)

// runner plays runs that go through one gate, as the worker does it.
type runner struct {
	*rig
	gate   string
	limit  int
	places []gates.Place
	wakes  map[gates.Place]chan struct{}

	mu      sync.Mutex
	entered map[gates.Place]bool
	inside  int
}

// admit is a touch of the gate: it checks that nobody was passed over, and wakes.
func (r *runner) admit(s *gates.Store) {
	holders, err := s.Admit(context.Background(), r.gate, r.limit, r.over)
	if err != nil {
		r.t.Error(err)
		return
	}
	if len(holders) > r.limit {
		r.t.Errorf("%d are inside, %d may be", len(holders), r.limit)
	}
	for _, p := range r.places {
		over, _ := r.over(context.Background(), p)
		if !over && !slices.Contains(holders, p) && slices.ContainsFunc(holders, func(h gates.Place) bool { return h.Sequence > p.Sequence }) {
			r.t.Errorf("%v was passed over: inside are %v", p, holders)
		}
	}
	for _, p := range holders {
		select {
		case r.wakes[p] <- struct{}{}:
		default: // one lies there
		}
	}
}

// run is one from its wake to its end; now and then its leave is lost.
func (r *runner) run(s *gates.Store, p gates.Place) {
	for {
		<-r.wakes[p]
		in, err := s.Holds(context.Background(), r.gate, p)
		if err != nil {
			r.t.Error(err)
			return
		}
		if in {
			break
		}
	}
	r.count(p, 1)
	r.admit(s) // some other touch
	r.count(p, -1)
	r.end(p)
	if p.Sequence%5 != 0 {
		if err := s.Leave(context.Background(), r.gate, p); err != nil {
			r.t.Error(err)
		}
	}
	r.admit(s)
}

func (r *runner) count(p gates.Place, by int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entered[p] = true
	if r.inside += by; r.inside > r.limit {
		r.t.Errorf("%d runs go at once, %d may", r.inside, r.limit)
	}
}

// However many workers touch a gate at once: no more are in than may be, the lowest
// places first, and each gets its turn.
func TestManyAtOneGate(t *testing.T) {
	for _, limit := range []int{1, 3} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			r := &runner{rig: newRig(t), gate: proto.Gate("", "shared", "k"), limit: limit, wakes: map[gates.Place]chan struct{}{}, entered: map[gates.Place]bool{}}
			workers := []*gates.Store{r.worker(), r.worker(), r.worker(), r.worker()}
			for i := range uint64(40) {
				p := place(7*i+1, fmt.Sprint("run", i))
				r.places, r.wakes[p] = append(r.places, p), make(chan struct{}, 1)
				r.queue(r.gate, p)
			}
			var group sync.WaitGroup
			for i, p := range r.places {
				group.Go(func() { r.run(workers[i%len(workers)], p) })
			}
			r.admit(r.Store)
			group.Wait()
			if len(r.entered) != len(r.places) {
				t.Errorf("%d of %d had their turn", len(r.entered), len(r.places))
			}
			r.admits(r.gate, limit)
		})
	}
}

// Those that queue while others are let in: each is in at last, never too many.
func TestManyComeAndGo(t *testing.T) {
	r := &runner{rig: newRig(t), gate: gate, limit: 2, wakes: map[gates.Place]chan struct{}{}, entered: map[gates.Place]bool{}}
	workers := []*gates.Store{r.worker(), r.worker(), r.worker()}
	var all []gates.Place
	for i := range uint64(30) {
		p := place(i+1, fmt.Sprint("run", i))
		all, r.wakes[p] = append(all, p), make(chan struct{}, 1)
	}
	var group sync.WaitGroup
	for i, p := range all {
		group.Go(func() {
			s := workers[i%len(workers)]
			if err := s.Queue(context.Background(), gate, p); err != nil {
				t.Error(err)
			}
			r.admit(s)
			r.run(s, p)
		})
	}
	group.Wait()
	if len(r.entered) != len(all) {
		t.Errorf("%d of %d had their turn", len(r.entered), len(all))
	}
	r.admits(gate, 2)
}

// BenchmarkGate is a run's way through a gate where it is alone.
func BenchmarkGate(b *testing.B) {
	r := newRig(b)
	ctx := context.Background()
	for n := uint64(1); b.Loop(); n++ {
		p := place(n, "run")
		must(b, r.Queue(ctx, gate, p))
		_, err := r.Admit(ctx, gate, 1, r.over)
		must(b, err)
		must(b, r.Leave(ctx, gate, p))
	}
}

// BenchmarkAdmitBehindMany is an admission to a gate at which many queue.
func BenchmarkAdmitBehindMany(b *testing.B) {
	const many = 5_000
	r := newRig(b)
	ctx := context.Background()
	var group sync.WaitGroup
	for w := range uint64(50) {
		group.Go(func() {
			for i := range uint64(many / 50) {
				if err := r.Queue(ctx, gate, place(w*1000+i+1, "run")); err != nil {
					b.Error(err)
				}
			}
		})
	}
	group.Wait()
	for b.Loop() {
		in, err := r.Admit(ctx, gate, 1, r.over)
		must(b, err)
		must(b, r.Leave(ctx, gate, in[0]))
		must(b, r.Queue(ctx, gate, in[0]))
	}
}
