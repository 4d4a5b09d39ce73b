package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/proto"
)

// leave makes the consumer of a workflow that is not deployed any more: its removal
// was cut short.
func (h house) leave(t *testing.T, name string) {
	t.Helper()
	d := h.deploy(t, source(name, "x", "meeting.ended"))
	removed := d.Entry
	removed.State = Removed
	_, err := h.write(t.Context(), removed, &d.Entry)
	must(t, err)
}

func (h house) consumerNames(t *testing.T) string {
	t.Helper()
	events, err := h.js.Stream(t.Context(), proto.Events)
	must(t, err)
	var names []string
	all := events.ConsumerNames(t.Context())
	for name := range all.Name() {
		names = append(names, name)
	}
	must(t, all.Err())
	slices.Sort(names)
	return strings.Join(names, " ")
}

// Only the consumers of workflows that are not deployed go, and of those that are
// ours.
func TestTidy(t *testing.T) {
	h := open(t)
	h.deploy(t, source("stays", "x", "meeting.ended"))
	h.deploy(t, source("paused", "x", "meeting.ended"))
	must(t, h.Pause(t.Context(), "paused"))
	h.leave(t, "cut-short")
	h.deploy(t, source("vanished", "x", "meeting.ended"))
	must(t, h.bucket.Purge(t.Context(), "vanished"))
	_, err := h.js.CreateConsumer(t.Context(), proto.Events, jetstream.ConsumerConfig{Durable: "somebodys"})
	must(t, err)
	if got, want := h.consumerNames(t), "cut-short paused somebodys stays vanished"; got != want {
		t.Fatalf("before: %s, not %s", got, want)
	}
	must(t, h.Tidy(t.Context()))
	if got, want := h.consumerNames(t), "paused somebodys stays"; got != want {
		t.Errorf("after: %s, not %s", got, want)
	}
}

// Who looks for the consumer of a removed workflow finds none, and leaves none.
func TestConsumerOfARemoved(t *testing.T) {
	h := open(t)
	h.leave(t, "a")
	if _, err := h.Consumer(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), ErrNotDeployed.Error()) {
		t.Errorf("got %v", err)
	}
	if got := h.consumerNames(t); got != "" {
		t.Errorf("left: %s", got)
	}
}

// A workflow is deployed again while the consumer that its removal left is deleted.
func TestTidyOvertakenByDeploy(t *testing.T) {
	h := open(t)
	h.leave(t, "a")
	var d Deployed
	slow := between(t, h, "$JS.API.CONSUMER.DELETE.EVENTS.", func() { d = h.deploy(t, source("a", "y", "webinar.ended")) })
	must(t, slow.Tidy(t.Context()))
	checkConsumer(t, h, d.Entry)
}
