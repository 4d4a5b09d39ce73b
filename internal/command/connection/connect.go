package connection

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"zflow/internal/connections"
	"zflow/internal/connections/desk"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

const aboutConnect = `Connect a Zoom account, so that workflows can call Zoom as it:

  zoom_s2s    a server-to-server app of the account; needs nobody's consent
  zoom        one user's own; the user consents in a browser
  zoom_admin  the whole account's; an administrator consents

The consent page sends the browser back to this machine: add the call-back address
that is printed to the app's OAuth allow list at Zoom. With --console it comes back
to the console instead, under the configuration's public_url. With --device the
browser may be on any machine, and nothing comes back: the app must have device
flow switched on.

The workers keep the grant, sealed. To connect one again that Zoom or somebody has
revoked, its name is enough, unless its client secret is needed anew.`

// asked is what connect was given.
type asked struct {
	connections.Wanted
	secretFile, host, listen string
	device, console          bool
	wait                     time.Duration
}

// Connect returns the command connect.
func Connect(t *terminal.Shell) *cobra.Command {
	sh := &shell{t}
	return terminal.Group("connect", "Connect a Zoom account, or another service", sh.zoom(), sh.http())
}

func (sh *shell) zoom() *cobra.Command {
	a := &asked{}
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "zoom NAME", Short: "Connect a Zoom account under a name that workflows use", Long: aboutConnect, Args: terminal.Args("NAME"),
		Example: "  zflow connect zoom school --kind zoom_s2s --account-id abc --client-id def --client-secret-file secret.txt\n" +
			"  zflow connect zoom lina --client-id ghi --client-secret-file secret.txt\n" +
			"  zflow connect zoom lina",
		ValidArgsFunction: sh.names(),
		RunE: func(c *cobra.Command, args []string) error {
			a.Name = args[0]
			return sh.connect(c.Context(), a)
		},
	}))
	f := c.Flags()
	f.StringVar(&a.Kind, "kind", "", "`kind` of connection: zoom (the default), zoom_admin or zoom_s2s")
	f.StringVar(&a.Account, "account-id", "", "`id` of the account; without it, that of whoever consents")
	f.StringVar(&a.ClientID, "client-id", "", "client `id` of the Zoom app")
	f.StringVar(&a.secretFile, "client-secret-file", "", "`file` with the app's client secret; -: standard input")
	f.StringVar(&a.host, "host", "", "Zoom's `host`, where it is not zoom.us, such as zoomgov.com")
	f.StringVar(&a.listen, "listen", "127.0.0.1:8765", "loopback `address` that the browser comes back to")
	f.BoolVar(&a.console, "console", false, "let the browser come back to the console")
	f.BoolVar(&a.device, "device", false, "consent in a browser on any machine")
	f.BoolVar(&a.Force, "force", false, "connect it again though it gets fewer scopes than it had")
	terminal.SpanVar(f, &a.wait, "wait", "how long to wait for the consent; default 10m")
	terminal.Complete(c, "kind", connections.Kinds()...)
	return c
}

func (sh *shell) connect(ctx context.Context, a *asked) error {
	if a.device && a.console {
		return terminal.Misused("--device and --console are one too many")
	}
	if err := a.read(sh.In); err != nil {
		return err
	}
	d, err := sh.desk(ctx)
	if err != nil {
		return err
	}
	if a.Kind == "" {
		a.Kind = connections.Kinds()[0]
		if r, err := d.Show(ctx, a.Name); err == nil {
			a.Kind = r.Kind
		}
	}
	way := (*shell).loopback
	switch {
	case a.Kind == "zoom_s2s":
		way = (*shell).direct
	case a.device:
		way = (*shell).elsewhere
	case a.console:
		way = (*shell).throughConsole
	}
	r, err := way(sh, ctx, d, a)
	if err != nil {
		return err
	}
	if sh.JSON() {
		return sh.PrintJSON(r)
	}
	return sh.Print("%s: %s, account %s, %s\n", r.Name, r.State, cmp.Or(r.Account, "unknown"), scopes(r))
}

