package zoomsim

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"zflow/internal/zoomcatalog"
	"zflow/internal/zoomsim/oauth"
	"zflow/internal/zoomsim/rest"
)

// mostSubscribers is how many users one call may name.
const mostSubscribers = 10

// The kinds of headers that a subscription may have sent besides.
const (
	headerNone   = "0"
	headerBasic  = "1"
	headerCustom = "3"
)

// createSubscription subscribes a URL by the API; the app does so with a token of
// its own.
func (s *Sim) createSubscription(c *rest.Call) rest.Answer {
	want, wrong := readSubscription(c)
	if wrong != "" {
		return rest.Invalid(rest.FieldError{Field: wrong, Message: "Invalid field."})
	}
	for _, name := range want.Events {
		if !allowed(c.By.App, name) {
			return rest.Error(http.StatusBadRequest, 300, "The event %s is not allowed for the app.", name)
		}
	}
	made, err := s.subscribe(context.Background(), want)
	if err != nil {
		return rest.Error(http.StatusBadRequest, 300, "The event_webhook_url is not accepted: %v.", err)
	}
	return rest.Answer{Status: http.StatusCreated, Body: map[string]string{"event_subscription_id": made.ID}}
}

// readSubscription reads the body; it names a field that is wrong.
func readSubscription(c *rest.Call) (want Subscription, wrong string) {
	b := c.Body
	want = Subscription{
		App: c.By.App.ClientID, Name: rest.Text(b["event_subscription_name"]), URL: rest.Text(b["event_webhook_url"]),
		Account: cmp.Or(rest.Text(b["account_id"]), c.By.Account), Source: sourceAPI,
	}
	var ok bool
	if want.Events, ok = texts(b["events"]); !ok || len(want.Events) == 0 {
		return want, "events"
	}
	if u, err := url.Parse(want.URL); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return want, "event_webhook_url"
	}
	if want.Users, ok = texts(b["user_ids"]); !ok || len(want.Users) > mostSubscribers {
		return want, "user_ids"
	}
	switch scope := rest.Text(b["subscription_scope"]); {
	case scope == "user" && len(want.Users) > 0:
	case scope == "account", scope == "master_account":
		want.Users = nil
	default:
		return want, "subscription_scope"
	}
	if custom, given := b["custom_header"].(map[string]any); given {
		if want.Header, ok = readHeader(custom); !ok {
			return want, "custom_header"
		}
	}
	return want, ""
}

// readHeader reads what is to be sent besides: nothing, Basic credentials, or a
// header of its own, whose name gets x- before it. A token that Zoom fetches by
// itself (type 2) is refused.
func readHeader(v map[string]any) (h http.Header, ok bool) {
	switch rest.Text(v["custom_header_type"]) {
	case headerNone:
		return nil, true
	case headerBasic:
		pair := rest.Text(v["username"]) + ":" + rest.Text(v["password"])
		return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(pair))}}, v["username"] != nil && v["password"] != nil
	case headerCustom:
		key := strings.ToLower(rest.Text(v["custom_header_key"]))
		h = http.Header{}
		h.Set("x-"+strings.TrimPrefix(key, "x-"), rest.Text(v["custom_header_value"]))
		return h, key != ""
	}
	return nil, false
}

// texts reads a list of texts; nil is an empty one.
func texts(v any) ([]string, bool) {
	items, isList := v.([]any)
	if v == nil {
		return nil, true
	}
	var all []string
	for _, item := range items {
		t, isText := item.(string)
		if !isText || t == "" {
			return nil, false
		}
		all = append(all, t)
	}
	return all, isList
}

// allowed tells whether an app may subscribe to an event: what was chosen for it
// in the portal, else what its scopes allow.
func allowed(a oauth.App, name string) bool {
	if len(a.EventTypes) > 0 {
		return slices.ContainsFunc(a.EventTypes, func(p string) bool { return zoomcatalog.Match(p, name) })
	}
	event, known := zoomcatalog.Lookup(name)
	if !known || len(a.Scopes) == 0 {
		return known
	}
	scopes := event.About().Scopes()
	return len(scopes) == 0 || slices.ContainsFunc(scopes, func(scope string) bool { return slices.Contains(a.Scopes, scope) })
}

