package http

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	nethttp "net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"zflow/actions"
)

// Options of a Client. The zero value refuses all addresses that are not public.
type Options struct {
	Allow        []string // hosts, host:port, *.domain, addresses and CIDRs that may be called although not public
	MaxResponse  int64    // bytes of an answer's body; 0: 4 MiB
	MaxFile      int64    // bytes of an answer that is saved as a file; 0: 2 GiB
	TLS          *tls.Config
	Proxy        *url.URL               // what all requests go through; nil: none
	Certificates map[string]Certificate // that requests may present, by the name that steps give
	Files        actions.Files
	// Credential returns what a connection of kind http signs in with; nil: there
	// are none.
	Credential func(ctx context.Context, connection string) (Credential, error)
}

// Client makes the requests of all steps, over one set of connections.
type Client struct {
	o     Options
	guard *guard
	plain *nethttp.Client
	with  map[string]*nethttp.Client // by the name of the certificate that they present
	grant grants
}

// New returns a Client; a bad entry of the allow-list is an error.
func New(o Options) (*Client, error) {
	g, err := newGuard(o.Allow)
	if err != nil {
		return nil, err
	}
	if o.MaxResponse <= 0 {
		o.MaxResponse = 4 << 20
	}
	if o.MaxFile <= 0 {
		o.MaxFile = 2 << 30
	}
	c := &Client{o: o, guard: g, with: map[string]*nethttp.Client{}}
	c.plain = c.client(nil)
	for name, certificate := range o.Certificates {
		if _, err := certificate.load(); err != nil {
			return nil, fmt.Errorf("reading the client certificate %s: %w", name, err)
		}
		c.with[name] = c.client(&certificate)
	}
	return c, nil
}

// client returns one with a transport of its own: a connection that presented a
// certificate is not used for requests that do not name it.
func (c *Client) client(certificate *Certificate) *nethttp.Client {
	conf := c.o.TLS.Clone()
	if certificate != nil {
		if conf == nil {
			conf = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate.load() }
	}
	t := &nethttp.Transport{
		DialContext:            c.guard.dial,
		TLSClientConfig:        conf,
		TLSHandshakeTimeout:    10 * time.Second,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConns:           2048,
		MaxIdleConnsPerHost:    512,
		MaxResponseHeaderBytes: 256 << 10,
		ForceAttemptHTTP2:      true,
	}
	if c.o.Proxy != nil {
		t.Proxy = c.guard.through(c.o.Proxy)
		t.DialContext = c.guard.open.DialContext // the proxy, which the configuration names
	}
	return &nethttp.Client{Transport: t, CheckRedirect: onRedirect}
}

// Close closes the connections that are idle.
func (c *Client) Close() {
	c.plain.CloseIdleConnections()
	for _, one := range c.with {
		one.CloseIdleConnections()
	}
}

// Transport is how servers that give out tokens are reached, under the same rules as
// all requests.
func (c *Client) Transport() nethttp.RoundTripper { return guarded{c} }

// Action returns the action http.request.
func (c *Client) Action() *actions.Action {
	return &actions.Action{Spec: spec(), Do: c.do, EffectOf: effectOf}
}

func effectOf(input map[string]any) actions.Effect {
	method, err := methodOf(input)
	if err != nil {
		return actions.Write
	}
	return effect(method)
}

func effect(method string) actions.Effect {
	switch method {
	case nethttp.MethodGet, nethttp.MethodHead, nethttp.MethodOptions:
		return actions.Read
	case nethttp.MethodPut, nethttp.MethodDelete:
		return actions.Idempotent
	}
	return actions.Write
}

func (c *Client) do(ctx context.Context, call actions.Call) (actions.Result, error) {
	a, err := c.Ask(ctx, Ask{Input: call.Input, Connection: call.Connection})
	if err != nil {
		return actions.Result{}, err
	}
	if e := a.Refusal(); e != nil {
		return actions.Result{}, e
	}
	return actions.Result{Output: a.Output}, nil
}

// Ask is a request.
type Ask struct {
	Input      map[string]any // as http.request takes it
	Connection string         // that signs it; empty: none
	Effect     actions.Effect // empty: by the method
	Secrets    []string       // of the input, to be shown nowhere
	Signed     string         // the connection whose token the input holds; empty: none

	private bool // its answer is for us alone: nothing in it is masked
}

// Ask sends one request and returns the answer, whatever its status.
func (c *Client) Ask(ctx context.Context, ask Ask) (*Answer, error) {
	r, err := c.newRequest(ctx, ask)
	if err != nil {
		return nil, err
	}
	if r.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.timeout)
		defer cancel()
	}
	if err := r.sign(ctx, false); err != nil {
		return nil, err
	}
	a, err := r.send(ctx)
	if err != nil || a.Status != nethttp.StatusUnauthorized || !r.renewable {
		return a, err
	}
	// The token was kept from an earlier call, and refused: nothing has happened.
	if err := r.sign(ctx, true); err != nil {
		return nil, err
	}
	return r.send(ctx)
}