// read reads the secret, and makes the addresses of a host.
func (a *asked) read(in io.Reader) (err error) {
	if a.host != "" {
		host := strings.TrimSuffix(strings.TrimPrefix(a.host, "https://"), "/")
		if strings.ContainsAny(host, "/:@ ") {
			return terminal.Misused("--host is a name such as zoomgov.com")
		}
		a.OAuth, a.API = "https://"+host, "https://api."+host+"/v2"
	}
	a.Secret, err = secretIn(in, "client secret", a.secretFile)
	return err
}

// mostSecret is how long a secret may be.
const mostSecret = 64 << 10

// secretIn reads the one line of a file, or of standard input. Without a file there is
// none.
func secretIn(in io.Reader, what, file string) (string, error) {
	if file == "" {
		return "", nil
	}
	secret, err := textIn(in, what, file)
	if err == nil && strings.ContainsAny(secret, "\r\n") {
		return "", fmt.Errorf("reading the %s: %s does not hold one line", what, file)
	}
	return secret, err
}

// textIn reads a file, or standard input.
func textIn(in io.Reader, what, file string) (secret string, err error) {
	var text []byte
	if file == "-" {
		text, err = io.ReadAll(io.LimitReader(in, mostSecret+1))
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return "", fmt.Errorf("reading the %s: %w", what, err)
	}
	if secret = strings.TrimSpace(string(text)); secret == "" || len(secret) > mostSecret {
		return "", fmt.Errorf("reading the %s: %s is empty, or longer than %d bytes", what, file, mostSecret)
	}
	return secret, nil
}

// throughConsole lets the console take the call-back, and waits for what comes of
// it.
func (sh *shell) throughConsole(ctx context.Context, d *desk.Client, a *asked) (connections.Record, error) {
	before, _ := d.Show(ctx, a.Name) // it need not be there yet
	b, err := d.Begin(ctx, desk.Begin{Wanted: a.Wanted})
	if err != nil {
		return connections.Record{}, err
	}
	sh.Say("open this in a browser, and allow the app:\n\n  %s\n", b.URL)
	ctx, cancel := context.WithTimeout(ctx, a.patience(b))
	defer cancel()
	for {
		if err := pause(ctx, 2*time.Second); err != nil {
			return connections.Record{}, err
		}
		r, err := d.Show(ctx, a.Name)
		if err == nil && r.Connected.After(before.Connected) {
			return r, nil
		}
	}
}

// elsewhere shows a code to type in on another machine.
func (sh *shell) elsewhere(ctx context.Context, d *desk.Client, a *asked) (connections.Record, error) {
	b, err := d.Begin(ctx, desk.Begin{Wanted: a.Wanted, Device: true})
	if err != nil {
		return connections.Record{}, err
	}
	sh.Say("open this in a browser on any machine, and type in %s:\n\n  %s\n", b.UserCode, cmp.Or(b.Complete, b.URL))
	ctx, cancel := context.WithTimeout(ctx, a.patience(b))
	defer cancel()
	every := b.Interval
	for {
		if err := pause(ctx, time.Duration(every*float64(time.Second))); err != nil {
			return connections.Record{}, err
		}
		p, err := d.Poll(ctx, b.State)
		if err != nil {
			return connections.Record{}, err
		}
		if p.Record != nil {
			return *p.Record, nil
		}
		every = max(every, p.Again)
	}
}

// patience is how long the consent is waited for.
func (a *asked) patience(b connections.Begun) time.Duration {
	return cmp.Or(a.wait, time.Until(b.Ends))
}

// pause waits, or says that nobody consented in time.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the consent: %w", tooLate(ctx))
	}
}

func tooLate(ctx context.Context) error {
	if ctx.Err() == context.DeadlineExceeded {
		return fmt.Errorf("nobody allowed the app in time: begin again")
	}
	return ctx.Err()
}
