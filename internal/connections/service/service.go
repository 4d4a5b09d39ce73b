// Package service describes the services that connections of kind http are for:
// where they are, and how a request signs in there. It holds no secret.
package service

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Ways to sign in.
const (
	Bearer = "bearer" // Authorization: Bearer …
	Basic  = "basic"  // a user's name and a password
	Header = "header" // a header of any name
	Query  = "query"  // a parameter of the address
	Token  = "token"  // as each action puts it: nothing is added to requests
	OAuth2 = "oauth2" // a token that OAuth 2 gives, and renews
)

// Ways returns the ways to sign in.
func Ways() []string { return []string{Bearer, Basic, Header, Query, Token, OAuth2} }

// Grants of OAuth 2.
const (
	Code      = "authorization_code" // somebody consents in a browser
	Client    = "client_credentials" // the app in its own name
	JWTBearer = "jwt_bearer"         // a service account: what its key signs is traded for a token
)

// Ways to say to a token endpoint who the app is.
const (
	SendBasic    = "basic"           // id and secret in a header
	SendBody     = "body"            // id and secret in the form
	SendJSON     = "json"            // id and secret in a header, and all else as JSON
	SendJSONBody = "json_body"       // all as JSON
	SendSigned   = "private_key_jwt" // what a private key signs
)

// Sends returns the ways to say who the app is.
func Sends() []string { return []string{SendBasic, SendBody, SendJSON, SendJSONBody, SendSigned} }

// Grants returns the grants that are known.
func Grants() []string { return []string{Code, Client, JWTBearer} }

// Service is what a connection is for, and how its secret is sent there.
type Service struct {
	Preset  string   `json:"preset,omitempty"`
	Auth    string   `json:"auth,omitempty"`
	Hosts   []string `json:"hosts,omitempty"`  // the only ones that the secret is sent to: host, host:port or *.domain
	Field   string   `json:"field,omitempty"`  // the name of the header, or of the parameter
	Prefix  string   `json:"prefix,omitempty"` // what stands before the secret in the header
	User    string   `json:"user,omitempty"`   // of Basic
	TestURL string   `json:"test_url,omitempty"`
	OAuth   *OAuth   `json:"oauth,omitempty"`
}

// OAuth is where and how OAuth 2 gives tokens.
type OAuth struct {
	Grant        string            `json:"grant,omitempty"`
	AuthorizeURL string            `json:"authorize_url,omitempty"`
	TokenURL     string            `json:"token_url,omitempty"`
	RevokeURL    string            `json:"revoke_url,omitempty"`
	Scopes       []string          `json:"scopes,omitempty"`    // to ask for
	Separator    string            `json:"separator,omitempty"` // between two of them; empty: a space
	Audience     string            `json:"audience,omitempty"`
	Send         string            `json:"send,omitempty"`       // one of Sends; empty: basic
	Params       map[string]string `json:"params,omitempty"`     // more for the consent page
	NoRefresh    bool              `json:"no_refresh,omitempty"` // its token was given without a way to renew it
	DeviceURL    string            `json:"device_url,omitempty"` // where codes for other machines are given out
	TokenParams  map[string]string `json:"token_params,omitempty"`
	Subject      string            `json:"subject,omitempty"` // whom a service account acts for
	NoPKCE       bool              `json:"no_pkce,omitempty"` // it takes no more parameters than it knows
}

// Keyed tells that a private key signs, in place of a secret that is sent.
func (s *Service) Keyed() bool {
	return s != nil && s.Auth == OAuth2 && s.OAuth != nil && (s.OAuth.Grant == JWTBearer || s.OAuth.Send == SendSigned)
}

// Is tells whether the service signs in by a grant of OAuth 2.
func (s *Service) Is(grant string) bool {
	return s != nil && s.Auth == OAuth2 && s.OAuth != nil && s.OAuth.Grant == grant
}

// Anew tells that the service gives a token at any time, with nobody's consent.
func (s *Service) Anew() bool { return s.Is(Client) || s.Is(JWTBearer) }

// Name is what messages call the service.
func (s *Service) Name() string {
	return cmp.Or(s.Preset, strings.Join(s.Hosts[:min(1, len(s.Hosts))], ""), "the service")
}

