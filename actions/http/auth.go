package http

import (
	"context"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"zflow/actions"
)

// Credential is what a connection signs requests with. It goes to its hosts only.
type Credential struct {
	Hosts   []string          // host, host:port or *.domain
	Token   string            // the secret itself, for what sends it in its own way
	Headers map[string]string // to send, such as Authorization
	Query   map[string]string // to add to the address
	// Renew, where not nil, returns a newer credential in place of this one, which
	// was refused.
	Renew func(context.Context) (Credential, error)
}

// auth signs a request; again: what was used last was refused.
type auth func(ctx context.Context, again bool) error

const authForms = "auth is none of {bearer: token}, {basic: {username, password}}, {api_key: {name, value}} and {oauth2: {token_url, client_id, client_secret}}"

func (r *request) sign(ctx context.Context, again bool) error {
	if r.auth == nil {
		return nil
	}
	return r.auth(ctx, again)
}

func (r *request) authOf(ctx context.Context, given any, connection string) (auth, error) {
	if given == nil && connection == "" {
		return nil, nil
	}
	if given == nil {
		return r.connected(ctx, connection)
	}
	form, ok := given.(map[string]any)
	switch {
	case connection != "":
		return nil, actions.Final("auth and a connection are given: choose one")
	case !ok || len(form) != 1:
		return nil, actions.Final(authForms)
	}
	if _, isKey := form["api_key"]; !isKey && r.http.Header.Get("Authorization") != "" {
		return nil, actions.Final("auth and a header Authorization are given: choose one")
	}
	for kind, v := range form {
		switch v := v.(type) {
		case string:
			if kind == "bearer" {
				return nil, r.authorize("Bearer "+v, v)
			}
		case map[string]any:
			return r.authForm(kind, v)
		}
	}
	return nil, actions.Final(authForms)
}

func (r *request) authForm(kind string, v map[string]any) (auth, error) {
	switch kind {
	case "basic":
		return nil, r.basic(v)
	case "api_key":
		return nil, r.apiKey(v)
	case "oauth2":
		return r.clientCredentials(v)
	}
	return nil, actions.Final(authForms)
}

func (r *request) basic(v map[string]any) error {
	user, _ := scalar(v["username"])
	password, _ := scalar(v["password"])
	if strings.Contains(user, ":") {
		return actions.Final("auth.basic.username has a colon in it")
	}
	pair := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	return r.authorize("Basic "+pair, pair, password)
}

func (r *request) apiKey(v map[string]any) error {
	name, _ := v["name"].(string)
	value, _ := v["value"].(string)
	switch {
	case value == "":
		return actions.Final("auth.api_key needs a value")
	case v["in"] == "query":
		r.secrets = append(r.secrets, value, url.QueryEscape(value))
		addQuery(r.http.URL, name, value)
		return nil
	case v["in"] != nil && v["in"] != "header":
		return actions.Final("auth.api_key.in is neither header nor query")
	}
	return r.header(name, value, value)
}

func addQuery(u *url.URL, name, value string) {
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += url.QueryEscape(name) + "=" + url.QueryEscape(value)
}

func (r *request) authorize(value string, secrets ...string) error {
	return r.header("Authorization", value, secrets...)
}

// header sets one that holds a credential.
func (r *request) header(name, value string, secrets ...string) error {
	if !token(name) {
		return actions.Final("auth: the header name %q is not valid", name)
	}
	if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return actions.Final("auth has a line break or control character in it")
	}
	r.http.Header.Set(name, value)
	r.secrets = append(r.secrets, secrets...)
	return nil
}

// connected signs with a connection, whose credential goes nowhere but to its
// hosts.
func (r *request) connected(ctx context.Context, connection string) (auth, error) {
	c, err := r.c.Credential(ctx, connection)
	if err != nil {
		return nil, err
	}
	query := r.http.URL.RawQuery
	r.renewable = c.Renew != nil
	return func(ctx context.Context, again bool) error {
		if again {
			if c, err = c.Renew(ctx); err != nil {
				return err
			}
		}
		r.http.URL.RawQuery = query
		return r.present(connection, c)
	}, nil
}

func (r *request) present(connection string, c Credential) error {
	if err := r.c.Trusts(connection, c.Hosts, r.http.URL); err != nil {
		return err
	}
	if len(c.Headers)+len(c.Query) == 0 {
		return actions.Final("the connection %s has a token that only actions of its service know where to put: name it at a step that uses one, or at a code step", connection)
	}
	r.signed, r.secrets = connection, append(r.secrets, c.Token)
	for name, value := range c.Headers {
		_, plain, _ := strings.Cut(value, " ")
		if err := r.header(name, value, value, plain); err != nil {
			return err
		}
	}
	for name, value := range c.Query {
		addQuery(r.http.URL, name, value)
		r.secrets = append(r.secrets, value, url.QueryEscape(value))
	}
	return nil
}

// Trusts says why a connection's credential must not go to an address; nil: it may.
func (c *Client) Trusts(connection string, hosts []string, u *url.URL) error {
	if !reaches(hosts, u) {
		return actions.Final("the connection %s is for %s only, not for %s: its credential was not sent", connection, strings.Join(hosts, ", "), u.Host)
	}
	if !c.guard.confidential(u) {
		return actions.Final("the connection %s: its credential was not sent to %s, since the address is not https; list it in http_allow to permit it", connection, u.Host)
	}
	return nil
}

// reaches tells whether an address is at one of these hosts.
func reaches(hosts []string, u *url.URL) bool {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	return slices.ContainsFunc(hosts, func(h string) bool {
		h = strings.ToLower(h)
		if suffix, ok := strings.CutPrefix(h, "*"); ok {
			return strings.HasPrefix(suffix, ".") && strings.HasSuffix(host, suffix)
		}
		return h == host || h == strings.ToLower(u.Host)
	})
}

// Credential returns what a connection signs with.
func (c *Client) Credential(ctx context.Context, connection string) (Credential, error) {
	if c.o.Credential == nil {
		return Credential{}, actions.Final("there is no connection %s: make it with zflow connect http %s, or give the step a token", connection, connection)
	}
	return c.o.Credential(ctx, connection)
}
