package oauth

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Zoom is the address of Zoom's authorization server.
const Zoom = "https://zoom.us"

const (
	grantRefresh = "refresh_token"
	askWithin    = 10 * time.Second
	mostAnswer   = 1 << 20
	// lifeUnsaid is how long an access token lives of which Zoom does not say it, and
	// otherUnsaid one of another service that can be renewed.
	lifeUnsaid  = 10 * time.Minute
	otherUnsaid = time.Hour
	// lasting is how long one that cannot be renewed must live to be of use.
	lasting = 24 * time.Hour
	// mostSkew is how far a clock may be off before that is said beside a refusal of what
	// it signed.
	mostSkew    = time.Minute
	longestIdle = 5 * 365 * 24 * time.Hour // as a refresh token's
	longest     = 30 * 24 * time.Hour      // that an access token may live: no overflow, no token for ever
)

// App is who asks: the credentials of a Zoom app, and where its server is.
type App struct {
	ClientID     string
	ClientSecret string // empty: a public client, which has only PKCE
	Server       string // empty: Zoom
	Other        *Other // of another service; nil: of Zoom
}

// Other is a service that is not Zoom.
type Other struct {
	Name                        string // for messages
	Authorize, Token, Revoke    string // addresses
	Scopes, Separator, Audience string // of what is asked for; the separator stands between scopes in answers too
	Body                        bool   // id and secret go in the body
	JSON                        bool   // the token endpoint takes JSON, not a form
	NoPKCE                      bool
	Params, TokenParams         map[string]string // more for the consent page, and for the token endpoint
	Device                      string            // where codes for other machines are given out
	Signs                       string            // what the private key in place of the secret signs; empty: it is a secret
	Subject                     string            // whom the app acts for, of SignsGrant
}

// String hides the secret.
func (a App) String() string { return "app " + a.ClientID }

// GoString is String.
func (a App) GoString() string { return a.String() }

// server is the address without a slash at its end.
func (a App) server() string { return strings.TrimSuffix(cmp.Or(a.Server, Zoom), "/") }

// name is what messages call the service.
func (a App) name() string {
	if a.Other != nil {
		return a.Other.Name
	}
	return "Zoom"
}

// at is where the app asks; empty: its service has no such address.
func (a App) at(path string) string {
	if a.Other == nil {
		return a.server() + path
	}
	return map[string]string{pathAuthorize: a.Other.Authorize, pathToken: a.Other.Token, pathRevoke: a.Other.Revoke, pathDevice: a.Other.Device}[path]
}

// Zoom's paths.
const (
	pathAuthorize = "/oauth/authorize"
	pathToken     = "/oauth/token"
	pathRevoke    = "/oauth/revoke"
	pathDevice    = "/oauth/devicecode"
)

// Grant is what Zoom gave.
type Grant struct {
	Access  string
	Refresh string // empty: none, as for server-to-server apps
	Asked   time.Time
	Life    time.Duration // of Access, from Asked on; 0: it lasts until it is revoked
	// RefreshLife is how long Refresh lives unless it is used, where that is said; 0: it
	// is not.
	RefreshLife time.Duration
	API         string // the region's address, or empty
	Scopes      []string
	Skew        time.Duration // how far this machine's clock is ahead of Zoom's, where that is known
}

// Device is how a person on another machine allows this one.
type Device struct {
	Code     string
	UserCode string
	URL      string // where the person types UserCode in
	Complete string // the same with the code in it
	Life     time.Duration
	Interval time.Duration // how often Zoom may be asked
}

// String hides the code.
func (d Device) String() string { return "device " + d.UserCode }

// GoString is String.
func (d Device) GoString() string { return d.String() }

// Client asks.
type Client struct{ zoom, others *http.Client }

// New returns a client with transports to Zoom and to other services; a nil one is
// made.
func New(zoom, others http.RoundTripper) *Client { return &Client{client(zoom), client(others)} }

