package zoomsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"zflow/internal/zoomsim/rest"
)

// serveControl answers the simulator's own API.
func (s *Sim) serveControl(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	page := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/sim/v1/")
	for _, pages := range [...]map[string]controlPage{readPages, writePages} {
		if answerPage := pages[page]; answerPage != nil {
			answerPage(s, w, r)
			return
		}
	}
	rest.Write(w, rest.Answer{Status: http.StatusNotFound, Body: map[string]string{"error": "no such page: " + r.Method + " " + r.URL.Path}})
}

// controlPage answers one request of the simulator's own API.
type controlPage func(s *Sim, w http.ResponseWriter, r *http.Request)

var readPages = map[string]controlPage{
	"GET apps":          show(func(s *Sim, _ *http.Request) any { return s.Apps() }),
	"GET installed":     show(func(s *Sim, _ *http.Request) any { return s.Installed() }),
	"GET sockets":       show(func(s *Sim, _ *http.Request) any { return s.Sockets() }),
	"GET ledger":        show(func(s *Sim, r *http.Request) any { return append([]Entry{}, s.Ledger(filterOf(r))...) }),
	"GET subscriptions": show(func(s *Sim, _ *http.Request) any { return s.Subscriptions() }),
}

var writePages = map[string]controlPage{
	"PATCH apps":    take((*Sim).changeAppText),
	"POST consent":  take(func(s *Sim, _ *http.Request, c Consent) (any, error) { return c, s.SetConsent(c) }),
	"POST devices":  take(func(s *Sim, _ *http.Request, p Approval) (any, error) { return p, s.Approve(p) }),
	"POST removals": take((*Sim).removeText),
	"POST subscriptions": take(func(s *Sim, r *http.Request, want Subscription) (any, error) {
		return s.Subscribe(r.Context(), want)
	}),
	"POST faults":  take((*Sim).injectText),
	"POST sockets": take(func(s *Sim, _ *http.Request, f SocketFault) (any, error) { return f, s.BreakSocket(f) }),
	"POST chaos":   take(func(s *Sim, _ *http.Request, all []chaosText) (any, error) { return s.chaosText(all) }),
	"PUT panelists": take(func(s *Sim, _ *http.Request, in panelistsText) (any, error) {
		return s.SetPanelists(in.Webinar, in.Panelists)
	}),
	"POST events": take(func(s *Sim, _ *http.Request, e Event) (any, error) {
		h, err := s.Happen(e)
		return json.RawMessage(h.Body), err
	}),
	"POST limits": take(func(s *Sim, _ *http.Request, limits map[string]Limit) (any, error) {
		for label, l := range limits {
			s.SetLimit(label, l)
		}
		return limits, nil
	}),
	"DELETE subscriptions": func(s *Sim, w http.ResponseWriter, r *http.Request) {
		s.Unsubscribe(r.URL.Query().Get("id"))
		w.WriteHeader(http.StatusNoContent)
	},
}

func show(what func(*Sim, *http.Request) any) controlPage {
	return func(s *Sim, w http.ResponseWriter, r *http.Request) {
		rest.Write(w, rest.Answer{Status: http.StatusOK, Body: what(s, r)})
	}
}

func take[T any](do func(*Sim, *http.Request, T) (any, error)) controlPage {
	return func(s *Sim, w http.ResponseWriter, r *http.Request) {
		control(w, r, func(in T) (any, error) { return do(s, r, in) })
	}
}

// panelistsText says who speaks in a webinar.
type panelistsText struct {
	Webinar   int64      `json:"webinar"`
	Panelists []Panelist `json:"panelists"`
}

// changeAppText changes the fields of an app that are given.
func (s *Sim) changeAppText(_ *http.Request, fields map[string]any) (any, error) {
	return s.ChangeApp(rest.Text(fields["client_id"]), func(a *App) error {
		d := json.NewDecoder(bytes.NewReader(rest.Encode(fields)))
		d.DisallowUnknownFields()
		return d.Decode(a)
	})
}

func (s *Sim) removeText(_ *http.Request, r Removal) (any, error) {
	if _, found := s.oauth.App(r.App); !found {
		return nil, noApp(r.App)
	}
	return append([]Installed{}, s.Remove(r)...), nil
}

// control reads a request of the simulator's own API and answers what do returns.
func control[T any](w http.ResponseWriter, r *http.Request, do func(T) (any, error)) {
	var in T
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(&in)
	var out any
	if err == nil {
		out, err = do(in)
	}
	if err != nil {
		rest.Write(w, rest.Answer{Status: http.StatusBadRequest, Body: map[string]string{"error": err.Error()}})
		return
	}
	rest.Write(w, rest.Answer{Status: http.StatusOK, Body: out})
}

// faultText is a Fault whose delay is written as text: 2s.
type faultText struct {
	Fault
	Delay string `json:"delay"`
}

func (s *Sim) injectText(_ *http.Request, f faultText) (any, error) {
	if f.Delay != "" {
		d, err := time.ParseDuration(f.Delay)
		if err != nil {
			return nil, fmt.Errorf("reading the delay: %w", err)
		}
		f.Fault.Delay = d
	}
	s.Inject(f.Fault)
	return f, nil
}

func filterOf(r *http.Request) Filter {
	q := r.URL.Query()
	after, err := strconv.Atoi(q.Get("after"))
	if err != nil {
		after = 0
	}
	return Filter{Kind: q.Get("kind"), Operation: q.Get("operation"), Event: q.Get("event"), After: after}
}
