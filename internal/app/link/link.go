// Package link connects to the NATS server as every process of zflow does.
package link

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"zflow/internal/settings"
	"zflow/proto"
)

// Config says which server to connect to and as whom.
type Config struct {
	URL     string // one or several, comma-separated; may hold user and password
	Creds   string // a credentials file; empty: none
	Name    string // of the connection, for people
	Wait    bool   // for a server that is not there yet, as long as the context allows
	Options []nats.Option
}

// Options are those of every long-lived connection: nothing is buffered
// while the server is away, so that what was reported as failed is never sent.
func Options(c Config) []nats.Option {
	options := []nats.Option{
		nats.Name(c.Name), nats.ReconnectBufSize(-1), nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond), nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
	}
	if c.Creds != "" {
		options = append(options, nats.UserCredentials(c.Creds))
	}
	for _, one := range strings.Split(c.URL, ",") {
		if u, err := ParseURL(one); err == nil && u.User.Username() != "" {
			options = append(options, inbox(u.User.Username()))
		}
	}
	return append(options, c.Options...)
}

// Login are the options of the configuration's user; without one there are none.
func Login(n settings.NATS) []nats.Option {
	if n.User == "" {
		return nil
	}
	return []nats.Option{nats.UserInfo(n.User, n.Password.Reveal()), inbox(n.User)}
}

// inbox makes answers come to where only this user may read: configs/roles.conf.
func inbox(user string) nats.Option { return nats.CustomInboxPrefix("_INBOX_" + proto.Token(user)) }

// Dial connects, and where Wait is set tries again until the context ends.
func Dial(ctx context.Context, c Config) (*nats.Conn, error) {
	for {
		nc, err := nats.Connect(c.URL, Options(c)...)
		if err == nil {
			return nc, nil
		}
		if !c.Wait || errors.Is(err, nats.ErrAuthorization) {
			return nil, fmt.Errorf("connecting to %s: %w", withoutPasswords(c.URL), err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("connecting to %s: %w", withoutPasswords(c.URL), err)
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// withoutPasswords returns the addresses as a person may see them.
func withoutPasswords(addresses string) string {
	all := strings.Split(addresses, ",")
	for i, address := range all {
		u, err := ParseURL(address)
		if err != nil {
			return "the server" // nobody knows where its password stands
		}
		all[i] = u.Redacted()
	}
	return strings.Join(all, ",")
}

// ParseURL reads a server's address; nats:// may be left out.
func ParseURL(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "://") {
		text = "nats://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, errors.New("the server's address is not like nats://127.0.0.1:4222")
	}
	return u, nil
}
