package email

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/mail"
	"path"
	"slices"
	"strings"
	"time"

	"zflow/actions"
	"zflow/internal/sealed"
	"zflow/proto"

	"github.com/jhillyerd/enmime/v2"
)

// Person is somebody with an address.
type Person struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// Mail is one that was read. Its JSON is the body of the event.
type Mail struct {
	From      Person         `json:"from"`
	To        []Person       `json:"to"`
	CC        []Person       `json:"cc"`
	ReplyTo   []Person       `json:"reply_to"`
	Subject   string         `json:"subject"`
	Text      string         `json:"text"` // made of the HTML where there is no other
	HTML      *string        `json:"html"` // nil: there is none
	Files     []any          `json:"attachments"`
	Headers   map[string]any `json:"headers"` // others: by name in lower case, a text or a list
	Automatic string         `json:"automatic"`
	Problems  []string       `json:"problems"` // what could not be read as it should

	Thread
	Addressed
	parts []attached
	raw   []byte
}

// Thread is when a mail was written, and what it answers to.
type Thread struct {
	MessageID  string     `json:"message_id"` // without < and >
	InReplyTo  string     `json:"in_reply_to"`
	References []string   `json:"references"`
	Date       *time.Time `json:"date"`
}

// Addressed is to whom a mail came.
type Addressed struct {
	Sender    string `json:"sender"` // of the envelope; empty: nobody, as of a bounce
	Mailbox   string `json:"mailbox"`
	Folder    string `json:"folder"`    // where it lies; empty: it was sent to zflow
	Recipient string `json:"recipient"` // the whole address
	Tag       string `json:"tag"`       // what stands in it after a +
}

// attached is an attachment, or what stands in the text.
type attached struct {
	file    actions.File
	content []byte
	id      string // by which the HTML names it
	inline  bool
}

// Reading HTML as text may take long: it is not done for mails above this.
const mostHTML = 1 << 20

// Parse reads a mail, as far as it can be. An error: it was made to cost much.
func Parse(raw []byte) (*Mail, error) {
	if err := sound(raw); err != nil {
		return nil, err
	}
	m := &Mail{raw: raw}
	e, err := read(raw)
	if err != nil {
		m.plain(err)
		return m, nil
	}
	m.fields(e)
	m.Text = clean(e.Text)
	if e.HTML != "" {
		html := clean(e.HTML)
		m.HTML = &html
	}
	for _, p := range slices.Concat(e.Attachments, e.Inlines, e.OtherParts) {
		m.attach(p)
	}
	if e.Root != nil && e.Root.Boundary == "" && strings.HasPrefix(e.Root.ContentType, "multipart/") {
		_, text, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
		m.Text, m.parts = clean(string(text)), nil // nobody can tell the parts apart
	}
	for _, p := range e.Errors {
		if p.Name != enmime.ErrorPlainTextFromHTML || p.Severe {
			m.problem(p.Name + ": " + p.Detail)
		}
	}
	return m, nil
}

// plain takes a mail that cannot be read for what it is: text.
func (m *Mail) plain(why error) {
	header, text, _ := bytes.Cut(m.raw, []byte("\r\n\r\n"))
	m.Text = clean(string(text))
	for line := range strings.Lines(string(header)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(name, "Subject") {
			m.Subject = oneLine(value)
		}
	}
	m.To, m.CC, m.ReplyTo, m.References, m.Headers = []Person{}, []Person{}, []Person{}, []string{}, map[string]any{}
	m.problem(why.Error())
}

func (m *Mail) problem(text string) {
	if len(m.Problems) < mostProblem {
		m.Problems = append(m.Problems, oneLine(text))
	}
}

// fields reads the headers.
func (m *Mail) fields(e *enmime.Envelope) {
	m.To, m.CC, m.ReplyTo = m.people(e, "To"), m.people(e, "Cc"), m.people(e, "Reply-To")
	if from := m.people(e, "From"); len(from) > 0 {
		m.From = from[0]
	}
	m.Subject = oneLine(e.GetHeader("Subject"))
	m.MessageID, m.InReplyTo = ids(e.GetHeader("Message-Id"), 1)[0], ids(e.GetHeader("In-Reply-To"), 1)[0]
	m.References = slices.DeleteFunc(ids(e.GetHeader("References"), 100), func(id string) bool { return id == "" })
	if date, err := e.Date(); err == nil {
		date = date.UTC()
		m.Date = &date
	}
	m.Automatic = automatic(e.GetHeader)
	m.Headers = map[string]any{}
	const most = 16 << 10
	left := most
	keys := e.GetHeaderKeys()
	slices.Sort(keys)
	for _, key := range keys {
		name := strings.ToLower(key)
		if slices.Contains(told, name) || strings.HasPrefix(name, "arc-") {
			continue
		}
		var values []any
		for _, v := range e.GetHeaderValues(key) {
			v = oneLine(v)
			left -= len(name) + len(v)
			values = append(values, v)
		}
		if left < 0 {
			m.problem("not all headers are there, since they are too long")
			return
		}
		m.Headers[name] = any(values)
		if len(values) == 1 {
			m.Headers[name] = values[0]
		}
	}
}

