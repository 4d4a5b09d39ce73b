package zoom

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"zflow/internal/zoomcatalog"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/zoom/event"

	"go.uber.org/zap"
)

const validationType = "endpoint.url_validation"

// validate answers Zoom's test that the secret is known here.
func validate(w http.ResponseWriter, a *app, secret []byte, e *event.Envelope) {
	plain := e.Text("plainToken")
	if plain == "" {
		refuse(w, a.counters, Malformed)
		return
	}
	answer, err := json.Marshal(struct {
		Plain     string `json:"plainToken"`
		Encrypted string `json:"encryptedToken"`
	}{plain, encryptedToken(secret, plain)})
	if err != nil {
		refuse(w, a.counters, Malformed)
		return
	}
	a.count(Validation)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	// A sender that is gone asks again; there is no one else to tell.
	_, _ = w.Write(answer)
}

// store seals and publishes a verified event.
func (h *Handler) store(ctx context.Context, a *app, e *event.Envelope, body []byte, now time.Time) Outcome {
	release, ok := take(h.storing)
	if !ok {
		return Overload
	}
	defer release()
	// The origin is the webhook's, whatever the request's headers say.
	made, err := event.New(event.Delivery{App: a.name, Body: body, Origin: proto.FromWebhook, ReceivedAt: now, Key: h.config.Key}, e)
	if err != nil {
		return Malformed
	}
	if int64(len(made.Body)) > h.maxSealed() {
		return Oversize
	}
	ack, err := h.publish(ctx, made)
	if err != nil {
		h.failed(made, err)
		if errors.Is(err, sources.ErrNoRoom) {
			return NoRoom
		}
		return Unavailable
	}
	if ack.Duplicate {
		return Duplicate
	}
	if _, known := zoomcatalog.Lookup(e.Type); !known {
		a.count(UnknownType)
	}
	return Accepted
}

func (h *Handler) publish(ctx context.Context, e *proto.Event) (sources.Ack, error) {
	if h.config.Room != nil {
		if err := h.config.Room(ctx); err != nil {
			return sources.Ack{}, err
		}
	}
	return h.config.Publish(ctx, e)
}

// failed logs what Zoom is told with a 503 and will send again.
func (h *Handler) failed(e *proto.Event, err error) {
	h.config.Log.Warn("an event was not taken", zap.String("event_id", e.ID), zap.String("event_type", e.Type),
		zap.String("app", e.Source), zap.Error(err))
}
