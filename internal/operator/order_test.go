package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"zflow/engine"
	"zflow/internal/natstest"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// commands reads what stands in WAKES.
func (r *rig) commands() []*v1.Command {
	r.t.Helper()
	s, err := r.JS.Stream(context.Background(), wire.Wakes)
	r.must(err)
	info, err := s.Info(context.Background())
	r.must(err)
	var all []*v1.Command
	if info.State.Msgs == 0 {
		return nil
	}
	for n := info.State.FirstSeq; n <= info.State.LastSeq; n++ {
		m, err := s.GetMsg(context.Background(), n)
		r.must(err)
		c := &v1.Command{}
		r.must(proto.Unmarshal(m.Data, c))
		all = append(all, c)
	}
	return all
}

// untaken is a bubble in which no worker runs, so that orders are stored, and
// said to be.
func untaken(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		test(t, newRig(t))
	})
}

func failed(message string) *v1.Fact {
	return &v1.Fact{Kind: &v1.Fact_RunFailed{RunFailed: &v1.RunFailed{Reason: "step", Step: "say", Error: &v1.Error{Message: message}}}}
}

// ofVersion is the fact that begins a run of a version.
func ofVersion(workflow, version, event string) *v1.Fact {
	f := started(workflow, event)
	f.GetRunStarted().Version = version
	return f
}

func question3(r *rig, event string) *tale {
	fields := `{"amount":{"type":"number","required":true},"who":{"type":"text"},"sure":{"type":"boolean"}}`
	return r.tale("hello", event).tells(engine.Waiting, started("hello", event), &v1.Fact{Step: "ok", Kind: &v1.Fact_WaitStarted{WaitStarted: &v1.WaitStarted{
		Approval: &v1.Approval{Choices: []string{"approved", "rejected"}, Fields: &v1.Value{Json: []byte(fields)}}}}})
}

