package imap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"zflow/proto"
	"zflow/sources/email"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/zap"
)

const (
	// Of larger mails some are read at a time by a worker, so that they cannot fill the
	// memory.
	smallMail = 512 << 10
	// mostHeader is how much of a mail is read whose rest is not.
	mostHeader = 64 << 10
)

// take makes a mail an event, notes that, and marks it.
func (s *session) take(ctx context.Context, one kept) error {
	release, err := s.place(ctx, one.size)
	if err != nil {
		return err
	}
	defer release()
	m, curtailed, err := s.mail(one)
	if err != nil {
		return err
	}
	if m == nil {
		s.gone(one.uid)
		return nil
	}
	key := m.Key()
	if one.uid <= s.position.Until && slices.Contains(s.position.Recent, key) {
		s.position.UID = one.uid // it was taken when it had another uid
		return nil
	}
	if err := s.store(ctx, m, curtailed); err != nil {
		return err
	}
	if err := s.mark(one.uid); err != nil {
		return err
	}
	s.position.Took(one.uid, key)
	return s.save(ctx)
}

// gone passes by a mail that was there a moment ago.
func (s *session) gone(uid uint32) {
	s.position.UID = uid
	s.count(Gone)
}

// place waits for one for a large mail.
func (s *session) place(ctx context.Context, size int64) (release func(), err error) {
	if size <= smallMail || s.Large == nil {
		return func() {}, nil
	}
	select {
	case s.Large <- struct{}{}:
		return func() { <-s.Large }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// mail reads a mail; nil where it is gone. Of one that is too large, or was made to cost
// much, or that the server does not give, it reads the headers.
func (s *session) mail(one kept) (m *email.Mail, curtailed bool, err error) {
	m, why, err := s.whole(one)
	if err != nil || why == "" {
		return m, false, err
	}
	raw, err := s.fetch(one.uid, &imap.FetchItemBodySection{Peek: true, Specifier: imap.PartSpecifierHeader, Partial: &imap.SectionPartial{Size: mostHeader}}, mostHeader)
	switch {
	case refused(err) && !passing(err):
		raw = fmt.Appendf(nil, "X-Uid: %d/%d\r\n", s.position.Validity, one.uid) // it is known by that alone
	case err != nil || raw == nil:
		return nil, false, err
	}
	if m, err = email.Parse(headers(raw)); err != nil {
		return nil, false, fmt.Errorf("reading the headers of mail %d: %w", one.uid, err) // they are too short to be refused
	}
	m.Problems = append(m.Problems, why+": only its headers are here")
	return m, true, nil
}

// whole reads all of a mail, or says why it does not.
func (s *session) whole(one kept) (m *email.Mail, why string, err error) {
	if one.size > s.MaxSize {
		return nil, fmt.Sprintf("the mail has %d bytes, of which at most %d are read", one.size, s.MaxSize), nil
	}
	raw, err := s.fetch(one.uid, &imap.FetchItemBodySection{Peek: true}, s.MaxSize)
	switch {
	case errors.Is(err, errLarge):
		return nil, fmt.Sprintf("the mail has more than %d bytes, though the server says %d", s.MaxSize, one.size), nil
	case refused(err) && !passing(err):
		return nil, "the server does not give the mail: " + said(err), nil
	case err != nil || raw == nil:
		return nil, "", err
	}
	if m, err = email.Parse(raw); err != nil {
		return nil, err.Error(), nil
	}
	return m, "", nil
}

// headers are whole lines, and no part follows them.
func headers(raw []byte) []byte {
	text := string(raw)
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		text = text[:i+1]
	}
	var out strings.Builder
	skip := false
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			break
		}
		if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := strings.Cut(strings.ToLower(line), ":")
			skip = name == "content-type" && !strings.Contains(strings.ToLower(line), "multipart/report") || name == "content-transfer-encoding"
		}
		if !skip {
			out.WriteString(line)
		}
	}
	out.WriteString("\r\n")
	return []byte(out.String())
}

var errLarge = errors.New("the mail is too large")

