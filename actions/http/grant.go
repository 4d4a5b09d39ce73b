package http

import (
	"context"
	"crypto/sha256"
	"net/url"
	"strings"
	"sync"
	"time"

	"zflow/actions"
)

// grants are the tokens that steps got by client credentials, by what they sent for
// them. They stand in memory only.
type grants struct {
	mu  sync.Mutex
	all map[[32]byte]*grant
}

// most is how many grants are kept.
const mostGrants = 1000

// grant is one token; whoever fetches it holds the lock, and others wait for it.
type grant struct {
	mu    sync.Mutex
	token string
	until time.Time
}

func (g *grants) of(parts ...string) *grant {
	key := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all == nil || len(g.all) >= mostGrants {
		g.all = map[[32]byte]*grant{}
	}
	if g.all[key] == nil {
		g.all[key] = &grant{}
	}
	return g.all[key]
}

// clientCredentials signs with a token of OAuth2's client credentials.
func (r *request) clientCredentials(v map[string]any) (auth, error) {
	field := func(name string) string { text, _ := v[name].(string); return text }
	for _, name := range []string{"token_url", "client_id", "client_secret"} {
		if field(name) == "" {
			return nil, actions.Final("auth.oauth2 needs %s", name)
		}
	}
	g := r.c.grant.of(field("token_url"), field("client_id"), field("client_secret"), field("scope"), field("audience"), field("send"))
	used := ""
	return func(ctx context.Context, again bool) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		r.renewable = g.token != "" && time.Now().Before(g.until)
		if !r.renewable || again && g.token == used {
			if err := r.c.fetch(ctx, g, field); err != nil {
				return err
			}
		}
		used = g.token
		r.secrets = append(r.secrets, field("client_secret"))
		return r.authorize("Bearer "+g.token, g.token)
	}, nil
}

// fetch gets a token. What fails here has sent nothing of the step's own request.
func (c *Client) fetch(ctx context.Context, g *grant, field func(string) string) error {
	form := map[string]any{"grant_type": "client_credentials"}
	for _, name := range []string{"scope", "audience"} {
		if field(name) != "" {
			form[name] = field(name)
		}
	}
	input := map[string]any{"method": "POST", "url": field("token_url"), "form": form, "timeout": "10s", "headers": map[string]any{"accept": "application/json"}}
	if field("send") == "body" {
		form["client_id"], form["client_secret"] = field("client_id"), field("client_secret")
	} else {
		input["auth"] = map[string]any{"basic": map[string]any{"username": url.QueryEscape(field("client_id")), "password": url.QueryEscape(field("client_secret"))}}
	}
	a, err := c.Ask(ctx, Ask{Input: input, Effect: actions.Read, Secrets: []string{field("client_secret")}, private: true})
	if err != nil {
		return err
	}
	if e := a.Refusal(); e != nil {
		e.Message = "auth.oauth2: fetching a token: " + e.Message
		return e
	}
	said, _ := a.Output["json"].(map[string]any)
	token, _ := said["access_token"].(string)
	if token == "" {
		return actions.Final("auth.oauth2: the answer of %s has no access_token", hostOf(field("token_url")))
	}
	life, _ := said["expires_in"].(int64)
	g.token, g.until = token, time.Now().Add(time.Duration(life)*time.Second*9/10)
	return nil
}

func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Host
	}
	return "the token's address"
}
