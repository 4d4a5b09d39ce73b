package connection

import (
	"context"
	"strings"

	"zflow/internal/connections"
	"zflow/internal/connections/desk"
	"zflow/internal/connections/service"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

const aboutHTTP = `Connect another service than Zoom, so that steps can call it with connection: NAME.
What it signs in with is kept by the workers, sealed, and sent to its hosts only:
  bearer    a token, as Authorization: Bearer (the default)
  basic     a user's name (--username) and a password
  header    a key in a header (--field X-Api-Key; --prefix stands before the key)
  query     a key in the address (--field key)
  token     a token that is part of addresses, as Telegram's: only actions made for the
            service, and code, can use it
  oauth2    a token that OAuth 2 gives and renews: by somebody's consent in a browser, or
            (--device: on any machine), with --grant client_credentials in the app's own name,
            with --grant jwt_bearer as a service account, whose --key-file signs
Token, key or password are read from --token-file, the secret of an app from
--client-secret-file; - is standard input. A preset knows the addresses of a service.
With --test-url it is tried before it is stored, and by zflow connections test. To
connect one again its name is enough with what is new; one that fails changes nothing.`

// wanted is what connect http was given.
type wanted struct {
	asked
	of        service.Service
	oauth     service.OAuth
	tokenFile string
	keyFile   string
}

func (sh *shell) http() *cobra.Command {
	w := &wanted{}
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "http NAME", Short: "Connect another service under a name that workflows use", Long: aboutHTTP, Args: terminal.Args("NAME"),
		Example: "  zflow connect http slack --preset slack --token-file slack.token\n" +
			"  zflow connect http crm --host api.crm.example --auth header --field X-Api-Key --token-file -\n" +
			"  zflow connect http google --preset google --client-id abc --client-secret-file secret.txt\n" +
			"  zflow connect http erp --host erp.example --auth oauth2 --grant client_credentials --token-url https://erp.example/token --client-id abc --client-secret-file secret.txt",
		ValidArgsFunction: sh.names(),
		RunE: func(c *cobra.Command, args []string) error {
			w.Name, w.Kind = args[0], connections.KindHTTP
			return sh.connectHTTP(c.Context(), w)
		},
	}))
	f := c.Flags()
	f.StringVar(&w.of.Preset, "preset", "", "a `service` whose addresses are known: "+strings.Join(service.Presets(), ", "))
	f.StringVar(&w.of.Auth, "auth", "", "`how` it signs in: "+strings.Join(service.Ways(), ", "))
	f.StringSliceVar(&w.of.Hosts, "host", nil, "a `host` that it is for, such as api.example.org or *.example.org; repeat it for more")
	f.StringVar(&w.tokenFile, "token-file", "", "`file` with the token, key or password; -: standard input")
	f.StringVar(&w.of.User, "username", "", "`name` of the user, of basic")
	f.StringVar(&w.of.Field, "field", "", "`name` of the header or parameter that holds the key")
	f.StringVar(&w.of.Prefix, "prefix", "", "`text` before the token or key in its header, such as 'Bot '")
	f.StringVar(&w.of.TestURL, "test-url", "", "`address` whose answer to a signed GET tells whether it works")
	w.oauthFlags(c)
	terminal.Complete(c, "preset", service.Presets()...)
	terminal.Complete(c, "auth", service.Ways()...)
	return c
}

// oauthFlags are those for OAuth 2.
func (w *wanted) oauthFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&w.ClientID, "client-id", "", "client `id` of the app, of oauth2")
	f.StringVar(&w.secretFile, "client-secret-file", "", "`file` with the app's client secret; -: standard input")
	f.StringVar(&w.keyFile, "key-file", "", "`file` with a private key, in place of a secret: PEM, or the JSON of a service account")
	f.StringVar(&w.oauth.Grant, "grant", "", "`grant` of oauth2, without it the first: "+strings.Join(service.Grants(), ", "))
	f.StringVar(&w.oauth.AuthorizeURL, "authorize-url", "", "`address` of the consent page")
	f.StringVar(&w.oauth.TokenURL, "token-url", "", "`address` where tokens are given out")
	f.StringVar(&w.oauth.RevokeURL, "revoke-url", "", "`address` where tokens are revoked")
	f.StringSliceVar(&w.oauth.Scopes, "scope", nil, "a `scope` to ask for; repeat it for more")
	f.StringVar(&w.oauth.Audience, "audience", "", "`whom` the token is for, where the service wants that")
	f.StringVar(&w.oauth.Send, "send", "", "`how` the app says who it is, without it the first: "+strings.Join(service.Sends(), ", "))
	f.StringToStringVar(&w.oauth.Params, "param", nil, "`name=value` for the consent page; repeat it for more")
	f.StringToStringVar(&w.oauth.TokenParams, "token-param", nil, "`name=value` for the token endpoint; repeat it for more")
	f.StringVar(&w.oauth.DeviceURL, "device-url", "", "`address` where codes for other machines are given out")
	f.StringVar(&w.oauth.Subject, "subject", "", "`whom` a service account acts for")
	f.BoolVar(&w.oauth.NoPKCE, "no-pkce", false, "leave PKCE out, for a service that refuses parameters it does not know")
	f.BoolVar(&w.device, "device", false, "consent in a browser on any machine")
	f.StringVar(&w.listen, "listen", "127.0.0.1:8765", "loopback `address` that the browser comes back to")
	f.BoolVar(&w.console, "console", false, "let the browser come back to the console")
	f.BoolVar(&w.Force, "force", false, "connect it though its test fails, or with fewer scopes than it had")
	terminal.SpanVar(f, &w.wait, "wait", "how long to wait for the consent; default 10m")
	terminal.Complete(c, "grant", service.Grants()...)
	terminal.Complete(c, "send", service.Sends()...)
}

