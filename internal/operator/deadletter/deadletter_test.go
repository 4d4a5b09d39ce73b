package deadletter_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"zflow/engine"
	"zflow/internal/operator/deadletter"
	"zflow/internal/operator/operatortest"
	v1 "zflow/proto/zflow/v1"
)

func failed(reason, message string) *v1.Fact {
	return &v1.Fact{Kind: &v1.Fact_RunFailed{RunFailed: &v1.RunFailed{Reason: reason, Error: &v1.Error{Message: message}}}}
}

func canceled(why string) *v1.Fact {
	return &v1.Fact{Kind: &v1.Fact_RunCanceled{RunCanceled: &v1.RunCanceled{Why: why}}}
}

func step(name string) *v1.Fact {
	return &v1.Fact{Step: name, Kind: &v1.Fact_StepStarted{StepStarted: &v1.StepStarted{Attempt: 1, Uses: "log"}}}
}

func TestList(t *testing.T) {
	h := operatortest.New(t)
	dead := func(event string, state engine.State, facts ...*v1.Fact) { h.Run("a", "v1", event, state, facts...) }
	done := &v1.Fact{Step: "x", Kind: &v1.Fact_StepCompleted{StepCompleted: &v1.StepCompleted{Attempt: 1}}}
	dead("trigger", engine.Failed, failed("trigger", "evaluating the trigger's if:\nx is missing"))
	dead("step", engine.Failed, step("x"), done, failed("step", "an ordinary failure"))
	dead("late", engine.Failed, step("x"), done, failed("definition", "behind its first step"))
	dead("poison", engine.Failed, step("x"), failed("poison", "six workers were lost"))
	dead("refused", engine.Canceled, canceled("another event of this key was first"))
	dead("ordered", engine.Canceled, &v1.Fact{Kind: &v1.Fact_CancelRequested{CancelRequested: &v1.CancelRequested{Command: "c"}}}, canceled("by a person"))
	dead("done", engine.Completed, &v1.Fact{Kind: &v1.Fact_RunCompleted{RunCompleted: &v1.RunCompleted{}}})
	h.Run("b", "v1", "other", engine.Failed, failed("definition", "it cannot be read"))
	list := func(q deadletter.Query) string {
		all, err := deadletter.List(t.Context(), h.Operator, q)
		h.Must(err)
		var lines []string
		for _, l := range all {
			lines = append(lines, fmt.Sprintf("%s %s %s %s: %s", l.Workflow, l.EventID, l.Status, l.Reason, l.Why))
		}
		return strings.Join(lines, "\n")
	}
	const a = "a refused canceled refused: another event of this key was first\na poison failed poison: six workers were lost\na trigger failed trigger: evaluating the trigger's if: x is missing"
	const b = "b other failed definition: it cannot be read\n"
	for _, c := range []struct {
		q    deadletter.Query
		want string
	}{
		{deadletter.Query{}, b + a}, {deadletter.Query{Workflow: "a"}, a}, {deadletter.Query{Limit: 1}, strings.TrimSuffix(b, "\n")},
		{deadletter.Query{Since: time.Now().Add(time.Hour)}, ""}, {deadletter.Query{Workflow: "nosuch"}, ""},
	} {
		if got := list(c.q); got != c.want {
			t.Errorf("%+v:\n%s\nnot\n%s", c.q, got, c.want)
		}
	}
}