func TestApprovalsCarryTypedAnswers(t *testing.T) {
	untaken(t, func(t *testing.T, r *rig) {
		l := question3(r, "e")
		a := Approval{Run: l.run.ID(), Step: "ok", Choice: "approved", By: "me", Comment: "fine", Fields: map[string]string{"amount": "12.50", "who": "12", "sure": "true"}}
		if _, err := r.Approve(t.Context(), a); !errors.Is(err, ErrNotTaken) {
			t.Fatal(err)
		}
		c := r.commands()[0]
		if c.Kind != "approve" || c.Step != "ok" || c.Choice != "approved" || c.By != "me" || c.Reason != "fine" || string(c.Data) != `{"amount":12.50,"sure":true,"who":"12"}` {
			t.Errorf("%v", c)
		}
		for name, c := range map[string]struct {
			change func(*Approval)
			want   string
		}{
			"another choice": {func(a *Approval) { a.Choice = "retry" }, "the choice is one of approved, rejected"},
			"a stranger":     {func(a *Approval) { a.Fields["x"] = "1" }, "it asks for no field x, but for amount, sure, who"},
			"no number":      {func(a *Approval) { a.Fields["amount"] = "much" }, `the field amount is a number, and "much" is none`},
			"one missing":    {func(a *Approval) { delete(a.Fields, "amount") }, "the field amount is missing"},
			"twice":          {func(a *Approval) { a.Data = json.RawMessage("{}") }, "the answers are given twice"},
			"no object":      {func(a *Approval) { a.Data, a.Fields = json.RawMessage("[1]"), nil }, "no JSON object of the fields' names"},
			"a wrong type":   {func(a *Approval) { a.Data, a.Fields = json.RawMessage(`{"amount":1,"sure":"yes"}`), nil }, "the field sure is a boolean"},
		} {
			wrong := a
			wrong.Fields = map[string]string{"amount": "1"}
			c.change(&wrong)
			if _, err := r.Approve(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := len(r.commands()); n != 1 {
			t.Errorf("%d commands were sent", n)
		}
	})
}

// What a run waits for from outside is shown.
func TestWaitsFromOutsideAreShown(t *testing.T) {
	r := newRig(t)
	end := time.Now().Add(time.Hour).UTC()
	wait := func(step string, k *v1.WaitStarted) *v1.Fact {
		return &v1.Fact{Step: step, Kind: &v1.Fact_WaitStarted{WaitStarted: k}}
	}
	l := r.tale("hello", "e").tells(engine.Waiting, started("hello", "e"),
		wait("ok", &v1.WaitStarted{Approval: &v1.Approval{Choices: []string{"yes", "no"}}}),
		wait("rec", &v1.WaitStarted{Deadline: end.UnixNano(), Of: []*v1.Alternative{{Name: "a", Types: []string{"recording.completed"}}, {Name: "b", Signal: "go"}}}))
	d, err := r.Show(t.Context(), l.run.ID())
	r.must(err)
	got := map[string]Wait{}
	for _, w := range d.Waits {
		got[w.Step] = w
	}
	if w := got["ok"]; w.For != "approval" || w.What != "yes|no" || w.Until != nil {
		t.Errorf("the approval: %+v", w)
	}
	if w := got["rec"]; w.For != "event" || w.What != "recording.completed, signal go" || w.Until == nil || !w.Until.Equal(end) {
		t.Errorf("the wait: %+v", w)
	}
}

func TestSignal(t *testing.T) {
	untaken(t, func(t *testing.T, r *rig) {
		open, over := r.tale("hello", "a").tells(engine.Waiting, started("hello", "a")), r.finished("hello", "b")
		if _, err := r.Signal(t.Context(), Signal{Run: open.run.ID(), Name: "go", By: "me", Data: []byte(`{"n":1}`)}); !errors.Is(err, ErrNotTaken) {
			t.Fatal(err)
		}
		if c := r.commands()[0]; c.Kind != "signal" || c.Name != "go" || c.By != "me" || string(c.Data) != `{"n":1}` || c.Id == "" {
			t.Errorf("%v", c)
		}
		for want, s := range map[string]Signal{
			"it has ended already: completed":     {Run: over.run.ID(), Name: "go"},
			"is no name for a signal":             {Run: open.run.ID()},
			"1 to 128 letters in one line":        {Run: open.run.ID(), Name: "a\nb"},
			"the data is not JSON":                {Run: open.run.ID(), Name: "go", Data: []byte("{")},
			"it may have 1048576":                 {Run: open.run.ID(), Name: "go", Data: []byte(`"` + strings.Repeat("x", 1<<20) + `"`)},
			"there is none with this id":          {Run: "nosuch", Name: "go"},
			`signaling run nosuch: "" is no name`: {Run: "nosuch"},
		} {
			if _, err := r.Signal(t.Context(), s); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", want, err)
			}
		}
		if n := len(r.commands()); n != 1 {
			t.Errorf("%d commands were sent", n)
		}
	})
}

const looped = `name: hello
on: { zoom: meeting.ended }
steps:
  - { id: say, uses: log, with: { message: VERSION } }
  - { id: nap, sleep: 1s }
`

func (r *rig) version(text string) string {
	r.t.Helper()
	d, problems, err := r.Catalog.Deploy(context.Background(), "hello.yaml", []byte(strings.Replace(looped, "VERSION", text, 1)))
	if err != nil {
		r.t.Fatal(err, problems)
	}
	return d.Version
}

func TestRetry(t *testing.T) {
	untaken(t, func(t *testing.T, r *rig) {
		one, two := r.version("one"), r.version("two")
		l := r.tale("hello", "e").tells(engine.Failed, ofVersion("hello", one, "e"), failed("no"))
		with := map[string]map[string]json.RawMessage{"say": {"message": json.RawMessage(`"other"`)}}
		for i, c := range []struct {
			retry         Retry
			version, data string
		}{
			{Retry{With: with}, "", `{"say":{"message":"other"}}`}, {Retry{Version: two[:10]}, two, ""}, {Retry{Latest: true}, two, ""}, {Retry{}, "", ""},
		} {
			c.retry.Run, c.retry.By = l.run.ID(), "me"
			if _, err := r.Retry(t.Context(), c.retry); !errors.Is(err, ErrNotTaken) {
				t.Fatal(err)
			}
			if got := r.commands()[i]; got.Kind != "retry" || got.By != "me" || got.Version != c.version || string(got.Data) != c.data {
				t.Errorf("%v", got)
			}
		}
	})
}

func TestRetryRefuses(t *testing.T) {
	r := newRig(t)
	one := r.version("one")
	over, open := r.finished("hello", "a"), r.tale("hello", "b").tells(engine.Waiting, started("hello", "b"))
	broken := r.tale("hello", "c").tells(engine.Failed, ofVersion("hello", one, "c"), failed("no"))
	lost := r.tale("hello", "d").tells(engine.Failed, started("hello", "d"), failed("no")) // its version is v1
	with := func(step string) map[string]map[string]json.RawMessage {
		return map[string]map[string]json.RawMessage{step: {"message": json.RawMessage("1")}}
	}
	for want, c := range map[string]Retry{
		"it has neither failed nor been canceled: completed": {Run: over.run.ID()},
		"it has not ended yet: waiting":                      {Run: open.run.ID()},
		"there is none with this id":                         {Run: "nosuch"},
		"0 versions of workflow hello begin with \"zz\"":     {Run: broken.run.ID(), Version: "zz"},
		"has no step other that uses an action":              {Run: broken.run.ID(), With: with("other")},
		"has no step nap that uses an action":                {Run: broken.run.ID(), With: with("nap")},
		"this version was never deployed here":               {Run: lost.run.ID()},
	} {
		if _, err := r.Retry(t.Context(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if n := len(r.commands()); n != 0 {
		t.Errorf("%d commands were sent", n)
	}
}

// A retry is said to be done once the history shows it, and to be another's where
// the run goes on by another's.
func TestRetryThatAWorkerTakes(t *testing.T) {
	for taken, want := range map[string]string{"": "", "another": "somebody else has retried it before"} {
		r := newRig(t)
		l := r.tale("hello", "e").tells(engine.Failed, ofVersion("hello", r.version("one"), "e"), failed("no"))
		l.answer(func(c *v1.Command) []*v1.Fact {
			id := c.Id
			if taken != "" {
				id = taken
			}
			return []*v1.Fact{{Kind: &v1.Fact_RunRetried{RunRetried: &v1.RunRetried{Command: id, By: c.By}}}}
		})
		_, err := r.Retry(t.Context(), Retry{Run: l.run.ID(), By: "me"})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("taken as %q: %v", taken, err)
		}
	}
}

func TestSelect(t *testing.T) {
	r := newRig(t)
	r.finished("hello", "done")
	want := map[string]string{}
	for event, state := range map[string]engine.State{"runs": engine.Running, "waits": engine.Waiting} {
		want[string(state)] = r.tale("hello", event).tells(state, started("hello", event)).run.ID()
	}
	want["failed"] = r.tale("hello", "f").tells(engine.Failed, started("hello", "f"), failed("no")).run.ID()
	want["canceled"] = r.tale("hello", "c").tells(engine.Canceled, started("hello", "c"), &v1.Fact{Kind: &v1.Fact_RunCanceled{RunCanceled: &v1.RunCanceled{}}}).run.ID()
	r.tale("else", "f").tells(engine.Failed, started("else", "f"), failed("no"))
	q := RunQuery{Workflow: "hello"}
	status := func(s string) RunQuery { return RunQuery{Workflow: "hello", Status: s} }
	for _, c := range []struct {
		s    Selection
		want []string
	}{
		{Cancelable(q), []string{"running", "waiting"}}, {Cancelable(status("waiting")), []string{"waiting"}},
		{Retriable(q), []string{"failed"}}, {Retriable(status("canceled")), []string{"canceled"}},
		{Cancelable(RunQuery{Workflow: "hello", Since: time.Now().Add(time.Hour)}), nil},
	} {
		runs, err := r.Select(t.Context(), c.s)
		r.must(err)
		if len(runs) != len(c.want) {
			t.Errorf("%v selects %v", c.want, runs)
		}
		for _, run := range runs {
			if want[run.Status] != run.ID {
				t.Errorf("%v selects %v", c.want, run)
			}
		}
	}
	for _, s := range []Selection{Cancelable(status("failed")), Retriable(status("running"))} {
		if _, err := r.Select(t.Context(), s); err == nil || !strings.Contains(err.Error(), "cannot be") {
			t.Errorf("%v: %v", s, err)
		}
	}
	limited, err := r.Select(t.Context(), Cancelable(RunQuery{Workflow: "hello", Limit: 1}))
	if err != nil || len(limited) != 1 {
		t.Errorf("limited to 1: %v, %v", limited, err)
	}
}

// Of many orders none waits once one was not taken; all are stored.
func TestManyOrdersWithoutAWorker(t *testing.T) {
	untaken(t, func(t *testing.T, r *rig) {
		for n := range 30 {
			event := fmt.Sprint(n)
			r.tale("hello", event).tells(engine.Waiting, started("hello", event))
		}
		r.finished("hello", "done")
		runs, err := r.Runs(t.Context(), RunQuery{})
		r.must(err)
		begun := time.Now()
		done := r.Each(t.Context(), runs, func(ctx context.Context, o *Operator, id string) (Run, error) {
			return o.Cancel(ctx, Cancellation{Run: id, By: "me"})
		})
		if took := time.Since(begun); took > 2*takenWithin {
			t.Errorf("it took %v", took)
		}
		ended := 0
		for i, d := range done {
			switch {
			case d.ID != runs[i].ID || d.Problem == "":
				t.Errorf("%+v of %v", d, runs[i])
			case strings.Contains(d.Problem, "it has ended already"):
				ended++
			}
		}
		if n := len(r.commands()); n != 30 || ended != 1 {
			t.Errorf("%d commands were sent, %d runs had ended", n, ended)
		}
	})
}

func TestVerify(t *testing.T) {
	r := newRig(t)
	whole, broken := r.finished("hello", "a"), r.finished("hello", "b")
	m, err := proto.Marshal(&v1.Facts{Number: 9, Facts: []*v1.Fact{completed("null")}})
	r.must(err)
	ack, err := r.JS.Publish(t.Context(), wire.RunSubject("hello", broken.run.ID(), "completed"), m)
	r.must(err)
	all, err := r.Operator.Verify(t.Context(), func(uint64, uint64) {})
	r.must(err)
	one, err := r.VerifyRun(t.Context(), broken.run.ID())
	r.must(err)
	want := Damaged{broken.run.ID(), "hello", ack.Sequence, 9, "append 9 follows append 2"}
	for _, v := range []Verified{all, one} {
		if len(v.Damaged) != 1 || v.Damaged[0] != want || len(v.Aged) != 0 {
			t.Errorf("%+v", v)
		}
	}
	if all.Runs != 2 || all.Appends != 5 {
		t.Errorf("%+v", all)
	}
	if v, err := r.VerifyRun(t.Context(), whole.run.ID()); err != nil || len(v.Damaged) != 0 || v.Appends != 2 {
		t.Errorf("%+v, %v", v, err)
	}
	// Whole appends whose facts do not follow from each other.
	odd := r.tale("hello", "c").tells(engine.Running, started("hello", "c"))
	odd.run = engine.NewRun(odd.run.ID())
	odd.tells(engine.Running, started("hello", "c"))
	if v, err := r.VerifyRun(t.Context(), odd.run.ID()); err != nil || len(v.Damaged) != 1 || !strings.Contains(v.Damaged[0].Why, "cannot follow") {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := r.VerifyRun(t.Context(), "nosuch"); err == nil {
		t.Error("no run was verified")
	}
}
