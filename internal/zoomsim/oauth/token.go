package oauth

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// refresh is a refresh token.
type refresh struct {
	from    *consented
	expires time.Time
	used    bool
}

// issue answers a token request of an app.
func (s *Server) issue(r *http.Request, a *App) Answer {
	switch grant := r.Form.Get("grant_type"); {
	case grant == "account_credentials" && a.Kind == KindS2S:
		return s.byAccount(r, a)
	case grant == "client_credentials" && a.Kind != KindS2S:
		scopes := requested(r, ownScopes)
		return s.tokenAnswer(r, access{app: a, scopes: scopes, own: true}, nil)
	case a.Kind == KindS2S:
	case grant == "authorization_code":
		return s.byCode(r, a)
	case grant == "refresh_token":
		return s.byRefresh(r, a)
	case grant == "device_code" || grant == "urn:ietf:params:oauth:grant-type:device_code":
		return s.byDevice(r, a)
	}
	return refuse(http.StatusBadRequest, 4705, "unsupported_grant_type", "unsupported grant type")
}

// requested returns those of the scopes that the request asks for, all if none.
func requested(r *http.Request, all []string) []string {
	var wanted []string
	for _, scope := range strings.Fields(r.Form.Get("scope")) {
		if slices.Contains(all, scope) {
			wanted = append(wanted, scope)
		}
	}
	if len(wanted) == 0 {
		return all
	}
	return wanted
}

func (s *Server) byAccount(r *http.Request, a *App) Answer {
	if r.Form.Get("account_id") != a.AccountID {
		return refuse(http.StatusBadRequest, 0, "invalid_request", "Bad Request")
	}
	scopes := slices.Concat(s.scopesOf(a), ownScopes)
	slices.Sort(scopes)
	return s.tokenAnswer(r, access{app: a, scopes: slices.Compact(scopes)}, nil)
}

// byCode trades a code for tokens. Whatever comes of it, the code is used up.
func (s *Server) byCode(r *http.Request, a *App) Answer {
	text := r.Form.Get("code")
	if text == "" {
		return refuse(http.StatusBadRequest, 4706, "invalid_request", "The code is missing.")
	}
	c := s.codes[text]
	if c == nil || c.from.app != a {
		return refuse(http.StatusBadRequest, 4734, "invalid_grant", "Invalid authorization code.")
	}
	delete(s.codes, text)
	switch {
	case c.from.ended != 0:
		return refuse(http.StatusBadRequest, 4734, "invalid_grant", "Invalid authorization code.")
	case !time.Now().Before(c.expires):
		return refuse(http.StatusBadRequest, 4733, "invalid_grant", "The authorization code has expired.")
	case r.Form.Get("redirect_uri") != c.redirect:
		return refuse(http.StatusBadRequest, 4709, "invalid_grant", "Redirect URI mismatch.")
	case c.challenge != "" && !verifies(c.challenge, r.Form.Get("code_verifier")):
		return refuse(http.StatusBadRequest, 0, "invalid_grant", "The code_verifier does not match the code_challenge.")
	case a.Public && c.challenge == "":
		return refuse(http.StatusBadRequest, 4702, "invalid_client", "Invalid client_id or client_secret")
	}
	return s.tokenAnswer(r, access{app: a, scopes: c.from.scopes, from: c.from}, c.from)
}

// byRefresh trades a refresh token for the next.
func (s *Server) byRefresh(r *http.Request, a *App) Answer {
	text := r.Form.Get("refresh_token")
	if text == "" {
		return refuse(http.StatusBadRequest, 4706, "invalid_request", "The refresh_token is missing.")
	}
	t := s.refresh[text]
	switch {
	case t == nil || t.from.app != a || !time.Now().Before(t.expires):
		delete(s.refresh, text)
		return refuse(http.StatusBadRequest, 4737, "invalid_grant", "Invalid Token!")
	case t.from.ended != 0:
		return refuse(http.StatusBadRequest, t.from.ended, "invalid_grant", cmp.Or(endings[t.from.ended], "Invalid Token!"))
	case t.used:
		return refuse(http.StatusBadRequest, 4740, "invalid_grant", "The reuse tolerance of the refresh token is exceeded.")
	}
	t.used = true
	return s.tokenAnswer(r, access{app: a, scopes: t.from.scopes, from: t.from}, t.from)
}

// endings say why a refresh token whose consent has ended is refused.
var endings = map[int]string{
	4735: "The owner of the token does not exist any more.",
	4737: "Invalid Token!",
	4738: "The app has been disabled by an administrator.",
	4741: "The token has been revoked by a newer authorization.",
}

// tokenAnswer makes an access token and, for a consent, a refresh token.
func (s *Server) tokenAnswer(r *http.Request, t access, c *consented) Answer {
	seconds := int(s.o.TokenLife / time.Second)
	api := s.o.APIURL
	if api == "" {
		api = "http://" + r.Host
	}
	body := map[string]any{
		"token_type": "bearer", "expires_in": seconds, "scope": strings.Join(t.scopes, " "), "api_url": api,
		"access_token": s.newAccess(t),
	}
	if c != nil {
		body["expires_in"] = seconds - 1
		body["refresh_token"] = s.newRefresh(c)
	}
	return Answer{Status: http.StatusOK, Body: body}
}

// newRefresh makes a refresh token; those that have expired are forgotten.
func (s *Server) newRefresh(c *consented) string {
	if len(s.refresh) >= s.tidy {
		maps.DeleteFunc(s.refresh, func(_ string, old *refresh) bool { return !time.Now().Before(old.expires) })
		s.tidy = 2*len(s.refresh) + 64
	}
	text := "simrefresh." + randomText(32)
	s.refresh[text] = &refresh{from: c, expires: time.Now().Add(s.o.RefreshLife)}
	return text
}

// revoke ends the consent of a token at the app's wish. Of a token without one,
// only the token.
func (s *Server) revoke(r *http.Request, a *App) Answer {
	text := r.Form.Get("token")
	var from *consented
	switch t, f := s.access[text], s.refresh[text]; {
	case t != nil && t.app == a:
		from = t.from
		delete(s.access, text)
	case f != nil && f.from.app == a:
		from = f.from
	default:
		return refuse(http.StatusBadRequest, 4737, "invalid_request", "Invalid Token!")
	}
	if from != nil {
		s.end(4737, func(c *consented) bool { return c == from })
	}
	return Answer{Status: http.StatusOK, Body: map[string]string{"status": "success"}}
}
