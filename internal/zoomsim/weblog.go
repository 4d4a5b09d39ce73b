package zoomsim

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"zflow/internal/zoomsim/rest"
)

// logLife is how long Zoom keeps its log of webhooks.
const logLife = 7 * 24 * time.Hour

// weblog is Zoom's log of the webhooks it sent.
type weblog struct {
	mu   sync.Mutex // guards all
	all  []logged   // oldest first
	life int        // entries that were looked at for their age last
}

// logged is an attempt to deliver an event.
type logged struct {
	app      string
	event    string
	sub      string
	url      string
	retry    int
	status   int
	header   http.Header
	body     []byte
	answer   []byte
	at       time.Time
	tracking string
}

func (l *weblog) add(d delivery, retry int, r receipt) {
	at := time.Now()
	e := logged{
		app: d.sub.App, event: d.kind, sub: d.sub.ID, url: d.sub.URL, retry: retry, status: r.status,
		header: r.header, body: d.body, answer: r.answer, at: at, tracking: r.header.Get("X-Zm-Trackingid"),
	}
	if r.err != nil {
		e.status = r.code
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) >= l.life { // seldom, so that adding costs little
		l.all = slices.DeleteFunc(l.all, func(old logged) bool { return at.Sub(old.at) > logLife })
		l.life = 2*len(l.all) + 1024
	}
	l.all = append(l.all, e)
}

// choose returns the attempts of an app that f takes, newest first as Zoom has it.
func (l *weblog) choose(app string, f logFilter, now time.Time) []any {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := []any{}
	for _, e := range slices.Backward(l.all) {
		if e.app == app && now.Sub(e.at) <= logLife && f.takes(&e) {
			found = append(found, e.view())
		}
	}
	return found
}

// Types of log entries that a caller may ask for.
const (
	logSuccess = "1"
	logFailure = "2"
	logAll     = "3"
)

// logFilter chooses attempts; empty fields take all.
type logFilter struct {
	from, to time.Time
	event    string
	kind     string // one of the types
	retry    string
}

func (f logFilter) takes(e *logged) bool {
	good := e.status >= 200 && e.status < 300
	return !e.at.Before(f.from) && (f.to.IsZero() || !e.at.After(f.to)) &&
		(f.event == "" || f.event == e.event) &&
		(f.retry == "" || f.retry == strconv.Itoa(e.retry)) &&
		(f.kind == logAll || (f.kind == logSuccess) == good)
}

// view is an attempt as the API shows it.
func (e *logged) view() map[string]any {
	v := map[string]any{
		"event": e.event, "status": e.status, "user_id": owner, "endpoint": e.url, "subscription_id": e.sub,
		"request_headers": headerText(e.header), "request_body": string(e.body), "response_headers": "", "response_body": string(e.answer),
		"date_time": e.at.UTC().Format("2006-01-02T15:04:05.000Z"), "trace_id": e.tracking, "request_id": e.header.Get("X-Zm-Request-Id"),
		"retry_num": e.retry,
	}
	switch {
	case e.status < 0:
		v["failed_reason_type"] = -e.status
	case e.status < 200 || e.status > 299:
		v["failed_reason_type"] = 16
	}
	return v
}

// headerText shows headers without what signs or authenticates.
func headerText(h http.Header) string {
	shown := map[string]any{}
	for key := range h {
		if key != "X-Zm-Signature" && key != "Authorization" {
			shown[key] = h.Get(key)
		}
	}
	return string(rest.Encode(shown))
}

// listWebhookLogs answers with the attempts of the app, for 7 days.
func (s *Sim) listWebhookLogs(pages *rest.Pages) rest.Handler {
	return func(c *rest.Call) rest.Answer {
		if c.ID != c.By.App.ClientID {
			return rest.Error(http.StatusNotFound, 4700, "App does not exist: %s.", c.ID)
		}
		f, wrong := readLogFilter(c)
		if wrong != "" {
			return rest.Invalid(rest.FieldError{Field: wrong, Message: "Invalid field."})
		}
		a := pages.Answer(c, "webhook_logs", s.weblog.choose(c.ID, f, c.Now))
		if body, ok := a.Body.(map[string]any); ok { // has no counts
			delete(body, "page_count")
			delete(body, "total_records")
		}
		return a
	}
}

func readLogFilter(c *rest.Call) (f logFilter, wrong string) {
	q := c.Query
	f = logFilter{event: q.Get("event"), kind: q.Get("type"), retry: q.Get("retry_num")}
	if f.kind == "" {
		f.kind = logFailure
	}
	if !slices.Contains([]string{logSuccess, logFailure, logAll}, f.kind) {
		return f, "type"
	}
	if n, err := strconv.Atoi(f.retry); f.retry != "" && (err != nil || n < 0 || n > 3) {
		return f, "retry_num"
	}
	var ok bool
	if f.from, ok = rest.Moment(q.Get("from"), false); !ok {
		return f, "from"
	}
	if f.to, ok = rest.Moment(q.Get("to"), true); !ok || (!f.to.IsZero() && f.to.Before(f.from)) {
		return f, "to"
	}
	return f, ""
}
