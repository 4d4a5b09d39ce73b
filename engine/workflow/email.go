package workflow

import "zflow/proto"

// SourceEmail is the source of the events of mails; their type is the mailbox.
const SourceEmail = proto.SourceEmail

// Email is a trigger whose events are mails to a mailbox.
type Email struct {
	Mailbox   string // the part before the @
	Automatic bool   // those that a program sent by itself are events too
}
