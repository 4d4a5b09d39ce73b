package catalog

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/natstest"
	"zflow/proto"
)

// checkConsumer compares a workflow's consumer with its entry.
func checkConsumer(t testing.TB, h house, e Entry) jetstream.ConsumerConfig {
	t.Helper()
	consumer, err := h.js.Consumer(t.Context(), proto.Events, e.Name)
	must(t, err)
	got := consumer.CachedInfo().Config
	w, err := h.Workflow(t.Context(), e.Name, e.Version)
	must(t, err)
	filters := got.FilterSubjects
	if got.FilterSubject != "" {
		filters = []string{got.FilterSubject}
	}
	if want := Filters(w.Triggers); !slices.Equal(filters, want) {
		t.Errorf("filters %q, want %q", filters, want)
	}
	if !startsAt(got, e.FirstDeployedAt) {
		t.Errorf("starts %v at %v, want %v", got.DeliverPolicy, got.OptStartTime, e.FirstDeployedAt)
	}
	return got
}

func (h house) publish(t testing.TB, subject string) {
	t.Helper()
	_, err := h.js.Publish(t.Context(), subject, []byte(subject))
	must(t, err)
}

// fetch takes and acknowledges what is there for a workflow.
func (h house) fetch(t testing.TB, name string) (got []string) {
	t.Helper()
	c, err := h.Consumer(t.Context(), name)
	must(t, err)
	batch, err := c.Fetch(100, jetstream.FetchMaxWait(500*time.Millisecond)) // a new consumer may not have counted yet
	must(t, err)
	for m := range batch.Messages() {
		got = append(got, string(m.Data()))
		must(t, m.DoubleAck(t.Context()))
	}
	return got
}

func TestConsumer(t *testing.T) {
	h := open(t)
	d := h.deploy(t, source("a", "x", "meeting.ended", "recording.*", `"*.ended"`, "meeting.*", "webinar.ended"))
	got := checkConsumer(t, h, d.Entry)
	if got.AckPolicy != jetstream.AckExplicitPolicy || got.AckWait != 10*time.Second || got.MaxAckPending != 1000 ||
		got.MaxDeliver != -1 || len(got.BackOff) != 0 || got.InactiveThreshold != 0 || got.Durable != "a" {
		t.Errorf("got %+v", got)
	}
}

// TestRedeployKeepsPlace changes the filters under a consumer, which goes on
// where it was.
func TestRedeployKeepsPlace(t *testing.T) {
	h := open(t)
	meeting, webinar := "zflow.event.zoom.acc.meeting.ended", "zflow.event.zoom.acc.webinar.ended"
	h.publish(t, meeting) // before the first deployment: not for it
	h.deploy(t, source("a", "x", "meeting.ended"))
	h.publish(t, meeting)
	h.publish(t, webinar)
	if got := h.fetch(t, "a"); !slices.Equal(got, []string{meeting}) {
		t.Errorf("got %q", got)
	}
	h.publish(t, meeting)
	checkConsumer(t, h, h.deploy(t, source("a", "x", "meeting.ended", "webinar.ended")).Entry)
	h.publish(t, webinar)
	if got := h.fetch(t, "a"); !slices.Equal(got, []string{meeting, webinar}) {
		t.Errorf("after the second deployment: got %q", got)
	}
}

// TestLostConsumer finds all events since the first deployment after a crash
// between the definition and its consumer, and after a consumer was lost.
func TestLostConsumer(t *testing.T) {
	h := open(t)
	meeting := "zflow.event.zoom.acc.meeting.ended"
	d := h.deploy(t, source("a", "x", "meeting.ended"))
	h.publish(t, meeting)
	must(t, h.js.DeleteConsumer(t.Context(), proto.Events, "a"))
	if got := h.fetch(t, "a"); !slices.Equal(got, []string{meeting}) {
		t.Errorf("got %q", got)
	}
	must(t, h.js.DeleteConsumer(t.Context(), proto.Events, "a"))
	if again := h.deploy(t, source("a", "x", "meeting.ended")); again.Change != Unchanged {
		t.Errorf("got %+v", again)
	}
	checkConsumer(t, h, d.Entry)
}

// TestAlteredConsumer puts right what somebody changed by hand.
func TestAlteredConsumer(t *testing.T) {
	h := open(t)
	d := h.deploy(t, source("a", "x", "meeting.ended"))
	altered := checkConsumer(t, h, d.Entry)
	altered.MaxDeliver, altered.AckWait = 3, time.Minute
	_, err := h.js.UpdateConsumer(t.Context(), proto.Events, altered)
	must(t, err)
	_, err = h.Consumer(t.Context(), "a")
	must(t, err)
	if got := checkConsumer(t, h, d.Entry); got.MaxDeliver != -1 || got.AckWait != 10*time.Second {
		t.Errorf("got %+v", got)
	}
}

