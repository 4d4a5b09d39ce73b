package connections_test

import (
	"testing"

	"zflow/internal/connections"
)

// Whose account it is: of several connections the first by name has it.
func TestWhoseAnAccountIs(t *testing.T) {
	js := bucket(t)
	other := connections.App{Name: "office", AccountID: "acc", ClientID: "client2", ClientSecret: secret}
	third := connections.App{Name: "home", AccountID: "acc3", ClientID: "client3", ClientSecret: secret}
	s := open(t, js, connections.Options{Apps: []connections.App{school, other, third}})
	for account, want := range map[string]string{"acc": "office", "acc3": "home", "none": "", "": ""} {
		if got := s.Of(account); got != want {
			t.Errorf("of %q: %q, not %q", account, got, want)
		}
	}
}
