package world

import (
	"net/http"
	"slices"
	"time"

	"zflow/internal/zoomsim/rest"
)

// pastOne is an occurrence with its meeting.
type pastOne struct {
	*occurrence
	of *meeting
}

// allPast returns the occurrences of the meetings that f takes, the latest first.
func (w *World) allPast(f func(*meeting) bool) []pastOne {
	var all []pastOne
	for _, id := range w.order {
		m := w.meetings[id]
		if m == nil || !f(m) {
			continue
		}
		for _, o := range m.past {
			all = append(all, pastOne{o, m})
		}
	}
	slices.SortStableFunc(all, func(a, b pastOne) int { return b.started.Compare(a.started) })
	return all
}

// previous lists a host's meetings that took place; deleted ones too.
func (w *World) previous(host, from, to string) []any {
	found := []any{}
	for _, p := range w.allPast(func(m *meeting) bool { return m.host == host && !m.webinar }) {
		start := p.started.UTC().Format(time.RFC3339)
		if between(start, from, to) {
			v := p.of.line()
			v["uuid"], v["start_time"], v["duration"] = p.uuid, start, p.minutes()
			found = append(found, v)
		}
	}
	return found
}

func (o *occurrence) minutes() int { return int(o.ended.Sub(o.started).Minutes()) }

func (w *World) getPast(c *rest.Call) rest.Answer {
	m, o := w.pastOf(c)
	if o == nil {
		return NoMeeting(c.ID)
	}
	total := 0
	for _, p := range o.people {
		total += p.Minutes
	}
	v := m.subject()
	delete(v, "timezone")
	v["uuid"], v["duration"] = o.uuid, o.minutes()
	v["start_time"], v["end_time"] = o.started.UTC().Format(time.RFC3339), o.ended.UTC().Format(time.RFC3339)
	v["participants_count"], v["total_minutes"] = len(o.people), total
	v["user_email"], v["user_name"] = w.nameUser(m.host).email, w.nameUser(m.host).name()
	v["dept"], v["source"], v["has_meeting_summary"] = "", "Zoom", false
	return rest.Answer{Status: http.StatusOK, Body: v}
}

func (w *World) listInstances(c *rest.Call) rest.Answer {
	m := w.find(c.ID)
	if m == nil || m.webinar {
		return NoMeeting(c.ID)
	}
	all := []any{}
	for _, o := range m.past {
		start := o.started.UTC().Format(time.RFC3339)
		if between(start, c.Query.Get("from"), c.Query.Get("to")) {
			all = append(all, map[string]any{"uuid": o.uuid, "start_time": start})
		}
	}
	return rest.Answer{Status: http.StatusOK, Body: map[string]any{"meetings": all}}
}