// connectHTTP asks the workers, which fill in what was not said.
func (sh *shell) connectHTTP(ctx context.Context, w *wanted) error {
	if err := w.gather(sh); err != nil {
		return err
	}
	d, err := sh.desk(ctx)
	if err != nil {
		return err
	}
	var before *service.Service
	if r, err := d.Show(ctx, w.Name); err == nil {
		before = r.Service
	}
	full, err := service.Complete(w.of, before)
	if err != nil {
		return terminal.Misused("%s", err)
	}
	if err := w.matches(full); err != nil {
		return err
	}
	way := (*shell).direct
	switch {
	case !full.Is(service.Code):
	case w.device:
		way = (*shell).elsewhere
	case w.console:
		way = (*shell).throughConsole
	default:
		way = (*shell).loopback
	}
	r, err := way(sh, ctx, d, &w.asked)
	if err != nil {
		return err
	}
	if sh.JSON() {
		return sh.PrintJSON(r)
	}
	return sh.Print("%s: %s, %s for %s\n", r.Name, r.State, r.Service.Auth, strings.Join(r.Service.Hosts, ", "))
}

// gather reads the secret, and takes the flags together.
func (w *wanted) gather(sh *shell) (err error) {
	switch {
	case w.tokenFile != "" && w.secretFile+w.keyFile != "", w.secretFile != "" && w.keyFile != "":
		return terminal.Misused("of --token-file, --client-secret-file and --key-file one is enough: the last two are for oauth2")
	case w.device && w.console:
		return terminal.Misused("--device and --console are one too many")
	case w.keyFile != "":
		w.Secret, err = textIn(sh.In, "key", w.keyFile)
	case w.secretFile != "":
		w.Secret, err = secretIn(sh.In, "client secret", w.secretFile)
	default:
		w.Secret, err = secretIn(sh.In, "token", w.tokenFile)
	}
	if err != nil {
		return err
	}
	if w.hasOAuth() {
		o := w.oauth
		w.of.OAuth = &o
		if w.of.Auth == "" {
			w.of.Auth = service.OAuth2
		}
	}
	w.Service = &w.of
	return nil
}

// hasOAuth tells that something was given that only oauth2 needs.
func (w *wanted) hasOAuth() bool {
	o := w.oauth
	return o.Grant+o.AuthorizeURL+o.TokenURL+o.RevokeURL+o.DeviceURL+o.Audience+o.Send+o.Subject+w.ClientID+w.secretFile+w.keyFile != "" ||
		len(o.Scopes)+len(o.Params)+len(o.TokenParams) > 0 || o.NoPKCE || w.device
}

// matches refuses a secret that is none of what it is to be.
func (w *wanted) matches(full service.Service) error {
	isOAuth := full.Auth == service.OAuth2
	switch {
	case isOAuth && w.tokenFile != "":
		return terminal.Misused("oauth2 gets its tokens itself: give --client-id and --client-secret-file instead of --token-file, or another --auth")
	case !isOAuth && w.of.OAuth != nil:
		return terminal.Misused("--client-id and the like are for --auth oauth2")
	case (w.console || w.device) && !full.Is(service.Code):
		return terminal.Misused("--console and --device are for what somebody consents to in a browser")
	case w.secretFile != "" && full.Keyed():
		return terminal.Misused("it signs in with a private key: give --key-file instead of --client-secret-file")
	case w.keyFile != "" && !full.Keyed():
		return terminal.Misused("a private key is for --grant %s and --send %s", service.JWTBearer, service.SendSigned)
	}
	return nil
}

// direct connects what needs nobody's consent.
func (sh *shell) direct(ctx context.Context, d *desk.Client, a *asked) (connections.Record, error) {
	return d.Connect(ctx, a.Wanted)
}

// at is where a listener waits, with the name that it was given: some services know a
// loopback address by the name localhost only.
func at(given, listening string) string {
	if host, _, found := strings.Cut(given, ":"); found && host == "localhost" {
		return host + listening[strings.LastIndex(listening, ":"):]
	}
	return listening
}
