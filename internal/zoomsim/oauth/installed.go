package oauth

import (
	"slices"
	"time"
)

// Installed is a consent that stands.
type Installed struct {
	App     string    `json:"client_id"`
	Account string    `json:"account_id"`
	User    string    `json:"user_id"`
	Scopes  []string  `json:"scopes"`
	At      time.Time `json:"at"`
}

// Removal says which consents end at Zoom's side, and how.
type Removal struct {
	App     string `json:"client_id,omitempty"`  // empty: the first app
	Account string `json:"account_id,omitempty"` // empty: any
	User    string `json:"user_id,omitempty"`    // empty: any
	Code    int    `json:"code,omitempty"`       // of later refreshes: 4735, 4737, 4738 or 4741; 0: 4737
}

// Installed returns the consents that stand, oldest first.
func (s *Server) Installed() []Installed {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Installed, len(s.consents))
	for i, c := range s.consents {
		all[i] = c.view()
	}
	return all
}

// Remove ends consents as a user or an administrator does at Zoom: their tokens
// are void. A server-to-server app has no consents, but its token is void too. It
// returns what ended.
func (s *Server) Remove(r Removal) []Installed {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.appOf(r.App)
	if a == nil {
		return nil
	}
	if r.Code == 0 {
		r.Code = 4737
	}
	ended := s.end(r.Code, func(c *consented) bool {
		return c.app == a && (r.Account == "" || r.Account == c.account) && (r.User == "" || r.User == c.user)
	})
	all := make([]Installed, len(ended))
	for i, c := range ended {
		all[i] = c.view()
	}
	return all
}

func (c *consented) view() Installed {
	return Installed{App: c.app.ClientID, Account: c.account, User: c.user, Scopes: slices.Clone(c.scopes), At: c.at}
}
