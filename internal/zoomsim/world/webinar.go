package world

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"zflow/internal/zoomsim/rest"
)

// Panelist speaks in a webinar. Zoom sends no event when one comes or goes.
type Panelist struct {
	ID      string `json:"id"`
	Email   string `json:"email"`
	Name    string `json:"name"`
	JoinURL string `json:"join_url"`
	NameTag string `json:"name_tag_name,omitempty"`
}

// mostPanelists is how many a webinar may have.
const mostPanelists = 100

func (w *World) listPanelists(c *rest.Call) rest.Answer {
	m := w.due(c)
	if m == nil {
		return noSuch(c)
	}
	all := make([]Panelist, len(m.panelists))
	for i, p := range m.panelists {
		all[i] = *p
	}
	return rest.Answer{Status: http.StatusOK, Body: map[string]any{"total_records": len(all), "panelists": all}}
}

func (w *World) addPanelists(c *rest.Call) rest.Answer {
	m := w.due(c)
	if m == nil {
		return noSuch(c)
	}
	given, ok := c.Body["panelists"].([]any)
	if !ok || len(given) == 0 {
		return rest.Invalid(rest.FieldError{Field: "panelists", Message: "Invalid field."})
	}
	var added []Panelist
	for i, v := range given {
		p, _ := v.(map[string]any)
		one := Panelist{Email: rest.Text(p["email"]), Name: rest.Text(p["name"]), NameTag: rest.Text(p["name_tag_name"])}
		if one.Name == "" || !strings.Contains(one.Email, "@") {
			return rest.Invalid(rest.FieldError{Field: fmt.Sprintf("panelists[%d]", i), Message: "Invalid field."})
		}
		added = append(added, one)
	}
	if len(m.panelists)+len(added) > mostPanelists {
		return rest.Error(http.StatusBadRequest, 300, "The webinar can have at most %d panelists.", mostPanelists)
	}
	for _, p := range added {
		m.seat(p)
	}
	return rest.Answer{Status: http.StatusCreated, Body: map[string]any{"id": m.number(), "updated_at": c.Now.UTC().Format(time.RFC3339)}}
}

// seat adds a panelist, or changes the one who has this address.
func (m *meeting) seat(p Panelist) {
	for _, old := range m.panelists {
		if strings.EqualFold(old.Email, p.Email) {
			old.Name, old.NameTag = p.Name, p.NameTag
			return
		}
	}
	p.ID, p.JoinURL = rest.Random(12), site+"/w/"+m.number()+"?tk="+rest.Random(16)
	m.panelists = append(m.panelists, &p)
}

func (w *World) removePanelist(c *rest.Call) rest.Answer {
	m := w.due(c)
	if m == nil {
		return noSuch(c)
	}
	n := len(m.panelists)
	m.panelists = slices.DeleteFunc(m.panelists, func(p *Panelist) bool { return p.ID == c.IDs[1] })
	if len(m.panelists) == n {
		return rest.Error(http.StatusNotFound, 300, "Panelist does not exist: %s.", c.IDs[1])
	}
	return rest.Answer{Status: http.StatusNoContent}
}

func (w *World) removePanelists(c *rest.Call) rest.Answer {
	m := w.due(c)
	if m == nil {
		return noSuch(c)
	}
	m.panelists = nil
	return rest.Answer{Status: http.StatusNoContent}
}

// SetPanelists makes these a webinar's panelists, as somebody does on Zoom's
// pages. Who is told apart by the address stays who he was.
func (w *World) SetPanelists(webinar int64, all []Panelist) ([]Panelist, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.meetings[webinar]
	if m == nil || !m.webinar || m.gone() {
		return nil, fmt.Errorf("setting panelists: webinar %d does not exist", webinar)
	}
	m.panelists = slices.DeleteFunc(m.panelists, func(old *Panelist) bool {
		return !slices.ContainsFunc(all, func(p Panelist) bool { return strings.EqualFold(p.Email, old.Email) })
	})
	for _, p := range all {
		m.seat(p)
	}
	now := make([]Panelist, len(m.panelists))
	for i, p := range m.panelists {
		now[i] = *p
	}
	return now, nil
}
