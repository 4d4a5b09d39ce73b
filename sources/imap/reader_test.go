package imap

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"zflow/internal/natstest"
	"zflow/sources/imap/place"

	"github.com/emersion/go-imap/v2"
)

// What comes from the first look on is an event each, with who it came for; who begins
// again goes on behind it.
func TestNewMails(t *testing.T) {
	o := newOffice(t)
	o.put("INBOX", letter("old"))
	r, stop := o.run()
	o.looked(r)
	o.put("INBOX", letter("one"))
	o.put("INBOX", letter("two"))
	o.want("one", "two")
	b := o.body(0)
	for field, want := range map[string]string{"mailbox": "desk", "folder": "INBOX", "recipient": "desk+now@example.org", "tag": "now", "sender": "ada@example.net", "text": "hi\n"} {
		if b[field] != want {
			t.Errorf("%s is %q, not %q", field, b[field], want)
		}
	}
	e := o.events[o.order[0]]
	if e.Type != o.config.Name || e.Source != "email" || e.Origin != "imap" {
		t.Errorf("%+v", e)
	}
	stop()
	o.put("INBOX", letter("three"))
	_, stop = o.run()
	o.want("one", "two", "three")
	stop()
	if p := o.position(); p.UID != 4 || p.Mails != 3 || p.Problem != nil || p.Looked.IsZero() {
		t.Errorf("%+v", p)
	}
	if o.attempts != 3 {
		t.Errorf("%d mails were published", o.attempts)
	}
}

// since takes what came so long ago too, and nothing older.
func TestSince(t *testing.T) {
	o := newOffice(t)
	o.config.Since = 48 * time.Hour
	for _, hours := range []int{100, 47, 49, 1, 60} {
		o.put("INBOX", letter(fmt.Sprint(hours)), time.Now().Add(-time.Duration(hours)*time.Hour))
	}
	r, _ := o.run()
	o.want("47", "1")
	o.looked(r)
	o.put("INBOX", letter("moved here"), time.Now().Add(-1000*time.Hour))
	o.want("47", "1", "moved here")
}

// A server that tells what comes is not asked again and again.
func TestIdle(t *testing.T) {
	o := newOffice(t, imap.CapIdle)
	o.config.Every = time.Hour
	r, _ := o.run()
	o.until("a look", func() bool { return !r.Stats().Looked.IsZero() })
	o.until("a mail", func() bool { // the server of the test may lose one that comes just before it is waited for
		o.put("INBOX", letter(fmt.Sprint(time.Now().UnixNano())))
		return len(o.order) > 1
	})
}

// Between an event and the position the process may end: the same mail is the same event.
func TestACrashBeforeThePosition(t *testing.T) {
	o := newOffice(t)
	r, stop := o.run()
	o.looked(r)
	stop()
	ctx, cancel := context.WithCancel(t.Context())
	nc, places := o.nats.Connect(t), o.config.Places
	var err error
	o.config.Places, err = place.Open(t.Context(), natstest.JetStream(t, nc), natstest.Gate(t, nc))
	must(t, err)
	o.after = func() { nc.Close(); cancel() }
	o.put("INBOX", letter("one"))
	o.put("INBOX", letter("two"))
	must(t, New(o.config).Run(ctx))
	o.config.Places = places
	if o.after = nil; o.position().UID != 0 || len(o.order) != 1 {
		t.Fatalf("it did not crash in between: %+v, %v", o.position(), o.order)
	}
	r, _ = o.run()
	o.want("one", "two")
	o.looked(r)
	if n := r.Stats().Counts; n[Duplicate] != 1 || n[Accepted] != 1 {
		t.Errorf("%v", n)
	}
}

// While events cannot be stored a mail waits, and is not marked.
func TestStorageIsAway(t *testing.T) {
	o := newOffice(t)
	o.config.Seen = true
	r, _ := o.run()
	o.looked(r)
	o.mu.Lock()
	o.fails = errAway
	o.mu.Unlock()
	o.put("INBOX", letter("one"))
	o.until("attempts", func() bool { return o.attempts >= 1 })
	if n := o.unseen(); n != 1 {
		t.Errorf("%d are unread", n)
	}
	o.mu.Lock()
	o.fails = nil
	o.mu.Unlock()
	o.want("one")
	o.until("the mark", func() bool { return o.unseen() == 0 })
}

func (o *office) unseen() uint32 {
	o.t.Helper()
	s, err := o.user.Status("INBOX", &imap.StatusOptions{NumUnseen: true})
	must(o.t, err)
	return *s.NumUnseen
}

func (o *office) number(folder string) uint32 {
	o.t.Helper()
	s, err := o.user.Status(folder, &imap.StatusOptions{NumMessages: true})
	must(o.t, err)
	return *s.NumMessages
}

