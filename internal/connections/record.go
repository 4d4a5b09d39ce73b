package connections

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"zflow/internal/connections/oauth"
	"zflow/internal/connections/service"
	"zflow/internal/zoomapi"
)

// States of a connection.
const (
	Connected      = "connected"
	Expiring       = "expiring"        // connected, but its grant ends soon unless it is used
	NeedsReconnect = "needs_reconnect" // Zoom gives it no token any more
	Revoked        = "revoked"
)

// How long a refresh token lives that nobody uses, by what Zoom says today, and
// how much before that its connection is expiring.
const (
	refreshLife  = 90 * 24 * time.Hour
	expiringTime = 14 * 24 * time.Hour
)

// Addresses are where a connection's calls go.
type Addresses struct {
	OAuth  string `json:"oauth_url,omitempty"` // empty: Zoom's
	API    string `json:"api_url,omitempty"`   // empty: to the region
	Region string `json:"region_url,omitempty"`
}

// Times are when things happened to a connection.
type Times struct {
	Connected time.Time `json:"connected_at,omitzero"`
	Refreshed time.Time `json:"refreshed_at,omitzero"`
	Expires   time.Time `json:"token_expires_at,omitzero"`
	Ended     time.Time `json:"ended_at,omitzero"` // when the state became needs_reconnect or revoked
	// RefreshEnds is when the grant ends unless it is renewed, where that was said.
	RefreshEnds time.Time `json:"refresh_ends_at,omitzero"`
	// Refreshing is when a refresh began whose answer is not stored yet.
	Refreshing time.Time `json:"refreshing_since,omitzero"`
}

