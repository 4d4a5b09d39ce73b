package late_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"zflow/engine"
	"zflow/internal/zoomsim"
	"zflow/sources/zoom/reconcile"
)

// occurrence is one thing that happened to a meeting.
type occurrence struct {
	uuid, kind string
	ts         int64
}

func (o occurrence) String() string { return fmt.Sprint(o.uuid, " ", o.kind, " ", o.ts) }

// state is what the store holds of a meeting.
type state struct {
	State string `json:"state"`
	At    int64  `json:"at"`
}

// store is a little key-value store that people run: whoever writes last wins.
type store struct {
	address, url string
	mu           sync.Mutex
	all          map[string][]state // by uuid, as written
}

// newStore starts one; it keeps no connections, so that those in a bubble end.
func newStore(t *testing.T) *store {
	t.Helper()
	s := &store{all: map[string][]state{}}
	web := httptest.NewUnstartedServer(s)
	web.Config.SetKeepAlivesEnabled(false)
	web.Start()
	t.Cleanup(web.Close)
	s.url, s.address = web.URL, strings.TrimPrefix(web.URL, "http://")
	return s
}

func (s *store) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	uuid := q.URL.Query().Get("uuid")
	all := s.all[uuid]
	switch {
	case q.Method == http.MethodPut:
		var now state
		if err := json.NewDecoder(q.Body).Decode(&now); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.all[uuid] = append(all, now)
	case len(all) == 0:
		http.Error(w, "unknown", http.StatusNotFound)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(all[len(all)-1])
	}
}

// keeper is the recipe "The last state of a meeting", as docs/recipes.md has it.
func keeper(t *testing.T, s *store) string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "name: keep-state\n")
	text, _, ended := strings.Cut(text, "```")
	if !found || !ended {
		t.Fatal("docs/recipes.md has no workflow keep-state")
	}
	return "name: keep-state\n" + strings.ReplaceAll(text, "https://api.example.org/meetings", s.url)
}

// waiter is the example that waits for what follows.
func waiter(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../examples/workflows/meeting-state.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const (
	meetings = 60
	lasting  = 6 * time.Hour
)

// TestStaleEventsDoNoHarm: of 60 meetings over six hours Zoom's events are dropped,
// delayed, reordered and delivered twice with other URLs, and workers come, go and
// die. Once the hourly comparison has put in what was lost, each meeting has
// exactly its runs, and they ended with the state that is the last by event time.
func TestStaleEventsDoNoHarm(t *testing.T) {
	s := newStore(t)
	play(t, s, func(r *rig) {
		r.deploy(waiter(t))
		r.deploy(keeper(t, s))
		r.sim.SetChaos(zoomsim.Chaos{Seed: 7, Drop: .12, Fail: .03, Duplicate: .3, Reorder: .2, Delay: .5, Late: 30 * time.Minute})
		stopWork, stopComparing := r.every(30*time.Minute, r.shift), r.every(time.Hour, r.reconcile)
		all := r.live()
		time.Sleep(3 * time.Hour) // the last retries, comparisons and runs
		stopComparing()
		stopWork()
		r.checkHeld(all)
		r.checkWaiters(all)
		r.checkKeepers(all)
	})
}

// every does something again and again until it is stopped; the number of the time
// is handed over.
func (r *rig) every(d time.Duration, f func(n int)) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			select {
			case <-time.After(d):
				f(n)
			case <-quit:
				return
			}
		}
	}()
	return func() { close(quit); <-done }
}

// shift is what two workers do in five minutes; then they are away, and what comes
// waits. In the middle of each third one the first is killed and started again.
func (r *rig) shift(n int) {
	first, second := r.worker(), r.worker()
	time.Sleep(35 * time.Second) // in the middle of requests
	if n%3 == 1 {
		first.kill()
		first = r.worker()
	}
	time.Sleep(4*time.Minute + 25*time.Second)
	first.stop()
	second.stop()
}

func (r *rig) reconcile(int) {
	report, err := r.compare.Run(r.t.Context(), reconcile.Want{Since: time.Now().Add(-day)})
	if err != nil || len(report.Problems) > 0 {
		r.t.Errorf("comparing: %v, %v", err, report.Problems)
	}
	r.injected += report.Injected
}

