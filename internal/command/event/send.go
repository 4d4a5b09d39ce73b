package event

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"zflow/internal/operator/send"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

// sending is what events send was asked to do.
type sending struct {
	eventType   string
	file        string
	to          string
	app, secret string
	count       int
	rate        float64 // a second; 0: as fast as they are answered
}

const defaultIngest = "http://127.0.0.1:8080"

func eventsSend(sh *shell) *cobra.Command {
	s := sending{}
	c := sh.PrintsData(&cobra.Command{
		Use: "send TYPE", Short: "Sign Zoom events and post them to ingest, as Zoom does", Args: terminal.Args("TYPE"),
		Long: `Sign Zoom events and post them to ingest, as Zoom does. Without --file each is a
made-up event about a meeting of its own, happening now.

The secret comes from --secret, ZFLOW_ZOOM_SECRET, or what zflow dev left in
this folder; so does the address. Exits 1 unless all are accepted.`,
		Example:           "  zflow events send meeting.ended\n  zflow events send recording.completed --file event.json\n  zflow events send meeting.started --count 100 --rate 20",
		ValidArgsFunction: eventTypes,
		RunE: func(c *cobra.Command, args []string) error {
			s.eventType = args[0]
			return sh.send(c.Context(), s)
		},
	})
	c.Flags().StringVar(&s.file, "file", "", "send the event in this `file`, byte for byte")
	c.Flags().StringVar(&s.to, "to", "", "`URL` of ingest (ZFLOW_INGEST; default: that of zflow dev, "+defaultIngest+")")
	c.Flags().StringVar(&s.app, "app", "default", "`name` of the Zoom app that it is for")
	c.Flags().StringVar(&s.secret, "secret", "", "the app's secret `token` (ZFLOW_ZOOM_SECRET)")
	c.Flags().IntVar(&s.count, "count", 1, "`how many` events")
	c.Flags().Float64Var(&s.rate, "rate", 0, "at most so many a `second`")
	return c
}

func (sh *shell) send(ctx context.Context, s sending) error {
	if s.count < 1 {
		return terminal.Misused("--count is at least 1")
	}
	if s.rate < 0 {
		return terminal.Misused("--rate cannot be less than 0")
	}
	sender, err := sh.sender(s)
	if err != nil {
		return err
	}
	body, err := sh.bodies(s)
	if err != nil {
		return err
	}
	all := []send.Sent{}
	accepted := 0
	for n := range s.count {
		if err := pace(ctx, s.rate, n); err != nil {
			return err
		}
		sent, err := sender.Send(ctx, s.eventType, body(n))
		if err != nil {
			return err
		}
		if sent.Accepted {
			accepted++
		}
		all = append(all, sent)
		if err := sh.printSent(sent); err != nil {
			return err
		}
	}
	if sh.JSON() {
		if err := sh.PrintJSON(all); err != nil {
			return err
		}
	}
	if accepted < s.count {
		return fmt.Errorf("%d of %s not accepted by %s", s.count-accepted, terminal.Plural(s.count, "event"), sender.URL())
	}
	return nil
}

func (sh *shell) printSent(s send.Sent) error {
	switch {
	case sh.JSON():
		return nil
	case s.Accepted:
		return sh.Print("%s %s (%d)\n", sh.Paint("accepted"), s.Type, s.Status)
	}
	return sh.Print("%s %s (%d) %s\n", sh.Paint("refused"), s.Type, s.Status, s.Answer)
}

// pace waits until the nth event is due.
func pace(ctx context.Context, rate float64, n int) error {
	if rate == 0 || n == 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(time.Duration(float64(time.Second) / rate)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sender knows where to post and how to sign.
func (sh *shell) sender(s sending) (*send.Sender, error) {
	to, secret := cmp.Or(s.to, sh.Env("ZFLOW_INGEST")), cmp.Or(s.secret, sh.Env("ZFLOW_ZOOM_SECRET"))
	if to == "" || secret == "" {
		dev, err := sh.Dev()
		if err != nil {
			return nil, err
		}
		to, secret = cmp.Or(to, cmp.Or(dev.Ingest, defaultIngest)), cmp.Or(secret, dev.ZoomSecret)
	}
	if secret == "" {
		return nil, terminal.Misused("the app's secret token is missing: give --secret or ZFLOW_ZOOM_SECRET, or run this where zflow dev runs")
	}
	return send.New(to, s.app, secret)
}

// bodies returns what makes the nth event.
func (sh *shell) bodies(s sending) (func(n int) []byte, error) {
	if s.file == "" {
		now := time.Now()
		_, known, suggestion := send.Payload(s.eventType, now, 0)
		if !known {
			hint := ""
			if suggestion != "" {
				hint = fmt.Sprintf("; did you mean %s?", suggestion)
			}
			sh.Say("Zoom has no event %s: it is sent with a minimal body%s", s.eventType, hint)
		}
		return func(n int) []byte { body, _, _ := send.Payload(s.eventType, now, n); return body }, nil
	}
	body, err := os.ReadFile(s.file)
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w", err)
	}
	if err := send.CheckBody(s.eventType, body); err != nil {
		return nil, fmt.Errorf("reading the event in %s: %w", s.file, err)
	}
	return func(int) []byte { return body }, nil
}
