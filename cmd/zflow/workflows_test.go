package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"zflow/internal/operator"
	"zflow/internal/terminal"
	"zflow/sources/imap/place"
)

// TestMailboxesAreShown: workflows show tells how the reading of a mailbox goes, and lets no
// server write to the terminal.
func TestMailboxesAreShown(t *testing.T) {
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		position place.Position
		want     []string
	}{
		{place.Position{}, []string{"mailbox", "imap.example.org/desk/INBOX: not read yet"}},
		{place.Position{Looked: at, Mails: 7}, []string{"read at " + terminal.Clock(at) + ", 7 mails so far"}},
		{place.Position{Problem: &place.Problem{Message: "refused\x1b[2J\nby all", Since: at}}, []string{"not read yet", "cannot be read since " + terminal.Clock(at) + ": refused"}},
		{place.Position{Looked: at, Unmarked: "NO no such folder", Note: "other uids"}, []string{"mails cannot be marked or moved: NO no such folder", "other uids"}},
	} {
		var out bytes.Buffer
		table := (&terminal.Shell{Out: &out}).Plain()
		addMailbox(table, &operator.Mailbox{Name: "imap.example.org/desk/INBOX", Position: c.position})
		if err := table.Print(&out); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q is not in\n%s", want, &out)
			}
		}
		if strings.Contains(out.String(), "\x1b") {
			t.Errorf("%q", &out)
		}
	}
}