func client(transport http.RoundTripper) *http.Client {
	if transport == nil {
		transport = &http.Transport{IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true, TLSHandshakeTimeout: askWithin}
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close closes the connections that are idle.
func (c *Client) Close() {
	c.zoom.CloseIdleConnections()
	c.others.CloseIdleConnections()
}

// ForAccount gets a token of a server-to-server app, which voids its last one.
func (c *Client) ForAccount(ctx context.Context, a App, account string) (Grant, *Problem) {
	return c.token(ctx, a, url.Values{"grant_type": {"account_credentials"}, "account_id": {account}})
}

// ForApp gets a token that an app has in its own name, for nobody's account.
func (c *Client) ForApp(ctx context.Context, a App) (Grant, *Problem) {
	if a.Other != nil && a.Other.Signs == SignsGrant {
		signed, err := a.assertion(time.Now())
		if err != nil {
			return Grant{}, &Problem{Why: BadClient, Text: "its key cannot be used: " + err.Error()}
		}
		return c.token(ctx, a, url.Values{"grant_type": {grantBearer}, "assertion": {signed}})
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	if a.Other != nil && a.Other.Scopes != "" {
		form.Set("scope", a.Other.Scopes)
	}
	if a.Other != nil && a.Other.Audience != "" {
		form.Set("audience", a.Other.Audience)
	}
	return c.token(ctx, a, form)
}

// Refresh trades a refresh token for the next grant, and voids it.
func (c *Client) Refresh(ctx context.Context, a App, refresh string) (Grant, *Problem) {
	g, p := c.token(ctx, a, url.Values{"grant_type": {grantRefresh}, "refresh_token": {refresh}})
	if p == nil && g.Refresh == "" {
		g.Refresh = refresh // it did not rotate
	}
	return g, p
}

// Exchange trades a code for a grant.
func (c *Client) Exchange(ctx context.Context, a App, code, redirect, verifier string) (Grant, *Problem) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}}
	if a.Other == nil || !a.Other.NoPKCE {
		form.Set("code_verifier", verifier)
	}
	return a.lasting(c.token(ctx, a, form))
}

// OfDevice asks whether the person at the other machine has answered.
func (c *Client) OfDevice(ctx context.Context, a App, code string) (Grant, *Problem) {
	return a.lasting(c.token(ctx, a, url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {code},
	}))
}

// lasting refuses a grant that would end with its access token.
func (a App) lasting(g Grant, p *Problem) (Grant, *Problem) {
	if p != nil || g.Refresh != "" || a.Other != nil && (g.Life == 0 || g.Life >= lasting) {
		return g, p
	}
	p = a.garbled("answer has no refresh_token")
	if a.Other != nil {
		p.Why, p.Text = Refused, p.Text+", and its access token ends in "+g.Life.String()+": ask for lasting access, at many services by the scope offline_access"
	}
	return Grant{}, p
}

// AuthorizeURL is where a person allows the app.
func AuthorizeURL(a App, redirect, state, verifier string) string {
	config := oauth2.Config{ClientID: a.ClientID, RedirectURL: redirect, Endpoint: oauth2.Endpoint{AuthURL: a.at(pathAuthorize)}}
	var options []oauth2.AuthCodeOption
	if a.Other == nil || !a.Other.NoPKCE {
		options = append(options, oauth2.S256ChallengeOption(verifier))
	}
	if a.Other != nil {
		for name, value := range a.Other.Params {
			options = append(options, oauth2.SetAuthURLParam(name, value))
		}
		for name, value := range map[string]string{"scope": a.Other.Scopes, "audience": a.Other.Audience} {
			if value != "" {
				options = append(options, oauth2.SetAuthURLParam(name, value))
			}
		}
	}
	return config.AuthCodeURL(state, options...)
}

// Verifier makes a PKCE verifier.
func Verifier() string { return oauth2.GenerateVerifier() }

// StartDevice begins the flow for machines without a browser.
func (c *Client) StartDevice(ctx context.Context, a App) (Device, *Problem) {
	form := url.Values{"client_id": {a.ClientID}}
	if a.Other != nil && a.Other.Scopes != "" {
		form.Set("scope", a.Other.Scopes)
	}
	at := a.at(pathDevice)
	if at == "" {
		return Device{}, &Problem{Why: Refused, Text: "no address is known where it gives out codes for devices: --device-url"}
	}
	body, _, p := c.ask(ctx, a, at, form)
	if p != nil {
		return Device{}, p
	}
	var d struct {
		Code     string  `json:"device_code"`
		User     string  `json:"user_code"`
		URL      string  `json:"verification_uri"`
		URL2     string  `json:"verification_url"` // as Google says it
		Complete string  `json:"verification_uri_complete"`
		Life     seconds `json:"expires_in"`
		Interval seconds `json:"interval"`
	}
	err := json.Unmarshal(body, &d)
	d.URL = cmp.Or(d.URL, d.URL2)
	if err != nil || d.Code == "" || d.User == "" || !isWeb(d.URL) {
		return Device{}, a.garbled("answer is no device code")
	}
	if !isWeb(d.Complete) {
		d.Complete = ""
	}
	return Device{Code: d.Code, UserCode: d.User, URL: d.URL, Complete: d.Complete,
		Life: d.Life.or(15 * time.Minute), Interval: d.Interval.or(5 * time.Second)}, nil
}

