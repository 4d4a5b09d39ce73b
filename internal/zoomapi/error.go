package zoomapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Outcome says what a failed call means for the next one.
type Outcome string

// Outcomes.
const (
	Refused Outcome = "refused" // calling again would not help
	Again   Outcome = "again"   // it did not happen, or may happen again
	Lost    Outcome = "lost"    // it was sent and may have happened
)

// Error is why a call failed.
type Error struct {
	Outcome Outcome
	Status  int    // 0 where there was no answer
	Code    string // Zoom's, meaningful with Status only
	Message string
	Fields  []Field   // what Zoom found wrong in the input
	RetryAt time.Time // not before; zero where Zoom does not say
}

// Field is one complaint about the input.
type Field struct {
	Name    string `json:"field"`
	Message string `json:"message"`
}

func (e *Error) Error() string {
	switch {
	case e.Status == 0:
		return e.Message
	case e.Code == "":
		return fmt.Sprintf("%s (status %d)", e.Message, e.Status)
	}
	return fmt.Sprintf("%s (status %d, code %s)", e.Message, e.Status, e.Code)
}

// Says tells whether Zoom answered this status and code.
func (e *Error) Says(status int, code string) bool { return e.Status == status && e.Code == code }

func refuse(format string, args ...any) *Error {
	return &Error{Outcome: Refused, Message: fmt.Sprintf(format, args...)}
}

// Problem is the error body that Zoom sends, at times with a status 200.
type Problem struct {
	Code    json.RawMessage `json:"code"`
	Message string          `json:"message"`
	Errors  []Field         `json:"errors"`
	// The token endpoint and some gateways in front of the API use these.
	Reason string `json:"reason"`
	Err    string `json:"error"`
}

// ReadProblem reads an error body; ok is false where it is none.
func ReadProblem(body []byte) (p Problem, ok bool) {
	if json.Unmarshal(body, &p) != nil {
		return Problem{}, false
	}
	return p, p.CodeText() != "" && p.Message != "" || p.Reason != "" || p.Err != ""
}

// CodeText is the code, be it a number or a text.
func (p Problem) CodeText() string {
	text := strings.Trim(string(p.Code), `"`)
	if text == "null" || len(text) > 32 {
		return ""
	}
	return text
}

// Text is the whole message.
func (p Problem) Text() string {
	text := p.Message
	for _, alternative := range []string{p.Reason, p.Err} {
		if text == "" {
			text = alternative
		}
	}
	for _, f := range p.Errors {
		text += "; " + f.Name + ": " + f.Message
	}
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 500 {
		text = string(runes[:500]) + "…"
	}
	return text
}

// failure is the error of an answer that is no success.
func failure(q Request, res *http.Response, body []byte, now time.Time) *Error {
	p, _ := ReadProblem(body)
	e := &Error{Outcome: Refused, Status: res.StatusCode, Code: p.CodeText(), Message: p.Text(), Fields: p.Errors}
	if e.Message == "" {
		e.Message = "Zoom answered " + statusText(res.StatusCode)
	}
	switch s := res.StatusCode; {
	case s == http.StatusRequestTimeout, s == http.StatusTooEarly:
		e.Outcome = Again
	case s == http.StatusTooManyRequests:
		e.Outcome, e.RetryAt = Again, limitEnds(res.Header, e.Message, now)
	case s >= 500:
		e.Outcome, e.RetryAt = q.unanswered(), RetryAfter(res.Header, now)
	case strings.Contains(e.Message, "does not contain scopes"):
		e.Message = "the Zoom app lacks a scope; add it and connect again: " + e.Message
	}
	return e
}

func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return strings.ToLower(text)
	}
	return "status " + strconv.Itoa(status)
}

// limitEnds is when a 429 ends. A limit per day that says no time ends at the next
// midnight UTC; one per second is left to the step's retry policy.
func limitEnds(h http.Header, message string, now time.Time) time.Time {
	message = strings.ToLower(message)
	perHost := strings.Contains(message, "daily") && strings.Contains(message, "user") ||
		strings.Contains(message, "gmt 00:00")
	at := RetryAfter(h, now)
	daily := strings.Contains(message, "daily rate limit") ||
		strings.EqualFold(h.Get("X-RateLimit-Type"), "Daily-limit")
	if perHost || daily && at.IsZero() {
		return now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	}
	return at
}

// RetryAfter reads the header Retry-After: seconds, an ISO date and time, or an HTTP date.
func RetryAfter(h http.Header, now time.Time) time.Time {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseInt(text, 10, 32); err == nil && s > 0 {
		return now.Add(time.Duration(s) * time.Second)
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = http.ParseTime(text)
	}
	if err != nil || !at.After(now) {
		return time.Time{}
	}
	return at
}

// tokenRefused tells whether the call was refused for its token alone, so that it
// did not happen and a new token may help. With other statuses code 124 means other
// things, and so do other codes with these.
func (e *Error) tokenRefused() bool {
	return e.Says(http.StatusUnauthorized, "124") || e.Says(http.StatusBadRequest, "124")
}
