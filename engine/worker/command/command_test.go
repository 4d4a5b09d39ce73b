package command_test

import (
	"errors"
	"testing"

	"zflow/engine"
	"zflow/engine/worker/command"
	v1 "zflow/proto/zflow/v1"
)

func TestFact(t *testing.T) {
	r := engine.NewRun("r")
	for _, c := range []struct {
		command *v1.Command
		fact    bool
		late    bool
		err     error
	}{
		{&v1.Command{Id: "1", Kind: "cancel"}, true, false, nil},
		{&v1.Command{Id: "2", Kind: "signal", Name: "go"}, true, false, nil},
		{&v1.Command{Id: "3", Kind: "approve", Step: "nobody", Choice: "yes"}, false, true, nil},
		{&v1.Command{Id: "4", Kind: "retry"}, false, true, nil},
		{&v1.Command{Id: "5", Kind: "teleport"}, false, false, command.ErrUnknown},
	} {
		if f, late, err := command.Fact(r, c.command); (f != nil) != c.fact || late != c.late || !errors.Is(err, c.err) {
			t.Errorf("%s: %v, late %v, %v", c.command.Kind, f, late, err)
		}
	}
}

func TestRetry(t *testing.T) {
	r := engine.NewRun("r")
	r.State = engine.Failed
	got, err := command.Retry(r, &v1.Command{Id: "1", Kind: "retry", By: "ann", Data: []byte(`{"a.b":{"n":1}}`)})
	if err != nil || got.By != "ann" || string(got.With["a.b"].Json) != `{"n":1}` {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := command.Retry(r, &v1.Command{Id: "1", Kind: "retry", Data: []byte(`[1]`)}); got != nil || err == nil {
		t.Errorf("inputs that are no object: %v, %v", got, err)
	}
	if got, err := command.Retry(r, &v1.Command{Id: "1", Kind: "cancel"}); got != nil || err != nil {
		t.Errorf("another command: %v, %v", got, err)
	}
	r.State = engine.Completed
	if got, err := command.Retry(r, &v1.Command{Id: "1", Kind: "retry"}); got != nil || err != nil {
		t.Errorf("a run that completed: %v, %v", got, err)
	}
}
