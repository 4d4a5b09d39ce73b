package data_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"zflow/engine/data"
	"zflow/internal/natstest"
	"zflow/proto"
)

func open(t testing.TB, bytes int64) (*data.Store, *natstest.Server) {
	t.Helper()
	s := natstest.Start(t)
	return openOn(t, s, bytes), s
}

func openOn(t testing.TB, s *natstest.Server, bytes int64) *data.Store {
	t.Helper()
	if err := data.Create(t.Context(), s.JetStream(t), 1, bytes); err != nil {
		t.Fatal(err)
	}
	store, err := data.Open(t.Context(), s.JetStream(t), s.Gate(t))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

var counter = data.Place{Workflow: "w", Key: "count/of things"}

// count adds one for a step; the answer is the new number.
func count(t testing.TB, s *data.Store, step string) (number int, a data.Answer) {
	t.Helper()
	a, err := s.Change(t.Context(), counter, step, func(e data.Entry) (data.Next, error) {
		n, _ := strconv.Atoi(string(e.Value))
		return data.Next{Value: json.RawMessage(strconv.Itoa(n + 1)), Answer: n + 1, Expires: e.Expires}, nil
	})
	if err != nil {
		t.Error(err)
	}
	number, _ = strconv.Atoi(string(a.JSON))
	return number, a
}

func put(t testing.TB, s *data.Store, p data.Place, step, value string, life time.Duration) data.Answer {
	t.Helper()
	a, err := s.Change(t.Context(), p, step, func(data.Entry) (data.Next, error) {
		n := data.Next{Value: json.RawMessage(value)}
		if value == "" {
			n.Value = nil
		}
		if life > 0 {
			n.Expires = time.Now().Add(life)
		}
		return n, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func value(t testing.TB, s *data.Store, p data.Place) string {
	t.Helper()
	e, err := s.Get(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return string(e.Value)
}

// TestRepeatedStepsCountOnce: every step is made twice, some of them much later, and
// beside others.
func TestRepeatedStepsCountOnce(t *testing.T) {
	s, _ := open(t, 0)
	const steps, workers = 80, 8
	first := make([]int, steps)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w; i < steps; i += workers {
				first[i], _ = count(t, s, "run.step["+strconv.Itoa(i)+"]")
			}
		})
	}
	all.Wait()
	for i := range steps {
		if again, a := count(t, s, "run.step["+strconv.Itoa(i)+"]"); again != first[i] || !a.Repeated {
			t.Fatalf("step %d counted %d, and repeated %d (%v)", i, first[i], again, a.Repeated)
		}
	}
	if got := value(t, s, counter); got != strconv.Itoa(steps) {
		t.Errorf("%d steps counted %s", steps, got)
	}
	for i := range 3 { // the last ones are in the entry itself, the first put aside
		step := "run.step[" + strconv.Itoa([]int{0, 40, steps - 1}[i]) + "]"
		a, happened, sure, err := s.Happened(t.Context(), counter, step, time.Now())
		if err != nil || !happened || !sure || string(a.JSON) != strconv.Itoa(first[[]int{0, 40, steps - 1}[i]]) {
			t.Errorf("%s: %s, %v, %v, %v", step, a.JSON, happened, sure, err)
		}
	}
	if _, happened, sure, err := s.Happened(t.Context(), counter, "other", time.Now()); happened || !sure || err != nil {
		t.Errorf("a step that did nothing: %v, %v, %v", happened, sure, err)
	}
}

// TestTwoWorkers change the same key through stores of their own.
func TestTwoWorkers(t *testing.T) {
	one, server := open(t, 0)
	two := openOn(t, server, 0)
	var all sync.WaitGroup
	for i := range 50 {
		for _, s := range []*data.Store{one, two} { // a repeat beside the first
			all.Go(func() { count(t, s, "step"+strconv.Itoa(i)) })
		}
	}
	all.Wait()
	if got := value(t, one, counter); got != "50" {
		t.Errorf("50 steps, each made twice at once, counted %s", got)
	}
}

// TestMarksOutliveTheirValue: a repeat finds its mark after the value was deleted,
// or its life was over; the message goes when nobody needs the mark any more.
func TestMarksOutliveTheirValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		s, server := open(t, 0)
		p := data.Place{Shared: "desk", Key: "k"}
		put(t, s, p, "a", `"x"`, time.Second)
		time.Sleep(2 * time.Second)
		if got := value(t, s, p); got != "" {
			t.Errorf("after its life the value is %s", got)
		}
		if a := put(t, s, p, "a", `"x"`, time.Hour); !a.Repeated {
			t.Error("a repeat made the value again")
		}
		put(t, s, p, "b", `"y"`, 0)
		put(t, s, p, "c", "", 0)
		if a := put(t, s, p, "b", `"y"`, 0); !a.Repeated || value(t, s, p) != "" {
			t.Errorf("the repeat of a step before a deletion: %+v", a)
		}
		if keys := messages(t, server); keys != 1 {
			t.Errorf("%d keys", keys)
		}
		time.Sleep(2 * time.Hour)
		if keys := messages(t, server); keys != 0 {
			t.Errorf("%d keys after two hours", keys)
		}
		server.Stop()
	})
}

