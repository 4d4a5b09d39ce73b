package operator

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"zflow/engine"
	"zflow/engine/history"
	"zflow/internal/sealed"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

func TestRunsAreListedNewestFirst(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	for n := range 3 {
		l := r.tale("hello", eventName(n))
		l.now = l.now.Add(time.Duration(n) * time.Hour)
		l.tells(engine.Running, started("hello", eventName(n)))
	}
	other := r.tale("other", eventName(9))
	other.now = other.now.Add(-time.Hour)
	other.tells(engine.Running, started("other", eventName(9))).
		tells(engine.Failed, &v1.Fact{Kind: &v1.Fact_RunFailed{RunFailed: &v1.RunFailed{Reason: "step", Error: &v1.Error{Message: "no luck"}}}})
	all, err := r.Runs(ctx, RunQuery{})
	r.must(err)
	want := []string{eventName(2), eventName(1), eventName(0), eventName(9)}
	for i, run := range all {
		if run.EventID != want[i] {
			t.Errorf("run %d is of %s, want %s", i, run.EventID, want[i])
		}
	}
	last := all[3]
	if last.Error == nil || *last.Error != "no luck" || last.EndedAt == nil || last.Status != "failed" || last.Version != "v1" {
		t.Errorf("the failed run is listed as %+v", last)
	}
	if all[0].Error != nil || all[0].EndedAt != nil {
		t.Errorf("a running run is listed as %+v", all[0])
	}
	for name, c := range map[string]struct {
		q    RunQuery
		want int
	}{
		"workflow": {RunQuery{Workflow: "other"}, 1}, "status": {RunQuery{Status: "running"}, 3}, "limit": {RunQuery{Limit: 2}, 2},
		"since": {RunQuery{Since: time.Now().Add(30 * time.Minute)}, 2}, "none": {RunQuery{Workflow: "nosuch"}, 0},
		"wildcard": {RunQuery{Workflow: "*"}, 0}, "both": {RunQuery{Workflow: "hello", Status: "failed"}, 0},
	} {
		got, err := r.Runs(ctx, c.q)
		if err != nil || len(got) != c.want || got == nil {
			t.Errorf("%s: %d runs (%v), want %d", name, len(got), err, c.want)
		}
	}
}

func TestShowTellsAllOfARun(t *testing.T) {
	r := newRig(t)
	r.deploy("hello")
	l := r.finished("hello", "e1")
	for _, id := range []string{l.run.ID(), l.run.ID()[:6]} {
		d, err := r.Show(context.Background(), id)
		r.must(err)
		if d.Status != "completed" || string(d.Output) != `{"n":1}` || len(d.Steps) != 1 || len(d.Waits) != 0 || len(d.Facts) != 4 {
			t.Fatalf("shown as %+v", d)
		}
		s := d.Steps[0]
		if s.ID != "say" || s.Attempts != 1 || s.Status != "completed" || string(s.Output) != `{"big":12345678901234567890}` {
			t.Errorf("the step is shown as %+v", s)
		}
		if len(s.Tries) != 2 || s.Tries[1].Log[0] != "a line [31m" {
			t.Errorf("its attempts are shown as %+v", s.Tries)
		}
	}
}

func TestShowSaysWhatARunWaitsFor(t *testing.T) {
	r := newRig(t)
	due := time.Now().Add(time.Hour)
	sleeping := &v1.Fact{Step: "nap", Kind: &v1.Fact_TimerSet{TimerSet: &v1.TimerSet{Due: due.UnixNano(), Reason: "sleep"}}}
	cases := map[string][]*v1.Fact{
		"sleep":   {sleeping},
		"retry":   {stepStarted("call", 1, "{}"), stepFailed("call", 1, "retryable", "retry", "busy")},
		"probe":   {stepStarted("call", 1, "{}"), stepFailed("call", 1, "unknown", "probe", "lost")},
		"person":  {stepStarted("call", 1, "{}"), stepFailed("call", 1, "unknown", "ask", "lost")},
		"attempt": {stepStarted("call", 1, "{}")},
	}
	for want, facts := range cases {
		l := r.tale("hello", want).tells(engine.Waiting, append([]*v1.Fact{started("hello", want)}, facts...)...)
		d, err := r.Show(context.Background(), l.run.ID())
		r.must(err)
		if len(d.Waits) != 1 || d.Waits[0].For != want || (d.Waits[0].Until == nil) != (want == "person") {
			t.Errorf("%s: it waits for %+v", want, d.Waits)
		}
	}
}

func TestWhatWasUnderWayIsCanceledWithItsRun(t *testing.T) {
	r := newRig(t)
	sleeping := &v1.Fact{Step: "nap", Kind: &v1.Fact_TimerSet{TimerSet: &v1.TimerSet{Due: time.Now().Add(time.Hour).UnixNano(), Reason: "sleep"}}}
	l := r.tale("hello", "e").tells(engine.Waiting, started("hello", "e"), sleeping).
		tells(engine.Canceled, &v1.Fact{Kind: &v1.Fact_RunCanceled{RunCanceled: &v1.RunCanceled{Why: "moved"}}})
	d, err := r.Show(context.Background(), l.run.ID())
	r.must(err)
	if d.Steps[0].Status != "canceled" || len(d.Waits) != 0 {
		t.Errorf("the step is %s, the run waits for %v", d.Steps[0].Status, d.Waits)
	}
}