// Complete fills what is not said: by the preset that is named, else as the connection
// is that was there before.
func Complete(s Service, old *Service) (Service, error) {
	base := old
	if s.Preset != "" {
		preset, err := presetOf(s)
		if err != nil {
			return s, err
		}
		base = &preset
	}
	if base != nil {
		s = s.over(*base)
	}
	if s.Auth = cmp.Or(s.Auth, Bearer); s.Auth != OAuth2 {
		s.OAuth = nil
		return s, nil
	}
	o := OAuth{}
	if s.OAuth != nil {
		o = *s.OAuth
	}
	o.Grant, o.NoRefresh = cmp.Or(o.Grant, Code), false
	s.OAuth = &o
	return s, nil
}

// isFor tells whether an address is of one of the hosts.
func (s *Service) isFor(address string) bool {
	u, err := url.Parse(address)
	return err == nil && Covers(s.Hosts, u.Host)
}

// Covers tells whether a server, host or host:port, is among hosts as a connection has
// them: host, host:port or *.domain.
func Covers(hosts []string, server string) bool {
	name := (&url.URL{Host: server}).Hostname()
	return slices.ContainsFunc(hosts, func(h string) bool {
		domain, below := strings.CutPrefix(h, "*.")
		return h == server || h == name || below && strings.HasSuffix(name, "."+domain)
	})
}

// over fills what s does not say.
func (s Service) over(base Service) Service {
	s.Preset = cmp.Or(s.Preset, base.Preset)
	if s.TestURL == "" && (len(s.Hosts) == 0 || s.isFor(base.TestURL)) {
		s.TestURL = base.TestURL // else it tests another server, to which the secret may not go
	}
	if len(s.Hosts) == 0 {
		s.Hosts = base.Hosts
	}
	if s.Auth = cmp.Or(s.Auth, base.Auth); s.Auth != base.Auth {
		return s
	}
	s.Field, s.Prefix, s.User = cmp.Or(s.Field, base.Field), cmp.Or(s.Prefix, base.Prefix), cmp.Or(s.User, base.User)
	switch {
	case s.OAuth == nil:
		s.OAuth = base.OAuth
	case base.OAuth != nil:
		o := s.OAuth.over(*base.OAuth)
		s.OAuth = &o
	}
	return s
}

func (o OAuth) over(base OAuth) OAuth {
	o.Grant, o.Audience = cmp.Or(o.Grant, base.Grant), cmp.Or(o.Audience, base.Audience)
	o.AuthorizeURL, o.TokenURL, o.RevokeURL = cmp.Or(o.AuthorizeURL, base.AuthorizeURL), cmp.Or(o.TokenURL, base.TokenURL), cmp.Or(o.RevokeURL, base.RevokeURL)
	if o.DeviceURL = cmp.Or(o.DeviceURL, base.DeviceURL); o.Grant == JWTBearer {
		o.Subject = cmp.Or(o.Subject, base.Subject)
	}
	o.NoPKCE = o.NoPKCE || base.NoPKCE
	if len(o.TokenParams) == 0 {
		o.TokenParams = base.TokenParams
	}
	o.Separator, o.Send = cmp.Or(o.Separator, base.Separator), cmp.Or(o.Send, base.Send)
	if len(o.Scopes) == 0 {
		o.Scopes = base.Scopes
	}
	if len(o.Params) == 0 {
		o.Params = base.Params
	}
	return o
}

// mostHosts is how many hosts a connection may have.
const mostHosts = 20