func isWeb(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// Revoke makes the service forget a grant by one of its tokens.
func (c *Client) Revoke(ctx context.Context, a App, token string) *Problem {
	at := a.at(pathRevoke)
	if at == "" {
		return &Problem{Why: Refused, Text: "no address of it for that is known"}
	}
	_, _, p := c.ask(ctx, a, at, url.Values{"token": {token}})
	return p
}

// token asks the token endpoint.
func (c *Client) token(ctx context.Context, a App, form url.Values) (Grant, *Problem) {
	asked := time.Now()
	if a.Other != nil {
		for name, value := range a.Other.TokenParams {
			form.Set(name, value)
		}
	}
	body, skew, p := c.ask(ctx, a, a.at(pathToken), form)
	if p != nil {
		return Grant{}, p
	}
	var t struct {
		Access  string  `json:"access_token"`
		Type    string  `json:"token_type"`
		Refresh string  `json:"refresh_token"`
		Life    seconds `json:"expires_in"`
		Scope   string  `json:"scope"`
		API     string  `json:"api_url"`
		Idle    seconds `json:"refresh_token_expires_in"`
		Idle2   seconds `json:"refresh_expires_in"` // as Keycloak says it
	}
	switch err := json.Unmarshal(body, &t); {
	case err != nil:
		return Grant{}, a.garbled("answer is not JSON as a token's is")
	case t.Access == "" || strings.ContainsAny(t.Access, " \r\n\t"):
		return Grant{}, a.garbled("answer has no access_token")
	case !a.bears(t.Type):
		return Grant{}, a.garbled("answer has a token that is no bearer token")
	}
	g := Grant{Access: t.Access, Refresh: t.Refresh, Asked: asked, Life: t.Life.or(lifeUnsaid), API: t.API, Scopes: strings.Fields(t.Scope), Skew: skew}
	if g.Refresh != "" {
		g.RefreshLife = t.Idle.upTo(t.Idle2.upTo(0, longestIdle), longestIdle)
	}
	if a.Other != nil {
		g = a.Other.read(g, t.Scope, t.Life)
	}
	return g, nil
}

// bears tells whether a token is sent as it is. Slack has names of its own for that.
func (a App) bears(kind string) bool {
	return kind == "" || strings.EqualFold(kind, "bearer") || a.Other != nil && (kind == "bot" || kind == "user")
}

// read reads a grant as other services give it: what the scopes are they need not say
// where they are those that were asked for, and a token may have no end.
func (o *Other) read(g Grant, scope string, life seconds) Grant {
	parts := func(c rune) bool { return c == ' ' || o.Separator != "" && strings.ContainsRune(o.Separator, c) }
	g.API, g.Scopes = "", strings.FieldsFunc(cmp.Or(scope, o.Scopes), parts)
	otherwise := time.Duration(0)
	if g.Refresh != "" {
		otherwise = otherUnsaid
	}
	g.Life = life.or(otherwise)
	return g
}

// ask posts a form with the app's credentials, once.
func (c *Client) ask(ctx context.Context, a App, at string, form url.Values) ([]byte, time.Duration, *Problem) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	r, err := a.request(ctx, at, form)
	if err != nil {
		return nil, 0, &Problem{Why: BadClient, Text: "it cannot be asked: " + cause(err)}
	}
	by := c.zoom
	if a.Other != nil {
		by = c.others
	}
	res, err := by.Do(r)
	if err != nil {
		return nil, 0, &Problem{Why: Unreachable, Text: cause(err)}
	}
	defer res.Body.Close() //nolint:errcheck // what counts has been read
	body, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	skew := skewOf(res, time.Now())
	if err != nil {
		return nil, skew, &Problem{Why: Garbled, Status: res.StatusCode, Text: a.name() + "'s answer was cut off", Skew: skew}
	}
	if !a.success(res.StatusCode, body) {
		p := a.refusal(res, body, form.Get("grant_type"), time.Now())
		p.Text, p.Code, p.Skew = hide(p.Text, a, form), hide(p.Code, a, form), skew
		if a.Other != nil && a.Other.Signs != "" && skew.Abs() > mostSkew {
			p.Text += "; this worker's clock is " + off(skew) + " that of " + a.name() + ", which a signature does not survive: set it right"
		}
		return nil, skew, p
	}
	return body, skew, nil
}

