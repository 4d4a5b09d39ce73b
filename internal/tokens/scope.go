package tokens

import (
	"fmt"
	"slices"
	"strings"
)

// Scopes of a token: what it may do.
const (
	EventsRead       = "events:read"
	RunsRead         = "runs:read"
	RunsWrite        = "runs:write" // cancel, signal, approve, retry
	WorkflowsRead    = "workflows:read"
	ConnectionsRead  = "connections:read"
	ConnectionsWrite = "connections:write"
	Admin            = "admin" // everything
)

// Scopes are all that there are.
func Scopes() []string {
	return []string{EventsRead, RunsRead, RunsWrite, WorkflowsRead, ConnectionsRead, ConnectionsWrite, Admin}
}

// CheckScopes explains what is wrong with scopes that a token is to have.
func CheckScopes(scopes []string) error {
	if len(scopes) == 0 {
		return fmt.Errorf("the token has no scope: give it some of %s", strings.Join(Scopes(), ", "))
	}
	for _, s := range scopes {
		if !slices.Contains(Scopes(), s) {
			return fmt.Errorf("there is no scope %.60q: they are %s", s, strings.Join(Scopes(), ", "))
		}
	}
	return nil
}

// May tells whether a token has a scope. Who may write may read, and an admin may
// do everything.
func (t *Token) May(scope string) bool {
	family, read := strings.CutSuffix(scope, ":read")
	return slices.Contains(t.Scopes, scope) || slices.Contains(t.Scopes, Admin) || read && slices.Contains(t.Scopes, family+":write")
}
