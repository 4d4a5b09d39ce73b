package imap

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
)

// login shows the server who it is.
func (s *session) login(ctx context.Context, key Key) error {
	caps := s.client.Caps()
	if key.Token {
		return s.present(ctx, key, caps)
	}
	if caps.Has(imap.CapLoginDisabled) {
		return lasting("the server takes no password over this connection: set tls to implicit or starttls")
	}
	if err := s.client.Login(s.User, key.Text).Wait(); err != nil {
		if refused(err) && !passing(err) {
			return lasting("the server does not take the user and the password: %s", said(err))
		}
		return fmt.Errorf("logging in: %w", err)
	}
	return nil
}

// present logs in with a token.
func (s *session) present(ctx context.Context, key Key, caps imap.CapSet) error {
	b := &bearer{user: s.User, token: key.Text, address: s.Address}
	switch {
	case caps.Has(imap.AuthCap(oauthBearer)):
		b.mechanism = oauthBearer
	case caps.Has(imap.AuthCap(xoauth2)):
		b.mechanism = xoauth2
	default:
		return lasting("the server takes no token (it offers neither %s nor %s): give the mailbox a password", oauthBearer, xoauth2)
	}
	err := s.client.Authenticate(b)
	switch {
	case err == nil:
		return nil
	case !refused(err) || passing(err):
		return fmt.Errorf("logging in: %w", err)
	}
	return s.another(ctx, key, caps, said(err))
}

// another has a token that was refused renewed and logs in with the next, once in a while:
// a server that takes none is not to be asked again and again.
func (s *session) another(ctx context.Context, key Key, caps imap.CapSet, said string) error {
	if key.Renew != nil && time.Since(s.renewed) > longPause {
		s.renewed = time.Now()
		if err := key.Renew(ctx); err != nil {
			return lasting("the server does not take the token of the connection (%s), and there is no other: %v", said, err)
		}
		if next, err := s.Key(ctx); err == nil && next.Text != key.Text {
			return s.present(ctx, next, caps)
		}
	}
	return lasting("the server does not take the token of the connection for this user: %s; look at the scopes that it has, and at whose account it is", said)
}

// Mechanisms that take a token.
const (
	oauthBearer = "OAUTHBEARER"
	xoauth2     = "XOAUTH2"
)

// bearer shows a token, as RFC 7628 says or as Google and Microsoft did before it.
type bearer struct{ mechanism, user, token, address string }

// Start is the first thing that is said.
func (b *bearer) Start() (mechanism string, first []byte, err error) {
	if b.mechanism == xoauth2 {
		return b.mechanism, fmt.Appendf(nil, "user=%s\x01auth=Bearer %s\x01\x01", b.user, b.token), nil
	}
	host, port, err := net.SplitHostPort(b.address)
	if err != nil {
		return "", nil, err
	}
	user := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(b.user)
	return b.mechanism, fmt.Appendf(nil, "n,a=%s,\x01host=%s\x01port=%s\x01auth=Bearer %s\x01\x01", user, host, port, b.token), nil
}

// Next answers a server that says why it refuses, and then does.
func (b *bearer) Next([]byte) ([]byte, error) { return []byte{1}, nil }
