package email

import "sync/atomic"

// Outcome is what became of a mail, or of a recipient or connection; it is a metric's
// label.
type Outcome string

// The outcomes.
const (
	Accepted    Outcome = "accepted"     // an event is stored
	Duplicate   Outcome = "duplicate"    // it was stored before
	Automatic   Outcome = "automatic"    // beside accepted: a program sent it by itself
	NoMailbox   Outcome = "no_mailbox"   // 550: no workflow has the mailbox
	OtherDomain Outcome = "other_domain" // 550: the domain is not received here
	Oversize    Outcome = "oversize"     // 552
	Malformed   Outcome = "malformed"    // 554: made to cost much, or no mail
	Broken      Outcome = "broken"       // the connection ended, or was too slow, within a mail
	Overload    Outcome = "overload"     // 451 or 421: more at once than the limit
	NotKnown    Outcome = "not_known"    // 451: nobody has said which mailboxes there are
	Unavailable Outcome = "unavailable"  // 451: not known to be stored
)

var outcomes = []Outcome{Accepted, Duplicate, Automatic, NoMailbox, OtherDomain, Oversize, Malformed, Broken, Overload, NotKnown, Unavailable}

// counts has one number for each outcome.
type counts map[Outcome]*atomic.Int64

func newCounts() counts {
	c := counts{}
	for _, o := range outcomes {
		c[o] = new(atomic.Int64)
	}
	return c
}

func (c counts) add(o Outcome) { c[o].Add(1) }
