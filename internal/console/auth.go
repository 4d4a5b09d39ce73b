package console

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"zflow/internal/public"
	"zflow/internal/tokens"
)

// configured is what a token of the configuration is called where it acts.
const configured = "configuration"

// guard says who may do what.
type guard struct {
	fixed    [][sha256.Size]byte // hashes of the configuration's tokens
	site     public.Site
	failures failures
}

func newGuard(fixed []string, site public.Site) *guard {
	g := &guard{site: site}
	for _, t := range fixed {
		g.fixed = append(g.fixed, sha256.Sum256([]byte(t)))
	}
	return g
}

// check returns the token of a text. All of the configuration's are compared,
// whichever it is, so that the time tells nothing.
func (g *guard) check(ctx context.Context, store *tokens.Store, text string) (tokens.Token, error) {
	hash, found := sha256.Sum256([]byte(text)), 0
	for _, f := range g.fixed {
		found |= subtle.ConstantTimeCompare(f[:], hash[:])
	}
	if found == 1 {
		return tokens.Token{Name: configured, Scopes: []string{tokens.Admin}}, nil
	}
	return store.Check(ctx, text)
}

// bearer returns the token that a request brings.
func bearer(r *http.Request) (string, bool) {
	scheme, text, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	text = strings.TrimSpace(text)
	return text, ok && strings.EqualFold(scheme, "Bearer") && text != ""
}

// admit returns the token of a request if it may do what the route does, or an
// answer that says why not. A right token is always let in, however many wrong ones
// come from its address: others may stand behind the same proxy.
func (a *api) admit(c *call, scope string) error {
	text, ok := bearer(c.r)
	if !ok {
		return a.refuse(c, "missing", errors.New("a token is needed: send it as `Authorization: Bearer …`; `zflow tokens create` makes one"))
	}
	t, err := a.guard.check(c.ctx, c.backend.Tokens, text)
	switch {
	case errors.Is(err, tokens.ErrUnknown):
		return a.refuse(c, "wrong", err)
	case errors.Is(err, tokens.ErrExpired):
		return a.refuse(c, "expired", err)
	case err != nil:
		return err
	case !t.May(scope):
		a.numbers.refused.WithLabelValues("scope").Inc()
		c.w.Header().Set("WWW-Authenticate", `Bearer realm="zflow", error="insufficient_scope", scope="`+scope+`"`)
		return answer{http.StatusForbidden, fmt.Errorf("the token %s lacks the scope %s: it has %s", t.Name, scope, strings.Join(t.Scopes, ", "))}
	}
	c.token, c.text = t, text
	return nil
}

// refuse counts an attempt, and says less to who makes many.
func (a *api) refuse(c *call, why string, err error) error {
	if !a.guard.failures.add(a.guard.site.Client(c.r).String(), time.Now()) {
		a.numbers.refused.WithLabelValues("often").Inc()
		c.w.Header().Set("Retry-After", "60")
		return answer{http.StatusTooManyRequests, errors.New("there were too many attempts with wrong tokens from this address: wait a minute")}
	}
	a.numbers.refused.WithLabelValues(why).Inc()
	challenge := `Bearer realm="zflow"`
	if why != "missing" {
		challenge += `, error="invalid_token"`
	}
	c.w.Header().Set("WWW-Authenticate", challenge)
	return answer{http.StatusUnauthorized, err}
}

// An address may fail so often in a minute; so many addresses are told apart.
const (
	mostFailures  = 30
	mostAddresses = 4096
)

// failures counts failed attempts by address.
type failures struct {
	mu     sync.Mutex
	minute int64
	counts map[string]int
}

// add counts one, and tells whether it is below the limit.
func (f *failures) add(address string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if minute := now.Unix() / 60; minute != f.minute || f.counts == nil {
		f.minute, f.counts = minute, map[string]int{}
	}
	if _, known := f.counts[address]; !known && len(f.counts) >= mostAddresses {
		address = "" // all further ones together
	}
	f.counts[address]++
	return f.counts[address] <= mostFailures
}
