package definition

import (
	"regexp"
	"strings"

	"zflow/engine"
	"zflow/engine/definition/document"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
	"zflow/engine/workflow"
)

var validMailbox = regexp.MustCompile(language.MailboxPattern)

// email reads which mails start runs, and returns what is known of them.
func (b *builder) email(t *engine.Trigger, n *node) expr.Type {
	t.Source, t.Email = workflow.SourceEmail, &workflow.Email{}
	at := n
	if n.Kind == document.Object {
		if at = n.Get("mailbox"); !b.p.Fields(n, "email", language.Email) {
			return mailType
		}
		t.Email.Automatic = b.p.Flag(n.Get("automatic"), "automatic", false)
	}
	t.Email.Mailbox = b.p.mailbox(at)
	t.Types = []string{t.Email.Mailbox}
	return mailType
}

// mailbox reads the part of an address before the @.
func (p *parser) mailbox(n *node) string {
	s := p.Text(n, "a mailbox")
	local, domain, whole := strings.Cut(s, "@")
	switch {
	case s == "" || validMailbox.MatchString(s):
	case whole && validMailbox.MatchString(local):
		p.Fail(n, "write "+local+": which domains are received, the configuration says", "%q has the domain %s", s, domain)
	case validMailbox.MatchString(strings.ToLower(s)):
		p.Fail(n, "write "+strings.ToLower(s), "%q has capitals, which mailboxes are found without", s)
	default:
		p.Fail(n, "such as desk, for desk@ your domain", "%q is no mailbox", s)
	}
	return s
}

// mailType is what is known of a mail.
var mailType = func() expr.Type {
	text, yes := expr.Scalar(expr.Text), expr.Scalar(expr.Bool)
	person := expr.Object(map[string]expr.Type{"name": text, "address": text}, false)
	file := expr.Object(map[string]expr.Type{
		"file": text, "name": text, "type": text, "size": expr.Scalar(expr.Number), "sha256": text, "content_id": text, "inline": yes,
	}, false)
	return expr.Object(map[string]expr.Type{
		"from": person, "to": expr.List(person), "cc": expr.List(person), "reply_to": expr.List(person), "subject": text, "text": text, "html": {},
		"attachments": expr.List(file), "message_id": text, "in_reply_to": text, "references": expr.List(text), "date": {}, "mailbox": text,
		"recipient": text, "tag": text, "sender": text, "automatic": text, "headers": {}, "problems": expr.List(text),
	}, false)
}()
