package app

import (
	"context"
	"io"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/actions"
	"zflow/actions/http"
	"zflow/engine/blobs"
	"zflow/internal/app/mailboxes"
	"zflow/internal/durable"
	"zflow/sources/email"
)

// mailboxesOn prepares what reads mailboxes on other servers.
func mailboxesOn(c WorkerConfig, client *Client, holder string) (*mailboxes.Mailboxes, error) {
	dial, err := http.Dialer(c.HTTPAllow)
	if err != nil {
		return nil, err
	}
	return mailboxes.New(mailboxes.Options{
		Catalog: client.Catalog, Leases: client.Leases, Holder: holder, Places: client.Places, Secrets: c.vault.Values, Dial: dial, Log: c.Log,
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
