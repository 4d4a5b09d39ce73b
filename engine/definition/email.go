package definition

import (
	"zflow/engine"
	"zflow/engine/definition/mail"
	"zflow/engine/expr"
	"zflow/engine/workflow"
)

// email reads which mails start runs, and returns what is known of them.
func (b *builder) email(t *engine.Trigger, n *node) expr.Type {
	r := mail.Reader{Reader: &b.p.Reader, Template: func(n *node, text string) *expr.Template {
		return b.template(value{text, n}, inLogin)
	}}
	t.Source, t.Email = workflow.SourceEmail, r.Email(n)
	t.Types = []string{t.Email.Name()}
	return mailType
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
		"folder": text, "recipient": text, "tag": text, "sender": text, "automatic": text, "headers": {}, "problems": expr.List(text),
	}, false)
}()
