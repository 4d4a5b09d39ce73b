package oauth

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

// The rules of device codes.
const (
	deviceLife  = 15 * time.Minute
	deviceEvery = 5 * time.Second // how often a device may ask, and what each hurry adds
)

// device is a device code.
type device struct {
	app     *App
	user    string // the code that the user types
	from    *consented
	denied  bool
	expires time.Time
	every   time.Duration
	asked   time.Time
}

// Approval is what the user says to a device.
type Approval struct {
	UserCode string `json:"user_code"`
	Consent
}

// newDevice makes a device code; the caller says its app's name and no secret.
func (s *Server) newDevice(r *http.Request) Answer {
	a := s.appOf(r.Form.Get("client_id"))
	if r.Form.Get("client_id") == "" || a == nil || a.Kind == KindS2S || a.Disabled {
		return refuse(http.StatusBadRequest, 4702, "invalid_client", "Invalid client_id: "+r.Form.Get("client_id")+" (4,702)")
	}
	code, user := randomText(32), strings.ToUpper(strings.NewReplacer("-", "x", "_", "y").Replace(randomText(6)))
	s.devices[code] = &device{app: a, user: user, expires: time.Now().Add(deviceLife), every: deviceEvery}
	page := "http://" + r.Host + "/oauth_device"
	return Answer{Status: http.StatusOK, App: a.ClientID, Body: map[string]any{
		"device_code": code, "user_code": user, "verification_uri": page,
		"verification_uri_complete": page + "/complete/" + user,
		"expires_in":                int(deviceLife / time.Second), "interval": int(deviceEvery / time.Second),
	}}
}

// Approve says what the user types into Zoom's page for a device.
func (s *Server) Approve(p Approval) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		if d.user != p.UserCode || !time.Now().Before(d.expires) {
			continue
		}
		if d.denied = p.Deny; !p.Deny {
			d.from = s.consentTo(d.app, p.Consent)
		}
		return nil
	}
	return errors.New("approving a device: no device waits for the user code " + p.UserCode)
}

func (s *Server) byDevice(r *http.Request, a *App) Answer {
	text := r.Form.Get("device_code")
	d := s.devices[text]
	if d == nil || d.app != a {
		return refuse(http.StatusBadRequest, 4734, "invalid_grant", "Invalid device code.")
	}
	now := time.Now()
	hurry := !d.asked.IsZero() && now.Before(d.asked.Add(d.every))
	d.asked = now
	switch {
	case !now.Before(d.expires):
		delete(s.devices, text)
		return refuse(http.StatusBadRequest, 0, "expired_token", "The device code has expired.")
	case hurry:
		d.every += deviceEvery
		return refuse(http.StatusBadRequest, 0, "slow_down", "The device asks too often.")
	case d.denied:
		delete(s.devices, text)
		return refuse(http.StatusBadRequest, 0, "access_denied", "The user has denied the request.")
	case d.from == nil:
		return refuse(http.StatusBadRequest, 0, "authorization_pending", "The user has not approved the request yet.")
	}
	delete(s.devices, text)
	return s.tokenAnswer(r, access{app: a, scopes: d.from.scopes, from: d.from}, d.from)
}
