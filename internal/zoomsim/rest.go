package zoomsim

import (
	"io"
	"net/http"
	"time"

	"zflow/internal/zoomsim/rest"
	"zflow/internal/zoomsim/world"
)

// handlers are the operations that are not the world's, by name.
func (s *Sim) handlers(pages *rest.Pages) map[string]rest.Handler {
	return map[string]rest.Handler{
		"list_webhook_logs":               s.listWebhookLogs(pages),
		"list_event_subscriptions":        s.listSubscriptions(pages),
		"create_event_subscription":       s.createSubscription,
		"add_event_subscription_users":    s.addSubscribers,
		"remove_event_subscription_users": s.removeSubscribers,
		"delete_event_subscription":       s.deleteSubscription,
	}
}

func (s *Sim) serveREST(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	entry := Entry{Kind: KindCall, Method: r.Method, Path: path, Query: r.URL.RawQuery, Body: wordOf(body), Time: time.Now()}
	if err != nil {
		s.reply(w, entry, rest.Error(http.StatusBadRequest, 300, "Request Body should be a valid JSON object."))
		return
	}
	route, params := s.routes.Find(r.Method, path)
	if route != nil {
		entry.Operation = route.Op.Name
	}
	s.serve(w, r, &entry, func() rest.Answer { return s.answerREST(r, route, params, body, &entry) })
}

// serve answers a call with what do returns, unless a fault is due.
func (s *Sim) serve(w http.ResponseWriter, r *http.Request, e *Entry, do func() rest.Answer) {
	f := s.takeFault(r.Method, r.URL.EscapedPath())
	if f == nil {
		a := do()
		s.reply(w, *e, a)
		return
	}
	if f.Delay > 0 && !s.wait(r, f.Delay) {
		e.Note = "fault: the caller left during the delay"
		s.ledger.add(*e)
		return
	}
	var a rest.Answer
	if f.Do || f.onlyDelays() {
		a = do()
	}
	if f.onlyDelays() {
		s.reply(w, *e, a)
		return
	}
	s.fail(w, r, *e, f)
}

// answerREST does the call and makes its events happen.
func (s *Sim) answerREST(r *http.Request, route *rest.Route, params []string, body []byte, e *Entry) rest.Answer {
	if route == nil {
		return rest.Error(http.StatusNotFound, 2300, "This API endpoint is not recognized.")
	}
	c := &rest.Call{Op: route.Op, Query: r.URL.Query(), Now: time.Now()}
	a := s.admit(r, c, params, body)
	e.App = c.By.App.ClientID
	if a == nil {
		done := s.perform(route.Do, c)
		a = &done
	}
	for _, h := range c.Made {
		s.deliver(h, 1)
	}
	return *a
}

// perform runs a handler with the limits' headers on its answer.
func (s *Sim) perform(do rest.Handler, c *rest.Call) rest.Answer {
	header, refused := s.limits.Spend(c.Op.Label, c.By.Account, c.Now)
	if refused != nil {
		return *refused
	}
	a := do(c)
	if a.Header == nil {
		a.Header = header
	}
	return a
}

// admit checks token, scope, path and body; it returns a refusal or nil.
func (s *Sim) admit(r *http.Request, c *rest.Call, params []string, body []byte) *rest.Answer {
	by, refused := s.authorize(r)
	if refused != nil {
		return refused
	}
	c.By = by
	if !by.Allows(c.Op.Scopes()) {
		a := rest.LacksScope(c.Op)
		return &a
	}
	if wrong, ok := c.Take(params); !ok {
		a := world.NoMeeting(wrong)
		return &a
	}
	if c.Op.Method == http.MethodGet || c.Op.Method == http.MethodDelete {
		return nil
	}
	var ok bool
	if c.Body, ok = rest.DecodeObject(body); !ok {
		a := rest.Error(http.StatusBadRequest, 300, "Request Body should be a valid JSON object.")
		return &a
	}
	return nil
}

// reply enters the answer in the ledger and writes it, in this order: who has
// the answer finds the entry.
func (s *Sim) reply(w http.ResponseWriter, e Entry, a rest.Answer) {
	e.Status, e.Code = a.Status, a.Code
	s.ledger.add(e)
	rest.Write(w, a)
}
