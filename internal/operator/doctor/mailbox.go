package doctor

import (
	"context"
	"time"

	"zflow/engine/catalog"
	"zflow/internal/operator"
)

// mailboxes tells which mailboxes of a workflow are not read, or not as they should be.
func (e *examination) mailboxes(ctx context.Context, entry catalog.Entry) {
	def, err := e.op.Catalog.Workflow(ctx, entry.Name, entry.Version)
	if err != nil {
		return // said already
	}
	all, err := e.op.MailboxesOf(ctx, def)
	if err != nil {
		e.note("how mailboxes are read was not checked: %v", err)
		return
	}
	for _, m := range all {
		e.mailbox(entry.Name, &m)
	}
}

func (e *examination) mailbox(workflow string, m *operator.Mailbox) {
	switch {
	case m.Problem != nil:
		e.found("mailbox", m.Name, "mend the trigger email of "+workflow+", or the secret that is its password; zflow tries again by itself",
			"it cannot be read since %s: %s", m.Problem.Since.Format(time.RFC3339), m.Problem.Message)
	case m.Quiet(time.Now()):
		e.found("mailbox", m.Name, "look at the workers' logs, and whether one runs", "it was not read since %s, so no mail in it starts runs of %s", m.Looked.Format(time.RFC3339), workflow)
	case m.Unmarked != "":
		e.found("mailbox", m.Name, "make the folder that move of "+workflow+" names, or let zflow change the mailbox", "its mails start runs, but cannot be marked or moved: %s", m.Unmarked)
	}
	if m.Note != "" {
		e.note("mailbox %s: %s", m.Name, m.Note)
	}
}
