package world

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"zflow/internal/zoomsim/rest"
)

// user is a person of the account.
type user struct {
	id      string
	email   string
	fields  map[string]any
	status  string // active, inactive, pending
	created time.Time
}

func (w *World) addUser(id, email, first, last string, now time.Time) *user {
	u := &user{id: id, email: email, status: "active", created: now, fields: map[string]any{
		"first_name": first, "last_name": last, "display_name": strings.TrimSpace(first + " " + last),
		"type": 2, "timezone": "Europe/Berlin", "verified": 1, "pmi": 4_000_000_000 + len(w.users), "role_id": "2", "dept": "", "language": "en-US",
	}}
	w.users = append(w.users, u)
	return u
}

// nameUser returns the user of an id or a mail address, made up if there is none.
func (w *World) nameUser(name string) *user {
	if u := w.findUser(name); u != nil {
		return u
	}
	id, email := name, strings.ToLower(name)+"@harbor.example"
	if first, _, isMail := strings.Cut(name, "@"); isMail {
		id, email = "usr-"+first, name
	}
	return w.addUser(id, email, id, "", time.Now())
}

// findUser returns the user of an id or a mail address, or nil.
func (w *World) findUser(name string) *user {
	i := slices.IndexFunc(w.users, func(u *user) bool { return u.id == name || strings.EqualFold(u.email, name) })
	if i < 0 {
		return nil
	}
	return w.users[i]
}

func (u *user) name() string { return rest.Text(u.fields["display_name"]) }

func (u *user) view() map[string]any {
	v := rest.Clone(u.fields)
	at := u.created.UTC().Format(time.RFC3339)
	v["id"], v["email"], v["status"], v["created_at"], v["user_created_at"] = u.id, u.email, u.status, at, at
	return v
}

func (w *World) listUsers(c *rest.Call) rest.Answer {
	status := cmp.Or(c.Query.Get("status"), "active")
	if !slices.Contains([]string{"active", "inactive", "pending"}, status) {
		return rest.Invalid(rest.FieldError{Field: "status", Message: "Invalid field."})
	}
	found := []any{}
	for _, u := range w.users {
		if u.status == status {
			found = append(found, u.view())
		}
	}
	return w.o.Pages.Answer(c, "users", found)
}

func (w *World) getUser(c *rest.Call) rest.Answer {
	id, refused := w.user(c)
	if refused != nil {
		return *refused
	}
	v := w.nameUser(id).view()
	v["account_id"] = c.By.Account
	return rest.Answer{Status: http.StatusOK, Body: v}
}

// follow lets the users go through an event.
func (w *World) follow(kind string, object map[string]any, now time.Time) {
	id := rest.Text(object["id"])
	name, isUser := strings.CutPrefix(kind, "user.")
	if !isUser || id == "" {
		return
	}
	u := w.findUser(id)
	switch {
	case name == "created" && u == nil, name == "updated" && u == nil:
		u = w.addUser(id, cmp.Or(rest.Text(object["email"]), strings.ToLower(id)+"@harbor.example"), "", "", now)
		fallthrough
	case name == "updated":
		u.change(object)
	case u == nil:
	case name == "deactivated":
		u.status = "inactive"
	case name == "activated":
		u.status = "active"
	case name == "deleted", name == "disassociated":
		w.users = slices.DeleteFunc(w.users, func(other *user) bool { return other == u })
	}
}

func (u *user) change(object map[string]any) {
	u.email = cmp.Or(rest.Text(object["email"]), u.email)
	for key := range u.fields {
		if value, given := object[key]; given {
			u.fields[key] = value
		}
	}
}
