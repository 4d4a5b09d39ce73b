package zoomsim

import (
	"cmp"
	"fmt"

	"zflow/internal/zoomsim/rest"
	"zflow/internal/zoomsim/world"
)

// What happens in the simulated accounts.
type (
	// Event is something to happen.
	Event = world.Event
	// Happened is an event that happened, as webhooks carry it.
	Happened = rest.Happened
	// Panelist speaks in a webinar.
	Panelist = world.Panelist
	// Limit is how many calls of a label an account may make.
	Limit = rest.Limit
)

// Happen makes an event happen: the meeting that it is about changes, and the
// subscribed URLs get it. meeting.started, meeting.ended and recording.completed
// change what the REST API answers.
func (s *Sim) Happen(e Event) (Happened, error) {
	a, found := s.oauth.App(e.App)
	if !found {
		return Happened{}, fmt.Errorf("making %s happen: %w", e.Type, noApp(e.App))
	}
	h, err := s.world.Happen(e, cmp.Or(e.Account, a.AccountID))
	if err == nil {
		s.deliver(h, max(e.Copies, 1))
	}
	return h, err
}

// Seed puts meetings, registrants, participants and recordings into the first
// app's account, in which something has just happened: who runs the example
// workflows finds there all they ask for. It returns the events that tell of it,
// one for each example, to be sent in this order. They are not delivered; Deliver
// does that, or the caller signs and posts them (Header).
func (s *Sim) Seed() []Happened {
	first, _ := s.oauth.App("")
	return s.world.Seed(first.AccountID)
}

// Deliver sends an event to those who subscribed to it.
func (s *Sim) Deliver(h Happened) { s.deliver(h, 1) }

// SetLimit changes the limit of a label.
func (s *Sim) SetLimit(label string, l Limit) { s.limits.Set(label, l) }

// SetPanelists makes these a webinar's panelists, as somebody does on Zoom's
// pages; there is no event that tells of it.
func (s *Sim) SetPanelists(webinar int64, all []Panelist) ([]Panelist, error) {
	return s.world.SetPanelists(webinar, all)
}