// A mail that was taken is moved, whatever the server can do; a folder that is not there
// keeps none from being taken.
func TestMove(t *testing.T) {
	for name, caps := range map[string][]imap.Cap{"move": {imap.CapMove}, "copy": {imap.CapUIDPlus}, "copy and mark": nil} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, caps...)
			must(t, o.user.Create("Done", nil))
			o.config.Move, o.config.Seen = "Done", true
			r, stop := o.run()
			o.looked(r)
			o.put("INBOX", letter("one"))
			o.want("one")
			left := uint32(0)
			if caps == nil {
				left = 1 // marked as deleted, and others' deleted ones are not removed
			}
			o.until("the move", func() bool { return o.number("Done") == 1 && o.number("INBOX") == left })
			o.until("the position", func() bool { return o.position().UID > 0 }) // else it is looked at again, where it is still there
			stop()
			must(t, o.user.Delete("Done"))
			r, _ = o.run()
			o.looked(r)
			o.put("INBOX", letter("two"))
			o.want("one", "two")
			o.until("the note", func() bool { return o.position().Unmarked != "" })
			if n := o.number("INBOX"); n != left+1 {
				t.Errorf("%d mails are left", n)
			}
			if n := r.Stats().Counts[Unmarked]; n != 1 {
				t.Errorf("%d are counted", n)
			}
		})
	}
}

// With other uids the last mails are looked at again; those that are known are no events
// again, and what came just before is one.
func TestOtherUIDs(t *testing.T) {
	o := newOffice(t)
	r, stop := o.run()
	o.looked(r)
	for _, id := range []string{"one", "two"} {
		o.put("INBOX", letter(id))
	}
	o.want("one", "two")
	o.looked(r)
	stop()
	must(t, o.user.Delete("INBOX"))
	must(t, o.user.Create("INBOX", nil))
	o.put("INBOX", letter("ancient"), time.Now().Add(-72*time.Hour))
	for _, id := range []string{"one", "between", "two"} {
		o.put("INBOX", letter(id))
	}
	r, _ = o.run()
	o.want("one", "two", "between")
	o.looked(r)
	if o.attempts != 3 {
		t.Errorf("%d attempts to publish", o.attempts)
	}
	o.put("INBOX", letter("three"))
	o.want("one", "two", "between", "three")
	if p := o.position(); !strings.Contains(p.Note, "UIDVALIDITY") {
		t.Errorf("it is not told: %+v", p)
	}
}

// Of too many mails that seem new none is an event, and that is told.
func TestOtherUIDsOfVeryMany(t *testing.T) {
	o := newOffice(t)
	r, stop := o.run()
	o.looked(r)
	stop()
	must(t, o.user.Delete("INBOX"))
	must(t, o.user.Create("INBOX", nil))
	for i := range mostAgain + 1 {
		o.put("INBOX", "Subject: "+fmt.Sprint(i)+"\n\n")
	}
	r, _ = o.run()
	o.looked(r)
	o.put("INBOX", letter("new"))
	o.want("new")
	if p := o.position(); !strings.Contains(p.Note, "may have been passed by") {
		t.Errorf("it is not told: %+v", p)
	}
}

// A mail that is too large is an event with its headers, and so is one that was made to
// cost much; the next one is read.
func TestLargeMails(t *testing.T) {
	o := newOffice(t)
	o.config.Large = make(chan struct{}, 1)
	r, _ := o.run()
	o.looked(r)
	o.put("INBOX", strings.Replace(letter("large"), "hi\n", strings.Repeat("0123456789abcdef\n", 30<<20/17), 1))
	deep := "Subject: deep\nMessage-ID: <d@x>\nContent-Type: multipart/mixed; boundary=b0\n\n"
	for i := range 40 {
		deep += fmt.Sprintf("--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n", i, i+1)
	}
	o.put("INBOX", deep)
	o.put("INBOX", strings.Replace(letter("middle"), "hi\n", strings.Repeat("0123456789abcdef\n", 700<<10/17), 1))
	o.put("INBOX", letter("small"))
	o.want("large", "deep", "middle", "small")
	if b := o.body(0); b["text"] != "" || b["message_id"] != "large@example.net" || !strings.Contains(fmt.Sprint(b["problems"]), "only its headers are here") {
		t.Errorf("%v", b)
	}
	if b := o.body(1); !strings.Contains(fmt.Sprint(b["problems"]), "nested too deep: only its headers") {
		t.Errorf("%v", b)
	}
	if b := o.body(2); len(fmt.Sprint(b["problems"])) > 2 || len(b["text"].(string)) < 600<<10 {
		t.Errorf("%v", b["problems"])
	}
	o.looked(r)
	if n := r.Stats().Counts; n[Curtailed] != 2 || n[Accepted] != 4 {
		t.Errorf("%v", n)
	}
}

