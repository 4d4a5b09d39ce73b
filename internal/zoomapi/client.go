package zoomapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Global is the address of the API that serves every region.
const Global = "https://api.zoom.us/v2"

// Options of a Client.
type Options struct {
	// Base is where all calls go; empty: to the token's region, or to Global.
	Base string
	// Token returns the token of a connection by name, or of the account where the
	// name is empty.
	Token func(ctx context.Context, connection, account string) (Token, error)
	// Renew returns a newer token than one that Zoom refused.
	Renew func(ctx context.Context, refused Token) (Token, error)
	// Transport makes the calls; nil: one of the client's own.
	Transport http.RoundTripper
	// MaxResponse is the most bytes of an answer; 0: 16 MiB.
	MaxResponse int64
}

// Client calls the API.
type Client struct {
	options Options
	http    http.Client
}

// Request is one call.
type Request struct {
	Connection string        // by name; empty: that of the account
	Account    string        // of the event
	Self       func() string // whom me stands for with a server-to-server app, which has none of its own; empty, or nil: left to Zoom
	Method     string        // GET, POST, …
	Path       string        // made by Path
	Query      url.Values    // escaped by Do
	Body       any           // sent as JSON; nil: none
	Repeatable bool          // a POST that may happen twice; other methods always may
}

// Response is an answer of status 2xx.
type Response struct {
	Status int
	Body   []byte
}

// New returns a Client.
func New(o Options) *Client {
	if o.Transport == nil {
		o.Transport = transport()
	}
	if o.MaxResponse <= 0 {
		o.MaxResponse = 16 << 20
	}
	o.Base = strings.TrimSuffix(o.Base, "/")
	return &Client{options: o, http: http.Client{Transport: o.Transport, CheckRedirect: onRedirect}}
}

func transport() *http.Transport {
	return &http.Transport{
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 2 * time.Minute,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConns:          512,
		MaxIdleConnsPerHost:   256,
		ForceAttemptHTTP2:     true,
	}
}

// Close closes the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Do makes one call. Its errors are *Error.
func (c *Client) Do(ctx context.Context, q Request) (Response, error) {
	token, err := c.options.Token(ctx, q.Connection, q.Account)
	if err != nil {
		return Response{}, AsError(err)
	}
	res, e := c.send(ctx, q, token)
	if e == nil {
		return res, nil
	}
	if !e.tokenRefused() {
		return Response{}, e
	}
	if c.options.Renew == nil {
		return Response{}, e
	}
	fresh, err := c.options.Renew(ctx, token)
	if err != nil {
		return Response{}, AsError(err)
	}
	if res, e = c.send(ctx, q, fresh); e == nil {
		return res, nil
	}
	if e.tokenRefused() {
		e.Message = "Zoom refuses the token of connection " + fresh.Connection + ", even a new one: connect again: " + e.Message
	}
	return Response{}, e
}

// AsError keeps what a token function says about its failure; what it does not
// explain may be tried again, since nothing was sent.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Outcome: Again, Message: err.Error()}
}

func (c *Client) send(ctx context.Context, q Request, token Token) (Response, *Error) {
	var sent atomic.Bool
	r, err := c.request(watch(ctx, &sent), q, token)
	if err != nil {
		return Response{}, refuse("writing the call to Zoom: %s", reason(ctx, err))
	}
	res, err := c.http.Do(r)
	if err != nil {
		return Response{}, q.failed(ctx, err, sent.Load())
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, c.options.MaxResponse+1))
	switch {
	case err != nil:
		return Response{}, &Error{Outcome: q.unanswered(), Status: res.StatusCode, Message: "reading Zoom's answer: " + reason(ctx, err)}
	case int64(len(body)) > c.options.MaxResponse:
		return Response{}, refuse("Zoom's answer has more than %d bytes", c.options.MaxResponse)
	case res.StatusCode < 200 || res.StatusCode >= 300:
		e := failure(q, res, body, time.Now())
		e.Message = strings.ReplaceAll(e.Message, token.Access, "••••")
		if _, ofNobody := q.pathFor(token); ofNobody && e.Code == "1001" {
			e.Message += " (give user_id: a server-to-server app has no me)"
		}
		return Response{}, e
	}
	return Response{Status: res.StatusCode, Body: body}, nil
}

// pathFor is the path with a user's id in place of me, where the app acts for an
// account and not for a user; ofNobody tells that none is known.
func (q Request) pathFor(token Token) (path string, ofNobody bool) {
	before, after, found := strings.Cut(q.Path, "/users/me")
	if !found || token.Kind != KindServer || after != "" && after[0] != '/' {
		return q.Path, false
	}
	self := ""
	if q.Self != nil {
		self = q.Self()
	}
	if self == "" || self == "." || self == ".." {
		return q.Path, true
	}
	return before + "/users/" + Escape(self) + after, false
}

func (c *Client) request(ctx context.Context, q Request, token Token) (*http.Request, error) {
	if token.Access == "" {
		return nil, errors.New("connection " + token.Connection + " has no token")
	}
	address := c.options.Base
	if address == "" {
		address = token.Address()
	}
	path, _ := q.pathFor(token)
	address += path
	if len(q.Query) > 0 {
		address += "?" + q.Query.Encode()
	}
	var body io.Reader
	if q.Body != nil {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(q.Body); err != nil {
			return nil, err
		}
		body = bytes.NewReader(b.Bytes())
	}
	r, err := http.NewRequestWithContext(ctx, q.Method, address, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token.Access)
	r.Header.Set("User-Agent", "zflow")
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

// watch notes whether the call had a connection to be written to.
func watch(ctx context.Context, sent *atomic.Bool) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { sent.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { sent.Store(true) },
	})
}

// strayed is the error of a redirect that is not followed.
type strayed struct{ to string }

func (s *strayed) Error() string { return "Zoom redirects the call to " + s.to }

func onRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	if next.Method != first.Method || next.URL.Host != first.URL.Host || next.URL.Scheme != first.URL.Scheme || len(via) > 5 {
		return &strayed{next.URL.Scheme + "://" + next.URL.Host}
	}
	return nil
}

// failed is the error of a call that got no answer.
func (q Request) failed(ctx context.Context, err error, sent bool) *Error {
	var s *strayed
	if errors.As(err, &s) {
		return refuse("%s, which is not followed", s)
	}
	if !sent {
		return &Error{Outcome: Again, Message: "connecting to Zoom: " + reason(ctx, err)}
	}
	return &Error{Outcome: q.unanswered(), Message: "waiting for Zoom's answer: " + reason(ctx, err)}
}

// unanswered is the outcome of a call that was sent and got no answer that says
// what became of it.
func (q Request) unanswered() Outcome {
	if q.Method == http.MethodPost && !q.Repeatable {
		return Lost
	}
	return Again
}

// reason is the cause without the address that net/http puts before it.
func reason(ctx context.Context, err error) string {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(ctx.Err(), context.Canceled):
		return "canceled"
	}
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	return err.Error()
}
