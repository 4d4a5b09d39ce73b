package connections

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zflow/internal/connections/oauth"
	"zflow/internal/connections/service"
	"zflow/internal/zoomapi"
	"zflow/proto"
)

// How long a person may take to allow the app, and how long afterwards it is known
// why a call-back comes too late.
const (
	pendingTime = 10 * time.Minute
	pendingKept = time.Hour
	clocksApart = time.Minute // that two workers' clocks may be
)

// pending is an authorization that was begun; it is stored sealed.
type pending struct {
	Wanted
	Redirect string        `json:"redirect,omitempty"`
	Verifier string        `json:"verifier,omitempty"`
	Device   string        `json:"device,omitempty"`
	Interval time.Duration `json:"interval,omitempty"`
	Made     time.Time     `json:"made"`
	Ends     time.Time     `json:"ends"`
	Used     bool          `json:"used,omitempty"`
}

// Begun is how a person goes on with an authorization.
type Begun struct {
	State    string    `json:"state"`
	URL      string    `json:"url"`                 // to open in a browser
	UserCode string    `json:"user_code,omitempty"` // of a device: to type in there
	Complete string    `json:"complete,omitempty"`  // of a device: URL with the code in it
	Interval float64   `json:"interval,omitempty"`  // of a device: seconds between two polls
	Ends     time.Time `json:"ends"`
}

// Answer is what came back from Zoom's consent page.
type Answer struct {
	State       string `json:"state"`
	Code        string `json:"code,omitempty"`
	Error       string `json:"error,omitempty"`
	Description string `json:"error_description,omitempty"`
}

// String hides the code.
func (a Answer) String() string { return "answer" }

// GoString is String.
func (a Answer) GoString() string { return a.String() }

// Begin begins an authorization in a browser, which comes back to redirect.
func (s *Store) Begin(ctx context.Context, w Wanted, redirect string) (Begun, error) {
	if err := s.checkPerson(w); err != nil {
		return Begun{}, err
	}
	if w.Kind == KindHTTP && w.Service.OAuth.AuthorizeURL == "" {
		return Begun{}, errors.New("there is no address of a consent page (--authorize-url), only one for devices: --device")
	}
	p := pending{Wanted: w, Redirect: redirect, Verifier: oauth.Verifier(), Ends: time.Now().Add(pendingTime)}
	state, err := s.remember(ctx, p)
	if err != nil {
		return Begun{}, err
	}
	return Begun{State: state, URL: oauth.AuthorizeURL(w.app(), redirect, state, p.Verifier), Ends: p.Ends}, nil
}

// BeginDevice begins an authorization on another machine; Poll asks how it stands.
func (s *Store) BeginDevice(ctx context.Context, w Wanted) (Begun, error) {
	if err := s.checkPerson(w); err != nil {
		return Begun{}, err
	}
	if w.Kind == KindHTTP && w.Service.OAuth.DeviceURL == "" {
		return Begun{}, errors.New("no address is known where " + w.to() + " gives out codes for devices: --device-url, or connect without --device")
	}
	d, problem := s.oauth.StartDevice(ctx, w.app())
	if problem != nil {
		return Begun{}, denied(w, problem)
	}
	p := pending{Wanted: w, Device: d.Code, Interval: d.Interval, Ends: time.Now().Add(d.Life)}
	state, err := s.remember(ctx, p)
	if err != nil {
		return Begun{}, err
	}
	return Begun{State: state, URL: d.URL, Complete: d.Complete, UserCode: d.UserCode, Interval: d.Interval.Seconds(), Ends: p.Ends}, nil
}

func (s *Store) checkPerson(w Wanted) error {
	if w.Kind == zoomapi.KindServer {
		return errors.New("a server-to-server app needs nobody's consent")
	}
	if err := s.check(w); err != nil {
		return err
	}
	if w.Kind == KindHTTP && !w.Service.Is(service.Code) {
		return errors.New("what is not an authorization_code of oauth2 needs nobody's consent")
	}
	return nil
}

func pendingKey(state string) string { return "pending." + proto.Hash(state) }

// remember stores what was begun, under a new state.
func (s *Store) remember(ctx context.Context, p pending) (state string, err error) {
	state, p.Made = rand.Text(), time.Now()
	value, err := s.sealPending(state, p)
	if err != nil {
		return "", err
	}
	err = s.bucket.Durably(ctx, func() error {
		e, err := s.bucket.Get(ctx, pendingKey(state))
		if err != nil || e.Value != nil {
			return err // it is stored by the try before
		}
		return s.bucket.Swap(ctx, pendingKey(state), e, value, pendingKept)
	})
	if err != nil {
		return "", fmt.Errorf("connecting %s: %w", p.Name, err)
	}
	return state, nil
}

func (s *Store) sealPending(state string, p pending) ([]byte, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return s.keys.seal(pendingKey(state), 1, plain), nil
}

// begun finds what was begun under a state; use: nobody finds it again.
func (s *Store) begun(ctx context.Context, state string, use bool) (p pending, err error) {
	e, err := s.bucket.Get(ctx, pendingKey(state))
	if err != nil {
		return p, err
	}
	if e.Value == nil {
		return p, errors.New("this state is of no authorization that was begun here: the call-back's address was altered, or it is older than an hour: begin again with `zflow connect`")
	}
	_, plain, err := s.keys.open(pendingKey(state), e.Value)
	if err != nil {
		return p, fmt.Errorf("opening what was begun: %w", err)
	}
	if err := json.Unmarshal(plain, &p); err != nil {
		return p, fmt.Errorf("opening what was begun: %w", err)
	}
	if err := p.fresh(time.Now()); err != nil || !use {
		return p, err
	}
	done := p
	done.Used, done.Verifier, done.Device, done.Secret = true, "", "", ""
	value, err := s.sealPending(state, done)
	if err != nil {
		return p, err
	}
	return p, s.bucket.Swap(ctx, pendingKey(state), e, value, pendingKept)
}

