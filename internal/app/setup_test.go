package app

import (
	"testing"

	"zflow/internal/durable"
	"zflow/internal/settings"
)

func TestStreamsFitOnTheDisk(t *testing.T) {
	want := settings.Default().Streams
	if got, smaller := FitStreams(want, durable.Disk{}); smaller || got != want {
		t.Error("limits changed for a disk that nobody measured")
	}
	if got, smaller := FitStreams(want, durable.Disk{Size: 1 << 40}); smaller || got != want {
		t.Error("limits changed for a disk that is large enough")
	}
	got, smaller := FitStreams(want, durable.Disk{Size: 3 << 30})
	sum := got.EventsBytes + got.RunsBytes + got.WakesBytes
	if !smaller || sum > 3<<30 || sum < 2<<30 || got.EventsBytes < 5*got.WakesBytes-10 {
		t.Errorf("on 3 GiB: %+v", got)
	}
	if got.EventsAge != want.EventsAge || got.RunsAge != want.RunsAge {
		t.Error("ages changed")
	}
}
