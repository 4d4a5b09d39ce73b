package email

import "zflow/actions"

func spec() actions.Spec {
	return actions.Spec{
		Name:    "email.send",
		Summary: "Hands a mail to the mail server of the configuration (worker.smtp), for all of its recipients or none.",
		Effect:  actions.Write,
		Input: actions.Schema{Type: "object", Fields: map[string]actions.Schema{
			"to":          {Doc: "An address such as jo@example.org or Jo <jo@example.org>, several with commas between, or a list."},
			"cc":          {Doc: "Who gets a copy, as in to."},
			"bcc":         {Doc: "Who gets a copy that the others do not see, as in to."},
			"reply_to":    {Doc: "Where answers go, as in to; else to the sender."},
			"in_reply_to": {Type: "string", Doc: "The Message-ID of the mail that this one answers, such as event.message_id; programs show both as one conversation. What is no id is left out."},
			"references":  {Type: "array", Doc: "The Message-IDs of the conversation before that, such as event.references; the one of in_reply_to is added.", Items: &actions.Schema{Type: "string", Doc: "An id."}},
			"subject":     {Type: "string", Doc: "One line; what would break it becomes a space."},
			"text":        {Type: "string", Doc: "What it says, as plain text."},
			"html":        {Type: "string", Doc: "What it says, as HTML; with text too, programs show what they can."},
			"attachments": {Type: "array", Doc: "Files that other steps gave.", Items: ref(actions.FileSchema("A file."))},
		}},
		Output: actions.Schema{Type: "object", Required: []string{"message_id", "recipients", "answer"}, Fields: map[string]actions.Schema{
			"message_id": {Type: "string", Doc: "Its Message-ID without < and >, the same for every attempt of the step."},
			"recipients": {Type: "array", Doc: "All that get it, each once.", Items: &actions.Schema{Type: "string", Doc: "An address."}},
			"answer":     {Type: "string", Doc: "What the mail server said, often with its own number for the mail."},
		}},
		Errors: []actions.Known{
			{If: "error.code == 'too_many'", Doc: "The recipient got as many mails as worker.smtp.per_recipient allows in its window. The next attempt waits for room.", Again: true},
			{If: "error.code >= 400 and error.code < 500", Doc: "The mail server cannot now (a full mailbox, greylisting, too many mails); nobody got it.", Again: true},
			{If: "error.code >= 500 and error.code < 600", Doc: "The mail server refuses the recipient, the sender or the mail; nobody got it."},
			{If: "error.code == 'not_configured'", Doc: "worker.smtp names no server."},
			{If: "error.code == 'no_address'", Doc: "What should be an address is none."},
			{If: "error.code == 'too_large'", Doc: "The attachments have more bytes than worker.smtp.max_size."},
			{If: "error.code in ['certificate', 'server']", Doc: "The mail server has no certificate that can be trusted, no STARTTLS, or no way to log in."},
		},
		Examples: []actions.Example{
			{Title: "A text", Input: map[string]any{"to": "${{ event.payload.object.host_email }}", "subject": "Thank you", "text": "You were there for ${{ event.payload.object.duration }} minutes."}},
			{Title: "HTML, to several, with a file", Input: map[string]any{"to": []any{"Ana <ana@example.org>", "ben@example.org"}, "cc": "office@example.org", "reply_to": "office@example.org",
				"subject": "The report", "text": "See the attachment.", "html": "<p>See the attachment.</p>", "attachments": []any{}}},
			{Title: "An answer to a mail", Input: map[string]any{"to": "jo@example.org", "subject": "Re: My order", "text": "It is on its way.", "in_reply_to": "m1@example.org", "references": []any{"m0@example.org"}}},
		},
	}
}

func ref(s actions.Schema) *actions.Schema { return &s }
