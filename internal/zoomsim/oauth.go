package zoomsim

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
	"time"

	"zflow/internal/zoomcatalog"
)

// grant is an access token.
type grant struct {
	app     *app
	expires time.Time
}

// tokenError is the body of a refused token request.
type tokenError struct {
	Reason string `json:"reason"`
	Error  string `json:"error"`
}

func refuse(status int, code, reason string) answer {
	return answer{status: status, body: tokenError{Reason: reason, Error: code}}
}

func (s *Sim) serveToken(w http.ResponseWriter, r *http.Request) {
	entry := Entry{Kind: KindToken, Method: r.Method, Path: r.URL.Path, Time: time.Now()}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		s.reply(w, entry, refuse(http.StatusBadRequest, "invalid_request", "Bad Request"))
		return
	}
	s.serve(w, r, &entry, func() answer { return s.issue(r, &entry) })
}

// issue makes a token, and voids the app's last one.
func (s *Sim) issue(r *http.Request, entry *Entry) answer {
	if r.Method != http.MethodPost {
		return refuse(http.StatusMethodNotAllowed, "invalid_request", "Method Not Allowed")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.clientOf(r)
	if a == nil {
		return refuse(http.StatusBadRequest, "invalid_client", "Invalid client_id or client_secret")
	}
	entry.App = a.ClientID
	switch {
	case a.Disabled:
		return refuse(http.StatusBadRequest, "invalid_client", "The app has been disabled")
	case r.Form.Get("grant_type") != "account_credentials":
		return refuse(http.StatusBadRequest, "unsupported_grant_type", "unsupported grant type")
	case r.Form.Get("account_id") != a.AccountID:
		return refuse(http.StatusBadRequest, "invalid_request", "Bad Request")
	}
	return answer{status: http.StatusOK, body: map[string]any{
		"access_token": s.newToken(a), "token_type": "bearer", "expires_in": int(s.o.TokenLife / time.Second),
		"scope": strings.Join(granted(a), " "), "api_url": "http://" + r.Host,
	}}
}

func (s *Sim) newToken(a *app) string {
	for old, g := range s.tokens {
		if g.app == a {
			delete(s.tokens, old)
		}
	}
	token := "simtoken." + randomText(32)
	s.tokens[token] = &grant{app: a, expires: time.Now().Add(s.o.TokenLife)}
	return token
}

// clientOf returns the app whose credentials the request carries, or nil.
func (s *Sim) clientOf(r *http.Request) *app {
	id, secret, _ := r.BasicAuth()
	if id == "" {
		return nil
	}
	a := s.appOf(id)
	if a == nil || subtle.ConstantTimeCompare([]byte(secret), []byte(a.ClientSecret)) == 0 {
		return nil
	}
	return a
}

// granted returns the scopes of an app; one without a list has all.
func granted(a *app) []string {
	if len(a.Scopes) > 0 {
		return a.Scopes
	}
	var all []string
	for _, op := range zoomcatalog.Operations() {
		for _, scope := range op.Granular {
			if strings.HasSuffix(scope, ":admin") {
				all = append(all, scope)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// authorize returns the app that a call's token belongs to, or why not.
func (s *Sim) authorize(r *http.Request) (*app, *answer) {
	token, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	g := s.tokens[token]
	switch {
	case !isBearer || g == nil || g.app.Disabled:
		refused := zoomError(http.StatusUnauthorized, 124, "Invalid access token.")
		return nil, &refused
	case !time.Now().Before(g.expires):
		refused := zoomError(http.StatusUnauthorized, 124, "Access token is expired.")
		return nil, &refused
	}
	return g.app, nil
}

// VoidTokens makes all tokens worthless, as a new token fetched elsewhere would.
func (s *Sim) VoidTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// NewToken returns a token of the first app, as its token endpoint would; it
// voids the last one.
func (s *Sim) NewToken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newToken(s.apps[0])
}
