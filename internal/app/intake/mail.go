package intake

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"slices"

	"zflow/internal/settings"
	"zflow/sources/email"
)

// Mail says how ingest receives mail.
type Mail struct {
	Listen  string // empty: it does not
	Name    string
	Domains []string
	email.Limits
}

// openMail makes the server for mail, and binds its port.
func (in *Intake) openMail() (err error) {
	c := in.config.Mail
	if c.Listen == "" {
		return nil
	}
	var cert *tls.Config
	if in.config.TLS != (settings.TLS{}) {
		k := &certificate{files: in.config.TLS, log: in.log}
		if err := k.load(); err != nil {
			return err
		}
		cert = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: k.get}
	}
	in.mail = email.NewServer(email.Config{
		Limits: c.Limits, Name: c.Name, Domains: c.Domains, TLS: cert, Known: in.web.mailbox, Log: in.log,
		Storage: email.Storage{
			Publish: in.publish, Room: in.room, MaxPayload: in.maxPayload, Body: in.config.MaxBody,
			Files: func() (email.Put, email.Settle, error) {
				put, settle, err := in.web.begin()
				return email.Put(put), email.Settle(settle), err
			},
		},
	})
	in.post, err = net.Listen("tcp", c.Listen)
	return err
}

// serveMail receives mail until ctx ends, then lets those under way finish.
func (in *Intake) serveMail(ctx context.Context) (stop func(), ended <-chan error) {
	failed := make(chan error, 1)
	if in.mail == nil {
		return func() {}, failed
	}
	go func() {
		if err := in.mail.Serve(in.post); err != nil && ctx.Err() == nil {
			failed <- err
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(in.config.Drain, defaultDrain))
		defer cancel()
		in.mail.Stop(ctx)
	}, failed
}

// MailAddr is the address that receives mail, empty where none does.
func (in *Intake) MailAddr() string {
	if in.post == nil {
		return ""
	}
	return in.post.Addr().String()
}

// Mailboxes are those of workflows.
func (in *Intake) Mailboxes() []string {
	if all := in.web.boxes.Load(); all != nil {
		return *all
	}
	return nil
}

// mailbox tells whether a workflow has a mailbox; one that is not known is asked for.
func (v *web) mailbox(ctx context.Context, name string) (bool, error) {
	if v.in.store.Load() == nil || !v.in.nc.IsConnected() {
		return false, errNotOpened
	}
	if all := v.boxes.Load(); all != nil && slices.Contains(*all, name) {
		return true, nil
	}
	err := v.askUnless(ctx, freshFor)
	all := v.boxes.Load()
	if err != nil && all == nil {
		return false, err
	}
	return all != nil && slices.Contains(*all, name), err
}
