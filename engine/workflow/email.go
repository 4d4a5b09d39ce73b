package workflow

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"zflow/engine/expr"
	"zflow/proto"
)

// SourceEmail is the source of the events of mails; their type is the mailbox.
const SourceEmail = proto.SourceEmail

// Email is a trigger whose events are mails to a mailbox.
type Email struct {
	Mailbox   string // the part before the @; empty: it is that of IMAP
	IMAP      *IMAP  // a mailbox on another server; nil: mails are sent to zflow
	Automatic bool   // those that a program sent by itself are events too
}

// Name is how the mailbox is known, and the type of its events.
func (e *Email) Name() string {
	if e.IMAP != nil {
		return e.IMAP.Name()
	}
	return e.Mailbox
}

// IMAP is a mailbox on another server, which zflow looks into.
type IMAP struct {
	Host       string
	Port       int    // 0: that of Secure
	Secure     string // implicit, starttls, none
	User       string
	Password   *expr.Template // sees secrets and vars; nil: Connection's token
	Connection string
	Folder     string
	Every      time.Duration // between two looks
	Since      time.Duration // at the first look, mails that are so old are events too
	Seen       bool          // mails that were taken are marked as read
	Move       string        // the folder to which they go; empty: they stay
}

// Address is that of the server.
func (m *IMAP) Address() string {
	host := m.Host
	if strings.Contains(host, ":") { // of IPv6
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(m.port())
}

func (m *IMAP) port() int { return cmp.Or(m.Port, m.usual()) }

func (m *IMAP) usual() int {
	if m.Secure == "implicit" {
		return 993
	}
	return 143
}

// Name is how a mailbox is known, and the type of its events: two triggers with the
// same one look into one mailbox.
func (m *IMAP) Name() string {
	host := m.Host
	if m.port() != m.usual() {
		host = m.Address()
	}
	return host + "/" + m.User + "/" + m.Folder
}
