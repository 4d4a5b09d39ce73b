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
	// lifeUnsaid is how long an access token lives of which Zoom does not say it.
	lifeUnsaid = 10 * time.Minute
	longest    = 30 * 24 * time.Hour // that an access token may live: no overflow, no token for ever
)

// App is who asks: the credentials of a Zoom app, and where its server is.
type App struct {
	ClientID     string
	ClientSecret string // empty: a public client, which has only PKCE
	Server       string // empty: Zoom
}

// String hides the secret.
func (a App) String() string { return "app " + a.ClientID }

// GoString is String.
func (a App) GoString() string { return a.String() }

// server is the address without a slash at its end.
func (a App) server() string { return strings.TrimSuffix(cmp.Or(a.Server, Zoom), "/") }

// Grant is what Zoom gave.
type Grant struct {
	Access  string
	Refresh string // empty: none, as for server-to-server apps
	Asked   time.Time
	Life    time.Duration // of Access, from Asked on
	API     string        // the region's address, or empty
	Scopes  []string
	Skew    time.Duration // how far this machine's clock is ahead of Zoom's, where that is known
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
type Client struct{ http *http.Client }

// New returns a client; a nil transport is one of its own.
func New(transport http.RoundTripper) *Client {
	if transport == nil {
		transport = &http.Transport{IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true, TLSHandshakeTimeout: askWithin}
	}
	return &Client{&http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close closes the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// ForAccount gets a token of a server-to-server app, which voids its last one.
func (c *Client) ForAccount(ctx context.Context, a App, account string) (Grant, *Problem) {
	return c.token(ctx, a, url.Values{"grant_type": {"account_credentials"}, "account_id": {account}})
}

// ForApp gets a token that an app has in its own name, for nobody's account.
func (c *Client) ForApp(ctx context.Context, a App) (Grant, *Problem) {
	return c.token(ctx, a, url.Values{"grant_type": {"client_credentials"}})
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
	return c.lasting(c.token(ctx, a, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}, "code_verifier": {verifier},
	}))
}

// OfDevice asks whether the person at the other machine has answered.
func (c *Client) OfDevice(ctx context.Context, a App, code string) (Grant, *Problem) {
	return c.lasting(c.token(ctx, a, url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {code},
	}))
}

// lasting refuses a grant that would end with its access token.
func (c *Client) lasting(g Grant, p *Problem) (Grant, *Problem) {
	if p == nil && g.Refresh == "" {
		return Grant{}, garbled("Zoom's answer has no refresh_token")
	}
	return g, p
}

// AuthorizeURL is where a person allows the app.
func AuthorizeURL(a App, redirect, state, verifier string) string {
	config := oauth2.Config{ClientID: a.ClientID, RedirectURL: redirect, Endpoint: oauth2.Endpoint{AuthURL: a.server() + "/oauth/authorize"}}
	return config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier))
}

// Verifier makes a PKCE verifier.
func Verifier() string { return oauth2.GenerateVerifier() }

// StartDevice begins the flow for machines without a browser.
func (c *Client) StartDevice(ctx context.Context, a App) (Device, *Problem) {
	body, _, p := c.ask(ctx, a, "/oauth/devicecode", url.Values{"client_id": {a.ClientID}})
	if p != nil {
		return Device{}, p
	}
	var d struct {
		Code     string  `json:"device_code"`
		User     string  `json:"user_code"`
		URL      string  `json:"verification_uri"`
		Complete string  `json:"verification_uri_complete"`
		Life     seconds `json:"expires_in"`
		Interval seconds `json:"interval"`
	}
	if json.Unmarshal(body, &d) != nil || d.Code == "" || d.User == "" || !isWeb(d.URL) {
		return Device{}, garbled("Zoom's answer is no device code")
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

// Revoke makes Zoom forget a grant by one of its tokens.
func (c *Client) Revoke(ctx context.Context, a App, token string) *Problem {
	_, _, p := c.ask(ctx, a, "/oauth/revoke", url.Values{"token": {token}})
	return p
}

// token asks the token endpoint.
func (c *Client) token(ctx context.Context, a App, form url.Values) (Grant, *Problem) {
	asked := time.Now()
	body, skew, p := c.ask(ctx, a, "/oauth/token", form)
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
	}
	switch err := json.Unmarshal(body, &t); {
	case err != nil:
		return Grant{}, garbled("Zoom's answer is not JSON as a token's is")
	case t.Access == "" || strings.ContainsAny(t.Access, " \r\n\t"):
		return Grant{}, garbled("Zoom's answer has no access_token")
	case t.Type != "" && !strings.EqualFold(t.Type, "bearer"):
		return Grant{}, garbled("Zoom's answer has a token that is no bearer token")
	}
	return Grant{Access: t.Access, Refresh: t.Refresh, Asked: asked, Life: t.Life.or(lifeUnsaid),
		API: t.API, Scopes: strings.Fields(t.Scope), Skew: skew}, nil
}

// ask posts a form with the app's credentials, once.
func (c *Client) ask(ctx context.Context, a App, path string, form url.Values) ([]byte, time.Duration, *Problem) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	if a.ClientSecret == "" {
		form.Set("client_id", a.ClientID)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.server()+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, 0, &Problem{Why: Unreachable, Text: "its OAuth address is none"}
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	if a.ClientSecret != "" {
		r.SetBasicAuth(url.QueryEscape(a.ClientID), url.QueryEscape(a.ClientSecret))
	}
	res, err := c.http.Do(r)
	if err != nil {
		return nil, 0, &Problem{Why: Unreachable, Text: cause(err)}
	}
	defer res.Body.Close() //nolint:errcheck // what counts has been read
	body, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	skew := skewOf(res, time.Now())
	if err != nil {
		return nil, skew, &Problem{Why: Garbled, Status: res.StatusCode, Text: "Zoom's answer was cut off", Skew: skew}
	}
	if res.StatusCode != http.StatusOK {
		p := refusal(res, body, form.Get("grant_type"), time.Now())
		p.Text, p.Code, p.Skew = hide(p.Text, a, form), hide(p.Code, a, form), skew
		return nil, skew, p
	}
	return body, skew, nil
}

// hide blots out what was sent, should Zoom repeat it.
func hide(text string, a App, form url.Values) string {
	secrets := []string{a.ClientSecret}
	for _, field := range []string{"code", "refresh_token", "code_verifier", "device_code", "token"} {
		secrets = append(secrets, form.Get(field))
	}
	for _, s := range secrets {
		if len(s) > 3 { // or half of the text would go
			text = strings.ReplaceAll(text, s, "••••")
		}
	}
	return text
}

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

func (s seconds) or(otherwise time.Duration) time.Duration {
	var n float64
	if json.Unmarshal([]byte(strings.Trim(string(s), `"`)), &n) != nil || !(n >= 1) || math.IsInf(n, 0) {
		return otherwise
	}
	return time.Duration(min(n, longest.Seconds())) * time.Second
}