// request has the app's credentials in its header, or in its form. A private key is
// never sent.
func (a App) request(ctx context.Context, at string, form url.Values) (*http.Request, error) {
	basic, err := a.identify(form)
	if err != nil {
		return nil, err
	}
	text, kind := form.Encode(), "application/x-www-form-urlencoded"
	if a.Other != nil && a.Other.JSON {
		if text, err = object(form); err != nil {
			return nil, err
		}
		kind = "application/json"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Accept", "application/json")
	if basic {
		r.SetBasicAuth(url.QueryEscape(a.ClientID), url.QueryEscape(a.ClientSecret))
	}
	return r, nil
}

// identify puts into the form who asks, unless a header is to say it.
func (a App) identify(form url.Values) (basic bool, err error) {
	signs := ""
	if a.Other != nil {
		signs = a.Other.Signs
	}
	inBody := a.Other != nil && a.Other.Body
	switch {
	case signs == SignsGrant: // the assertion says it
	case signs == SignsClient:
		signed, err := a.assertion(time.Now())
		if err != nil {
			return false, err
		}
		form.Set("client_id", a.ClientID)
		form.Set("client_assertion_type", assertionBearer)
		form.Set("client_assertion", signed)
	case a.ClientSecret == "":
		form.Set("client_id", a.ClientID)
	case inBody:
		form.Set("client_id", a.ClientID)
		form.Set("client_secret", a.ClientSecret)
	default:
		return true, nil
	}
	return false, nil
}

// object is a form as JSON.
func object(form url.Values) (string, error) {
	fields := map[string]string{}
	for name := range form {
		fields[name] = form.Get(name)
	}
	raw, err := json.Marshal(fields)
	return string(raw), err
}

// off says how a clock differs.
func off(skew time.Duration) string {
	if skew > 0 {
		return skew.String() + " ahead of"
	}
	return (-skew).String() + " behind"
}

// hide blots out what was sent, should Zoom repeat it.
func hide(text string, a App, form url.Values) string {
	secrets := []string{a.ClientSecret}
	for _, field := range []string{"code", "refresh_token", "code_verifier", "device_code", "token", "assertion", "client_assertion"} {
		secrets = append(secrets, form.Get(field))
	}
	for _, s := range secrets {
		if len(s) > 3 { // or half of the text would go
			text = strings.ReplaceAll(text, s, "••••")
		}
	}
	return assertions.ReplaceAllString(text, "••••")
}

// assertions are what keys signed, cut short perhaps.
var assertions = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{20,}[A-Za-z0-9_.-]*`)

// skewOf compares the clocks; the header counts whole seconds.
func skewOf(res *http.Response, now time.Time) time.Duration {
	theirs, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return 0
	}
	return now.Sub(theirs).Truncate(time.Second)
}

// cause leaves out the address, which net/http puts before it.
func cause(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	return err.Error()
}

// seconds is a number of seconds, as a number or as text.
type seconds json.RawMessage

// UnmarshalJSON keeps what stands there.
func (s *seconds) UnmarshalJSON(raw []byte) error {
	*s = append((*s)[:0], raw...)
	return nil
}

func (s seconds) or(otherwise time.Duration) time.Duration { return s.upTo(otherwise, longest) }

func (s seconds) upTo(otherwise, most time.Duration) time.Duration {
	var n float64
	if json.Unmarshal([]byte(strings.Trim(string(s), `"`)), &n) != nil || !(n >= 1) || math.IsInf(n, 0) {
		return otherwise
	}
	return time.Duration(min(n, most.Seconds())) * time.Second
}
