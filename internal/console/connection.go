package console

import (
	"context"
	"net/http"
	"time"

	"zflow/internal/connections"
	"zflow/internal/connections/desk"
	"zflow/internal/operator"
)

// listConnections asks a worker for the public records: only workers see grants.
func (a *api) listConnections(c *call) (any, error) {
	all, err := desk.NewClient(c.backend.Operator.NC).List(c.ctx)
	if all == nil {
		all = []connections.Record{}
	}
	return map[string]any{"connections": all}, err
}

// callbackPath is where Zoom's consent page sends the person back to.
const callbackPath = "/oauth/callback"

// callback hands over to a worker what Zoom sends a person back with. It needs no
// token: the state is a secret that only who began the authorization has, it is good
// for once, and the worker judges it. What it says is text, for the person.
func (a *api) callback(w http.ResponseWriter, r *http.Request) {
	status, text := a.finish(r)
	a.numbers.answered(callbackPath, status)
	say(w, status, text)
}

func (a *api) finish(r *http.Request) (status int, text string) {
	b, q := a.backend.Load(), r.URL.Query()
	answer := connections.Answer{State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error"), Description: q.Get("error_description")}
	switch {
	case b == nil || !b.Operator.NC.IsConnected():
		return http.StatusServiceUnavailable, "The NATS server cannot be reached: load this page again in a while."
	case answer.State == "" || answer.Code == "" && answer.Error == "":
		a.guard.failures.add(a.guard.site.Client(r).String(), time.Now())
		return http.StatusBadRequest, "This page is where Zoom sends you after `zflow connect zoom`; it was called without state and code."
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	record, err := desk.NewClient(b.Operator.NC).Finish(ctx, answer)
	if err == nil {
		return http.StatusOK, operator.Line("The connection " + record.Name + " is made. You can close this page.")
	}
	if !a.guard.failures.add(a.guard.site.Client(r).String(), time.Now()) {
		return http.StatusTooManyRequests, "There were too many attempts that failed: wait a minute."
	}
	if status = statusOf(err); status == http.StatusInternalServerError {
		status = http.StatusBadRequest // the worker says what is wrong with the answer
	}
	return status, "The connection was not made: " + operator.Line(err.Error())
}