// What programs send says so in its event.
func TestAutomaticMails(t *testing.T) {
	o := newOffice(t)
	r, _ := o.run()
	o.looked(r)
	o.put("INBOX", "Auto-Submitted: auto-replied\n"+letter("away"))
	o.want("away")
	if e := o.events[o.order[0]]; string(e.Trigger) != `{"automatic":"auto-replied"}` {
		t.Errorf("%s", e.Trigger)
	}
}

func (o *office) messages() (all []string) {
	for _, l := range o.logs.All() {
		all = append(all, l.Message+": "+fmt.Sprint(l.ContextMap()["error"]))
	}
	return all
}

// A password that is refused is told once, and not tried again until it changes.
func TestAWrongPassword(t *testing.T) {
	o := newOffice(t)
	o.password = "wrong"
	r, stop := o.run()
	o.until("the problem", func() bool { return r.Stats().Problem != "" })
	o.until("the note", func() bool { p, _ := o.config.Places.Of(t.Context(), o.config.Name); return p.Problem != nil })
	if p := o.position(); !strings.Contains(p.Problem.Message, "does not take the user and the password: NO [AUTHENTICATIONFAILED]") {
		t.Errorf("%+v", p.Problem)
	}
	if got := o.messages(); len(got) != 1 || strings.Contains(got[0], "wrong") {
		t.Errorf("%q", got)
	}
	stop()
	o.password = "hunter2"
	r, _ = o.run()
	o.looked(r)
	o.until("the end of the problem", func() bool { p, _ := o.config.Places.Of(t.Context(), o.config.Name); return p.Problem == nil })
	if o.dials != 2 {
		t.Errorf("%d connections", o.dials)
	}
}

// A folder that is not there is told with those that are.
func TestNoSuchFolder(t *testing.T) {
	o := newOffice(t)
	o.config.Folder = "Orders"
	r, _ := o.run()
	o.until("the problem", func() bool { return r.Stats().Problem != "" })
	if got := r.Stats().Problem; !strings.Contains(got, "the folder Orders cannot be opened: NO") || !strings.HasSuffix(got, "; there is INBOX") {
		t.Error(got)
	}
}

// A server that ends is told as such, and read again when it is back.
func TestARestartOfTheServer(t *testing.T) {
	o := newOffice(t)
	r, _ := o.run()
	o.looked(r)
	_ = o.server.Close()
	o.put("INBOX", letter("meanwhile"))
	o.until("the problem", func() bool { return strings.Contains(r.Stats().Problem, "cannot be reached") })
	o.mu.Lock()
	o.serve()
	o.mu.Unlock()
	o.want("meanwhile")
	o.looked(r)
	if got := o.messages(); !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "the mailbox is read again") }) {
		t.Errorf("%q", got)
	}
}

// Servers that are silent, speak something else, or never stop.
func TestServersThatAreNone(t *testing.T) {
	for name, c := range map[string]struct {
		says string
		want string
	}{
		"web":   {"HTTP/1.1 400 Bad Request\r\n\r\n", "does not greet as one of IMAP does"},
		"flood": {"* OK " + strings.Repeat("x", 20<<20), "does not greet as one of IMAP does"},
		"gone":  {"", "does not greet as one of IMAP does"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			t.Cleanup(func() { _ = l.Close() })
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = conn.Write([]byte(c.says))
					_ = conn.Close()
				}
			}()
			_ = o.server.Close()
			o.listen = l
			r, _ := o.run()
			o.until("the problem", func() bool { return r.Stats().Problem != "" })
			if got := r.Stats().Problem; !strings.Contains(got, c.want) || len(got) > 400 {
				t.Errorf("%.500s", got)
			}
		})
	}
}

// An answer that does not come ends the connection.
func TestAMeter(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	m := &meter{Conn: a}
	defer m.allow(time.Millisecond, 0)()
	if _, err := m.Read(make([]byte, 1)); err == nil || !m.late.Load() {
		t.Error(err)
	}
}

// Servers name more than was asked for.
func TestListed(t *testing.T) {
	all := imap.UIDSet{{Start: 3, Stop: 3}, {Start: 9, Stop: 7}, {Start: 4294967290, Stop: 4294967295}}
	if got := listed(all, 3, 0); fmt.Sprint(got) != "[7 8 9 4294967290 4294967291 4294967292 4294967293 4294967294 4294967295]" {
		t.Error(got)
	}
	if got := listed(all, 0, 8); fmt.Sprint(got) != "[3 7 8]" {
		t.Error(got)
	}
	if got := listed(imap.UIDSet{{Start: 1, Stop: 4294967295}}, 0, 0); len(got) > 10*mostAgain+1 {
		t.Errorf("%d", len(got))
	}
	if got := listed(imap.UIDSet{{Start: 4294967295, Stop: 4294967295}}, 4294967295, 0); len(got) != 0 {
		t.Error(got)
	}
}