func (s *Sim) listSubscriptions(pages *rest.Pages) rest.Handler {
	return func(c *rest.Call) rest.Answer {
		account, user, scope := c.Query.Get("account_id"), c.Query.Get("user_id"), c.Query.Get("subscription_scope")
		if account == "" {
			return rest.Invalid(rest.FieldError{Field: "account_id", Message: "Invalid field."})
		}
		found := []any{}
		for _, sub := range s.Subscriptions() {
			mine := sub.App == c.By.App.ClientID && cmp.Or(sub.Account, c.By.App.AccountID) == account
			if mine && (scope == "" || scope == sub.scope()) && (user == "" || len(sub.Users) == 0 || slices.Contains(sub.Users, user)) {
				found = append(found, sub.view(c.By.App))
			}
		}
		a := pages.Answer(c, "event_subscriptions", found)
		if body, ok := a.Body.(map[string]any); ok { // has no counts
			delete(body, "page_count")
			delete(body, "total_records")
		}
		return a
	}
}

func (sub Subscription) scope() string {
	if len(sub.Users) > 0 {
		return "user"
	}
	return "account"
}

// view is as Zoom lists it: there are no patterns in its events.
func (sub Subscription) view(a oauth.App) map[string]any {
	events := []string{}
	for _, e := range zoomcatalog.Events() {
		wanted := len(sub.Events) == 0 || slices.ContainsFunc(sub.Events, func(p string) bool { return zoomcatalog.Match(p, e.Name) })
		if wanted && allowed(a, e.Name) {
			events = append(events, e.Name)
		}
	}
	return map[string]any{
		"event_subscription_id": sub.ID, "events": events, "event_subscription_name": sub.Name,
		"event_webhook_url": sub.URL, "subscription_scope": sub.scope(), "created_source": sub.Source, "subscriber_id": strings.Join(sub.Users, ","),
	}
}

// edit changes a subscription that the app made by the API.
func (s *Sim) edit(c *rest.Call, id string, f func(*subscription)) rest.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.subs, func(sub *subscription) bool { return sub.ID == id && sub.App == c.By.App.ClientID })
	switch {
	case i < 0:
		return rest.Error(http.StatusNotFound, 300, "Event subscription does not exist: %s.", id)
	case s.subs[i].Source != sourceAPI:
		return rest.Error(http.StatusBadRequest, 300, "Event subscription %s was created in the Marketplace and cannot be changed by the API.", id)
	}
	f(s.subs[i])
	return rest.Answer{Status: http.StatusNoContent}
}

func (s *Sim) addSubscribers(c *rest.Call) rest.Answer {
	users, ok := texts(c.Body["user_ids"])
	if !ok || len(users) > mostSubscribers {
		return rest.Invalid(rest.FieldError{Field: "user_ids", Message: fmt.Sprintf("At most %d users.", mostSubscribers)})
	}
	if rest.Text(c.Body["account_id"]) == "" {
		return rest.Invalid(rest.FieldError{Field: "account_id", Message: "Invalid field."})
	}
	return s.edit(c, c.ID, func(sub *subscription) {
		if len(sub.Users) == 0 { // has the whole account
			return
		}
		all := slices.Concat(sub.Users, users)
		slices.Sort(all)
		sub.Users = slices.Compact(all)
	})
}

// removeSubscribers takes users out; when none is left, or none was named, the
// subscription ends.
func (s *Sim) removeSubscribers(c *rest.Call) rest.Answer {
	if c.Query.Get("account_id") == "" {
		return rest.Invalid(rest.FieldError{Field: "account_id", Message: "Invalid field."})
	}
	id, out := c.Query.Get("event_subscription_id"), strings.Split(c.Query.Get("user_ids"), ",")
	over := false
	a := s.edit(c, id, func(sub *subscription) {
		sub.Users = slices.DeleteFunc(slices.Clone(sub.Users), func(user string) bool { return slices.Contains(out, user) })
		over = len(sub.Users) == 0
	})
	if over {
		s.Unsubscribe(id)
	}
	return a
}

func (s *Sim) deleteSubscription(c *rest.Call) rest.Answer {
	a := s.edit(c, c.ID, func(*subscription) {})
	if a.Status == http.StatusNoContent {
		s.Unsubscribe(c.ID)
	}
	return a
}
