package zoomsim

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"zflow/internal/zoomcatalog"
	"zflow/internal/zoomsim/oauth"
	"zflow/internal/zoomsim/rest"
)

// Kinds of apps.
const (
	KindUser  = oauth.KindUser
	KindAdmin = oauth.KindAdmin
	KindS2S   = oauth.KindS2S
)

// What is said about apps and consent.
type (
	// App is an app of the simulated marketplace.
	App = oauth.App
	// Consent is what a user says to an app that asks.
	Consent = oauth.Consent
	// Approval is what a user says to a device.
	Approval = oauth.Approval
	// Removal says which consents end at Zoom's side.
	Removal = oauth.Removal
	// Installed is a consent that stands.
	Installed = oauth.Installed
)

// EachKind returns an app of every kind, the server-to-server app first, that
// have one secret token in common.
func EachKind(secretToken string) []App { return oauth.EachKind(secretToken) }

// Apps returns the apps with their credentials.
func (s *Sim) Apps() []App { return s.oauth.Apps() }

// Disable makes an app's tokens and credentials worthless, as when an
// administrator removes it, or gives it its right again.
func (s *Sim) Disable(clientID string, disabled bool) {
	_, _ = s.ChangeApp(clientID, func(a *App) error { // an app that is not there is disabled
		a.Disabled = disabled
		return nil
	})
}

// ChangeApp lets f change what the marketplace knows of an app: its scopes, its
// redirect URIs, its secret token. What was granted before stays as it is.
func (s *Sim) ChangeApp(clientID string, f func(*App) error) (App, error) {
	return s.oauth.Change(clientID, f)
}

// SetConsent says how users answer the app's requests from now on.
func (s *Sim) SetConsent(c Consent) error { return s.oauth.SetConsent(c) }

// Approve says what a user types into Zoom's page for a device.
func (s *Sim) Approve(p Approval) error { return s.oauth.Approve(p) }

// Installed returns the consents that stand, oldest first.
func (s *Sim) Installed() []Installed { return s.oauth.Installed() }

// VoidTokens makes all access tokens worthless, as a new token fetched elsewhere
// would.
func (s *Sim) VoidTokens() { s.oauth.VoidTokens() }

// NewToken returns a token of the first app, as its token endpoint would; it
// voids the last one.
func (s *Sim) NewToken() string { return s.oauth.NewToken("") }

// Remove ends consents as a user or an administrator does at Zoom: the tokens are
// void, and the app's deauthorization URL gets app_deauthorized for each.
func (s *Sim) Remove(r Removal) []Installed {
	ended := s.oauth.Remove(r)
	a, _ := s.oauth.App(r.App)
	for _, gone := range ended {
		s.tellRemoved(a, gone)
	}
	return ended
}

// tellRemoved sends what Zoom sends; unlike other events it has no event_ts.
func (s *Sim) tellRemoved(a App, gone Installed) {
	if a.Deauthorization == "" {
		return
	}
	body := rest.Encode(map[string]any{"event": "app_deauthorized", "payload": map[string]any{
		"account_id": gone.Account, "user_id": gone.User, "client_id": a.ClientID,
		"deauthorization_time": time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "signature": rest.Random(32),
	}})
	sub := &subscription{Subscription: Subscription{ID: "deauthorization", URL: a.Deauthorization, App: a.ClientID}, gone: make(chan struct{})}
	s.start(func() { s.climb(delivery{sub: sub, kind: "app_deauthorized", body: body}) })
}

// serveOAuth answers what comes to /oauth/.
func (s *Sim) serveOAuth(w http.ResponseWriter, r *http.Request) {
	entry := Entry{Kind: KindToken, Method: r.Method, Path: r.URL.Path, Time: time.Now()}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		s.reply(w, entry, rest.Answer{Status: http.StatusBadRequest, Body: map[string]string{"reason": "Bad Request", "error": "invalid_request"}})
		return
	}
	entry.Operation = strings.TrimPrefix(r.URL.Path, "/oauth/")
	if grant := r.Form.Get("grant_type"); entry.Operation == "token" {
		entry.Operation += " " + wordOf([]byte(grant))
	}
	s.serve(w, r, &entry, func() rest.Answer { return s.answerOAuth(r, &entry) })
}

func (s *Sim) answerOAuth(r *http.Request, entry *Entry) rest.Answer {
	got := s.oauth.Do(r)
	entry.App, entry.Note = got.App, got.Note
	a := rest.Answer{Status: got.Status, Code: got.Code, Body: got.Body}
	if got.Location != "" {
		a.Header = http.Header{"Location": {got.Location}}
	}
	return a
}

// scopesKnown returns the scopes that let a user app and an account's app do all
// that it may.
func scopesKnown() (user, admin []string) {
	for _, op := range zoomcatalog.Operations() {
		scopes := op.Granular
		if len(scopes) == 0 {
			scopes = op.Classic
		}
		own := len(user)
		for _, scope := range scopes {
			if strings.HasSuffix(scope, ":admin") {
				admin = append(admin, scope)
			} else {
				user = append(user, scope)
			}
		}
		if len(user)-own == len(scopes) { // has no scope for an account
			admin = append(admin, scopes...)
		}
	}
	slices.Sort(user)
	slices.Sort(admin)
	return slices.Compact(user), slices.Compact(admin)
}

// authorize returns what a call's token stands for, or why it is refused.
func (s *Sim) authorize(r *http.Request) (oauth.Grant, *rest.Answer) {
	token, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	g, err := s.oauth.Grant(token)
	message := "Invalid access token."
	switch {
	case isBearer && err == nil:
		return g, nil
	case errors.Is(err, oauth.ErrExpired):
		message = "Access token is expired."
	}
	refused := rest.Error(http.StatusUnauthorized, 124, "%s", message)
	return oauth.Grant{}, &refused
}

func noApp(clientID string) error { return errors.New("no app has the client id " + clientID) }

// owner is who owns the apps and consents where nobody else is named.
const owner = zoomcatalog.SampleHost