// told are the headers that stand elsewhere, or are of servers on the way.
var told = []string{"from", "to", "cc", "reply-to", "subject", "message-id", "in-reply-to", "references", "date", "received", "dkim-signature",
	"content-type", "content-transfer-encoding", "mime-version"}

// ids are those of messages, at most so many, at least one that may be empty.
func ids(text string, most int) (all []string) {
	for word := range strings.FieldsSeq(text) {
		if word = oneLine(strings.Trim(word, "<>,")); word != "" && len(all) < most {
			all = append(all, word)
		}
	}
	if all == nil {
		all = []string{""}
	}
	return all
}

func (m *Mail) people(e *enmime.Envelope, field string) []Person {
	all := []Person{}
	list, err := e.AddressList(field)
	if err != nil {
		if text := oneLine(e.GetHeader(field)); text != "" {
			m.problem(fmt.Sprintf("%s is no list of addresses: %v", field, err))
			list = []*mail.Address{{Address: text}}
		}
	}
	for _, a := range list {
		if len(all) == mostPeople {
			m.problem(fmt.Sprintf("%s has %d addresses, of which %d are there", field, len(list), mostPeople))
			break
		}
		all = append(all, Person{Name: oneLine(a.Name), Address: oneLine(a.Address)})
	}
	return all
}

func (m *Mail) attach(p *enmime.Part) {
	kind := strings.ToLower(p.ContentType)
	if kind == "" {
		kind = "application/octet-stream"
	}
	m.parts = append(m.parts, attached{content: p.Content, id: oneLine(p.ContentID), inline: p.Disposition != "attachment",
		file: actions.File{Name: fileName(p.FileName, kind), Type: kind}})
}

// fileName is a name without a folder, whoever made it.
func fileName(name, kind string) string {
	name = path.Base(strings.ReplaceAll(oneLine(name), `\`, "/"))
	switch {
	case name != "." && name != "/" && name != "..":
		return strings.ToValidUTF8(name[:min(len(name), 255)], "")
	case kind == "message/rfc822":
		return "message.eml"
	}
	return ""
}

// oneLine is text without what only a terminal or an attacker has use for.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r < ' ' || r == 0x7f:
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	return strings.TrimSpace(text)
}

// clean is text whose lines end as everywhere else.
func clean(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\r\n", "\n")
	return strings.ReplaceAll(text, "\x00", "")
}

// makeRoom makes attachments of what is too long for an event.
func (m *Mail) makeRoom(most int64) {
	const besides = 128 << 10 // addresses, headers, references of files
	room := max(most-besides, most/2)
	if m.HTML != nil && asJSON(m.Text)+asJSON(*m.HTML) > room {
		m.parts = append(m.parts, attached{content: []byte(*m.HTML), inline: true, file: actions.File{Name: "message.html", Type: "text/html"}})
		m.HTML = nil
		m.problem("the HTML is too long for an event: it is the attachment message.html")
	}
	if asJSON(m.Text) > room {
		m.parts = append(m.parts, attached{content: []byte(m.Text), inline: true, file: actions.File{Name: "message.txt", Type: "text/plain"}})
		m.Text = ""
		m.problem("the text is too long for an event: it is the attachment message.txt")
	}
}

// asJSON is how long a text is as JSON.
func asJSON(text string) int64 {
	raw, err := encode(text)
	if err != nil {
		return 0 // a text always is
	}
	return int64(len(raw))
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

// event is that of the mail for one mailbox.
func (m *Mail) event(a Arrival, now time.Time, most int64) (*proto.Event, error) {
	one := *m
	one.Addressed = a.Addressed
	one.Recipient, one.Sender = oneLine(a.Recipient), oneLine(a.Sender)
	if one.From.Address == "" {
		one.From.Address = one.Sender
	}
	if one.Problems == nil {
		one.Problems = []string{}
	}
	one.Files = []any{}
	for _, p := range m.parts {
		f := p.file.Value()
		f["content_id"], f["inline"] = p.id, p.inline
		one.Files = append(one.Files, f)
	}
	raw, err := encode(one)
	if err != nil {
		return nil, err
	}
	raw = sealed.MaskForeign(raw)
	if int64(len(raw)) > most {
		return nil, fmt.Errorf("its event has %d bytes, at most are %d", len(raw), most)
	}
	e := &proto.Event{
		ID: m.eventID(a.Type), Type: a.Type, Source: proto.SourceEmail, Subject: short(m.Subject), Origin: a.Origin,
		ContentType: "application/json", Time: now, ReceivedAt: now, Body: raw,
	}
	if m.Automatic != "" {
		if e.Trigger, err = encode(map[string]string{"automatic": oneLine(m.Automatic)}); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// short is a text of a header's length.
func short(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
