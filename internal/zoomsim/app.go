package zoomsim

import (
	"crypto/rand"
	"encoding/base64"
	"slices"

	"zflow/internal/zoomcatalog"
)

// KindS2S is the kind of an app that gets tokens for its whole account.
const KindS2S = "zoom_s2s"

// App is an app of the simulated marketplace. Fields that are empty get values
// of their own.
type App struct {
	Kind         string   `json:"kind"`
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret"`
	AccountID    string   `json:"account_id"`
	SecretToken  string   `json:"secret_token"` // signs its webhooks
	Scopes       []string `json:"scopes,omitempty"`
	Disabled     bool     `json:"disabled,omitempty"`
}

type app struct{ App }

func newApps(given []App) []*app {
	if len(given) == 0 {
		given = []App{{}}
	}
	apps := make([]*app, len(given))
	for i, a := range given {
		fill(&a.Kind, KindS2S)
		fill(&a.ClientID, "sim_"+randomText(12))
		fill(&a.ClientSecret, randomText(24))
		fill(&a.AccountID, zoomcatalog.SampleAccount)
		fill(&a.SecretToken, randomText(16))
		apps[i] = &app{a}
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
func (s *Sim) Apps() []App {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]App, len(s.apps))
	for i, a := range s.apps {
		all[i] = a.App
	}
	return all
}

// Disable makes an app's tokens and credentials worthless, as when an
// administrator removes it, or gives it its right again.
func (s *Sim) Disable(clientID string, disabled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.appOf(clientID); a != nil {
		a.Disabled = disabled
	}
}

// appOf returns the app with this client id, the first for "", else nil.
func (s *Sim) appOf(clientID string) *app {
	if clientID == "" {
		return s.apps[0]
	}
	i := slices.IndexFunc(s.apps, func(a *app) bool { return a.ClientID == clientID })
	if i < 0 {
		return nil
	}
	return s.apps[i]
}

// allows tells whether the app was granted a scope that suffices.
func (a *app) allows(op zoomcatalog.Op) bool {
	if len(a.Scopes) == 0 {
		return true
	}
	return slices.ContainsFunc(op.Scopes(), func(scope string) bool { return slices.Contains(a.Scopes, scope) })
}
