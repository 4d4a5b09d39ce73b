package zoomsim

import "time"

// Seed puts meetings, registrants, participants and recordings into the first
// app's account, in which something has just happened: who runs the example
// workflows finds there all they ask for. It returns the events that tell of it,
// one for each example, to be sent in this order. They are not delivered; Deliver
// does that, or the caller signs and posts them (Header).
func (s *Sim) Seed() []Happened {
	first, _ := s.oauth.App("")
	account := first.AccountID
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	class := s.seedClass(now)
	events := []Happened{
		s.compose(s.seedRegistration(now), account),
		s.compose(s.seedOneToOne(now), account),
		s.compose(Event{Type: "meeting.ended", Meeting: class.id}, account),
		s.compose(s.seedNoHost(now), account),
		s.compose(s.seedRecording(now), account),
	}
	class.past[0].refuse = 1
	return events
}

// Deliver sends an event to those who subscribed to it.
func (s *Sim) Deliver(h Happened) { s.deliver(h, 1) }

// plan schedules a meeting of the owner.
func (s *Sim) plan(topic string, start time.Time, minutes, approval int) *meeting {
	m := s.world.add(owner, map[string]any{
		"topic": topic, "type": 2, "duration": minutes, "timezone": "Europe/Berlin",
		"start_time": start.UTC().Format(time.RFC3339),
		"settings":   map[string]any{"approval_type": approval},
	}, start.Add(-72*time.Hour))
	setDefaults(m)
	return m
}

// seedRegistration: a guest has registered for an open evening.
func (s *Sim) seedRegistration(now time.Time) Event {
	m := s.plan("Open studio evening", now.Add(48*time.Hour), 90, 0)
	r, _ := m.register("tomas.brandt@guest.example", map[string]any{"first_name": "Tomas", "last_name": "Brandt"})
	return Event{Type: "meeting.registration_created", Meeting: m.id, Object: map[string]any{"registrant": r.view()}}
}

// seedOneToOne: two people have just had their weekly talk.
func (s *Sim) seedOneToOne(now time.Time) Event {
	m := s.plan("1:1 Noor and Lina", now.Add(-30*time.Minute), 30, 2)
	m.started = now.Add(-30 * time.Minute)
	return Event{Type: "meeting.ended", Meeting: m.id}
}

// seedClass: a class has just ended; Seed lets the list of who was there be
// refused once.
func (s *Sim) seedClass(now time.Time) *meeting {
	m := s.plan("Pottery class", now.Add(-time.Hour), 60, 2)
	m.started = now.Add(-time.Hour)
	return m
}

// seedNoHost: a guest waits for a host who does not come.
func (s *Sim) seedNoHost(now time.Time) Event {
	m := s.plan("Glaze consultation", now.Add(-20*time.Minute), 30, 2)
	return Event{Type: "meeting.participant_jbh_waiting", Meeting: m.id}
}

// seedRecording: the recording of a course is ready.
func (s *Sim) seedRecording(now time.Time) Event {
	m := s.plan("Wheel throwing basics", now.Add(-2*time.Hour), 60, 2)
	m.started = now.Add(-2 * time.Hour)
	s.world.end(m, now.Add(-time.Hour), 0)
	return Event{Type: "recording.completed", Meeting: m.id}
}
