package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"zflow/internal/zoomapi"
	"zflow/proto"
	"zflow/sources/zoom/event"
)

const (
	pageSize = 300
	// mostPages ends a list that goes round in a circle.
	mostPages = 20_000
	// logType asks Zoom for all attempts, good and failed: what was answered well may
	// have been lost all the same.
	logType = "3"
)

// LogAge is how long Zoom keeps its webhook log.
const LogAge = 7 * 24 * time.Hour

// logged is an attempt to deliver, of which only the event counts.
type logged struct {
	Body     string    `json:"request_body"`
	DateTime time.Time `json:"date_time"`
}

// readLog reads the app's webhook log and keeps what is not held.
func (r *Reconciler) readLog(ctx context.Context, w *work) error {
	path, err := zoomapi.Path("/marketplace/apps/{appId}/webhook_logs", r.AppID)
	if err != nil {
		return err
	}
	query := url.Values{"type": {logType}, "from": {w.from.UTC().Format(time.RFC3339)}, "to": {w.to.UTC().Format(time.RFC3339)}}
	err = r.pages(ctx, path, query, func(page json.RawMessage) error { return r.takeLog(w, page) })
	var refused *zoomapi.Error
	if errors.As(err, &refused) && refused.Status == http.StatusBadRequest {
		// What forms of from and to Zoom takes is not documented; whole days it surely does.
		query.Set("from", w.from.UTC().Format(time.DateOnly))
		query.Set("to", w.to.UTC().Format(time.DateOnly))
		err = r.pages(ctx, path, query, func(page json.RawMessage) error { return r.takeLog(w, page) })
	}
	return err
}

func (r *Reconciler) takeLog(w *work, page json.RawMessage) error {
	var answer struct {
		Logs []json.RawMessage `json:"webhook_logs"`
	}
	if err := json.Unmarshal(page, &answer); err != nil {
		return fmt.Errorf("the log is not what it is documented to be: %w", err)
	}
	for _, raw := range answer.Logs {
		var entry logged
		if json.Unmarshal(raw, &entry) != nil || entry.Body == "" {
			w.report.Unreadable++
			continue
		}
		e, err := event.Read([]byte(entry.Body))
		switch {
		case err != nil:
			w.report.Unreadable++
		case e.Type == validation, !e.At.IsZero() && e.At.Before(w.held.from):
		case e.At.IsZero() && entry.DateTime.Before(w.held.from):
		default:
			r.sent(w, entry.Body, &e)
		}
	}
	return nil
}

// validation is no event.
const validation = "endpoint.url_validation"

// sent notes an event that Zoom sent, once however often it did.
func (r *Reconciler) sent(w *work, body string, e *event.Envelope) {
	id := event.ID(r.App, e)
	if _, again := w.seen[id]; again {
		return
	}
	w.seen[id] = struct{}{}
	w.report.count(e.Type, w.held.has(id))
	if !w.held.has(id) {
		w.missing = append(w.missing, missing{id: id, body: []byte(body), envelope: e})
	}
}

// pages calls f for each page of a list.
func (r *Reconciler) pages(ctx context.Context, path string, query url.Values, f func(json.RawMessage) error) error {
	query.Set("page_size", strconv.Itoa(pageSize))
	query.Del("next_page_token")
	for range mostPages {
		res, err := r.Call(ctx, zoomapi.Request{Connection: r.Connection, Method: http.MethodGet, Path: path, Query: query})
		if err != nil {
			return err
		}
		if err := f(res.Body); err != nil {
			return err
		}
		var next struct {
			Token string `json:"next_page_token"`
		}
		if err := json.Unmarshal(res.Body, &next); err != nil {
			return fmt.Errorf("the list is not what it is documented to be: %w", err)
		}
		if next.Token == "" {
			return nil
		}
		query.Set("next_page_token", next.Token)
	}
	return fmt.Errorf("the list does not end after %d pages", mostPages)
}

// missing is an event to put in.
type missing struct {
	id       string
	body     []byte
	envelope *event.Envelope
}

func (r *Reconciler) inject(ctx context.Context, m missing) error {
	e, err := event.New(event.Delivery{App: r.App, Body: m.body, Origin: proto.FromReconcile, ReceivedAt: time.Now(), Key: r.Key}, m.envelope)
	if err != nil {
		return err
	}
	_, err = r.Publish(ctx, e)
	return err
}
