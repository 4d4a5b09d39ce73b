package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Consent is what the user says to an app that asks. The zero value grants all
// that the app may have.
type Consent struct {
	App     string   `json:"client_id,omitempty"` // empty: the first app
	Deny    bool     `json:"deny,omitempty"`
	Wait    bool     `json:"wait,omitempty"`       // says nothing until this changes
	Scopes  []string `json:"scopes,omitempty"`     // which are granted; none: all
	Account string   `json:"account_id,omitempty"` // who consents; empty: the app's account
	User    string   `json:"user_id,omitempty"`    // empty: the app's owner
}

// consented is what a user allowed an app.
type consented struct {
	app     *App
	account string
	user    string
	scopes  []string
	at      time.Time
	ended   int // Zoom's number of the refusals that follow; 0: it stands
}

// code is an authorization code.
type code struct {
	from      *consented
	redirect  string
	challenge string // of PKCE, with its method before it: "S256 …"
	expires   time.Time
}

const codeLife = 5 * time.Minute

// SetConsent says how consent goes from now on; requests that wait go on.
func (s *Server) SetConsent(c Consent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.appOf(c.App)
	if a == nil {
		return fmt.Errorf("setting the consent: no app has the client id %s", c.App)
	}
	s.consent[a.ClientID] = c
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

// authorize answers as Zoom's page does once the user has spoken.
func (s *Server) authorize(r *http.Request) Answer {
	if r.Method != http.MethodGet {
		return refuse(http.StatusMethodNotAllowed, 0, "invalid_request", "Method Not Allowed")
	}
	q := r.URL.Query()
	a, refused := s.asked(q)
	if refused != nil {
		return *refused
	}
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Host == "" {
		return refuse(http.StatusBadRequest, 4709, "invalid_request", "Redirect URI mismatch.")
	}
	c, ok := s.hear(r.Context(), a)
	if !ok {
		return Answer{Status: http.StatusServiceUnavailable, App: a.ClientID, Note: "the user said nothing"}
	}
	to := back.Query()
	if state := q.Get("state"); state != "" {
		to.Set("state", state)
	}
	if c.Deny {
		to.Set("error", "access_denied")
	} else {
		to.Set("code", s.newCode(a, c, q))
	}
	back.RawQuery = to.Encode()
	return Answer{Status: http.StatusFound, Location: back.String(), App: a.ClientID}
}

// asked checks an authorize request before the user sees it.
func (s *Server) asked(q url.Values) (*App, *Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var a *App
	if id := q.Get("client_id"); id != "" {
		a = s.appOf(id)
	}
	bad := func(number int, code, reason string) (*App, *Answer) {
		answer := refuse(http.StatusBadRequest, number, code, reason)
		return nil, &answer
	}
	method := q.Get("code_challenge_method")
	switch {
	case a == nil || a.Kind == KindS2S:
		return bad(4702, "invalid_client", "Invalid client_id: "+q.Get("client_id")+" (4,702)")
	case a.Disabled:
		return bad(4717, "invalid_client", "The app has been disabled")
	case len(a.RedirectURIs) > 0 && !slices.Contains(a.RedirectURIs, q.Get("redirect_uri")):
		return bad(4709, "invalid_request", "Redirect URI mismatch.")
	case q.Get("response_type") != "code":
		return bad(4706, "unsupported_response_type", "The response_type must be code.")
	case method != "" && method != "S256" && method != "plain":
		return bad(4706, "invalid_request", "The code_challenge_method must be S256 or plain.")
	case a.Public && q.Get("code_challenge") == "":
		return bad(4706, "invalid_request", "The code_challenge is missing.")
	}
	return a, nil
}

// hear returns what the user says; false means that the caller left before.
func (s *Server) hear(ctx context.Context, a *App) (Consent, bool) {
	for {
		s.mu.Lock()
		c, changed := s.consent[a.ClientID], s.changed
		s.mu.Unlock()
		if !c.Wait {
			return c, true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return c, false
		case <-s.o.Done:
			return c, false
		}
	}
}

func (s *Server) newCode(a *App, c Consent, q url.Values) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	made := &code{from: s.consentTo(a, c), redirect: q.Get("redirect_uri"), expires: time.Now().Add(codeLife)}
	if challenge := q.Get("code_challenge"); challenge != "" {
		made.challenge = "plain " + challenge
		if q.Get("code_challenge_method") == "S256" {
			made.challenge = "S256 " + challenge
		}
	}
	text := randomText(24)
	s.codes[text] = made
	return text
}

// consentTo notes a consent, which ends what this user allowed the app before.
func (s *Server) consentTo(a *App, c Consent) *consented {
	made := &consented{app: a, account: a.AccountID, user: owner, scopes: s.scopesOf(a), at: time.Now()}
	if c.Account != "" {
		made.account = c.Account
	}
	if c.User != "" {
		made.user = c.User
	}
	if len(c.Scopes) > 0 {
		made.scopes = c.Scopes
	}
	s.end(4741, func(old *consented) bool { return old.app == a && old.account == made.account && old.user == made.user })
	s.consents = append(s.consents, made)
	return made
}

// end ends consents; it returns those that it ended.
func (s *Server) end(number int, which func(*consented) bool) (ended []*consented) {
	s.consents = slices.DeleteFunc(s.consents, func(c *consented) bool {
		if !which(c) {
			return false
		}
		c.ended = number
		ended = append(ended, c)
		return true
	})
	return ended
}

// verifies tells whether a verifier fits the challenge.
func verifies(challenge, verifier string) bool {
	method, want, _ := strings.Cut(challenge, " ")
	if method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		verifier = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return subtle.ConstantTimeCompare([]byte(verifier), []byte(want)) == 1
}
