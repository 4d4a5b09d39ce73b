package doctor

import (
	"context"
	"strings"
	"testing"
	"time"

	"zflow/sources/imap/place"
)

// TestADoctorLooksAtMailboxes: one that cannot be read, one of which nobody heard for long,
// one whose mails stay where they are, and one with which all is well.
func TestADoctorLooksAtMailboxes(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	r.Must(place.Create(ctx, r.JS, 1))
	places, err := place.Open(ctx, r.JS, r.Server.Gate(t))
	r.Must(err)
	r.Operator.Places = places
	now := time.Now().UTC()
	for user, p := range map[string]place.Position{
		"refused": {Problem: &place.Problem{Message: "the server does not take the user and the password: NO", Since: now}, Looked: now},
		"quiet":   {Looked: now.Add(-time.Hour)},
		"stays":   {Looked: now, Unmarked: "NO no such folder"},
		"well":    {Looked: now, Note: "the server gave all mails other uids"},
		"new":     {},
	} {
		r.Deploy("name: " + user + "\non:\n  - email: { imap: { host: imap.example.org, user: " + user + ", password: '${{ secrets.x }}' } }\nsteps:\n  - { uses: log, with: { message: x } }\n")
		if p.Mailbox = "imap.example.org/" + user + "/INBOX"; user != "new" {
			r.Must(places.Save(ctx, p))
		}
	}
	report := finds(t, r.doctor(),
		"mailbox imap.example.org/refused/INBOX: it cannot be read since "+now.Format(time.RFC3339)+": the server does not take the user and the password: NO",
		"mailbox imap.example.org/quiet/INBOX: it was not read since "+now.Add(-time.Hour).Format(time.RFC3339)+", so no mail in it starts runs of quiet",
		"mailbox imap.example.org/stays/INBOX: its mails start runs, but cannot be marked or moved: NO no such folder")
	if notes := strings.Join(report.Notes, "; "); !strings.Contains(notes, "mailbox imap.example.org/well/INBOX: the server gave all mails other uids") {
		t.Errorf("notes %s", notes)
	}
}