// A value in BLOBS is fetched; one that is not there any more is named.
func TestShowFetchesLargeValues(t *testing.T) {
	r := newRig(t)
	large := `"` + strings.Repeat("x", 300<<10) + `"`
	name, err := r.Blobs.Put(context.Background(), []byte(large))
	r.must(err)
	output := func(blob string) *v1.Fact {
		f := completed("")
		f.GetRunCompleted().Output = &v1.Value{Blob: blob, Size: uint64(len(large))}
		return f
	}
	there := r.tale("hello", "a").tells(engine.Running, started("hello", "a")).tells(engine.Completed, output(name))
	gone := r.tale("hello", "b").tells(engine.Running, started("hello", "b")).tells(engine.Completed, output("abc"))
	d, err := r.Show(context.Background(), there.run.ID())
	r.must(err)
	if string(d.Output) != large {
		t.Errorf("the output has %d bytes, want %d", len(d.Output), len(large))
	}
	d, err = r.Show(context.Background(), gone.run.ID())
	r.must(err)
	if !strings.HasPrefix(string(d.Output), `{"blob":"abc"`) {
		t.Errorf("an output that is gone is shown as %.80s", d.Output)
	}
}

// No view of a run holds a sealed value.
func TestSealedValuesAreNeverShown(t *testing.T) {
	r := newRig(t)
	keys, err := sealed.GenerateKeys()
	r.must(err)
	marker := keys.Public().Seal("top secret")
	l := r.tale("hello", "e").tells(engine.Running, started("hello", "e"), stepStarted("say", 1, `{"k":"`+marker+`"}`))
	done := stepCompleted("say", 1, `{"url":"https://x/?t=`+marker+`"}`)
	done.GetStepCompleted().Log = []string{"sent " + marker}
	l.tells(engine.Running, done, stepStarted("b", 1, "{}"), stepFailed("b", 1, "final", "fail", "refused "+marker)).
		tells(engine.Failed, &v1.Fact{Kind: &v1.Fact_RunFailed{RunFailed: &v1.RunFailed{Reason: "step", Error: &v1.Error{Message: "refused " + marker}}}})
	d, err := r.Show(context.Background(), l.run.ID())
	r.must(err)
	raw, err := json.Marshal(d)
	r.must(err)
	text := string(raw) + d.Steps[0].Tries[1].Log[0] + string(d.Steps[0].Input)
	for _, f := range d.Facts {
		text += f.Text
	}
	for _, f := range r.appended(d.ID) {
		text += f.Text + string(f.json)
	}
	if sealed.Contains(text) || !strings.Contains(text, "https://x/?t=••••") || strings.Count(text, "••••") < 6 {
		t.Errorf("shown as %s", text)
	}
}

// appended are the facts of a run as they are followed.
func (r *rig) appended(run string) (facts []Fact) {
	r.t.Helper()
	runs, err := r.JS.Stream(context.Background(), wire.Runs)
	r.must(err)
	for n := uint64(1); n <= runs.CachedInfo().State.LastSeq; n++ {
		m, err := runs.GetMsg(context.Background(), n)
		r.must(err)
		a, err := ReadAppend(m.Subject, m.Header, m.Data, m.Sequence, m.Time)
		r.must(err)
		if a.ID == run {
			facts = append(facts, a.Facts...)
		}
	}
	return facts
}

func TestRunsAreFoundByAUniqueBeginning(t *testing.T) {
	r := newRig(t)
	seen := map[byte]string{}
	twice := ""
	for n := 0; twice == ""; n++ {
		id := r.tale("hello", eventName(n)).tells(engine.Running, started("hello", eventName(n))).run.ID()
		if seen[id[0]] != "" {
			twice = id[:1]
		}
		seen[id[0]] = id
	}
	if _, err := r.Find(context.Background(), twice); err == nil || !strings.Contains(err.Error(), "2 runs have ids that begin so") {
		t.Errorf("an ambiguous beginning: %v", err)
	}
	for _, id := range []string{"", "*", ">", "a.b", "ABC", "zzzzzzzz", "ä", strings.Repeat("0", 26), strings.Repeat("0", 500)} {
		if _, err := r.Find(context.Background(), id); err == nil || !strings.Contains(err.Error(), "there is none") || len(err.Error()) > 300 {
			t.Errorf("%.30q: %v", id, err)
		}
	}
}

func TestADamagedHistoryIsSaid(t *testing.T) {
	r := newRig(t)
	l := r.finished("hello", "e")
	_, err := r.NC.Request(wire.RunSubject("hello", l.run.ID(), "running"), []byte{0xff, 0xff}, time.Second)
	r.must(err)
	var damaged *history.Damaged
	if _, err := r.Show(context.Background(), l.run.ID()); !errors.As(err, &damaged) {
		t.Errorf("shown with %v", err)
	}
}

func BenchmarkRunsOf20000(b *testing.B) {
	r := newRig(b)
	for n := range 20000 {
		workflow, event := "hello", eventName(n)
		id := wire.RunID(workflow, event)
		for _, state := range []string{"running", "completed"} {
			m := wire.RunSubject(workflow, id, state)
			if _, err := r.JS.PublishAsync(m, []byte("x")); err != nil {
				b.Fatal(err)
			}
		}
	}
	<-r.JS.PublishAsyncComplete()
	for b.Loop() {
		if all, err := r.Runs(context.Background(), RunQuery{Limit: 100}); err != nil || len(all) != 100 {
			b.Fatalf("%d runs, %v", len(all), err)
		}
	}
}
