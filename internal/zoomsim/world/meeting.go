package world

import (
	"cmp"
	"net/http"
	"strconv"
	"time"
	"zflow/internal/zoomsim/oauth"
	"zflow/internal/zoomsim/rest"
)

const createsPerDay = 100

const createLimit = "You have exceeded the daily rate limit of (100) for Meeting Create/Update API requests permitted for this user. Try again later."

func (w *World) createMeeting(c *rest.Call) rest.Answer {
	host, refused := w.user(c)
	if refused != nil {
		return *refused
	}
	if bad := checkMeeting(c.Body, onWebinar(c)); len(bad) > 0 {
		return rest.Invalid(bad...)
	}
	if refused := w.o.Limits.Daily("host/"+host, createsPerDay, c.Now, createLimit); refused != nil {
		return *refused
	}
	m := w.addKind(onWebinar(c), host, known(c.Body), c.Now)
	setDefaults(m)
	w.tell(c, Event{Type: m.word() + ".created", Meeting: m.id})
	return rest.Answer{Status: http.StatusCreated, Body: m.view(c.Now)}
}

func (w *World) getMeeting(c *rest.Call) rest.Answer {
	m := w.due(c)
	if m == nil {
		return noSuch(c)
	}
	return rest.Answer{Status: http.StatusOK, Body: m.view(c.Now)}
}

func (w *World) updateMeeting(c *rest.Call) rest.Answer {
	m := w.due(c)
	if m == nil {
		return noSuch(c)
	}
	if bad := checkMeeting(c.Body, onWebinar(c)); len(bad) > 0 {
		return rest.Invalid(bad...)
	}
	if refused := w.o.Limits.Daily("host/"+m.host, createsPerDay, c.Now, createLimit); refused != nil {
		return *refused
	}
	changed := known(c.Body)
	rest.Overlay(m.fields, changed)
	w.tell(c, Event{Type: m.word() + ".updated", Meeting: m.id, Object: changed})
	return rest.Answer{Status: http.StatusNoContent}
}

func (w *World) deleteMeeting(c *rest.Call) rest.Answer {
	m := w.due(c)
	if m == nil {
		return noSuch(c)
	}
	if !m.started.IsZero() {
		return rest.Error(http.StatusBadRequest, 3002, "Sorry, you cannot delete this meeting since it's in progress.")
	}
	w.tell(c, Event{Type: m.word() + ".deleted", Meeting: m.id, Object: m.subject()})
	w.drop(m)
	return rest.Answer{Status: http.StatusNoContent}
}

func (w *World) listMeetings(c *rest.Call) rest.Answer {
	host, refused := w.user(c)
	if refused != nil {
		return *refused
	}
	kind, from, to := c.Query.Get("type"), c.Query.Get("from"), c.Query.Get("to")
	if kind == "previous_meetings" {
		return w.o.Pages.Answer(c, "meetings", w.previous(host, from, to))
	}
	var found []any
	for _, id := range w.order {
		m := w.meetings[id]
		if m != nil && m.host == host && m.webinar == onWebinar(c) && !m.gone() && m.listed(kind, c.Now) && between(rest.Text(m.fields["start_time"]), from, to) {
			found = append(found, m.line())
		}
	}
	if onWebinar(c) {
		return w.o.Pages.Answer(c, "webinars", found)
	}
	return w.o.Pages.Answer(c, "meetings", found)
}

// listed tells whether a list of this type has the meeting.
func (m *meeting) listed(kind string, now time.Time) bool {
	switch kind {
	case "live":
		return !m.started.IsZero()
	case "upcoming", "upcoming_meetings":
		start, err := time.Parse(time.RFC3339, rest.Text(m.fields["start_time"]))
		return err == nil && start.After(now)
	}
	return rest.Text(m.fields["type"]) != "1" // instant ones are not scheduled
}

// between tells whether a time is in a range of days; ends may be open.
func between(start, from, to string) bool {
	if start == "" || (from == "" && to == "") {
		return true
	}
	day := start[:min(len(start), len(time.DateOnly))]
	return (from == "" || day >= from) && (to == "" || day <= to)
}

// user returns the id of the user in the path. With a user's app me is that user
// and nobody else may be named; with an account's app me is the app's owner.
func (w *World) user(c *rest.Call) (string, *rest.Answer) {
	id, self := c.ID, cmp.Or(c.By.User, owner)
	switch {
	case id == "me" && w.o.NoMe && c.By.App.Kind == oauth.KindS2S:
		return "", noUser(id)
	case id == "me" || id == self:
		return self, nil
	}
	if u := w.findUser(id); u != nil {
		id = u.id
	}
	if c.By.App.Kind == oauth.KindUser && id != self {
		a := rest.LacksScope(c.Op)
		return "", &a
	}
	if len(w.o.Users) == 0 || w.findUser(id) != nil {
		return id, nil
	}
	return "", noUser(id)
}

func noUser(id string) *rest.Answer {
	a := rest.Error(http.StatusNotFound, 1001, "User does not exist: %s.", id)
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
	v["start_url"] = site + "/s/" + m.number() + "?zak=" + rest.Random(48)
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

// word is what events and answers call it.
func (m *meeting) word() string {
	if m.webinar {
		return "webinar"
	}
	return "meeting"
}

func (m *meeting) number() string { return strconv.FormatInt(m.id, 10) }

func (m *meeting) joinURL() string {
	url := site + "/j/" + m.number()
	if password, ok := m.fields["password"]; ok {
		url += "?pwd=" + rest.Text(password)
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
	return rest.Text(settings["approval_type"])
}

func noSuch(c *rest.Call) rest.Answer {
	if onWebinar(c) {
		return rest.Error(http.StatusNotFound, 3001, "Webinar does not exist: %s.", c.ID)
	}
	return NoMeeting(c.ID)
}

// NoMeeting refuses a call for a meeting that is not there.
func NoMeeting(id string) rest.Answer {
	return rest.Error(http.StatusNotFound, 3001, "Meeting does not exist: %s.", id)
}