// fetch reads a part of a mail; nil where it is gone.
func (s *session) fetch(uid uint32, section *imap.FetchItemBodySection, most int64) (raw []byte, err error) {
	defer s.meter.allow(mailWithin, most)()
	command := s.client.Fetch(imap.UIDSetNum(imap.UID(uid)), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
	defer func() {
		if failed := command.Close(); failed != nil && (err == nil || errors.Is(err, errLarge)) {
			raw, err = nil, fmt.Errorf("reading mail %d: %w", uid, failed)
		}
	}()
	for m := command.Next(); m != nil; m = command.Next() {
		for item := m.Next(); item != nil; item = m.Next() {
			body, ok := item.(imapclient.FetchItemDataBodySection)
			if !ok || body.Literal == nil || raw != nil {
				continue
			}
			if body.Literal.Size() > most {
				return nil, errLarge
			}
			if raw, err = io.ReadAll(body.Literal); err != nil {
				return nil, fmt.Errorf("reading mail %d: %w", uid, err)
			}
		}
	}
	return raw, nil
}

// store makes the event of a mail; it is durable then.
func (s *session) store(ctx context.Context, m *email.Mail, curtailed bool) error {
	to := header(m, "delivered-to", "x-original-to", "envelope-to")
	local, _, _ := strings.Cut(to, "@")
	_, tag, _ := strings.Cut(local, "+")
	acks, err := s.Storage.Store(ctx, m, []email.Arrival{{Type: s.Name, Origin: proto.FromIMAP, Addressed: email.Addressed{
		Mailbox: s.User, Folder: s.Folder, Recipient: to, Tag: tag, Sender: strings.Trim(header(m, "return-path"), "<> "),
	}}})
	if err != nil {
		return fmt.Errorf("storing a mail: %w", err)
	}
	for _, ack := range acks {
		if ack.Duplicate {
			s.count(Duplicate)
			continue
		}
		s.count(Accepted)
		if m.Automatic != "" {
			s.count(Automatic)
		}
		if curtailed {
			s.count(Curtailed)
			s.Log.Warn("of a mail only the headers are read", zap.String("subject", m.Subject), zap.String("error", m.Problems[len(m.Problems)-1]))
		}
	}
	return nil
}

// header is the first of the headers that a mail has.
func header(m *email.Mail, names ...string) string {
	for _, name := range names {
		switch v := m.Headers[name].(type) {
		case string:
			return v
		case []any:
			text, _ := v[0].(string)
			return text
		}
	}
	return ""
}

// mark does with a mail that was taken what is asked for. A server that refuses it keeps
// no mail from being taken.
func (s *session) mark(uid uint32) error {
	if !s.Seen && s.Move == "" {
		return nil
	}
	defer s.meter.allow(commandWithin, 0)()
	err := s.change(imap.UIDSetNum(imap.UID(uid)))
	if err != nil && !refused(err) {
		return fmt.Errorf("marking mail %d: %w", uid, err)
	}
	p := &s.position
	was := p.Unmarked
	p.Unmarked = ""
	if err != nil {
		s.count(Unmarked)
		p.Unmarked = said(err)
	}
	if p.Unmarked != "" && p.Unmarked != was {
		s.Log.Warn("mails are taken, but cannot be marked or moved", zap.String("error", p.Unmarked))
	}
	return nil
}

func (s *session) change(set imap.UIDSet) error {
	if s.Seen {
		if err := s.flag(set, imap.FlagSeen); err != nil {
			return err
		}
	}
	switch {
	case s.Move == "":
		return nil
	case s.client.Caps().Has(imap.CapMove):
		_, err := s.client.Move(set, s.Move).Wait()
		return err
	}
	if _, err := s.client.Copy(set, s.Move).Wait(); err != nil {
		return err
	}
	if err := s.flag(set, imap.FlagDeleted); err != nil || !s.client.Caps().Has(imap.CapUIDPlus) {
		return err // without UIDPLUS what others have marked as deleted would go too
	}
	_, err := s.client.UIDExpunge(set).Collect()
	return err
}

func (s *session) flag(set imap.UIDSet, flag imap.Flag) error {
	return s.client.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag}}, nil).Close()
}
