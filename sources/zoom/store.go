package zoom

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"zflow/internal/sealed"
	"zflow/internal/zoomcatalog"
	"zflow/proto"
	"zflow/sources"

	"go.uber.org/zap"
)

const validationType = "endpoint.url_validation"

// credentials are the values of an event that give access to something. Of these
// Zoom puts the download token at the top of recordings' events.
func credentials() []string {
	return []string{
		"download_token", "callback_token",
		"payload.download_token", "payload.object.download_token",
		"payload.object.download_access_token", "payload.object.start_url",
		"payload.object.host_key", "payload.old_object.host_key",
		"payload.object.stream_ingestion.stream_key",
		"payload.object.live_streaming.custom_live_streaming_settings.stream_key",
	}
}

// validate answers Zoom's test that the secret is known here.
func validate(w http.ResponseWriter, a *app, secret []byte, e *envelope) {
	plain, _ := e.payload["plainToken"].(string)
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
func (h *Handler) store(ctx context.Context, a *app, e *envelope, body []byte, now time.Time) Outcome {
	release, ok := take(h.storing)
	if !ok {
		return Overload
	}
	defer release()
	event := h.event(a, e, now)
	var err error
	if event.Body, err = h.config.Key.SealJSON(sealed.MaskForeign(body), credentials()...); err != nil {
		return Malformed
	}
	if int64(len(event.Body)) > h.maxSealed() {
		return Oversize
	}
	ack, err := h.publish(ctx, event)
	if err != nil {
		h.failed(event, err)
		if errors.Is(err, sources.ErrNoRoom) {
			return NoRoom
		}
		return Unavailable
	}
	if ack.Duplicate {
		return Duplicate
	}
	if _, known := zoomcatalog.Lookup(e.kind); !known {
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

func (h *Handler) event(a *app, e *envelope, now time.Time) *proto.Event {
	at := e.at
	if at.IsZero() {
		at = now
	}
	return &proto.Event{
		ID:          eventID(a.name, e),
		Type:        e.kind,
		Source:      "zoom/" + a.name,
		Account:     e.account,
		Subject:     e.subject,
		Origin:      proto.FromWebhook, // whatever the request's headers say
		ContentType: "application/json",
		Time:        at,
		ReceivedAt:  now,
	}
}

// failed logs what Zoom is told with a 503 and will send again.
func (h *Handler) failed(e *proto.Event, err error) {
	h.config.Log.Warn("an event was not taken", zap.String("event_id", e.ID), zap.String("event_type", e.Type),
		zap.String("app", e.Source), zap.Error(err))
}
