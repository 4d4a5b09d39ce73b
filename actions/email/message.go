package email

import (
	"context"
	"fmt"
	"io"
	"net/mail"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"

	"zflow/actions"
)

const (
	maxRecipients  = 100
	maxAttachments = 50
	maxSubject     = 500 // characters
)

// message is a mail that can be sent.
type message struct {
	*gomail.Msg
	id         string
	recipients []string // each once
	unreadable error    // why a file could not be read while it was sent
}

// message builds the mail of a call.
func (s *sender) message(ctx context.Context, c actions.Call) (*message, error) {
	from, err := mail.ParseAddress(s.From)
	if err != nil || !sendable(from.Address) {
		return nil, actions.Final("worker.smtp.from is %q: write an address, such as School <office@example.org>", s.From).With(0, "not_configured")
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	m := &message{Msg: gomail.NewMsg(), id: idOf(c.Key, domain)}
	m.FromMailAddress(from)
	if err := m.address(c.Input); err != nil {
		return nil, err
	}
	if err := m.write(c.Input); err != nil {
		return nil, err
	}
	m.thread(c.Input)
	m.SetMessageIDWithValue(m.id)
	m.SetDate()
	m.SetUserAgent("zflow")
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader("X-Auto-Response-Suppress", "All") // what Exchange knows instead
	return m, s.attach(ctx, m, c.Input["attachments"])
}

// address sets whom the mail is for.
func (m *message) address(input map[string]any) error {
	for name, set := range map[string]func(...*mail.Address){"to": m.ToMailAddress, "cc": m.CcMailAddress, "bcc": m.BccMailAddress} {
		all, err := addressesOf(name, input[name])
		if err != nil {
			return err
		}
		if len(all) > 0 {
			set(all...)
		}
	}
	for _, all := range [][]*mail.Address{m.GetTo(), m.GetCc(), m.GetAddrHeader(gomail.HeaderBcc)} {
		for _, a := range all {
			if !slices.ContainsFunc(m.recipients, func(have string) bool { return strings.EqualFold(have, a.Address) }) {
				m.recipients = append(m.recipients, a.Address)
			}
		}
	}
	switch n := len(m.recipients); {
	case n == 0:
		return actions.Final("the mail is for nobody: to, cc and bcc are empty")
	case n > maxRecipients:
		return actions.Final("the mail is for %d addresses, more than %d: send it in parts, such as with for_each", n, maxRecipients)
	}
	reply, err := addressesOf("reply_to", input["reply_to"])
	if len(reply) > 0 {
		m.ReplyToMailAddress(reply...)
	}
	return err
}

// addressesOf reads an address, several with commas between, or a list of such.
func addressesOf(field string, v any) (all []*mail.Address, err error) {
	list, isList := v.([]any)
	if !isList && v != nil {
		list = []any{v}
	}
	for _, one := range list {
		text, ok := one.(string)
		if !ok {
			return nil, actions.Final("%s has %v, which is no address", field, one)
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		parsed, err := mail.ParseAddressList(text)
		if err != nil || strings.ContainsFunc(text, unicode.IsControl) || slices.ContainsFunc(parsed, unsendable) {
			return nil, actions.Final("%s has %q, which is no address such as jo@example.org or Jo <jo@example.org>", field, short(text, 100)).With(0, "no_address")
		}
		all = append(all, parsed...)
	}
	return all, nil
}

// plainAddress has no character that means something to SMTP: quoted local parts
// may, and hardly exist.
var plainAddress = regexp.MustCompile(`^[^\s<>()\[\]:;,\\"@\x00-\x1f\x7f]+@[^\s<>()\[\]:;,\\"@\x00-\x1f\x7f]+$`)

func sendable(address string) bool {
	return len(address) <= 254 && utf8.ValidString(address) && plainAddress.MatchString(address)
}

func unsendable(a *mail.Address) bool { return !sendable(a.Address) }

// write sets what the mail says.
func (m *message) write(input map[string]any) error {
	subject, _ := input["subject"].(string)
	m.Subject(short(oneLine(subject), maxSubject))
	text, hasText := input["text"].(string)
	html, hasHTML := input["html"].(string)
	switch {
	case hasText && hasHTML:
		m.SetBodyString(gomail.TypeTextPlain, text)
		m.AddAlternativeString(gomail.TypeTextHTML, html)
	case hasHTML:
		m.SetBodyString(gomail.TypeTextHTML, html)
	case hasText:
		m.SetBodyString(gomail.TypeTextPlain, text)
	default:
		return actions.Final("the mail says nothing: give text, html, or both")
	}
	return nil
}

// foreignID is a Message-ID as headers may name it, without < and >.
var foreignID = regexp.MustCompile(`^[!-;=?-~]{1,250}$`)

const maxReferences = 20 // the last ones: programs look at no more

// thread sets which mails this one belongs to. Their ids are a stranger's: one that is
// none keeps no answer from being sent.
func (m *message) thread(input map[string]any) {
	answered, _ := input["in_reply_to"].(string)
	before, _ := input["references"].([]any)
	var all []string
	for _, one := range append(slices.Clone(before), answered) {
		id, _ := one.(string)
		id = strings.Trim(id, "<> ")
		if foreignID.MatchString(id) {
			all = append(slices.DeleteFunc(all, func(have string) bool { return have == "<"+id+">" }), "<"+id+">")
		}
	}
	if answered = strings.Trim(answered, "<> "); foreignID.MatchString(answered) {
		m.SetGenHeader(gomail.HeaderInReplyTo, "<"+answered+">")
	}
	if n := len(all); n > 0 {
		m.SetGenHeader(gomail.HeaderReferences, strings.Join(all[max(0, n-maxReferences):], " "))
	}
}

// attach adds files, which are read while the mail is sent.
func (s *sender) attach(ctx context.Context, m *message, v any) error {
	list, isList := v.([]any)
	if !isList && v != nil {
		list = []any{v}
	}
	if len(list) > maxAttachments {
		return actions.Final("the mail has %d attachments, more than %d", len(list), maxAttachments)
	}
	var files []*gomail.File
	var size int64
	for i, one := range list {
		f, ok := actions.FileOf(one)
		if !ok {
			return actions.Final("attachments[%d] is no reference to a file, such as another step's output has", i)
		}
		if s.Files.Open == nil {
			return actions.Final("files cannot be read here")
		}
		size += f.Size
		files = append(files, s.fileOf(ctx, m, f))
	}
	if size > s.MaxSize {
		return actions.Final("the attachments have %d bytes together, more than worker.smtp.max_size allows (%d): send a link instead", size, s.MaxSize).With(0, "too_large")
	}
	m.SetAttachments(files)
	return s.there(ctx, list)
}

// there looks whether all files are still kept, before anybody is called.
func (s *sender) there(ctx context.Context, list []any) error {
	for _, one := range list {
		f, _ := actions.FileOf(one)
		r, err := s.Files.Open(ctx, f)
		if err != nil {
			return fmt.Errorf("reading the file %s: %w", f.Name, err)
		}
		r.Close()
	}
	return nil
}

// contentType is what a file may say of itself: no more than type and subtype.
var contentType = regexp.MustCompile(`^[a-zA-Z0-9!#$&^_.+-]+/[a-zA-Z0-9!#$&^_.+-]+$`)

func (s *sender) fileOf(ctx context.Context, m *message, f actions.File) *gomail.File {
	name := oneLine(path.Base(strings.ReplaceAll(f.Name, `\`, "/")))
	if f.Name == "" {
		name = "file"
	}
	kind, _, _ := strings.Cut(f.Type, ";")
	if kind = strings.TrimSpace(kind); !contentType.MatchString(kind) {
		kind = "application/octet-stream"
	}
	return &gomail.File{Name: short(name, 200), ContentType: gomail.ContentType(kind), Header: map[string][]string{}, Writer: func(w io.Writer) (int64, error) {
		r, err := s.Files.Open(ctx, f)
		if err != nil {
			m.unreadable = fmt.Errorf("reading the file %s: %w", f.Name, err)
			return 0, m.unreadable
		}
		defer r.Close()
		n, err := io.Copy(w, reading{r, &m.unreadable, f.Name})
		return n, err
	}}
}

// reading remembers why reading failed: the mail's writer only knows that it did.
type reading struct {
	io.Reader
	failed *error
	name   string
}

func (r reading) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		*r.failed = fmt.Errorf("reading the file %s: %w", r.name, err)
	}
	return n, err
}

// oneLine makes whatever breaks a line, or is not shown, a space.
func oneLine(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text))
}

func short(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}
