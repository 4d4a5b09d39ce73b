package zoomapi

import (
	"net/url"
	"strings"
	"time"
)

// Kinds of connections.
const (
	KindUser   = "zoom"       // one user's own
	KindAdmin  = "zoom_admin" // an account's, allowed by its administrator
	KindServer = "zoom_s2s"   // an account's server-to-server app
)

// Token is what a connection calls with.
type Token struct {
	Access     string `json:"-"`
	Connection string // its name
	Kind       string
	Account    string
	API        string // the region's address as Zoom gave it, or empty
	Base       string // the address that the configuration gives; goes before API
	Scopes     []string
	Expires    time.Time
}

// String names the connection and hides the token, should one ever be printed.
func (t Token) String() string { return "token of " + t.Connection }

// GoString is String.
func (t Token) GoString() string { return t.String() }

// Address is where this token's calls go: the configured one, else that
// of its region where it is one of Zoom's, else the global one.
func (t Token) Address() string {
	if t.Base != "" {
		return strings.TrimSuffix(t.Base, "/")
	}
	u, err := url.Parse(t.API)
	if err != nil || u.Scheme != "https" || !strings.HasSuffix(u.Hostname(), ".zoom.us") || u.User != nil {
		return Global
	}
	return "https://" + u.Host + "/v2"
}