// send sends the request and reads the answer.
func (r *request) send(ctx context.Context) (*Answer, error) {
	var sent atomic.Bool
	ctx = context.WithValue(ctx, withGet{}, r.input["follow_with_get"] == true)
	outgoing, err := r.ready(watch(ctx, &sent))
	if err != nil {
		return nil, err
	}
	res, err := r.client.Do(outgoing)
	if err != nil {
		return nil, r.failed(ctx, err, sent.Load())
	}
	defer res.Body.Close()
	return r.answer(ctx, res)
}

// watch notes whether the request had a connection to be written to. Where a
// kept-alive connection turns out to be closed, net/http asks for another one
// only if nothing was written to the first.
func watch(ctx context.Context, sent *atomic.Bool) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { sent.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
	})
}

// moved is the error of a redirect that is not followed.
type moved struct{ why string }

func (m *moved) Error() string { return m.why }

func onRedirect(next *nethttp.Request, via []*nethttp.Request) error {
	last := via[len(via)-1]
	switch {
	case next.Method != last.Method && !mayGet(next):
		return &moved{fmt.Sprintf("the answer redirects a %s to %s (status %d), which would become a %s: give the final address, or say follow_with_get: true",
			last.Method, next.URL.Host, next.Response.StatusCode, next.Method)}
	case len(via) > 10:
		return &moved{"more than 10 redirects"}
	case next.URL.Scheme != "https" && next.URL.Scheme != "http":
		return &moved{"the answer redirects to an address that begins with " + next.URL.Scheme + ":"}
	case last.URL.Scheme == "https" && next.URL.Scheme != "https":
		return &moved{"the answer redirects from https to " + next.URL.Scheme + "://" + next.URL.Host}
	case next.URL.User != nil:
		return &moved{"the answer redirects to an address with credentials in it"}
	}
	if next.Body != nil && !strings.EqualFold(next.URL.Hostname(), via[0].URL.Hostname()) {
		_ = next.Body.Close() // it was not read
		return &moved{fmt.Sprintf("the answer redirects a %s with a body to %s: give the final address", next.Method, next.URL.Host)}
	}
	next.Header.Del("Referer")
	if left(next, via) {
		dropGiven(next.Header)
	}
	return nil
}

// withGet is whether a step wants its redirects as browsers follow them.
type withGet struct{}

// mayGet says whether what answered a POST may be followed by a GET. It may be that
// nothing was done, as where the address lacks a slash: so a step has to say it.
func mayGet(next *nethttp.Request) bool {
	return next.Method == nethttp.MethodGet && next.Context().Value(withGet{}) == true
}

// left tells whether the chain ever left the origin that the step named.
func left(next *nethttp.Request, via []*nethttp.Request) bool {
	for _, hop := range via[1:] {
		if !sameOrigin(hop.URL, via[0].URL) {
			return true
		}
	}
	return !sameOrigin(next.URL, via[0].URL)
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host)
}

// dropGiven keeps only headers that cannot hold a credential.
func dropGiven(h nethttp.Header) {
	for name := range h {
		switch name {
		case "Accept", "Accept-Language", "Content-Type", "User-Agent":
		default:
			delete(h, name)
		}
	}
}

// failed says why there was no answer, and what that means.
func (r *request) failed(ctx context.Context, err error, sent bool) *actions.Error {
	if e := r.refusal(err); e != nil {
		return e
	}
	reason := r.reason(ctx, err)
	if !sent {
		return actions.Retryable("connecting to %s: %s", r.http.URL.Host, reason)
	}
	return r.lost("%s %s: %s", r.http.Method, r.http.URL.Host, reason)
}

// refusal is what we, or the server's certificate, keep the request from.
func (r *request) refusal(err error) *actions.Error {
	var no *refused
	if errors.As(err, &no) {
		return actions.Final("%s %s: %s", r.http.Method, r.http.URL.Host, no)
	}
	var to *moved
	if errors.As(err, &to) {
		return actions.Final("%s %s: %s", r.http.Method, r.http.URL.Host, to)
	}
	var cert *tls.CertificateVerificationError
	if errors.As(err, &cert) {
		return actions.Final("%s %s: its certificate is not trusted: %s", r.http.Method, r.http.URL.Host, cert.Err)
	}
	return nil
}

// lost is the class of a request that was sent and not answered in full.
func (r *request) lost(format string, args ...any) *actions.Error {
	if r.effect == actions.Write {
		return actions.Unknown(format, args...)
	}
	return actions.Retryable(format, args...)
}

// reason is the cause without the URL that net/http puts before it.
func (r *request) reason(ctx context.Context, err error) string {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		if r.timeout > 0 {
			return "no answer within " + r.timeout.String()
		}
		return "no answer in time"
	case errors.Is(ctx.Err(), context.Canceled):
		return "canceled"
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return r.mask(err.Error())
}
