package oauth

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"zflow/internal/zoomcatalog"
)

// Kinds of apps.
const (
	KindUser  = "zoom"       // a user allows it what is his
	KindAdmin = "zoom_admin" // an administrator allows it what is the account's
	KindS2S   = "zoom_s2s"   // gets tokens for its whole account by itself
)

// App is an app of the simulated marketplace. Fields that are empty get values
// of their own.
type App struct {
	Kind            string   `json:"kind"`
	ClientID        string   `json:"client_id"`
	ClientSecret    string   `json:"client_secret"`
	AccountID       string   `json:"account_id"`
	SecretToken     string   `json:"secret_token"` // signs its webhooks
	Scopes          []string `json:"scopes,omitempty"`
	Disabled        bool     `json:"disabled,omitempty"`
	Public          bool     `json:"public,omitempty"`              // needs PKCE and no secret
	RedirectURIs    []string `json:"redirect_uris,omitempty"`       // none: any
	Deauthorization string   `json:"deauthorization_url,omitempty"` // gets app_deauthorized
	EventTypes      []string `json:"event_types,omitempty"`         // types or patterns that its scopes allow; none: all
}

// EachKind returns an app of every kind, the server-to-server app first, whose
// webhooks all are signed with one secret token.
func EachKind(secretToken string) []App {
	return []App{
		{Kind: KindS2S, SecretToken: secretToken},
		{Kind: KindUser, SecretToken: secretToken},
		{Kind: KindAdmin, SecretToken: secretToken},
	}
}

func completed(given []App) []*App {
	if len(given) == 0 {
		given = EachKind("")
	}
	apps := make([]*App, len(given))
	for i, a := range given {
		fill(&a.Kind, KindS2S)
		fill(&a.ClientID, "sim_"+randomText(12))
		fill(&a.ClientSecret, randomText(24))
		fill(&a.AccountID, zoomcatalog.SampleAccount)
		fill(&a.SecretToken, randomText(16))
		apps[i] = &a
	}
	return apps
}

func fill(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// randomText returns n random bytes as text that is safe in URLs.
func randomText(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// Apps returns the apps with their credentials.
func (s *Server) Apps() []App {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]App, len(s.apps))
	for i, a := range s.apps {
		all[i] = *a
	}
	return all
}

// App returns the app with this client id, the first for "".
func (s *Server) App(clientID string) (App, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.appOf(clientID); a != nil {
		return *a, true
	}
	return App{}, false
}

// Change lets f change what the marketplace knows of an app. Its kind and its
// client id stay.
func (s *Server) Change(clientID string, f func(*App) error) (App, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.appOf(clientID)
	if a == nil {
		return App{}, errors.New("no app has the client id " + clientID)
	}
	changed := *a
	if err := f(&changed); err != nil {
		return App{}, fmt.Errorf("changing app %s: %w", a.ClientID, err)
	}
	changed.Kind, changed.ClientID = a.Kind, a.ClientID
	*a = changed
	return changed, nil
}

// appOf returns the app with this client id, the first for "", else nil.
func (s *Server) appOf(clientID string) *App {
	if clientID == "" {
		return s.apps[0]
	}
	i := slices.IndexFunc(s.apps, func(a *App) bool { return a.ClientID == clientID })
	if i < 0 {
		return nil
	}
	return s.apps[i]
}

// scopesOf returns what an app may ask for; one without a list has all of its
// level.
func (s *Server) scopesOf(a *App) []string {
	if len(a.Scopes) > 0 {
		return a.Scopes
	}
	all := s.o.AdminScopes
	if a.Kind == KindUser {
		all = s.o.UserScopes
	}
	return slices.DeleteFunc(slices.Clone(all), func(scope string) bool { return slices.Contains(ownScopes, scope) })
}

// ownScopes are those that every app has for itself.
var ownScopes = []string{
	"imchat:bot", "marketplace:delete:event_subscription", "marketplace:read:list_event_subscriptions", "marketplace:update:client_secret",
	"marketplace:update:event_subscription", "marketplace:write:event_subscription", "marketplace:write:websocket_connection",
}

// Allows tells whether a scope of the token suffices for one of these.
func (g Grant) Allows(scopes []string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(g.Scopes, scope) })
}
