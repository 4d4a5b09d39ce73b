package world

import (
	"time"
	"zflow/internal/zoomsim/rest"
)

// Seed puts meetings, registrants, participants and recordings into an account, in
// which something has just happened: who runs the example workflows finds there
// all they ask for. It returns the events that tell of it, one for each example,
// to be sent in this order.
func (w *World) Seed(account string) []rest.Happened {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	class := w.seedClass(now)
	events := []rest.Happened{
		w.compose(w.seedRegistration(now), account),
		w.compose(w.seedOneToOne(now), account),
		w.compose(Event{Type: "meeting.ended", Meeting: class.id}, account),
		w.compose(w.seedNoHost(now), account),
		w.compose(w.seedRecording(now), account),
	}
	class.past[0].refuse = 1
	return events
}

// plan schedules a meeting of the owner.
func (w *World) plan(topic string, start time.Time, minutes, approval int) *meeting {
	m := w.add(owner, map[string]any{
		"topic": topic, "type": 2, "duration": minutes, "timezone": "Europe/Berlin",
		"start_time": start.UTC().Format(time.RFC3339),
		"settings":   map[string]any{"approval_type": approval},
	}, start.Add(-72*time.Hour))
	setDefaults(m)
	return m
}

// seedRegistration: a guest has registered for an open evening.
func (w *World) seedRegistration(now time.Time) Event {
	m := w.plan("Open studio evening", now.Add(48*time.Hour), 90, 0)
	r, _ := m.register("tomas.brandt@guest.example", map[string]any{"first_name": "Tomas", "last_name": "Brandt"})
	return Event{Type: "meeting.registration_created", Meeting: m.id, Object: map[string]any{"registrant": r.view()}}
}

// seedOneToOne: two people have just had their weekly talk.
func (w *World) seedOneToOne(now time.Time) Event {
	m := w.plan("1:1 Noor and Lina", now.Add(-30*time.Minute), 30, 2)
	m.started = now.Add(-30 * time.Minute)
	return Event{Type: "meeting.ended", Meeting: m.id}
}

// seedClass: a class has just ended; Seed lets the list of who was there be
// refused once.
func (w *World) seedClass(now time.Time) *meeting {
	m := w.plan("Pottery class", now.Add(-time.Hour), 60, 2)
	m.started = now.Add(-time.Hour)
	return m
}

// seedNoHost: a guest waits for a host who does not come.
func (w *World) seedNoHost(now time.Time) Event {
	m := w.plan("Glaze consultation", now.Add(-20*time.Minute), 30, 2)
	return Event{Type: "meeting.participant_jbh_waiting", Meeting: m.id}
}

// seedRecording: the recording of a course is ready.
func (w *World) seedRecording(now time.Time) Event {
	m := w.plan("Wheel throwing basics", now.Add(-2*time.Hour), 60, 2)
	m.started = now.Add(-2 * time.Hour)
	w.end(m, now.Add(-time.Hour), 0)
	return Event{Type: "recording.completed", Meeting: m.id}
}