// fieldName is the name of a header, or of a parameter.
var fieldName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$`)

// Check refuses what cannot be a service.
func (s *Service) Check() error {
	switch {
	case !slices.Contains(Ways(), s.Auth):
		return fmt.Errorf("auth %q is none of %s", s.Auth, strings.Join(Ways(), ", "))
	case len(s.Hosts) == 0:
		return errors.New("no host: name those that it is for with --host, such as --host api.example.org; its secret goes nowhere else")
	case len(s.Hosts) > mostHosts:
		return fmt.Errorf("more than %d hosts", mostHosts)
	case strings.ContainsFunc(s.Prefix, func(c rune) bool { return c < ' ' || c > '~' }):
		return errors.New("the prefix is not plain text")
	case s.TestURL != "" && !isWeb(s.TestURL):
		return errors.New("the test URL must be like https://api.example.org/me")
	}
	for _, h := range s.Hosts {
		if !isHost(h) {
			return fmt.Errorf("%q is no host: write api.example.org, api.example.org:8443 or *.example.org, without https:// and path", h)
		}
	}
	return s.checkWay()
}

// notToSet are headers that say other things than who asks.
var notToSet = []string{"host", "connection", "content-length", "content-type", "transfer-encoding", "trailer", "upgrade", "te", "cookie"}

func (s *Service) checkWay() error {
	switch s.Auth {
	case Basic:
		if s.User == "" || strings.ContainsFunc(s.User, func(c rune) bool { return c == ':' || c < ' ' }) {
			return errors.New("basic needs a user name without a colon: --username")
		}
	case Header, Query:
		if !fieldName.MatchString(s.Field) || s.Auth == Header && slices.Contains(notToSet, strings.ToLower(s.Field)) {
			return fmt.Errorf("%s needs the name of the %s that holds the secret: --field, such as --field X-Api-Key", s.Auth, map[string]string{Header: "header", Query: "parameter"}[s.Auth])
		}
	case OAuth2:
		return s.OAuth.check()
	}
	return nil
}

func (o *OAuth) check() error {
	switch {
	case o == nil || !slices.Contains(Grants(), o.Grant):
		return fmt.Errorf("the grant of oauth2 is one of %s", strings.Join(Grants(), ", "))
	case !isWeb(o.TokenURL):
		return errors.New("oauth2 needs the address where tokens are given out: --token-url, such as https://example.org/oauth/token")
	case o.DeviceURL != "" && !isWeb(o.DeviceURL):
		return errors.New("the address of codes for devices must be like https://example.org/oauth/device")
	case o.Grant == Code && !isWeb(o.AuthorizeURL) && (o.AuthorizeURL != "" || o.DeviceURL == ""):
		return errors.New("oauth2 needs the address of the consent page: --authorize-url, such as https://example.org/oauth/authorize")
	case o.RevokeURL != "" && !isWeb(o.RevokeURL):
		return errors.New("the address for revoking must be like https://example.org/oauth/revoke")
	case o.Send != "" && !slices.Contains(Sends(), o.Send):
		return fmt.Errorf("%q is no way to say who the app is: --send takes %s", o.Send, strings.Join(Sends(), ", "))
	case o.Subject != "" && o.Grant != JWTBearer:
		return fmt.Errorf("whom it acts for is for the grant %s", JWTBearer)
	}
	for _, params := range []map[string]string{o.Params, o.TokenParams} {
		for name := range params {
			if slices.Contains(ownParams, name) {
				return fmt.Errorf("the parameter %s is not to be given: zflow says it", name)
			}
		}
	}
	return nil
}

// ownParams are what OAuth itself is about.
var ownParams = []string{"grant_type", "response_type", "client_id", "client_secret", "redirect_uri", "state", "code", "code_verifier", "code_challenge",
	"code_challenge_method", "refresh_token", "device_code", "assertion", "client_assertion", "client_assertion_type"}

// isWeb takes https, and http to this machine or as far as the configuration of the
// workers allows it, which is looked at when it is called.
func isWeb(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.Fragment == ""
}

var hostName = regexp.MustCompile(`^(\*\.[a-z0-9_-]+\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*(:[0-9]{1,5})?$`)

func isHost(h string) bool {
	if hostName.MatchString(h) {
		return true
	}
	if _, err := netip.ParseAddrPort(h); err == nil {
		return true
	}
	_, err := netip.ParseAddr(h)
	return err == nil
}

// Within tells whether s sends the same secret nowhere that old does not send it: what
// is stored of a connection may be kept for it without being given again.
func (s *Service) Within(old *Service) bool {
	if old == nil || s.Auth != old.Auth || slices.ContainsFunc(s.Hosts, func(h string) bool { return !slices.Contains(old.Hosts, h) }) {
		return false
	}
	if s.Keyed() != old.Keyed() { // a key is signed with, a secret is sent
		return false
	}
	return s.OAuth == nil || old.OAuth != nil && s.OAuth.TokenURL == old.OAuth.TokenURL && s.OAuth.RevokeURL == old.OAuth.RevokeURL
}

// Signed is what a request is signed with.
type Signed struct {
	Token   string            // the secret itself
	Headers map[string]string // to send
	Query   map[string]string // to add to the address
}

// String hides what it is.
func (Signed) String() string { return "signature" }

// GoString is String.
func (s Signed) GoString() string { return s.String() }

// Sign makes of a secret what is sent.
func (s *Service) Sign(secret string) Signed {
	out := Signed{Token: secret}
	authorization := func(v string) { out.Headers = map[string]string{"Authorization": v} }
	switch s.Auth {
	case Bearer, OAuth2:
		authorization(cmp.Or(s.Prefix, "Bearer ") + secret)
	case Basic:
		authorization("Basic " + base64.StdEncoding.EncodeToString([]byte(s.User+":"+secret)))
	case Header:
		out.Headers = map[string]string{s.Field: s.Prefix + secret}
	case Query:
		out.Query = map[string]string{s.Field: secret}
	}
	return out
}