func messages(t testing.TB, s *natstest.Server) uint64 {
	t.Helper()
	stream, err := s.JetStream(t).Stream(t.Context(), proto.Bucket(proto.Data))
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo().State.Msgs
}

// TestHappenedLate: it does not claim to know what it cannot.
func TestHappenedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		s, server := open(t, 0)
		began := time.Now()
		check := func(when, step string, wantHappened, wantSure bool) {
			t.Helper()
			_, happened, sure, err := s.Happened(t.Context(), counter, step, began)
			if err != nil || happened != wantHappened || sure != wantSure {
				t.Errorf("%s, %s: happened %v, sure %v, %v", when, step, happened, sure, err)
			}
		}
		count(t, s, "done")
		check("at once", "done", true, true)
		check("at once", "lost", false, true)
		time.Sleep(2 * time.Hour)
		check("later, being the last change", "done", true, true)
		check("later", "lost", false, false)
		count(t, s, "other")
		check("later, behind another", "done", false, false)
		began = time.Now().Add(2 * time.Hour)
		time.Sleep(3 * time.Hour)
		check("where nothing changed since it began", "lost", false, true)
		server.Stop()
	})
}

// TestHeldUp: who waited for a minute before it could change anything does not.
func TestHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		s, server := open(t, 0)
		_, err := s.Change(t.Context(), counter, "slow", func(data.Entry) (data.Next, error) {
			time.Sleep(2 * time.Minute) // the process was stopped
			return data.Next{Value: json.RawMessage("1")}, nil
		})
		if !errors.Is(err, data.ErrLate) || value(t, s, counter) != "" {
			t.Errorf("%v", err)
		}
		server.Stop()
	})
}

func TestStoresAreApart(t *testing.T) {
	s, _ := open(t, 0)
	places := []data.Place{
		{Workflow: "a", Key: "k"}, {Workflow: "b", Key: "k"}, {Shared: "a", Key: "k"}, {Workflow: "a", Key: "k.k"},
		{Workflow: "a", Key: "*"}, {Workflow: "a", Key: ">"}, {Workflow: "a", Key: "_"}, {Workflow: "a", Key: " ü/\x00"},
	}
	for i, p := range places {
		put(t, s, p, "step", strconv.Itoa(i), 0) // of one step key: the marks are per key
	}
	for i, p := range places {
		if got := value(t, s, p); got != strconv.Itoa(i) {
			t.Errorf("%+v has %s", p, got)
		}
	}
	for _, bad := range []data.Place{{Workflow: "a"}, {Key: "k"}, {Shared: "A", Key: "k"}, {Shared: "a.b", Key: "k"}, {Workflow: "a", Key: strings.Repeat("k", 257)}, {Workflow: "a", Key: "\xff"}} {
		if _, err := s.Get(t.Context(), bad); !errors.Is(err, data.ErrKey) && !errors.Is(err, data.ErrStore) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestBounds(t *testing.T) {
	s, _ := open(t, 1<<20)
	big := json.RawMessage(`"` + strings.Repeat("x", 200<<10) + `"`)
	set := func(key string, value json.RawMessage) error {
		_, err := s.Change(t.Context(), data.Place{Workflow: "w", Key: key}, key+time.Now().String(), func(data.Entry) (data.Next, error) { return data.Next{Value: value}, nil })
		return err
	}
	if err := set("k", append(big, big...)); !errors.Is(err, data.ErrLarge) {
		t.Errorf("400 KiB: %v", err)
	}
	var err error
	for i := 0; err == nil && i < 8; i++ {
		err = set(fmt.Sprint("k", i), big)
	}
	if !errors.Is(err, data.ErrFull) {
		t.Fatalf("1.6 MB in a bucket of 1 MiB: %v", err)
	}
	if err := set("k1", nil); err != nil {
		t.Errorf("deleting where it is full: %v", err)
	}
	if err := set("k9", big); err != nil {
		t.Errorf("once there is room again: %v", err)
	}
}

func TestList(t *testing.T) {
	s, _ := open(t, 0)
	for i := range 7 {
		put(t, s, data.Place{Workflow: "w", Key: fmt.Sprint("a.", i)}, "s", strconv.Itoa(i), 0)
	}
	put(t, s, data.Place{Workflow: "w", Key: "a.3"}, "s2", "", 0)
	put(t, s, data.Place{Workflow: "w", Key: "b"}, "s", "1", 0)
	var got []string
	q := data.Query{Prefix: "a.", Limit: 4}
	for more := true; more; {
		page, again, err := s.List(t.Context(), data.Place{Workflow: "w"}, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			got = append(got, e.Key+"="+string(e.Value))
			q.After = e.Key
		}
		got, more = append(got, "|"), again
	}
	if want := "a.0=0 a.1=1 a.2=2 a.4=4 | a.5=5 a.6=6 |"; strings.Join(got, " ") != want {
		t.Errorf("%v", got)
	}
	if page, more, err := s.List(t.Context(), data.Place{Workflow: "none"}, q); len(page) != 0 || more || err != nil {
		t.Errorf("an empty store: %v, %v, %v", page, more, err)
	}
}
