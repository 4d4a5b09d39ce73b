package scope

import (
	"fmt"
	"strings"

	"zflow/engine/workflow"
)

// Lacking tells in lines which scopes the connections that a workflow's steps name
// lack for what the steps do. Granted returns a connection's scopes, none where they
// are not known; actions is as for Of.
func Lacking(w *workflow.Workflow, granted func(connection string) []string, actions func(name string) ([]string, bool)) []string {
	var lines []string
	said := map[string]bool{}
	look := func(u *workflow.Uses) {
		if u == nil || u.Connection == "" || said[u.Connection+" "+u.Action] {
			return
		}
		said[u.Connection+" "+u.Action] = true
		has := granted(u.Connection)
		anyOf, zoom := actions(u.Action)
		if !zoom || len(has) == 0 {
			return
		}
		if need := (Need{Of: []string{u.Action}, AnyOf: anyOf}); !need.Met(has) {
			lines = append(lines, fmt.Sprintf("%s: %s needs of connection %s one of: %s", w.Name, u.Action, u.Connection, strings.Join(anyOf, ", ")))
		}
	}
	for step := range w.All() {
		look(step.Undo)
		if do, uses := step.Do.(*workflow.Uses); uses {
			look(do)
		}
	}
	return lines
}
