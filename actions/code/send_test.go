package code

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"zflow/actions"
)

// What code in Pipedream's shape sends goes out when it has succeeded, in order, under
// keys that are the same however often the step is attempted.
func TestSend(t *testing.T) {
	k := newKeeping(t)
	var sent []string
	refuse := ""
	k.options.Act = func(_ context.Context, action string, c actions.Call) (actions.Result, error) {
		if action == refuse {
			return actions.Result{}, actions.Retryable("the server is away")
		}
		sent = append(sent, fmt.Sprint(action, " ", c.Key, " ", c.Input))
		return actions.Result{}, nil
	}
	k.action = Action(k.options)
	text := `export default defineComponent({ async run({ $ }) {
		$.send.email({ subject: "Hello", text: "It is done" });
		$.send.emit({ channel: "class.held", raw_event: { n: 2n ** 53n + 1n } });
		$.send.sse({ channel: "board", payload: this.word });
		if (this.fail) throw new Error("no");
		return "ok" } })`
	input := object{"$email": []any{"ann@example.org"}, "$emit": true, "word": "hi"}
	want := []string{
		"email.send run.step.sends.1 map[subject:Hello text:It is done to:[ann@example.org]]",
		"emit run.step.sends.2 map[data:map[n:9007199254740993] type:class.held]",
		"emit run.step.sends.3 map[data:hi type:sse.board]",
	}
	for range 2 { // a second attempt
		sent = nil
		if _, err := k.step("run.step", text, input); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(sent, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("sent\n%s", got)
		}
	}

	sent = nil
	if _, err := k.step("run.step", text, object{"$email": "ann@example.org", "$emit": true, "word": "hi", "fail": true}); err == nil || len(sent) > 0 {
		t.Errorf("code that fails: %v, sent %q", err, sent)
	}
	refuse = "emit"
	_, err := k.step("run.step", text, input)
	if e, ok := err.(*actions.Error); !ok || e.Class != actions.ClassRetryable || !strings.Contains(e.Message, "publishing an event: the server is away") {
		t.Errorf("what is refused: %#v", err)
	}
	refuse = ""
	if _, err := k.step("run.step", `export default defineComponent({ run({ $ }) { for (let i = 0; i < 101; i++) $.send.emit({ channel: "x" }) } })`, object{"$emit": true}); err == nil || !strings.Contains(err.Error(), "more than 100 times") {
		t.Errorf("a flood: %v", err)
	}
}

// What code asks for by itself, past the shim, goes no further than its step lets it.
func TestSendNothingThatIsNotGranted(t *testing.T) {
	k := newKeeping(t)
	var sent []string
	k.options.Act = func(_ context.Context, action string, c actions.Call) (actions.Result, error) {
		sent = append(sent, fmt.Sprint(action, " ", c.Input))
		return actions.Result{}, nil
	}
	k.action = Action(k.options)
	ask := `export default (args) => args[Symbol.for("zflow.ask")]({ op: "send", action: "%s" }, { to: "eve@example.org", bcc: "eve@example.org", subject: "s", type: "class.held" }).then(() => "sent")`
	for action, want := range map[string]string{"email.send": "$email", "emit": "$emit", "exec.run": "cannot have"} {
		if _, err := k.step("run.step", fmt.Sprintf(ask, action), object{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", action, err)
		}
	}
	if _, err := k.step("run.step", fmt.Sprintf(ask, "email.send"), object{"$email": "ann@example.org"}); err != nil || len(sent) != 1 || sent[0] != "email.send map[subject:s to:ann@example.org]" {
		t.Errorf("%v, sent %q", err, sent)
	}
}
