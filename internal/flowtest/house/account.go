package house

import (
	"zflow/internal/flowtest/testfile"
	"zflow/proto"
)

// ownAccount begins the account of a connection whose events have none.
const ownAccount = "account of "

// from notes whose account an event is of, as the test says.
func (w *world) from(e *testfile.Event, event *proto.Event) {
	if e.Connection == "" {
		return
	}
	if event.Account == "" {
		event.Account = ownAccount + e.Connection
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accounts[e.Connection] = event.Account
}

// account is that of a connection that the test names.
func (w *world) account(connection string) (id string, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id, known = w.accounts[connection]
	return id, known
}

// connection is the first by name that the test names for an account.
func (w *world) connection(account string) (name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for other, id := range w.accounts {
		if id == account && (name == "" || other < name) {
			name = other
		}
	}
	return name
}
