package imap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-sasl"
)

// counter is a server's side that takes a token.
type counter struct {
	imapserver.Session
	o         *office
	mechanism string
}

func (c *counter) AuthenticateMechanisms() []string { return []string{c.mechanism} }

func (c *counter) Authenticate(string) (sasl.Server, error) { return &visitor{c, false}, nil }

// visitor is one who logs in.
type visitor struct {
	*counter
	refused bool
}

// Next takes what the RFC, Google and Microsoft say that a client shows.
func (v *visitor) Next(said []byte) (challenge []byte, done bool, err error) {
	v.o.mu.Lock()
	defer v.o.mu.Unlock()
	want := "user=desk\x01auth=Bearer " + v.o.token + "\x01\x01"
	if v.mechanism == oauthBearer {
		host, port, _ := strings.Cut(v.o.config.Address, ":")
		want = fmt.Sprintf("n,a=desk,\x01host=%s\x01port=%s\x01auth=Bearer %s\x01\x01", host, port, v.o.token)
	}
	switch {
	case said == nil: // the client has not said anything yet
		return []byte{}, false, nil
	case v.refused:
		return nil, true, imapserver.ErrAuthFailed
	case !bytes.Equal(said, []byte(want)):
		v.refused = true
		v.o.refusals++
		return []byte(`{"status":"401","schemes":"bearer"}`), false, nil
	}
	return nil, true, v.Session.Login("desk", "hunter2")
}

// counted is an office whose server takes tokens, and one that the reader has.
func counted(t *testing.T, mechanism, has string, renew func(o *office) error) *office {
	t.Helper()
	o := newOffice(t)
	_ = o.server.Close()
	o.wrap = func(s imapserver.Session) imapserver.Session { return &counter{s, o, mechanism} }
	o.serve()
	o.config.Address = o.listen.Addr().String()
	o.token, o.password = "right", has
	o.renew = func(context.Context) error { return renew(o) }
	return o
}

var errEnded = errors.New("connection mail needs to be connected again")

// With a connection's token a mailbox is read, by the mechanism that the server has; a
// token that it does not take is renewed.
func TestTokens(t *testing.T) {
	for _, mechanism := range []string{oauthBearer, xoauth2} {
		for _, has := range []string{"right", "old"} {
			o := counted(t, mechanism, has, func(o *office) error {
				o.mu.Lock()
				defer o.mu.Unlock()
				o.password = "right"
				return nil
			})
			r, _ := o.run()
			o.until("a look", func() bool { return !r.Stats().Looked.IsZero() })
			o.put("INBOX", letter("one"))
			o.want("one")
			if want := map[string]int{"right": 0, "old": 1}[has]; o.refusals != want {
				t.Errorf("%s, %s: %d refusals", mechanism, has, o.refusals)
			}
		}
	}
}

// Where no token is taken that is told once, and the server left alone: whether there is
// another or not.
func TestTokensThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		mechanism string
		renew     func(*office) error
		want      string
		refusals  int
	}{
		"no other":     {xoauth2, func(*office) error { return errEnded }, "and there is no other: " + errEnded.Error(), 1},
		"none is good": {oauthBearer, func(o *office) error { o.mu.Lock(); defer o.mu.Unlock(); o.password += "r"; return nil }, "look at the scopes that it has", 2},
		"password":     {"PLAIN", func(*office) error { return nil }, "the server takes no token", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := counted(t, c.mechanism, "old", c.renew)
			r, stop := o.run()
			o.until("the problem", func() bool { return strings.Contains(r.Stats().Problem, c.want) })
			o.until("the refusals", func() bool { return o.refusals == c.refusals })
			if stop(); o.refusals != c.refusals || len(o.messages()) != 1 || strings.Contains(r.Stats().Problem, "oldr") || !r.Stats().Looked.IsZero() {
				t.Errorf("%d refusals, %q", o.refusals, o.messages())
			}
		})
	}
}
