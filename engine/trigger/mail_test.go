package trigger

import (
	"testing"

	"zflow/engine"
	"zflow/engine/workflow"
	wire "zflow/proto"
)

// Only who asks for mails of programs gets them.
func TestAutomaticMails(t *testing.T) {
	any := func(string, []string, string) (string, bool) { return "", true }
	for _, c := range []struct {
		automatic bool
		trigger   string
		want      int
	}{
		{false, "", 0}, {false, `{"automatic":""}`, 0}, {false, `{"automatic":"auto-replied"}`, -1}, {true, `{"automatic":"auto-replied"}`, 0},
		{false, `{`, -1}, {true, "", 0},
	} {
		def := &engine.Workflow{Triggers: []engine.Trigger{{Source: "email", Types: []string{"a.b"}, Email: &workflow.Email{Mailbox: "a.b", Automatic: c.automatic}}}}
		e := &wire.Event{Source: "email", Type: "a.b", Trigger: []byte(c.trigger), Body: []byte("{}")}
		if at, err := Match(def, e, Event(e), any); at != c.want || err != nil {
			t.Errorf("%+v: %d, %v", c, at, err)
		}
	}
}