// plan is what happens to a meeting, and how long after the one before.
var plan = []struct {
	kind string
	most time.Duration
}{
	{"meeting.started", lasting / meetings},
	{"meeting.participant_joined", time.Minute},
	{"meeting.participant_left", 5 * time.Minute},
	{"meeting.participant_joined", 5 * time.Minute},
	{"meeting.participant_left", 10 * time.Minute},
	{"meeting.ended", 30 * time.Second},
	{"recording.completed", 3 * time.Minute},
}

// live lets the meetings happen, some at the same time.
func (r *rig) live() []occurrence {
	r.t.Helper()
	dice := rand.New(rand.NewPCG(3, 4))
	var mu sync.Mutex
	var all []occurrence
	var work sync.WaitGroup
	for i := range meetings {
		gaps := make([]time.Duration, len(plan))
		for k, step := range plan {
			gaps[k] = time.Duration(dice.Int64N(int64(step.most)))
		}
		work.Go(func() {
			for k, step := range plan {
				time.Sleep(gaps[k])
				o := r.happen(fmt.Sprintf("/m%d/x==", i), step.kind, k)
				mu.Lock()
				all = append(all, o)
				mu.Unlock()
			}
		})
		time.Sleep(lasting / meetings)
	}
	work.Wait()
	return all
}

func (r *rig) happen(uuid, kind string, k int) occurrence {
	object := map[string]any{"uuid": uuid}
	if strings.Contains(kind, "participant") {
		object["participant"] = map[string]any{"user_id": fmt.Sprint(16778240 + k)}
	}
	h, err := r.sim.Happen(zoomsim.Event{Type: kind, Object: object})
	if err != nil {
		r.t.Error(err)
	}
	var body struct {
		TS int64 `json:"event_ts"`
	}
	if err := json.Unmarshal(h.Body, &body); err != nil {
		r.t.Error(err)
	}
	return occurrence{uuid, kind, body.TS}
}

// checkHeld checks that EVENTS has each event once.
func (r *rig) checkHeld(all []occurrence) {
	r.t.Helper()
	held := r.held()
	for _, o := range all {
		if held[o.String()] != 1 {
			r.t.Errorf("%s is held %d times", o, held[o.String()])
		}
	}
	if r.injected < meetings/2 {
		r.t.Errorf("only %d events were lost: the test shows little", r.injected)
	}
	if len(held) != len(all) {
		r.t.Errorf("%d events are held, %d happened", len(held), len(all))
	}
}

// checkWaiters checks that each meeting has one run, and that it saw the end and the recording.
func (r *rig) checkWaiters(all []occurrence) {
	r.t.Helper()
	left := map[string]string{} // the right output, by uuid
	for _, o := range all {
		if o.kind == "recording.completed" {
			left[o.uuid] = "recorded"
		}
	}
	for id, run := range r.runs("meeting-state") {
		var out struct{ UUID, State string }
		if run.State != engine.Completed || json.Unmarshal(run.End.GetRunCompleted().GetOutput().GetJson(), &out) != nil || left[out.UUID] != out.State {
			r.t.Errorf("run %s of meeting-state is %s with %s", id, run.State, run.End)
		}
		delete(left, out.UUID)
	}
	if len(left) > 0 {
		r.t.Errorf("no run of meeting-state ended well for %d meetings", len(left))
	}
}

// checkKeepers checks that each event had one run, and that what they wrote never
// went back in time and ended at the last.
func (r *rig) checkKeepers(all []occurrence) {
	r.t.Helper()
	want := map[string]state{}
	n := 0
	for _, o := range all {
		if strings.Contains(o.kind, "participant") {
			continue
		}
		n++
		if o.ts > want[o.uuid].At {
			want[o.uuid] = state{o.kind, o.ts}
		}
	}
	runs := r.runs("keep-state")
	for id, run := range runs {
		if run.State != engine.Completed {
			r.t.Errorf("run %s of keep-state is %s: %v", id, run.State, run.End)
		}
	}
	if len(runs) != n {
		r.t.Errorf("keep-state has %d runs for %d events", len(runs), n)
	}
	r.store.check(r.t, want)
}

func (s *store) check(t *testing.T, want map[string]state) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for uuid, last := range want {
		all := s.all[uuid]
		if len(all) == 0 || all[len(all)-1] != last {
			t.Errorf("the store has %v of %s, the last was %v", all, uuid, last)
		}
		for i := range all[min(1, len(all)):] {
			if all[i+1].At < all[i].At {
				t.Errorf("%s went back: %v", uuid, all)
			}
		}
	}
}
