package email

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"zflow/internal/sealed"
)

func parse(t *testing.T, text string) *Mail {
	t.Helper()
	m, err := Parse(crlf(text))
	if err != nil {
		t.Fatalf("%.80q: %v", text, err)
	}
	return m
}

func TestParse(t *testing.T) {
	m := parse(t, `From: =?UTF-8?B?QWRhIOKckw==?= <ada@example.net>
To: desk@example.org, "B, C" <b@example.org>
Cc: team: d@example.org, e@example.org;
Reply-To: replies@example.net
Subject: =?ISO-8859-1?Q?Gr=FC=DFe?= and
 more
Message-ID: <m1@example.net>
In-Reply-To: <m0@example.net>
References: <r1@x> <m0@example.net>
Date: Mon, 2 Mar 2026 11:00:00 +0100
X-Spam: no
X-Twice: a
X-Twice: b
Received: from somewhere
Content-Type: multipart/alternative; boundary="--=_b"

----=_b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe
----=_b
Content-Type: text/html; charset=utf-8

<p>Grüße</p>
----=_b--
`)
	if m.From != (Person{"Ada ✓", "ada@example.net"}) || len(m.To) != 2 || m.To[1] != (Person{"B, C", "b@example.org"}) || len(m.CC) != 2 || len(m.ReplyTo) != 1 {
		t.Errorf("people: %+v %+v %+v %+v", m.From, m.To, m.CC, m.ReplyTo)
	}
	if m.Subject != "Grüße and more" || strings.TrimSpace(m.Text) != "Grüße" || m.HTML == nil || strings.TrimSpace(*m.HTML) != "<p>Grüße</p>" {
		t.Errorf("%q %q %v", m.Subject, m.Text, m.HTML)
	}
	if m.MessageID != "m1@example.net" || m.InReplyTo != "m0@example.net" || fmt.Sprint(m.References) != "[r1@x m0@example.net]" {
		t.Errorf("%q %q %q", m.MessageID, m.InReplyTo, m.References)
	}
	if m.Date == nil || !m.Date.Equal(time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)) || m.Automatic != "" {
		t.Errorf("%v %q", m.Date, m.Automatic)
	}
	if m.Headers["x-spam"] != "no" || fmt.Sprint(m.Headers["x-twice"]) != "[a b]" || m.Headers["received"] != nil || len(m.Problems) != 0 {
		t.Errorf("%v %v", m.Headers, m.Problems)
	}
}