// Record is a connection as all may see it; the grant in it is sealed.
type Record struct {
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`
	State    string   `json:"state"`
	Account  string   `json:"account_id,omitempty"`
	User     string   `json:"user_id,omitempty"`
	ClientID string   `json:"client_id"`
	Scopes   []string `json:"scopes,omitempty"`
	Addresses
	Times
	Error      string `json:"error,omitempty"`      // why it is not connected, or what went wrong last
	Mendable   bool   `json:"mendable,omitempty"`   // it may work again once the app is mended at Zoom
	Configured bool   `json:"configured,omitempty"` // it stands in the configuration
	Grant      []byte `json:"grant,omitempty"`
	// Service is what a connection of kind http is for.
	Service *service.Service `json:"service,omitempty"`
}

// secretPart is what a record's grant holds.
type secretPart struct {
	Secret  string    `json:"secret,omitempty"` // of the app
	Refresh string    `json:"refresh,omitempty"`
	Access  string    `json:"access,omitempty"`
	Made    time.Time `json:"made,omitzero"`
	Until   time.Time `json:"until,omitzero"`
}

var plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// CheckName refuses what cannot be a connection's name.
func CheckName(name string) error {
	if !plainName.MatchString(name) {
		return fmt.Errorf("the name %q: a connection's has up to 64 lower-case letters, digits, - and _", name)
	}
	return nil
}

// KindHTTP is the kind of connections to other services than Zoom.
const KindHTTP = "http"

// Kinds are those of connections to Zoom.
func Kinds() []string {
	return []string{zoomapi.KindUser, zoomapi.KindAdmin, zoomapi.KindServer}
}

// Server tells that the connection is that of a server-to-server app.
func (r *Record) Server() bool { return r.Kind == zoomapi.KindServer }

// anew tells that a token of it can be had at any time: it is not kept in the grant.
func (r *Record) anew() bool { return r.Server() || r.Service.Anew() }

// lent tells that somebody lent it a grant, which has its own life.
func (r *Record) lent() bool {
	return !r.Server() && (r.Kind != KindHTTP || r.Service.Is(service.Code))
}

// to is what messages call the other side.
func (r *Record) to() string {
	if r.Kind != KindHTTP {
		return "Zoom"
	}
	return r.Service.Name()
}

// again is the command that connects it anew.
func (r *Record) again() string {
	if r.Kind != KindHTTP {
		return "zflow connect zoom " + r.Name
	}
	return "zflow connect http " + r.Name
}

// stopped is why the connection gives no token, or nil.
func (r *Record) stopped() *zoomapi.Error {
	how := "connect it again with `" + r.again() + "`, then `zflow runs retry` goes on"
	switch {
	case r.State == Revoked:
		return refused("it was revoked on %s (%s): %s", day(r.Ended), r.Error, how)
	case r.State == NeedsReconnect && !r.Mendable:
		return refused("it needs to be connected again since %s (%s): %s", day(r.Ended), r.Error, how)
	}
	return nil
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

// Public is the record without its grant, as of a moment.
func (r Record) Public(now time.Time) Record {
	r.Grant = nil
	if r.State != Connected || !r.lent() || r.Refreshed.IsZero() {
		return r
	}
	end, early := r.end(), expiringTime
	if !r.RefreshEnds.IsZero() {
		early = min(early, end.Sub(r.Refreshed)/4) // one that is renewed by itself until then
	}
	if !end.IsZero() && now.After(end.Add(-early)) {
		r.State = Expiring
	}
	return r
}

// end is when its grant ends, unless it is used or connected again; zero where that is
// not known, as of other services' that renew and do not say it.
func (r *Record) end() time.Time {
	switch {
	case !r.RefreshEnds.IsZero():
		return r.RefreshEnds
	case r.Kind != KindHTTP:
		return r.Refreshed.Add(refreshLife)
	case r.Service.OAuth.NoRefresh:
		return r.Expires
	}
	return time.Time{}
}

// taken takes over what Zoom gave.
func (r *Record) taken(g oauth.Grant) {
	r.State, r.Error, r.Mendable = Connected, "", false
	r.Scopes, r.Region = g.Scopes, g.API
	r.Refreshed, r.Expires = g.Asked.UTC(), g.Asked.Add(g.Life).UTC()
	if g.Life == 0 {
		r.Expires = time.Time{}
	}
	r.Ended, r.Refreshing, r.RefreshEnds = time.Time{}, time.Time{}, time.Time{}
	if g.RefreshLife > 0 {
		r.RefreshEnds = g.Asked.Add(g.RefreshLife).UTC()
	}
}

// taken takes over what Zoom gave.
func (p *secretPart) taken(g oauth.Grant) {
	p.Refresh, p.Access, p.Made, p.Until = g.Refresh, g.Access, g.Asked, until(g)
}

// until is when a token is not used any more, some time before it ends; one that has
// no end is used for ever.
func until(g oauth.Grant) time.Time {
	if g.Life == 0 {
		return g.Asked.AddDate(100, 0, 0)
	}
	return g.Asked.Add(g.Life - min(g.Life/12, 5*time.Minute))
}

func connectionKey(name string) string { return "connection." + name }

// nameOfKey is the inverse of connectionKey.
func nameOfKey(key string) string { return strings.TrimPrefix(key, "connection.") }

func readRecord(raw []byte) (*Record, error) {
	r := &Record{}
	if err := json.Unmarshal(raw, r); err != nil {
		return nil, fmt.Errorf("reading a connection's record: %w", err)
	}
	return r, nil
}

// write seals the grant into the record, as number past the one it had.
func (s *Store) write(r *Record, p secretPart) ([]byte, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	r.Grant = s.keys.seal(r.Name, numberOf(r.Grant)+1, plain)
	return json.Marshal(r)
}

// reveal opens a record's grant.
func (s *Store) reveal(r *Record) (secretPart, error) {
	var p secretPart
	_, plain, err := s.keys.open(r.Name, r.Grant)
	if err != nil {
		return p, unreachable("its grant cannot be opened: %s", err)
	}
	if json.Unmarshal(plain, &p) != nil {
		return p, unreachable("its grant is not one of this version")
	}
	return p, nil
}

// Missing returns which of the scopes are not among those granted; one of a
// higher level does for a lower one.
func Missing(granted, needed []string) []string {
	var missing []string
	for _, n := range needed {
		if !slices.Contains(granted, n) && !slices.Contains(granted, n+":admin") && !slices.Contains(granted, n+":master") &&
			!slices.Contains(granted, strings.TrimSuffix(n, ":admin")+":master") {
			missing = append(missing, n)
		}
	}
	return missing
}
