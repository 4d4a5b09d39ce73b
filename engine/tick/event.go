package tick

import (
	"encoding/json"
	"strings"
	"time"

	wire "zflow/proto"
)

// body is what the event of a schedule says.
type body struct {
	Time      time.Time  `json:"time"` // when it was to be, in UTC
	Timestamp int64      `json:"timestamp"`
	Local     string     `json:"local"` // the same by the clocks of the schedule's zone
	Timezone  string     `json:"timezone"`
	Date      string     `json:"date"` // there
	Weekday   string     `json:"weekday"`
	Schedule  string     `json:"schedule"`
	Previous  *time.Time `json:"previous"` // the tick that the event before was of
	Missed    int        `json:"missed"`   // ticks between the two that had no event
}

// Event is the event of a schedule's tick, the same however often it is made.
func Event(t Tick, now time.Time) (*wire.Event, error) {
	zone := t.Trigger.Ticks.Zone
	if zone == nil {
		zone = time.UTC
	}
	at, local := t.At.UTC(), t.At.In(zone)
	b := body{
		Time: at, Timestamp: at.Unix(), Local: local.Format(time.RFC3339Nano), Timezone: zone.String(), Date: local.Format(time.DateOnly),
		Weekday: strings.ToLower(local.Weekday().String()), Schedule: t.Trigger.Ticks.Text, Missed: t.Missed,
	}
	if !t.Last.IsZero() {
		last := t.Last.UTC()
		b.Previous = &last
	}
	raw, err := json.Marshal(b)
	return &wire.Event{
		ID:   wire.EventID(wire.SourceSchedule, t.Workflow.Name, at.Format(time.RFC3339Nano)),
		Type: t.Workflow.Name, Source: wire.SourceSchedule, Subject: b.Schedule, Origin: wire.FromSchedule, ContentType: "application/json",
		Time: at, ReceivedAt: now, Body: raw,
	}, err
}