// What is broken is taken as far as it can be read.
func TestParseWhatIsBroken(t *testing.T) {
	for text, c := range map[string]struct{ subject, text string }{
		"":                         {},
		"Subject: only a header\n": {"only a header", ""},
		"Subject: no body\n\n":     {"no body", ""},
		"no header at all":         {},
		"\xc8BoundArY=":            {}, // bytes that become more as lower case
		"X: \xc8\xc8 boundary=b\nSubject: bytes\n\nbody": {"bytes", "body"},
		"\n\nbody": {"", "body"},
		"Subject: junk\nthis is no header\n\nbody":                                                            {"junk this is no header", "body"},
		"Subject: charset\nContent-Type: text/plain; charset=klingon-8\n\nbody":                               {"charset", "body"},
		"Subject: bytes \xff\xfe\nContent-Type: text/plain; charset=utf-8\n\nb\xffdy":                         {"bytes ÿþ", "bÿdy"},
		"Subject: base64\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\naGVs!!!bG8=\n":       {"base64", "hello"},
		"Subject: open\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nbody\n": {"open", "body"},
		"Subject: none\nContent-Type: multipart/mixed\n\nbody":                                                {"none", "body"},
		"Subject: html\nContent-Type: text/html\n\n<p>body</p>":                                               {"html", "body"},
		"Subject: nul\n\nbo\x00dy":                                    {"nul", "body"},
		"From: not an address\nSubject: from\n\nbody":                 {"from", "body"},
		"Subject: encoding\nContent-Transfer-Encoding: rot13\n\nbody": {"encoding", "body"},
		"Subject: =?utf-8?q?half\n\nbody":                             {"=?utf-8?q?half", "body"},
	} {
		m, err := Parse(crlf(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := strings.TrimSpace(m.Text); !strings.HasPrefix(m.Subject, c.subject) || got != c.text {
			t.Errorf("%q: subject %q, text %q, %v", text, m.Subject, got, m.Problems)
		}
		e, err := m.event(Arrival{Type: "desk", Addressed: Addressed{Recipient: "desk@example.org"}}, time.Now(), 1<<20)
		if err != nil || !bytes.Contains(e.Body, []byte(`"attachments":[`)) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Of a text the charset is that which it says, or that which it must be; what is attached
// stays as it is, byte for byte, a text too.
func TestCharsets(t *testing.T) {
	latin := strings.Repeat("Gr\xfc\xdfe aus K\xf6ln. ", 20)
	utf := strings.Repeat("Grüße aus Köln. ", 20)
	for name, c := range map[string]struct{ header, body, want string }{
		"as it says":            {"text/plain; charset=iso-8859-1", latin, utf},
		"quoted name":           {"text/plain; charset=\"windows-1252\"", latin, utf},
		"said to be UTF-8":      {"text/plain; charset=utf-8", latin, utf},
		"said to be ASCII":      {"text/plain; charset=us-ascii", latin, utf},
		"said to be nothing":    {"text/plain", latin, utf},
		"UTF-8, not Latin":      {"text/plain; charset=iso-8859-1", utf, utf},
		"UTF-8 as nothing":      {"text/plain", utf, utf},
		"UTF-8, unknown":        {"text/plain; charset=klingon-8", utf, utf},
		"charset=charset":       {"text/plain; charset=\"charset=iso-8859-1\"", "Gr\xfc\xdfe", "Grüße"},
		"Japanese":              {"text/plain; charset=iso-2022-jp", "\x1b$B$3$s$K$A$O\x1b(B", "こんにちは"},
		"Japanese as ASCII":     {"text/plain; charset=us-ascii", strings.Repeat("\x1b$B$3$s$K$A$O\x1b(B ", 60), strings.Repeat("こんにちは ", 60)},
		"a charset's injection": {"text/plain; charset=\"utf-8\\\"; x=y\"", "Gr\xfc\xdfe", "Grüße"},
		"damaged UTF-8":         {"text/plain; charset=utf-8", "Gr\xc3\xbc\xc3\x9fe aus K\xc3ln", "Grüße aus K\ufffdln"},
		"a boundary":            {"text/plain; boundary=b; charset=utf-8", "text\n--b\n\nmore", "text\n--b\n\nmore"},
	} {
		m := parse(t, "Content-Type: "+c.header+"\n\n"+c.body)
		if m.Text != c.want && strings.TrimSpace(m.Text) != strings.TrimSpace(c.want) {
			t.Errorf("%s: %.60q, %v", name, m.Text, m.Problems)
		}
		for _, kind := range []string{"text/plain", "text/csv", "text/html"} {
			m := parse(t, "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>hi</p>\n--b\nContent-Type: "+strings.Replace(c.header, "text/plain", kind, 1)+
				"\nContent-Disposition: attachment; filename=a.csv\nContent-Transfer-Encoding: base64\n\n"+base64.StdEncoding.EncodeToString([]byte(c.body))+"\n--b--\n")
			if len(m.parts) != 1 || string(m.parts[0].content) != c.body || m.parts[0].file.Name != "a.csv" || m.parts[0].file.Type != kind || strings.TrimSpace(m.Text) != "hi" {
				t.Errorf("%s as %s: %+v", name, kind, m)
			}
		}
	}
}

// Who wrote in Latin letters beyond ASCII, and does not say so, can be answered.
func TestHeadersOfEightBits(t *testing.T) {
	for header, want := range map[string]Person{
		"From: J\xfcrgen <j@x.y>":                 {"Jürgen", "j@x.y"},
		"From: Jürgen <j@x.y>":                    {"Jürgen", "j@x.y"},
		"X: \xff\nFrom: Jürgen ✓ <j@x.y>":         {"Jürgen ✓", "j@x.y"},
		"From: =?iso-8859-1?q?J=FCrgen?= <j@x.y>": {"Jürgen", "j@x.y"},
	} {
		if m := parse(t, "Subject: Gr\xfc\xdfe\n"+header+"\n\nhi"); m.From != want || m.Subject != "Grüße" || strings.TrimSpace(m.Text) != "hi" {
			t.Errorf("%q: %+v, %q, %v", header, m.From, m.Subject, m.Problems)
		}
	}
}

func TestAutomatic(t *testing.T) {
	for header, want := range map[string]string{
		"Auto-Submitted: auto-replied":               "auto-replied",
		"Auto-Submitted: auto-generated; x=y":        "auto-generated",
		"Auto-Submitted: no":                         "",
		"Precedence: bulk":                           "bulk",
		"Precedence: first-class":                    "",
		"List-Id: <dev.example.org>":                 "list",
		"Content-Type: multipart/report; boundary=b": "bounce",
		"X-Autoreply: yes":                           "auto-replied",
		"Return-Path: <>":                            "bounce",
		"X-Other: yes":                               "",
	} {
		if m := parse(t, header+"\n\n"); m.Automatic != want {
			t.Errorf("%s: %q", header, m.Automatic)
		}
	}
	p := newPost(t)
	p.want(p.send("", crlf(hello), "desk@example.org"), "")
	if got := p.stored(); len(got) != 1 || got[0]["automatic"] != "bounce" || string(p.events[p.order[0]].Trigger) != `{"automatic":"bounce"}` {
		t.Errorf("nobody's mail: %v", got)
	}
}

// A mail that is made to cost much is refused, or read at little cost.
func TestBombs(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while under the race detector")
	}
	const size = 2 << 20
	fill := func(line string) string { return strings.Repeat(line, size/len(line)) }
	nested := ""
	for i := range 2000 {
		nested += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	many := "Content-Type: multipart/mixed; boundary=b\n\n"
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"headers":         {fill("X-A: b\n"), errHeaders},
		"one header":      {"Subject: " + fill("x") + "\n\n", errHeaders},
		"continued":       {"Subject: x\n" + fill(" y\n"), errHeaders},
		"nested":          {nested, errDeep},
		"parts":           {many + fill("--b\n\nx\n"), errParts},
		"headers in part": {many + "--b\n" + fill("X-A: b\n"), errHeaders},
		"no base64":       {"Content-Transfer-Encoding: base64\n\n" + fill("!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!\n"), errNoise},
		"encoded words":   {"Subject: " + strings.Repeat("=?utf-8?q?x?= ", 15_000) + "\n\n", nil},
		"addresses":       {"To: " + strings.Repeat("a@b.c, ", 30_000) + "\n\n", nil},
		"brackets":        {"To: " + strings.Repeat("<(", 100_000) + "\n\n", nil},
		"text parts":      {many + strings.Repeat("--b\nContent-Type: text/plain\n\n"+strings.Repeat("x\n", 10_000), 99) + "--b--\n", nil},
		"long line":       {"Subject: x\n\n" + fill("x"), nil},
		"html":            {"Content-Type: text/html\n\n" + strings.Repeat("<b><table><td>", 50_000), nil},
		"large html":      {"Content-Type: text/html\n\n" + fill("<b>"), nil},
		"charset":         {"Content-Type: text/plain\n\n" + fill("Gr\xfc\xdfe "), nil},
		"base64":          {"Content-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte(fill("hello "))), nil},
		"quoted":          {"Content-Transfer-Encoding: quoted-printable\n\n" + fill("=\n"), nil},
		"semicolons":      {"Content-Type: text/plain" + strings.Repeat(";a=b", 50_000) + "\n\n", nil},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begun := time.Now()
		m, err := Parse(crlf(c.text))
		took := time.Since(begun)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, c.want) || err == nil && m == nil {
			t.Errorf("%s: %v", name, err)
		}
		mib := (after.TotalAlloc - before.TotalAlloc) >> 20
		t.Logf("%s: %v, %d MiB", name, took, mib)
		if mib > 400 {
			t.Errorf("%s takes %d MiB", name, mib)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(hello))
	f.Add(crlf("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := Parse(raw)
		if err != nil {
			return
		}
		if _, err := m.event(Arrival{Type: "desk"}, time.Now(), 64<<20); err != nil {
			t.Error(err)
		}
	})
}

// What looks as if it had been sealed here is not opened for a stranger.
func TestForeignSeals(t *testing.T) {
	keys, err := sealed.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	marker := keys.Public().Seal("stolen")
	m := parse(t, "Subject: x\n\nhere: "+marker+"\n")
	e, err := m.event(Arrival{Type: "desk", Addressed: Addressed{Mailbox: "desk", Recipient: "desk@example.org", Sender: m.Sender}}, time.Now(), 1<<20)
	if err != nil || bytes.Contains(e.Body, []byte(marker)) || !bytes.Contains(e.Body, []byte("here: ")) {
		t.Errorf("%s, %v", e.Body, err)
	}
}
