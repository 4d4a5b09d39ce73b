// Package mail sends mails by SMTP, as a mail server does that has many for another, and
// measures the answers.
package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Target is a mail server, and an address for which it takes mails.
type Target struct{ Server, To string }

// Answers is what a target did with mails.
type Answers struct {
	Sent     int // that were taken
	Refused  int // answered otherwise, or not at all
	Within   time.Duration
	P50, P99 time.Duration // from MAIL to the answer to all of it
	Problem  error         // of a mail that was not taken
}

// flood is a number of connections at work.
type flood struct {
	Target
	id   string
	next atomic.Int64

	mu   sync.Mutex
	took []time.Duration
	errs []error
}

// Flood keeps a number of connections busy for a while: over each comes a mail after the
// other, every one with an attachment.
func (t Target) Flood(ctx context.Context, connections int, length time.Duration) Answers {
	f := &flood{Target: t, id: rand.Text()[:10]}
	begun := time.Now()
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			if err := f.connection(ctx, begun.Add(length)); err != nil {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.errs = append(f.errs, err)
			}
		})
	}
	all.Wait()
	slices.Sort(f.took)
	a := Answers{Sent: len(f.took), Refused: len(f.errs), Within: time.Since(begun), Problem: errors.Join(f.errs...)}
	if n := a.Sent; n > 0 {
		a.P50, a.P99 = f.took[n/2], f.took[min(n*99/100, n-1)]
	}
	return a
}

// connection sends mails until an end; a mail that is refused ends it.
func (f *flood) connection(ctx context.Context, end time.Time) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", f.Server)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // who reads from it learns it
	c, err := smtp.NewClient(conn, "localhost")
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	defer c.Close()
	for time.Now().Before(end) && ctx.Err() == nil {
		text := letter(f.id, f.next.Add(1))
		begun := time.Now()
		if err := f.send(c, text); err != nil {
			return fmt.Errorf("sending a mail: %w", err)
		}
		f.mu.Lock()
		f.took = append(f.took, time.Since(begun))
		f.mu.Unlock()
	}
	return c.Quit()
}

// send hands a mail over.
func (f *flood) send(c *smtp.Client, text []byte) error {
	if err := c.Mail("ada@example.net"); err != nil {
		return err
	}
	if err := c.Rcpt(f.To); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	return errors.Join(write(w, text), w.Close())
}

func write(w io.Writer, text []byte) error {
	_, err := w.Write(text)
	return err
}
