package http

import (
	"context"
	"io"
	nethttp "net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"zflow/actions"
)

// request is what a step's input asks for.
type request struct {
	c         *Client
	client    *nethttp.Client
	http      *nethttp.Request
	body      *body // nil: none
	timeout   time.Duration
	effect    actions.Effect
	input     map[string]any
	auth      auth
	secrets   []string // what must be shown nowhere
	renewable bool     // it is signed with a token that may have expired
	signed    string   // by this connection; empty: by none
	private   bool
}

func (c *Client) newRequest(ctx context.Context, ask Ask) (*request, error) {
	input := ask.Input
	method, err := methodOf(input)
	if err != nil {
		return nil, err
	}
	target, err := urlOf(input)
	if err != nil {
		return nil, err
	}
	r := &request{c: c, client: c.plain, input: input, effect: ask.Effect, secrets: slices.Clone(ask.Secrets), signed: ask.Signed, private: ask.private}
	if r.effect == "" {
		r.effect = effect(method)
	}
	if err := r.choose(input["certificate"]); err != nil {
		return nil, err
	}
	r.http = &nethttp.Request{
		Method: method, URL: target, Host: target.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: nethttp.Header{"User-Agent": {"zflow"}},
	}
	if r.body, err = c.bodyOf(ctx, input); err != nil {
		return nil, err
	}
	if r.body != nil {
		r.http.Header.Set("Content-Type", r.body.kind)
	}
	if err := r.setHeaders(input["headers"]); err != nil {
		return nil, err
	}
	if r.auth, err = r.authOf(ctx, input["auth"], ask.Connection); err != nil {
		return nil, err
	}
	r.timeout, err = timeoutOf(input)
	return r, err
}

// choose takes the client that presents the certificate that a step names.
func (r *request) choose(given any) error {
	if given == nil {
		return nil
	}
	name, _ := given.(string)
	if r.client = r.c.with[name]; r.client == nil {
		return actions.Final("this worker has no client certificate %q: http.certificates in the configuration has them", name)
	}
	return nil
}

// ready returns the request with a body to be read.
func (r *request) ready(ctx context.Context) (*nethttp.Request, error) {
	out := r.http.WithContext(ctx)
	if r.body == nil {
		return out, nil
	}
	out.ContentLength = r.body.size
	out.GetBody = func() (io.ReadCloser, error) { return r.body.open(ctx, r.c.o.Files) }
	if r.body.size == 0 {
		out.Body = nethttp.NoBody
		return out, nil
	}
	var err error
	if out.Body, err = out.GetBody(); err != nil {
		return nil, actions.Final("reading what is to be sent: %v", err)
	}
	return out, nil
}

func methodOf(input map[string]any) (string, error) {
	switch m := input["method"].(type) {
	case nil:
		return nethttp.MethodGet, nil
	case string:
		m = strings.ToUpper(m)
		if slices.Contains(methods(), m) {
			return m, nil
		}
		return "", actions.Final("method %q is none of %s", m, strings.Join(methods(), ", "))
	}
	return "", actions.Final("method is not text")
}

func methods() []string {
	return []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
}

// urlOf reads the address. Its errors do not repeat it: a path may be a secret.
func urlOf(input map[string]any) (*url.URL, error) {
	text, ok := input["url"].(string)
	if !ok || text == "" {
		return nil, actions.Final("url is missing or not text")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, actions.Final("url cannot be read as an address")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, actions.Final("url does not begin with https:// or http://")
	case u.Hostname() == "":
		return nil, actions.Final("url has no host")
	case u.User != nil:
		return nil, actions.Final("url has credentials in it: give them as auth")
	}
	u.Fragment, u.RawFragment = "", ""
	query, err := valuesOf("query", input["query"])
	if err != nil {
		return nil, err
	}
	if len(query) > 0 {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += query.Encode()
	}
	return u, nil
}

// valuesOf reads an object of scalars, or lists of them, as names with values.
func valuesOf(field string, given any) (url.Values, error) {
	if given == nil {
		return nil, nil
	}
	object, ok := given.(map[string]any)
	if !ok {
		return nil, actions.Final("%s is not an object", field)
	}
	out := make(url.Values, len(object))
	for name, v := range object {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, item := range list {
			if item == nil {
				continue
			}
			s, ok := scalar(item)
			if !ok {
				return nil, actions.Final("%s.%s is neither text nor number nor boolean", field, name)
			}
			out.Add(name, s)
		}
	}
	return out, nil
}

func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case int:
		return strconv.Itoa(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}

func (r *request) setHeaders(given any) error {
	values, err := valuesOf("headers", given)
	if err != nil {
		return err
	}
	for name, list := range values {
		if !token(name) {
			return actions.Final("the header name %q is not valid", name)
		}
		key := nethttp.CanonicalHeaderKey(name)
		r.http.Header.Del(key)
		for _, v := range list {
			if strings.ContainsFunc(v, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
				return actions.Final("the header %s has a line break or control character in it", name)
			}
			r.http.Header.Add(key, v)
		}
		switch key {
		case "Host":
			r.http.Host = list[0]
		case "Connection", "Content-Length", "Transfer-Encoding", "Trailer", "Upgrade", "Te":
			return actions.Final("the header %s cannot be set", name)
		}
	}
	r.secrets = append(r.secrets, r.http.Header["Authorization"]...)
	return nil
}

// token tells whether a text can be a header's name.
func token(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, c)
	})
}

func timeoutOf(input map[string]any) (time.Duration, error) {
	switch t := input["timeout"].(type) {
	case nil:
		return 0, nil
	case string:
		if d, err := time.ParseDuration(t); err == nil && d > 0 {
			return d, nil
		}
		return 0, actions.Final("timeout %q is not a duration such as 10s", t)
	}
	return 0, actions.Final("timeout is not a duration such as 10s")
}

const masked = "••••"

// mask hides everything in a text that address, headers or auth sent.
func (r *request) mask(text string) string {
	u := r.http.URL
	for _, s := range append([]string{u.RequestURI(), u.EscapedPath(), u.Path}, r.secrets...) {
		text = maskOne(text, s)
	}
	for _, field := range []string{"headers", "query"} {
		values, err := valuesOf(field, r.input[field])
		if err != nil {
			continue
		}
		for _, list := range values {
			for _, v := range list {
				text = maskOne(text, v)
			}
		}
	}
	return text
}

// maskOne leaves short values, which would mask parts of words.
func maskOne(text, secret string) string {
	if len(secret) < 8 {
		return text
	}
	return strings.ReplaceAll(text, secret, masked)
}
