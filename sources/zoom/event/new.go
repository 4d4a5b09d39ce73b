package event

import (
	"fmt"
	"time"

	"zflow/internal/sealed"
	"zflow/proto"
)

// Delivery is an event's body as it came in, and how.
type Delivery struct {
	App        string // whose event it is: the {app} of its webhook's path
	Body       []byte
	Origin     string // one of proto's
	ReceivedAt time.Time
	Key        sealed.PublicKey // seals the credentials in the body
}

// credentials are the values of an event that give access to something. Of these
// Zoom puts the download token at the top of recordings' events.
var credentials = sealed.At(
	"download_token", "callback_token",
	"payload.download_token", "payload.object.download_token",
	"payload.object.download_access_token", "payload.object.start_url",
	"payload.object.host_key", "payload.old_object.host_key",
	"payload.object.stream_ingestion.stream_key",
	"payload.object.live_streaming.custom_live_streaming_settings.stream_key",
)

// New returns the event of a delivery whose envelope was read: the same for every
// delivery of it, whichever way it came, but for its origin and time of receipt.
// Its credentials are sealed.
func New(d Delivery, e *Envelope) (*proto.Event, error) {
	body, err := d.Key.SealJSON(sealed.MaskForeign(d.Body), credentials)
	if err != nil {
		return nil, fmt.Errorf("sealing an event of type %s: %w", e.Type, err)
	}
	at := e.At
	if at.IsZero() {
		at = d.ReceivedAt
	}
	return &proto.Event{
		ID:          ID(d.App, e),
		Type:        e.Type,
		Source:      "zoom/" + d.App,
		Account:     e.Account,
		Subject:     e.Subject,
		Origin:      d.Origin,
		ContentType: "application/json",
		Time:        at,
		ReceivedAt:  d.ReceivedAt,
		Body:        body,
	}, nil
}
