package imap

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"

	"zflow/internal/pause"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const (
	dialWithin    = 30 * time.Second
	commandWithin = time.Minute
	mailWithin    = 5 * time.Minute
	// idleAtMost is how long a server is waited for that tells what comes, before it is
	// asked: a connection may be dead without anybody being told.
	idleAtMost = 2 * time.Minute
	noopEvery  = 5 * time.Minute
)

// session is one connection.
type session struct {
	*Reader
	client *imapclient.Client
	meter  *meter
	news   chan struct{} // holds one: something came
	last   *imap.SelectData
}

// session reads the mailbox until the connection ends. It tells whether the mailbox
// was read.
func (r *Reader) session(ctx context.Context, key Key) (looked bool, err error) {
	s := &session{Reader: r, news: make(chan struct{}, 1)}
	defer func() {
		if err != nil && s.meter != nil && s.meter.late.Load() {
			err = fmt.Errorf("the server does not answer (%w)", err)
		}
	}()
	if err := s.connect(ctx); err != nil {
		return false, err
	}
	defer context.AfterFunc(ctx, func() { _ = s.meter.Close() })()
	defer s.client.Close()
	if err := s.open(ctx, key); err != nil {
		return false, err
	}
	if r.position, err = r.Places.Load(ctx, r.Name); err != nil {
		return false, err
	}
	r.position.Mailbox = r.Name
	if err := s.begin(ctx); err != nil {
		return false, err
	}
	for {
		if err := s.look(ctx); err != nil {
			return looked, err
		}
		looked = true
		if err := r.read(ctx); err != nil {
			return looked, err
		}
		if err := s.wait(ctx); err != nil {
			return looked, err
		}
	}
}

// connect reaches the server, and secures the connection.
func (s *session) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	conn, err := s.Dial(ctx, "tcp", s.Address)
	if err != nil {
		return fmt.Errorf("the server %s cannot be reached: %w", s.Address, err)
	}
	s.meter = &meter{Conn: conn}
	defer s.meter.allow(dialWithin, 0)()
	options := &imapclient.Options{TLSConfig: s.tls(), UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(*imapclient.UnilateralDataMailbox) { s.wake() },
	}}
	switch s.Secure {
	case "none":
		s.client = imapclient.New(s.meter, options)
	case "starttls":
		if s.client, err = imapclient.NewStartTLS(s.meter, options); err != nil {
			return fmt.Errorf("the server %s cannot be reached by starttls: %w", s.Address, err)
		}
	default:
		secured := tls.Client(s.meter, s.tls())
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = s.meter.Close()
			return fmt.Errorf("the server %s cannot be reached by TLS: %w", s.Address, err)
		}
		s.client = imapclient.New(secured, options)
	}
	if err := s.client.WaitGreeting(); err != nil {
		_ = s.client.Close()
		return fmt.Errorf("the server %s does not greet as one of IMAP does: %w", s.Address, err)
	}
	return nil
}

func (s *session) tls() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.TLS != nil {
		c = s.TLS.Clone()
	}
	if c.ServerName == "" {
		c.ServerName, _, _ = net.SplitHostPort(s.Address) // it always has a port
	}
	return c
}

func (s *session) wake() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// open logs in, and opens the folder.
func (s *session) open(ctx context.Context, key Key) error {
	defer s.meter.allow(commandWithin, 0)()
	err := s.login(ctx, key)
	if err != nil {
		return err
	}
	if s.last, err = s.client.Select(s.Folder, &imap.SelectOptions{ReadOnly: !s.Seen && s.Move == ""}).Wait(); err != nil {
		if refused(err) && !passing(err) {
			return &failure{text: fmt.Sprintf("the folder %s cannot be opened: %s%s", s.Folder, said(err), s.folders())}
		}
		return fmt.Errorf("opening the folder: %w", err)
	}
	return nil
}

// folders names some that there are.
func (s *session) folders() string {
	all, err := s.client.List("", "*", nil).Collect()
	if err != nil || len(all) == 0 {
		return ""
	}
	var names []string
	for _, f := range all[:min(len(all), 20)] {
		names = append(names, clean(f.Mailbox))
	}
	return "; there is " + strings.Join(names, ", ")
}

// wait waits until the server says that something came, or it is time to look.
func (s *session) wait(ctx context.Context) error {
	if !s.client.Caps().Has(imap.CapIdle) {
		return s.pause(ctx)
	}
	end := s.meter.allow(commandWithin, 0)
	idle, err := s.client.Idle()
	end()
	if refused(err) { // though it says that it can
		return s.pause(ctx)
	}
	if err != nil {
		return fmt.Errorf("waiting for mails: %w", err)
	}
	due := time.NewTimer(min(s.Every, idleAtMost))
	defer due.Stop()
	select {
	case <-s.news:
	case <-due.C:
	case <-s.client.Closed():
	case <-ctx.Done():
		return ctx.Err()
	}
	defer s.meter.allow(commandWithin, 0)()
	if err = idle.Close(); err == nil {
		err = idle.Wait()
	}
	if err != nil {
		return fmt.Errorf("waiting for mails: %w", err)
	}
	return ctx.Err()
}

// pause waits until it is time to look, and keeps the connection from being ended.
func (s *session) pause(ctx context.Context) error {
	for left := s.Every; left > 0; left -= noopEvery {
		if !pause.For(ctx, min(left, noopEvery)) {
			return ctx.Err()
		}
		if err := s.noop(); err != nil {
			return fmt.Errorf("waiting for mails: %w", err)
		}
	}
	return nil
}

func (s *session) noop() error {
	defer s.meter.allow(commandWithin, 0)()
	return s.client.Noop().Wait()
}
