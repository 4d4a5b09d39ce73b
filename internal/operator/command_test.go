package operator

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	"zflow/engine"
	"zflow/internal/natstest"
	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// answer stands where a worker would: it writes what the command brings into
// the history, as a worker does.
func (l *tale) answer(facts func(*v1.Command) []*v1.Fact) {
	l.rig.t.Helper()
	sub, err := l.rig.NC.Subscribe("zflow.command.*.*", func(m *nats.Msg) {
		c := &v1.Command{}
		if err := proto.Unmarshal(m.Data, c); err != nil {
			l.rig.t.Errorf("reading a command: %v", err)
			return
		}
		for _, f := range facts(c) {
			state := engine.Running
			if f.GetRunCanceled() != nil {
				state = engine.Canceled
			}
			l.tells(state, f)
		}
	})
	l.rig.must(err)
	l.rig.must(l.rig.NC.Flush())
	l.rig.t.Cleanup(func() { _ = sub.Unsubscribe() })
}

func asking(r *rig, event string) *tale {
	return r.tale("hello", event).tells(engine.Waiting, started("hello", event), stepStarted("call", 1, "{}"), stepFailed("call", 1, "unknown", "ask", "lost"))
}

func approvalOf(c *v1.Command) *v1.Fact {
	return &v1.Fact{Step: "call", Claim: &v1.Claim{Worker: "w", Epoch: 2, Stream: wire.Wakes, Sequence: 1},
		Kind: &v1.Fact_ApprovalGiven{ApprovalGiven: &v1.ApprovalGiven{Command: c.Id, By: c.By, Choice: c.Choice, Comment: c.Reason, Output: &v1.Value{Json: c.Data}}}}
}

func TestCancelIsSaidOnceTheHistoryShowsIt(t *testing.T) {
	r := newRig(t)
	l := r.tale("hello", "e").tells(engine.Running, started("hello", "e"))
	l.answer(func(c *v1.Command) []*v1.Fact {
		if c.Kind != "cancel" || c.By != "me" || c.Reason != "moved" || !c.Now || c.Id == "" {
			t.Errorf("the command is %v", c)
		}
		return []*v1.Fact{
			{Kind: &v1.Fact_CancelRequested{CancelRequested: &v1.CancelRequested{Command: c.Id, By: c.By, Reason: c.Reason}}},
			{Kind: &v1.Fact_RunCanceled{RunCanceled: &v1.RunCanceled{Why: c.Reason}}},
		}
	})
	if _, err := r.Cancel(context.Background(), Cancellation{Run: l.run.ID(), By: "me", Reason: "moved", Now: true}); err != nil {
		t.Fatal(err)
	}
	d, err := r.Show(context.Background(), l.run.ID())
	r.must(err)
	if !strings.Contains(d.Facts[1].Text, "cancel requested by me: moved") {
		t.Errorf("the history says %q", d.Facts[1].Text)
	}
}

func TestCancelRefusesWhatHasEnded(t *testing.T) {
	r := newRig(t)
	l := r.finished("hello", "e")
	for id, want := range map[string]string{l.run.ID(): "it has ended already: completed", "nosuch": "there is none with this id", "*": "there is none"} {
		if _, err := r.Cancel(context.Background(), Cancellation{Run: id}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", id, err)
		}
	}
	w, err := r.JS.Stream(context.Background(), wire.Wakes)
	r.must(err)
	if n := w.CachedInfo().State.Msgs; n != 0 {
		t.Errorf("%d commands were sent", n)
	}
}

// A run that ends before the order reaches it was not canceled.
func TestCancelThatComesTooLateIsAnError(t *testing.T) {
	r := newRig(t)
	l := r.tale("hello", "e").tells(engine.Running, started("hello", "e"))
	l.answer(func(*v1.Command) []*v1.Fact {
		l.tells(engine.Completed, completed("null"))
		return nil
	})
	if _, err := r.Cancel(context.Background(), Cancellation{Run: l.run.ID()}); err == nil || !strings.Contains(err.Error(), "it came too late, the run has ended: completed") {
		t.Errorf("%v", err)
	}
}

// Without a worker the order waits on the server, and that is said.
func TestAnOrderThatNobodyTakesIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		r := newRig(t)
		l := r.tale("hello", "e").tells(engine.Waiting, started("hello", "e"))
		_, err := r.Cancel(context.Background(), Cancellation{Run: l.run.ID()})
		if err == nil || !strings.Contains(err.Error(), "the order is stored, but no worker has taken it within 10s") {
			t.Errorf("%v", err)
		}
	})
}

func TestApprove(t *testing.T) {
	r := newRig(t)
	l := asking(r, "e")
	l.answer(func(c *v1.Command) []*v1.Fact { return []*v1.Fact{approvalOf(c)} })
	a := Approval{Run: l.run.ID(), Step: "call", Choice: "done", Data: []byte(`{"id":7}`), Comment: "seen", By: "me"}
	if _, err := r.Approve(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	d, err := r.Show(context.Background(), l.run.ID())
	r.must(err)
	if s := d.Steps[0]; s.Status != "completed" || string(s.Output) != `{"id":7}` {
		t.Errorf("the step is %+v", s)
	}
}

func TestApproveRefusesWhatDoesNotAsk(t *testing.T) {
	r := newRig(t)
	ended, running, asks := r.finished("hello", "a"), r.tale("hello", "b").tells(engine.Running, started("hello", "b")), asking(r, "c")
	for name, c := range map[string]struct {
		a    Approval
		want string
	}{
		"ended":   {Approval{Run: ended.run.ID(), Step: "say", Choice: "retry"}, "the run has ended: completed"},
		"running": {Approval{Run: running.run.ID(), Step: "call", Choice: "retry"}, "no step of the run asks for anything"},
		"other":   {Approval{Run: asks.run.ID(), Step: "say", Choice: "retry"}, "the step that asks is call"},
		"choice":  {Approval{Run: asks.run.ID(), Step: "call", Choice: "maybe"}, "the choice is one of retry, done, fail"},
		"output":  {Approval{Run: asks.run.ID(), Step: "call", Choice: "retry", Data: []byte("{}")}, "an output goes with the choice done"},
		"no json": {Approval{Run: asks.run.ID(), Step: "call", Choice: "done", Data: []byte("{")}, "the data is not JSON"},
		"fields":  {Approval{Run: asks.run.ID(), Step: "call", Choice: "done", Fields: map[string]string{"a": "b"}}, "and for no fields"},
		"no run":  {Approval{Run: "nosuch", Step: "call", Choice: "done"}, "there is none with this id"},
	} {
		if _, err := r.Approve(context.Background(), c.a); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Of two who answer at once one is told that the other was first.
func TestApproveThatComesSecondIsAnError(t *testing.T) {
	r := newRig(t)
	l := asking(r, "e")
	l.answer(func(c *v1.Command) []*v1.Fact {
		other := &v1.Command{Id: "another", Choice: "retry"}
		return []*v1.Fact{approvalOf(other)}
	})
	_, err := r.Approve(context.Background(), Approval{Run: l.run.ID(), Step: "call", Choice: "fail"})
	if err == nil || !strings.Contains(err.Error(), "somebody else has answered before") {
		t.Errorf("%v", err)
	}
}