func TestRemove(t *testing.T) {
	h := open(t)
	meeting := "zflow.event.zoom.acc.meeting.ended"
	first := h.deploy(t, source("a", "x", "meeting.ended"))
	must(t, h.Remove(t.Context(), "a"))
	if _, err := h.js.Consumer(t.Context(), proto.Events, "a"); !errors.Is(err, jetstream.ErrConsumerNotFound) {
		t.Errorf("the consumer is there: %v", err)
	}
	if _, err := another(t, h.server).Workflow(t.Context(), "a", first.Version); err != nil {
		t.Errorf("a run under way lost its version: %v", err)
	}
	h.publish(t, meeting) // while it is removed: passes by
	again := h.deploy(t, source("a", "x", "meeting.ended"))
	if again.Change != Created || !again.FirstDeployedAt.After(first.FirstDeployedAt) {
		t.Errorf("got %+v", again)
	}
	h.publish(t, meeting)
	if got := h.fetch(t, "a"); !slices.Equal(got, []string{meeting}) {
		t.Errorf("got %q", got)
	}
}

// TestRemoveCutShort redeploys after a removal that left the consumer: a start
// cannot be changed, so it must be made anew.
func TestRemoveCutShort(t *testing.T) {
	h := open(t)
	d := h.deploy(t, source("a", "x", "meeting.ended"))
	removed := d.Entry
	removed.State = Removed
	_, err := h.write(t.Context(), removed, &d.Entry)
	must(t, err)
	checkConsumer(t, h, h.deploy(t, source("a", "x", "meeting.ended")).Entry)
}

// between opens the catalog of a server once more, and calls do once, before
// the first request whose subject begins with prefix.
func between(t *testing.T, h house, prefix string, do func()) house {
	t.Helper()
	nc := h.server.Connect(t)
	var once sync.Once
	js, err := jetstream.New(nc, jetstream.WithClientTrace(&jetstream.ClientTrace{RequestSent: func(subject string, _ []byte) {
		if strings.HasPrefix(subject, prefix) {
			once.Do(do)
		}
	}}))
	must(t, err)
	c, err := Open(t.Context(), js, natstest.Gate(t, nc), known(t))
	must(t, err)
	return house{c, h.server, js}
}

// TestOvertakenByRemove removes a workflow after another process wrote it, and
// before that one made the consumer.
func TestOvertakenByRemove(t *testing.T) {
	h := open(t)
	slow := between(t, h, "$JS.API.CONSUMER.CREATE.EVENTS.", func() { must(t, h.Remove(t.Context(), "a")) })
	slow.deploy(t, source("a", "x", "meeting.ended"))
	if _, err := h.js.Consumer(t.Context(), proto.Events, "a"); !errors.Is(err, jetstream.ErrConsumerNotFound) {
		t.Errorf("the consumer of a removed workflow is there: %v", err)
	}
}

// TestOvertakenByDeploy deploys a workflow after another process marked it as
// removed, and before that one deleted the consumer.
func TestOvertakenByDeploy(t *testing.T) {
	h := open(t)
	h.deploy(t, source("a", "x", "meeting.ended"))
	var d Deployed
	slow := between(t, h, "$JS.API.CONSUMER.DELETE.EVENTS.", func() { d = h.deploy(t, source("a", "y", "webinar.ended")) })
	must(t, slow.Remove(t.Context(), "a"))
	if got := h.get(t, "a"); got != d.Entry {
		t.Errorf("got %+v, want %+v", got, d.Entry)
	}
	checkConsumer(t, h, d.Entry)
}

// TestOvertakenByNewer updates the consumer for an older version after the newer
// one's was made.
func TestOvertakenByNewer(t *testing.T) {
	h := open(t)
	h.deploy(t, source("a", "x", "meeting.ended"))
	var d Deployed
	slow := between(t, h, "$JS.API.CONSUMER.CREATE.EVENTS.", func() { d = h.deploy(t, source("a", "z", "recording.completed")) })
	slow.deploy(t, source("a", "y", "webinar.ended"))
	checkConsumer(t, h, d.Entry)
}

// Events of a workflow with a concurrency key come one by one, from the deployment
// on that has it.
func TestConsumerInOrder(t *testing.T) {
	h := open(t)
	plain := source("a", "x", "meeting.ended")
	keyed := append(slices.Clone(plain), "\nconcurrency: { key: \"${{ event.payload.object.id }}\" }\n"...)
	for _, c := range []struct {
		src  []byte
		want int
	}{{plain, 1000}, {keyed, 1}, {plain, 1000}} {
		d := h.deploy(t, c.src)
		if got := checkConsumer(t, h, d.Entry); got.MaxAckPending != c.want {
			t.Errorf("max ack pending %d, want %d", got.MaxAckPending, c.want)
		}
		consumer, err := h.Consumer(t.Context(), "a")
		must(t, err)
		if Ordered(consumer) != (c.want == 1) {
			t.Errorf("with %d the events are in order: %v", c.want, Ordered(consumer))
		}
	}
}
