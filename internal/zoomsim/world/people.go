package world

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"zflow/internal/zoomcatalog"
	"zflow/internal/zoomsim/rest"
)

// The app's owner, who is host where nobody else is named.
const (
	owner      = zoomcatalog.SampleHost
	ownerEmail = zoomcatalog.SampleHostEmail
)

const registrationLimit = "You have exceeded the daily rate limit (3) of Add meeting registrant API request for the registrant. Try again later."

func (w *World) addRegistrant(c *rest.Call) rest.Answer {
	m := w.due(c)
	if m == nil {
		return noSuch(c)
	}
	var bad []rest.FieldError
	for _, key := range [...]string{"email", "first_name"} {
		if v := rest.Text(c.Body[key]); v == "" || (key == "email" && !strings.Contains(v, "@")) {
			bad = append(bad, rest.FieldError{Field: key, Message: "Invalid field."})
		}
	}
	if len(bad) > 0 {
		return rest.Invalid(bad...)
	}
	if !m.registers() {
		return rest.Error(http.StatusBadRequest, 300, "Registration has not been enabled for this meeting: %s.", c.ID)
	}
	email := strings.ToLower(rest.Text(c.Body["email"]))
	if refused := w.o.Limits.Daily("registrant/"+m.number()+"/"+email, 3, c.Now, registrationLimit); refused != nil {
		return *refused
	}
	r, added := m.register(email, c.Body)
	if added {
		w.tell(c, Event{Type: "meeting.registration_created", Meeting: m.id, Object: map[string]any{"registrant": r.view()}})
	}
	return rest.Answer{Status: http.StatusCreated, Body: r.receipt(m)}
}

// register adds a person, or finds the one who has this address.
func (m *meeting) register(email string, body map[string]any) (r *registrant, added bool) {
	for _, r := range m.registrants {
		if r.Email == email {
			return r, false
		}
	}
	r = &registrant{ID: rest.Random(12), Email: email, First: rest.Text(body["first_name"]), Last: rest.Text(body["last_name"]), Status: "approved"}
	if m.approval() == "1" && body["auto_approve"] != true {
		r.Status = "pending"
	} else {
		r.JoinURL = site + "/w/" + m.number() + "?tk=" + rest.Random(16)
	}
	m.registrants = append(m.registrants, r)
	return r, true
}

// view is a registrant as an event shows it; one who waits for approval has no
// join_url.
func (r *registrant) view() map[string]any {
	v := map[string]any{"id": r.ID, "first_name": r.First, "last_name": r.Last, "email": r.Email, "status": r.Status}
	if r.JoinURL != "" {
		v["join_url"] = r.JoinURL
	}
	return v
}

func (r *registrant) receipt(m *meeting) map[string]any {
	v := map[string]any{"id": m.id, "registrant_id": r.ID, "topic": m.fields["topic"]}
	if start, ok := m.fields["start_time"]; ok {
		v["start_time"] = start
	}
	if r.JoinURL != "" {
		v["join_url"] = r.JoinURL
	}
	return v
}

func (w *World) listParticipants(c *rest.Call) rest.Answer {
	_, o := w.pastOf(c)
	if o == nil {
		return NoMeeting(c.ID)
	}
	if o.refuse > 0 || c.Now.Before(o.reportAt) {
		o.refuse = max(o.refuse-1, 0)
		return rest.Error(http.StatusNotFound, 3001, "This meeting's detail info is not available or not found.")
	}
	all := make([]any, len(o.people))
	for i, p := range o.people {
		all[i] = p.view(i, o.started)
	}
	return w.o.Pages.Answer(c, "participants", all)
}

func (p Person) view(i int, start time.Time) map[string]any {
	id := ""
	if p.Email != "" {
		id = "usr" + strings.ReplaceAll(p.Name, " ", "")
	}
	return map[string]any{
		"id": id, "user_id": strconv.Itoa(16_778_240 + i*1024), "name": p.Name, "user_email": p.Email,
		"registrant_id": "", "join_time": start.UTC().Format(time.RFC3339),
		"leave_time": start.Add(time.Duration(p.Minutes) * time.Minute).UTC().Format(time.RFC3339),
		"duration":   p.Minutes * 60, "failover": false, "status": "in_meeting", "internal_user": p.Email == ownerEmail,
	}
}

// pastOf returns the past meeting that a call names; with Imagine it makes one
// up that it has not heard of.
func (w *World) pastOf(c *rest.Call) (*meeting, *occurrence) {
	m, o := w.findPast(c.ID)
	if o != nil || !w.o.Imagine || w.find(c.ID) != nil {
		return m, o
	}
	m = w.imagine(c.ID, c.Now)
	o = w.end(m, c.Now, 0)
	o.recordedAt = c.Now
	return m, o
}

// imagine makes up a meeting with this number or UUID.
func (w *World) imagine(id string, now time.Time) *meeting {
	m := &meeting{host: owner, fields: map[string]any{"topic": "A meeting from elsewhere"}, created: now}
	if n, err := strconv.ParseInt(id, 10, 64); err == nil {
		m.id = n
	} else {
		m.id, m.uuid = w.newMeetingID(), id
	}
	setDefaults(m)
	w.insert(m)
	return m
}
