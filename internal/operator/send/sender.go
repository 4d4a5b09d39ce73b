// Package send posts signed events as Zoom does, to try a workflow or an ingest.
package send

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"zflow/internal/operator"
	"zflow/internal/zoomcatalog"
)

// Sender posts signed events as Zoom does.
type Sender struct {
	url    string
	secret string
	client *http.Client
}

// sendWithin is how long an answer may take: longer than ingest's own limit.
const sendWithin = 10 * time.Second

// New returns a Sender. A URL without a path is completed by that of the
// app's webhooks.
func New(to, app, secret string) (*Sender, error) {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("sending events: %q is no URL like http://127.0.0.1:8080", to)
	}
	if secret == "" {
		return nil, errors.New("sending events: the app's secret token is missing, and without it no signature is right")
	}
	if strings.Trim(u.Path, "/") == "" {
		u = u.JoinPath("hooks", "zoom", app)
	}
	transport := &http.Transport{ForceAttemptHTTP2: true}
	return &Sender{u.String(), secret, &http.Client{Timeout: sendWithin, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// URL is where events are posted.
func (s *Sender) URL() string { return s.url }

// Sent is what became of an event.
type Sent struct {
	Type     string `json:"type"`
	Accepted bool   `json:"accepted"`
	Status   int    `json:"status"` // of the answer
	Answer   string `json:"answer,omitempty"`
}

// Send signs a body and posts it. An answer that refuses it is no error.
func (s *Sender) Send(ctx context.Context, eventType string, body []byte) (Sent, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return Sent{}, fmt.Errorf("sending event: %w", err)
	}
	at := strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("X-Zm-Request-Timestamp", at)
	r.Header.Set("X-Zm-Signature", s.sign(at, body))
	answer, err := s.client.Do(r)
	if err != nil {
		return Sent{}, fmt.Errorf("sending event: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // it has been read
	text, err := io.ReadAll(io.LimitReader(answer.Body, 512))
	if err != nil {
		return Sent{}, fmt.Errorf("sending event: reading the answer: %w", err)
	}
	return Sent{Type: eventType, Status: answer.StatusCode, Accepted: answer.StatusCode/100 == 2, Answer: operator.Line(strings.TrimSpace(string(text)))}, nil
}

func (s *Sender) sign(at string, body []byte) string {
	h := hmac.New(sha256.New, []byte(s.secret))
	h.Write([]byte("v0:" + at + ":"))
	h.Write(body)
	return "v0=" + hex.EncodeToString(h.Sum(nil))
}

// Payload is a made-up event of a type, with a meeting and a moment of its own for each n.
// known is false for a type that Zoom does not have: the body is minimal then.
func Payload(eventType string, now time.Time, n int) (body []byte, known bool, suggestion string) {
	_, known = zoomcatalog.Lookup(eventType)
	body = zoomcatalog.Fresh(eventType, now.Add(time.Duration(n)*time.Millisecond), n)
	if !known {
		suggestion = zoomcatalog.Suggest(eventType)
	}
	return body, known, suggestion
}

// EventTypes lists the types that Zoom has.
func EventTypes() []string { return zoomcatalog.Names() }

// CheckBody refuses a body that is no Zoom event of the type.
func CheckBody(eventType string, body []byte) error {
	var e struct {
		Event string `json:"event"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return fmt.Errorf("it is no JSON object with an event: %w", err)
	}
	if e.Event != eventType {
		return fmt.Errorf("its event is %q, not %s", e.Event, eventType)
	}
	return nil
}