// fresh tells whether it may still be finished.
func (p pending) fresh(now time.Time) error {
	switch {
	case p.Used:
		return fmt.Errorf("connecting %s: this authorization was used already: begin again for another", p.Name)
	case p.Made.After(now.Add(clocksApart)):
		return fmt.Errorf("connecting %s: it was begun %s in the future: the clocks of the workers differ: set them right, then begin again", p.Name, p.Made.Sub(now).Round(time.Second))
	case now.After(p.Ends):
		return fmt.Errorf("connecting %s: it was begun on %s, more than %s ago: begin again", p.Name, day(p.Made), p.Ends.Sub(p.Made).Round(time.Minute))
	}
	return nil
}

// Finish takes Zoom's answer from the call-back, once, and stores the grant.
func (s *Store) Finish(ctx context.Context, a Answer) (Record, error) {
	p, err := s.begun(ctx, a.State, true)
	if err != nil {
		return Record{}, err
	}
	switch {
	case p.Device != "":
		return Record{}, fmt.Errorf("connecting %s: it was begun for a device, which has no call-back", p.Name)
	case a.Error == "access_denied":
		return Record{}, denied(p.Wanted, &oauth.Problem{Why: oauth.Denied, Text: "access_denied"})
	case a.Error != "":
		return Record{}, denied(p.Wanted, &oauth.Problem{Why: oauth.Refused, Text: safe(a.Error + ": " + a.Description)})
	case a.Code == "":
		return Record{}, fmt.Errorf("connecting %s: the call-back has no code: begin again", p.Name)
	}
	g, problem := s.oauth.Exchange(ctx, p.app(), a.Code, p.Redirect, p.Verifier)
	if problem != nil {
		return Record{}, denied(p.Wanted, problem)
	}
	return s.accept(ctx, p.Wanted, g)
}

// safe is a text from a URL as it may be shown.
func safe(text string) string {
	return zoomapi.Problem{Message: text}.Text()
}

// ErrWaits says that a device's person has not answered yet.
var ErrWaits = errors.New("nobody has answered yet")

// Poll asks how an authorization on another machine stands: ErrWaits means to ask
// again after the time.
func (s *Store) Poll(ctx context.Context, state string) (r Record, again time.Duration, err error) {
	p, err := s.begun(ctx, state, false)
	if err != nil {
		return r, 0, err
	}
	if p.Device == "" {
		return r, 0, fmt.Errorf("connecting %s: it was not begun for a device", p.Name)
	}
	g, problem := s.oauth.OfDevice(ctx, p.app(), p.Device)
	switch {
	case problem != nil && problem.Why == oauth.SlowDown:
		return r, p.Interval + 5*time.Second, ErrWaits
	case problem != nil && (problem.Waits() || problem.Why == oauth.Unreachable):
		return r, p.Interval, ErrWaits
	case problem != nil:
		return r, 0, denied(p.Wanted, problem)
	}
	if _, err := s.begun(ctx, state, true); err != nil {
		return r, 0, err
	}
	r, err = s.accept(ctx, p.Wanted, g)
	return r, 0, err
}

// accept stores a grant that a person gave, if it is what was asked for.
func (s *Store) accept(ctx context.Context, w Wanted, g oauth.Grant) (Record, error) {
	if w.Kind == KindHTTP {
		return s.acceptService(ctx, w, g)
	}
	if err := skewed(g.Skew); err != nil {
		return Record{}, err
	}
	if err := suited(w, g); err != nil {
		return Record{}, err
	}
	of, err := s.whose(ctx, w, g)
	if err != nil {
		return Record{}, err
	}
	if of.Account == "" {
		of.Account = w.Account
	}
	if w.Account != "" && of.Account != w.Account {
		return Record{}, fmt.Errorf("connecting %s: the consent came from account %s, not from %s: log in at Zoom as somebody of that account; nothing was changed", w.Name, of.Account, w.Account)
	}
	r, err := s.save(ctx, w, of, g)
	if errors.Is(err, errFewer) {
		return s.refusedGrant(ctx, w, of, g, err)
	}
	return r, err
}

// suited refuses a grant that is not of the kind that was asked for.
func suited(w Wanted, g oauth.Grant) error {
	if len(g.Scopes) == 0 {
		return fmt.Errorf("connecting %s: Zoom granted no scopes: add scopes to the app, then connect again; nothing was changed", w.Name)
	}
	if w.Kind != zoomapi.KindAdmin {
		return nil
	}
	for _, scope := range g.Scopes {
		if level(scope) != "" {
			return nil
		}
	}
	return fmt.Errorf("connecting %s: Zoom granted no account-level scope (…:admin): the app is user-managed: connect it with --kind zoom, or use an admin-managed app; nothing was changed", w.Name)
}

// level is the part of a scope that says it is for an account, or for several.
func level(scope string) string {
	for _, l := range []string{":admin", ":master"} {
		if len(scope) > len(l) && scope[len(scope)-len(l):] == l {
			return l
		}
	}
	return ""
}
