package oauth

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"zflow/internal/zoomcatalog"
)

// Options say how a Server behaves.
type Options struct {
	Apps        []App           // none: one of each kind
	UserScopes  []string        // of user apps that have no list
	AdminScopes []string        // of other apps
	TokenLife   time.Duration   // 0: an hour
	RefreshLife time.Duration   // 0: 90 days
	APIURL      string          // in the answers; empty: where the request came to
	Done        <-chan struct{} // closed when requests that wait are to end
}

// Server answers OAuth requests.
type Server struct {
	o        Options
	mu       sync.Mutex // guards all below
	apps     []*App
	consent  map[string]Consent // by client id
	changed  chan struct{}      // closed when a consent changes
	consents []*consented
	codes    map[string]*code
	access   map[string]*access
	refresh  map[string]*refresh
	devices  map[string]*device // by device code
	prune    int                // so many access tokens are tidied up
	tidy     int                // so many refresh tokens are
}

// Grant is what an access token stands for.
type Grant struct {
	App     App
	Account string
	User    string // whose it is; empty: an account's app or the app itself
	Scopes  []string
	Expires time.Time
	Own     bool // the app's own, from client_credentials
}

// Answer is what a request gets. Code is Zoom's number of the refusal.
type Answer struct {
	Status   int
	Code     int
	Body     any
	Location string
	App      string // the client id that asked
	Note     string // for the ledger
}

// Why a token is not good.
var (
	ErrInvalid = errors.New("the access token is void")
	ErrExpired = errors.New("the access token has expired")
)

// New returns a Server.
func New(o Options) *Server {
	if o.TokenLife == 0 {
		o.TokenLife = time.Hour
	}
	if o.RefreshLife == 0 {
		o.RefreshLife = 90 * 24 * time.Hour
	}
	return &Server{
		o: o, apps: completed(o.Apps), consent: map[string]Consent{}, changed: make(chan struct{}),
		codes: map[string]*code{}, access: map[string]*access{}, refresh: map[string]*refresh{}, devices: map[string]*device{},
	}
}

// Do answers a request whose form is parsed; its path begins with /oauth/.
func (s *Server) Do(r *http.Request) Answer {
	if r.URL.Path == "/oauth/authorize" {
		return s.authorize(r)
	}
	if r.Method != http.MethodPost {
		return refuse(http.StatusMethodNotAllowed, 0, "invalid_request", "Method Not Allowed")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.URL.Path {
	case "/oauth/token":
		return s.identified(r, s.issue)
	case "/oauth/revoke":
		return s.identified(r, s.revoke)
	case "/oauth/devicecode":
		return s.newDevice(r)
	}
	return refuse(http.StatusNotFound, 0, "invalid_request", "Not Found")
}

// identified does what an app with good credentials asks for.
func (s *Server) identified(r *http.Request, do func(*http.Request, *App) Answer) Answer {
	a := s.clientOf(r)
	if a == nil {
		return refuse(http.StatusBadRequest, 4702, "invalid_client", "Invalid client_id or client_secret")
	}
	answer := refuse(http.StatusBadRequest, 4717, "invalid_client", "The app has been disabled")
	if !a.Disabled {
		answer = do(r, a)
	}
	answer.App = a.ClientID
	return answer
}

// clientOf returns the app whose credentials the request carries, or nil. A
// public one says its name in the form.
func (s *Server) clientOf(r *http.Request) *App {
	id, secret, hasBasic := r.BasicAuth()
	if !hasBasic {
		id = r.Form.Get("client_id")
	}
	if id == "" {
		return nil
	}
	a := s.appOf(id)
	if a == nil || (!hasBasic && !a.Public) {
		return nil
	}
	if hasBasic && subtle.ConstantTimeCompare([]byte(secret), []byte(a.ClientSecret)) == 0 {
		return nil
	}
	return a
}

// Grant returns what an access token stands for, or ErrInvalid or ErrExpired.
func (s *Server) Grant(token string) (Grant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.access[token]
	switch {
	case t == nil || t.app.Disabled || (t.from != nil && t.from.ended != 0):
		return Grant{}, ErrInvalid
	case !time.Now().Before(t.expires):
		return Grant{}, ErrExpired
	}
	g := Grant{App: *t.app, Account: t.app.AccountID, Scopes: t.scopes, Expires: t.expires, Own: t.own}
	if t.from != nil {
		g.Account, g.User = t.from.account, t.from.user
	}
	return g, nil
}

// VoidTokens makes all access tokens worthless, as a new token fetched elsewhere
// would.
func (s *Server) VoidTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

// NewToken returns a token of an app of its own account, as the token endpoint
// would.
func (s *Server) NewToken(clientID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.appOf(clientID)
	if a == nil {
		return ""
	}
	if a.Kind == KindS2S {
		return s.newAccess(access{app: a, scopes: s.scopesOf(a)})
	}
	c := s.consentTo(a, Consent{})
	return s.newAccess(access{app: a, scopes: c.scopes, from: c})
}

// access is an access token.
type access struct {
	app     *App
	scopes  []string
	expires time.Time
	from    *consented // nil: the app's own
	own     bool       // of client_credentials
}

// newAccess makes a token; a server-to-server app's voids its last.
func (s *Server) newAccess(t access) string {
	if t.app.Kind == KindS2S {
		maps.DeleteFunc(s.access, func(_ string, old *access) bool { return old.app == t.app })
	}
	now := time.Now()
	if len(s.access) >= s.prune { // expired ones are known a while longer: their refusal differs
		maps.DeleteFunc(s.access, func(_ string, old *access) bool { return now.After(old.expires.Add(s.o.TokenLife)) })
		s.prune = 2*len(s.access) + 64
	}
	t.expires = now.Add(s.o.TokenLife)
	token := "simtoken." + randomText(32)
	s.access[token] = &t
	return token
}

// refusal is the body of a refused request.
type refusal struct {
	Reason string `json:"reason"`
	Error  string `json:"error"`
}

// refuse answers a refusal; number is Zoom's, 0: it has none. A text that Zoom is
// known to write without its number stays so.
func refuse(status, number int, code, reason string) Answer {
	if number > 4702 && number != 4717 {
		reason += fmt.Sprintf(" (%d,%03d)", number/1000, number%1000)
	}
	return Answer{Status: status, Code: number, Body: refusal{Reason: reason, Error: code}}
}

// owner is who consents where nobody else is named.
const owner = zoomcatalog.SampleHost
