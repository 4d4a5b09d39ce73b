package zoomsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// serveControl answers the simulator's own API.
func (s *Sim) serveControl(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	switch r.Method + " " + r.URL.Path {
	case "GET /sim/v1/apps":
		writeAnswer(w, answer{status: http.StatusOK, body: s.Apps()})
	case "GET /sim/v1/ledger":
		writeAnswer(w, answer{status: http.StatusOK, body: append([]Entry{}, s.Ledger(filterOf(r))...)})
	case "GET /sim/v1/subscriptions":
		writeAnswer(w, answer{status: http.StatusOK, body: s.Subscriptions()})
	case "POST /sim/v1/subscriptions":
		control(w, r, func(want Subscription) (any, error) { return s.Subscribe(r.Context(), want) })
	case "DELETE /sim/v1/subscriptions":
		s.Unsubscribe(r.URL.Query().Get("id"))
		w.WriteHeader(http.StatusNoContent)
	case "POST /sim/v1/events":
		control(w, r, func(e Event) (any, error) {
			h, err := s.Happen(e)
			return json.RawMessage(h.Body), err
		})
	case "POST /sim/v1/faults":
		control(w, r, s.injectText)
	case "POST /sim/v1/limits":
		control(w, r, func(limits map[string]Limit) (any, error) {
			for label, l := range limits {
				s.SetLimit(label, l)
			}
			return limits, nil
		})
	default:
		writeAnswer(w, answer{status: http.StatusNotFound, body: map[string]string{"error": "no such page: " + r.Method + " " + r.URL.Path}})
	}
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
		writeAnswer(w, answer{status: http.StatusBadRequest, body: map[string]string{"error": err.Error()}})
		return
	}
	writeAnswer(w, answer{status: http.StatusOK, body: out})
}

// faultText is a Fault whose delay is written as text: 2s.
type faultText struct {
	Fault
	Delay string `json:"delay"`
}

func (s *Sim) injectText(f faultText) (any, error) {
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
