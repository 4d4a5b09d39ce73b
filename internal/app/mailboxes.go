package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/actions"
	"zflow/actions/http"
	"zflow/engine/blobs"
	"zflow/internal/app/mailboxes"
	"zflow/internal/durable"
	"zflow/sources/email"
	"zflow/sources/imap"
)

// mailboxesOn prepares what reads mailboxes on other servers.
func mailboxesOn(c WorkerConfig, client *Client, holder string, find finder) (*mailboxes.Mailboxes, error) {
	dial, err := http.Dialer(c.HTTPAllow)
	if err != nil {
		return nil, err
	}
	return mailboxes.New(mailboxes.Options{
		Catalog: client.Catalog, Leases: client.Leases, Holder: holder, Places: client.Places, Secrets: c.vault.Values, Token: tokensFor(find), Dial: dial, Log: c.Log,
		Storage: email.Storage{Publish: client.Publisher.Publish, Files: filesOfMail(client.JS, client.Gate), Room: client.Publisher.Room, MaxPayload: client.NC.MaxPayload},
	}), nil
}

// filesOfMail stores what is attached to mails.
func filesOfMail(js jetstream.JetStream, gate *durable.Gate) func() (email.Put, email.Settle, error) {
	w := blobs.NewWriter(js, gate)
	return func() (email.Put, email.Settle, error) {
		mark := w.Mark()
		put := func(ctx context.Context, r io.Reader, f actions.File, most int64) (actions.File, error) {
			kept, err := w.Write(ctx, r, most)
			f.ID, f.Size, f.SHA256 = kept.ID, kept.Size, kept.SHA256
			return f, err
		}
		return put, func(ctx context.Context) error { return w.Pass(ctx, mark) }, nil
	}
}

// tokensFor finds the tokens of connections for servers of mail, which have to be among
// the hosts that a connection's token may go to.
func tokensFor(find finder) func(ctx context.Context, connection, server string) (imap.Key, error) {
	return func(ctx context.Context, connection, server string) (imap.Key, error) {
		c, err := find(ctx, connection)
		host, _, _ := net.SplitHostPort(server) // it always has a port
		switch {
		case err != nil:
			return imap.Key{}, err
		case c.Token == "":
			return imap.Key{}, fmt.Errorf("connection %s has no token: name one with OAuth (zflow connect http %s --preset google, or microsoft)", connection, connection)
		case !c.For(server):
			return imap.Key{}, fmt.Errorf("connection %s is for %s, not for %s: connect it with --host %s too", connection, strings.Join(c.Hosts, ", "), host, host)
		}
		k := imap.Key{Text: c.Token, Token: true}
		if c.Renew != nil {
			k.Renew = func(ctx context.Context) error {
				_, err := c.Renew(ctx)
				return err
			}
		}
		return k, nil
	}
}
