package zoomsim

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"
)

const createsPerDay = 100

const createLimit = "You have exceeded the daily rate limit of (100) for Meeting Create/Update API requests permitted for this user. Try again later."

func (s *Sim) createMeeting(c *call) answer {
	host, refused := s.user(c)
	if refused != nil {
		return *refused
	}
	if bad := checkMeeting(c.body); len(bad) > 0 {
		return invalid(bad...)
	}
	if refused := s.spendDaily("host/"+host, createsPerDay, c.now, createLimit); refused != nil {
		return *refused
	}
	m := s.world.add(host, known(c.body), c.now)
	setDefaults(m)
	c.told = append(c.told, Event{Type: "meeting.created", Meeting: m.id})
	return answer{status: http.StatusCreated, body: m.view(c.now)}
}

func (s *Sim) getMeeting(c *call) answer {
	m := s.world.find(c.id)
	if m == nil || m.gone() {
		return noMeeting(c.id)
	}
	return answer{status: http.StatusOK, body: m.view(c.now)}
}

func (s *Sim) updateMeeting(c *call) answer {
	m := s.world.find(c.id)
	if m == nil || m.gone() {
		return noMeeting(c.id)
	}
	if bad := checkMeeting(c.body); len(bad) > 0 {
		return invalid(bad...)
	}
	if refused := s.spendDaily("host/"+m.host, createsPerDay, c.now, createLimit); refused != nil {
		return *refused
	}
	changed := known(c.body)
	overlay(m.fields, changed)
	c.told = append(c.told, Event{Type: "meeting.updated", Meeting: m.id, Object: changed})
	return answer{status: http.StatusNoContent}
}

func (s *Sim) deleteMeeting(c *call) answer {
	m := s.world.find(c.id)
	if m == nil || m.gone() {
		return noMeeting(c.id)
	}
	if !m.started.IsZero() {
		return zoomError(http.StatusBadRequest, 3002, "Sorry, you cannot delete this meeting since it's in progress.")
	}
	c.told = append(c.told, Event{Type: "meeting.deleted", Meeting: m.id, Object: m.subject()})
	s.world.drop(m)
	return answer{status: http.StatusNoContent}
}

func (s *Sim) listMeetings(c *call) answer {
	host, refused := s.user(c)
	if refused != nil {
		return *refused
	}
	var found []any
	for _, id := range s.world.order {
		m := s.world.meetings[id]
		if m != nil && m.host == host && !m.gone() && m.listed(c.query.Get("type"), c.now) && m.between(c.query.Get("from"), c.query.Get("to")) {
			found = append(found, m.line())
		}
	}
	return s.paged(c, "meetings", found)
}

// listed tells whether a list of this type has the meeting.
func (m *meeting) listed(kind string, now time.Time) bool {
	switch kind {
	case "live":
		return !m.started.IsZero()
	case "upcoming", "upcoming_meetings":
		start, err := time.Parse(time.RFC3339, text(m.fields["start_time"]))
		return err == nil && start.After(now)
	case "previous_meetings":
		return len(m.past) > 0
	}
	return text(m.fields["type"]) != "1" // instant ones are not scheduled
}

// between tells whether the meeting starts in a range of days; ends may be open.
func (m *meeting) between(from, to string) bool {
	start := text(m.fields["start_time"])
	if start == "" || (from == "" && to == "") {
		return true
	}
	day := start[:min(len(start), len(time.DateOnly))]
	return (from == "" || day >= from) && (to == "" || day <= to)
}

// user returns the id of the user in the path. With a user's app me is that user
// and nobody else may be named; with an account's app me is the app's owner.
func (s *Sim) user(c *call) (string, *answer) {
	id, self := c.id, cmp.Or(c.by.User, owner)
	switch {
	case id == "me" && s.o.NoMe && c.by.App.Kind == KindS2S:
		return "", noUser(id)
	case id == "me" || id == self:
		return self, nil
	case id == ownerEmail:
		id = owner
	}
	if c.by.App.Kind == KindUser && id != self {
		a := lacksScope(c.op)
		return "", &a
	}
	if id == owner || len(s.o.Users) == 0 || slices.Contains(s.o.Users, id) {
		return id, nil
	}
	return "", noUser(id)
}

func noUser(id string) *answer {
	a := zoomError(http.StatusNotFound, 1001, "User does not exist: %s.", id)
	return &a
}

// view is a meeting as its host sees it.
func (m *meeting) view(now time.Time) map[string]any {
	v := m.line()
	for key, value := range m.fields {
		v[key] = value
	}
	v["host_email"] = ownerEmail
	if m.host != owner {
		v["host_email"] = m.host
	}
	v["status"] = "waiting"
	if !m.started.IsZero() {
		v["status"] = "started"
	}
	v["start_url"] = site + "/s/" + m.number() + "?zak=" + randomText(48)
	v["created_at"] = m.created.UTC().Format(time.RFC3339)
	if m.registers() {
		v["registration_url"] = site + "/meeting/register/" + m.number()
	}
	if start, ok := m.fields["start_time"]; !ok || start == "" {
		v["start_time"] = now.UTC().Format(time.RFC3339)
	}
	return v
}

// line is a meeting as lists show it.
func (m *meeting) line() map[string]any {
	v := m.subject()
	v["created_at"] = m.created.UTC().Format(time.RFC3339)
	v["join_url"] = m.joinURL()
	return v
}

// subject is a meeting as events and lists show it.
func (m *meeting) subject() map[string]any {
	v := map[string]any{"id": m.id, "uuid": m.uuid, "host_id": m.host}
	for _, key := range [...]string{"topic", "type", "start_time", "duration", "timezone"} {
		if value, ok := m.fields[key]; ok {
			v[key] = value
		}
	}
	return v
}

func (m *meeting) number() string { return strconv.FormatInt(m.id, 10) }

func (m *meeting) joinURL() string {
	url := site + "/j/" + m.number()
	if password, ok := m.fields["password"]; ok {
		url += "?pwd=" + text(password)
	}
	return url
}

// registers tells whether people register for the meeting.
func (m *meeting) registers() bool {
	approval := m.approval()
	return approval == "0" || approval == "1"
}

func (m *meeting) approval() string {
	settings, ok := m.fields["settings"].(map[string]any)
	if !ok {
		return "2"
	}
	return text(settings["approval_type"])
}
