package service

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// preset is what is known of a service.
type preset struct {
	Service        // with a token or key; Auth empty: there is none, only OAuth
	oauth   *OAuth // nil: it is not used
}

// presets are the services that need no addresses.
var presets = map[string]preset{
	"slack": {
		Service{Auth: Bearer, Hosts: []string{"slack.com", "files.slack.com"}, TestURL: "https://slack.com/api/auth.test"},
		&OAuth{AuthorizeURL: "https://slack.com/oauth/v2/authorize", TokenURL: "https://slack.com/api/oauth.v2.access", Separator: ",",
			Scopes: []string{"chat:write"}},
	},
	"github": {
		Service{Auth: Bearer, Hosts: []string{"api.github.com", "uploads.github.com"}, TestURL: "https://api.github.com/rate_limit"},
		&OAuth{AuthorizeURL: "https://github.com/login/oauth/authorize", TokenURL: "https://github.com/login/oauth/access_token", Send: "body",
			DeviceURL: "https://github.com/login/device/code", Scopes: []string{"repo"}},
	},
	"google": {
		Service{Hosts: []string{"*.googleapis.com"}},
		&OAuth{AuthorizeURL: "https://accounts.google.com/o/oauth2/v2/auth", TokenURL: "https://oauth2.googleapis.com/token",
			RevokeURL: "https://oauth2.googleapis.com/revoke", Send: "body", Params: map[string]string{"access_type": "offline", "prompt": "consent"},
			Scopes: []string{"https://www.googleapis.com/auth/spreadsheets"}},
	},
	"google_service_account": {
		Service{Hosts: []string{"*.googleapis.com"}},
		&OAuth{Grant: JWTBearer, TokenURL: "https://oauth2.googleapis.com/token", Scopes: []string{"https://www.googleapis.com/auth/spreadsheets"}},
	},
	"microsoft": {
		Service{Hosts: []string{"graph.microsoft.com"}, TestURL: "https://graph.microsoft.com/v1.0/me"},
		&OAuth{AuthorizeURL: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
			TokenURL: "https://login.microsoftonline.com/common/oauth2/v2.0/token", Send: "body", Scopes: []string{"offline_access", "User.Read"},
			DeviceURL: "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode"},
	},
	"hubspot": {
		Service{Auth: Bearer, Hosts: []string{"api.hubapi.com"}, TestURL: "https://api.hubapi.com/account-info/v3/details"},
		&OAuth{AuthorizeURL: "https://app.hubspot.com/oauth/authorize", TokenURL: "https://api.hubapi.com/oauth/v1/token", Send: "body",
			Scopes: []string{"oauth"}},
	},
	"notion": {
		Service{Auth: Bearer, Hosts: []string{"api.notion.com"}},
		&OAuth{AuthorizeURL: "https://api.notion.com/v1/oauth/authorize", TokenURL: "https://api.notion.com/v1/oauth/token",
			RevokeURL: "https://api.notion.com/v1/oauth/revoke", Send: SendJSON, NoPKCE: true, Params: map[string]string{"owner": "user"}},
	},
	"openai":   {Service: Service{Auth: Bearer, Hosts: []string{"api.openai.com"}, TestURL: "https://api.openai.com/v1/models"}},
	"airtable": {Service: Service{Auth: Bearer, Hosts: []string{"api.airtable.com"}, TestURL: "https://api.airtable.com/v0/meta/whoami"}},
	"discord": {Service: Service{Auth: Header, Field: "Authorization", Prefix: "Bot ", Hosts: []string{"discord.com"},
		TestURL: "https://discord.com/api/v10/users/@me"}},
	"telegram": {Service: Service{Auth: Token, Hosts: []string{"api.telegram.org"}}},
}

// Presets returns the names of the services that are known, sorted.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// presetOf is what is known of the service that s names, for the way that it asks for.
func presetOf(s Service) (Service, error) {
	p, known := presets[s.Preset]
	if !known {
		return s, fmt.Errorf("there is no preset %q: there are %s; without one give --host and --auth", s.Preset, strings.Join(Presets(), ", "))
	}
	base := p.Service
	base.Preset = s.Preset
	if s.Auth == OAuth2 || s.Auth == "" && (p.Auth == "" || s.OAuth != nil) {
		base.Auth, base.OAuth, base.Field, base.Prefix = OAuth2, p.oauth, "", ""
	}
	if base.Auth == OAuth2 && p.oauth == nil && s.OAuth == nil {
		return s, fmt.Errorf("the preset %s knows no OAuth 2: connect it with a token (--token-file), or give --authorize-url and --token-url", s.Preset)
	}
	return base, nil
}
