package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine/leases"
	"zflow/engine/router"
	"zflow/internal/operator"
	wire "zflow/proto"
)

// expected is how a stream must be; what is not named may be as it likes.
type expected struct {
	name      string
	retention jetstream.RetentionPolicy
	discard   jetstream.DiscardPolicy
	ageless   bool          // it has no age limit
	age       time.Duration // exactly this; 0: any
	one       bool          // a message a subject
	led       bool          // read from the leader: no direct get
	schedules bool
	dedup     time.Duration // at least
}

// design are the streams that zflow makes, as they must be for what it promises.
func design() []expected {
	return []expected{
		{name: wire.Events, discard: jetstream.DiscardNew, led: true, dedup: 2 * time.Hour},
		{name: wire.Runs, discard: jetstream.DiscardNew, led: true},
		{name: wire.Wakes, retention: jetstream.WorkQueuePolicy, discard: jetstream.DiscardOld, ageless: true, led: true, schedules: true},
		{name: wire.Bucket(wire.Definitions), discard: jetstream.DiscardNew, ageless: true, one: true, led: true},
		{name: wire.Bucket(wire.Leases), discard: jetstream.DiscardNew, age: leases.Age, one: true, led: true},
		{name: wire.Bucket(wire.Once), discard: jetstream.DiscardNew, ageless: true, one: true, led: true},
		{name: wire.Bucket(wire.Gates), discard: jetstream.DiscardNew, ageless: true, one: true, led: true},
		{name: wire.Bucket(wire.Waiters), discard: jetstream.DiscardNew, ageless: true, one: true, led: true},
		{name: wire.Bucket(wire.Connections), discard: jetstream.DiscardNew, one: true, led: true},
		{name: wire.Objects(wire.Blobs)},
	}
}

const restartWorker = "let a worker make it: stop all processes, correct or delete the setting by hand, start a worker"

func (e *examination) streams(ctx context.Context) {
	var ages [2]time.Duration
	for _, want := range design() {
		s, err := e.js.Stream(ctx, want.name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			e.found("stream", want.name, "start a worker: it makes the stream", "it is not there")
			continue
		case err != nil:
			e.found("stream", want.name, "look at the server's log, and at this user's permissions", "it cannot be read: %v", err)
			continue
		}
		c := s.CachedInfo().Config
		for _, wrong := range want.differs(c, max(e.Replicas, 1)) {
			e.found("stream", want.name, restartWorker, "%s", wrong)
		}
		e.fill(want.name, c, s.CachedInfo().State)
		switch want.name {
		case wire.Events:
			ages[0] = c.MaxAge
		case wire.Runs:
			ages[1] = c.MaxAge
		}
	}
	if ages[1] > 0 && (ages[0] == 0 || ages[1] < ages[0]+48*time.Hour) {
		e.found("stream", wire.Runs, "set streams.runs_age to streams.events_age and two days or more",
			"it keeps runs for %s, events are kept for %s: an event could come again after its run is forgotten", operator.Took(ages[1]), operator.Took(ages[0]))
	}
	e.shared(ctx, wire.Wakes, "wakes")
	e.shared(ctx, wire.Wakes, "commands")
	e.shared(ctx, wire.Events, router.Consumer)
}

// differs says in what a stream is not as it must be.
func (want expected) differs(c jetstream.StreamConfig, replicas int) []string {
	var all []string
	say := func(wrong bool, format string, args ...any) {
		if wrong {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	say(c.PersistMode == jetstream.AsyncPersistMode, "its persist_mode is async: it acknowledges messages that were not written")
	say(c.Storage != jetstream.FileStorage, "it is kept in memory")
	say(c.Retention != want.retention, "its retention is %s, not %s", c.Retention, want.retention)
	say(c.Replicas < replicas, "it has %d of %d replicas", c.Replicas, replicas)
	if want.name == wire.Objects(wire.Blobs) {
		return all
	}
	say(c.Discard != want.discard, "it discards %s messages when full, not %s", c.Discard, want.discard)
	say(want.ageless && c.MaxAge != 0, "it drops what is older than %s: it must have no age limit", c.MaxAge)
	say(want.age != 0 && c.MaxAge != want.age, "it keeps messages for %s, not %s", c.MaxAge, want.age)
	say(want.one && c.MaxMsgsPerSubject != 1, "it keeps %d messages a subject, not 1", c.MaxMsgsPerSubject)
	say(want.led && c.AllowDirect, "it has direct get, so a follower that lags may answer")
	say(want.schedules && !c.AllowMsgSchedules, "it takes no schedules, so no timer works")
	say(want.dedup > 0 && c.Duplicates < min(want.dedup, c.MaxAge), "it knows duplicates for %s only, Zoom sends again after up to 85 minutes", c.Duplicates)
	return all
}

// fullAt is the share of its limit at which a stream is called full.
const fullAt = .9

func (e *examination) fill(name string, c jetstream.StreamConfig, s jetstream.StreamState) {
	if c.MaxBytes > 0 && float64(s.Bytes) > fullAt*float64(c.MaxBytes) {
		e.found("stream", name, "raise its size limit, or shorten its age", "it holds %s of %s", size(s.Bytes), size(uint64(c.MaxBytes)))
	}
}

// wakeConsumers are those that all workers share.
// shared examines a consumer that all workers share.
func (e *examination) shared(ctx context.Context, stream, name string) {
	c, err := e.js.Consumer(ctx, stream, name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound): // said already
	case err != nil:
		e.found("consumer", name, "start a worker: it makes the consumer", "it cannot be read: %v", err)
	default:
		e.consumer(name, c.CachedInfo().Config)
	}
}

func (e *examination) consumer(name string, c jetstream.ConsumerConfig) {
	wrong := ""
	switch {
	case c.AckPolicy != jetstream.AckExplicitPolicy:
		wrong = "it does not need an acknowledgement for each message"
	case c.AckWait != 10*time.Second:
		wrong = fmt.Sprintf("it waits %s for an acknowledgement, not 10s", c.AckWait)
	case c.MaxDeliver > 0:
		wrong = fmt.Sprintf("it gives up after %d deliveries: what it gave up would vanish", c.MaxDeliver)
	case len(c.BackOff) > 0:
		wrong = "it has a back-off"
	case c.InactiveThreshold != 0:
		wrong = fmt.Sprintf("it is deleted after %s without a worker", c.InactiveThreshold)
	}
	if wrong != "" {
		e.found("consumer", name, "correct it by hand, or delete it: a worker makes it anew where it left off by the histories", "%s", wrong)
	}
}
