package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/actions"
	"zflow/engine/definition"
	"zflow/internal/natstest"
	"zflow/proto"
)

// house is a server with what a catalog needs.
type house struct {
	*Catalog
	server *natstest.Server
	js     jetstream.JetStream
}

func open(t testing.TB) house {
	t.Helper()
	s := natstest.Start(t)
	js := s.JetStream(t)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: proto.Events, Subjects: []string{"zflow.event.>"}}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second finds it there
		if err := Create(t.Context(), js, 1); err != nil {
			t.Fatal(err)
		}
	}
	return house{another(t, s), s, js}
}

// another opens the catalog of a server once more, as a second process does.
func another(t testing.TB, s *natstest.Server) *Catalog {
	t.Helper()
	nc := s.Connect(t)
	c, err := Open(t.Context(), natstest.JetStream(t, nc), natstest.Gate(t, nc), known(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func known(t testing.TB) definition.Known {
	t.Helper()
	say := &actions.Action{Spec: actions.Spec{Name: "say", Effect: actions.Read, Input: actions.Schema{Type: "object", Open: true}}}
	r, err := actions.NewRegistry(say)
	if err != nil {
		t.Fatal(err)
	}
	return definition.Known{
		Actions:    r,
		EventType:  func(name string) (bool, string) { return !strings.Contains(name, "unknown"), "" },
		Connection: func(string) (string, bool) { return "", true },
	}
}

// source is a workflow that says a text when such events come.
func source(name, text string, types ...string) []byte {
	return fmt.Appendf(nil, "name: %s\non:\n  - zoom: [%s]\nsteps:\n  - { uses: say, with: { text: %s } }\n", name, strings.Join(types, ", "), text)
}

func (h house) deploy(t testing.TB, src []byte) Deployed {
	t.Helper()
	d, problems, err := h.Deploy(t.Context(), "w.yaml", src)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	return d
}

func (h house) get(t testing.TB, name string) Entry {
	t.Helper()
	e, err := h.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDeploy(t *testing.T) {
	h := open(t)
	one, two := source("a", "one", "meeting.ended"), source("a", "two", "meeting.ended")
	first := h.deploy(t, one)
	if first.Change != Created || first.Version != definition.Version(one) || first.State != Active || first.File != "w.yaml" {
		t.Errorf("got %+v", first)
	}
	if off := time.Since(first.FirstDeployedAt); off < 0 || off > time.Minute || first.DeployedAt != first.FirstDeployedAt {
		t.Errorf("deployed %v ago: %+v", off, first)
	}
	if again := h.deploy(t, one); again.Change != Unchanged || again.Entry != first.Entry {
		t.Errorf("got %+v, want %+v", again, first)
	}
	second := h.deploy(t, two)
	if second.Change != Updated || second.Version != definition.Version(two) || second.FirstDeployedAt != first.FirstDeployedAt || !second.DeployedAt.After(first.DeployedAt) {
		t.Errorf("got %+v", second)
	}
	if back := h.deploy(t, one); back.Change != Updated || back.Version != first.Version {
		t.Errorf("got %+v", back)
	}
	if got := h.get(t, "a"); got.Version != first.Version || got.Revision <= second.Revision {
		t.Errorf("got %+v", got)
	}
}

func TestList(t *testing.T) {
	h := open(t)
	if all, err := h.List(t.Context()); err != nil || all == nil || len(all) != 0 {
		t.Fatal(all, err)
	}
	for _, name := range []string{"b", "c", "a", "d"} {
		h.deploy(t, source(name, "x", "meeting.ended"))
	}
	must(t, h.Pause(t.Context(), "c"))
	must(t, h.Remove(t.Context(), "b"))
	_, err := h.bucket.PutString(t.Context(), "foreign", `{"state":"dancing"}`)
	must(t, err)
	must(t, h.bucket.Delete(t.Context(), "d"))
	all, err := h.List(t.Context())
	must(t, err)
	var got []string
	for _, e := range all {
		got = append(got, e.Name+" "+string(e.State))
	}
	if want := []string{"a active", "c paused", "foreign unreadable"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.List(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestProblemsDeployNothing(t *testing.T) {
	h := open(t)
	_, problems, err := h.Deploy(t.Context(), "bad.yaml", []byte("name: a\non:\n  - zoom: meeting.ended\nsteps:\n  - { uses: shout }\n  - { slep: 3s }\n"))
	if err == nil || len(problems) < 2 || !strings.Contains(err.Error(), "bad.yaml:5:") {
		t.Errorf("got %v, %v", problems, err)
	}
	if all, err := h.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("deployed %v, %v", all, err)
	}
	d, problems, err := h.Deploy(t.Context(), "warned.yaml", source("a", "x", "unknown.type"))
	if err != nil || len(problems) != 1 || !problems[0].Warning || d.Change != Created {
		t.Errorf("got %+v, %v, %v", d, problems, err)
	}
}

func TestPauseAndResume(t *testing.T) {
	h := open(t)
	h.deploy(t, source("a", "one", "meeting.ended"))
	must(t, h.Pause(t.Context(), "a"))
	if d := h.deploy(t, source("a", "two", "meeting.ended")); d.Change != Updated || d.State != Paused {
		t.Errorf("a deployment resumed it: %+v", d)
	}
	for range 2 { // the second finds it active
		must(t, h.Resume(t.Context(), "a"))
		if got := h.get(t, "a"); got.State != Active || got.Version != definition.Version(source("a", "two", "meeting.ended")) {
			t.Errorf("got %+v", got)
		}
	}
}

func TestNotDeployed(t *testing.T) {
	h := open(t)
	h.deploy(t, source("gone", "x", "meeting.ended"))
	v := h.get(t, "gone").Version
	must(t, h.Remove(t.Context(), "gone"))
	for _, name := range []string{"nowhere", "gone", "gone." + v, "", "no such", "*", ">"} {
		_, get := h.Get(t.Context(), name)
		_, consumer := h.Consumer(t.Context(), name)
		for what, err := range map[string]error{"get": get, "consumer": consumer, "pause": h.Pause(t.Context(), name), "resume": h.Resume(t.Context(), name)} {
			if !errors.Is(err, ErrNotDeployed) {
				t.Errorf("%s %q: got %v", what, name, err)
			}
		}
	}
	if err := h.Remove(t.Context(), "nowhere"); !errors.Is(err, ErrNotDeployed) {
		t.Errorf("got %v", err)
	}
	must(t, h.Remove(t.Context(), "gone")) // finishes what an earlier one may have left
}

func TestUnreadable(t *testing.T) {
	h := open(t)
	for _, value := range []string{"{", `{"state":"dancing"}`} {
		_, err := h.bucket.PutString(t.Context(), "a", value)
		must(t, err)
		if _, err := h.Get(t.Context(), "a"); err == nil || errors.Is(err, ErrNotDeployed) {
			t.Errorf("%s: got %v", value, err)
		}
		if _, _, err := h.Deploy(t.Context(), "w.yaml", source("a", "x", "meeting.ended")); err == nil {
			t.Errorf("%s: overwritten", value)
		}
	}
}

// TestDurable counts the passes of the Gate behind every yes.
func TestDurable(t *testing.T) {
	h := open(t)
	src := source("a", "x", "meeting.ended")
	for i, yes := range []func() error{
		func() error { _, _, err := h.Deploy(t.Context(), "w.yaml", src); return err },
		func() error { _, _, err := h.Deploy(t.Context(), "w.yaml", src); return err }, // its first copy may not have been flushed
		func() error { return h.Pause(t.Context(), "a") },
		func() error { return h.Pause(t.Context(), "a") },
		func() error { return h.Remove(t.Context(), "a") },
	} {
		before := h.gate.Passes()
		must(t, yes())
		if h.gate.Passes() == before {
			t.Errorf("yes %d came without a flush", i)
		}
	}
}

// TestEverybodyAtOnce lets many processes change one workflow, and then looks
// whether the consumer is what the last entry wants.
func TestEverybodyAtOnce(t *testing.T) {
	h := open(t)
	h.deploy(t, source("a", "x", "meeting.ended"))
	var all sync.WaitGroup
	for i := range 3 {
		c := another(t, h.server)
		all.Go(func() {
			for j := range 4 {
				src := source("a", fmt.Sprint("t", i, j), fmt.Sprintf("kind%d.n%d", i, j))
				if _, _, err := c.Deploy(t.Context(), "w.yaml", src); err != nil {
					t.Error(err)
				}
				if err := c.Remove(t.Context(), "a"); err != nil {
					t.Error(err)
				}
				if _, _, err := c.Deploy(t.Context(), "w.yaml", src); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	e, err := h.load(t.Context(), "a")
	must(t, err)
	_, err = h.js.Consumer(t.Context(), proto.Events, "a")
	if e.State == Removed {
		if !errors.Is(err, jetstream.ErrConsumerNotFound) {
			t.Errorf("removed, and the consumer: %v", err)
		}
		return
	}
	must(t, err)
	checkConsumer(t, h, *e)
}

// TestRestarts restarts the server under a caller, who finds every yes kept.
func TestRestarts(t *testing.T) {
	h := open(t)
	for i := range 6 {
		said := make(chan struct{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // a request may be lost with the server
		go func() {
			defer close(said)
			defer cancel()
			for j := range 10 {
				src := source("a", fmt.Sprint("t", i, j), "meeting.ended")
				if _, _, err := h.Deploy(ctx, "w.yaml", src); err != nil {
					return
				}
				if e, err := h.Get(t.Context(), "a"); err == nil && e.Version != definition.Version(src) {
					t.Errorf("said yes to %s, found %s", definition.Version(src), e.Version)
				}
			}
		}()
		h.server.Restart(t)
		<-said
	}
	eventually(t, func() error {
		_, _, err := h.Deploy(t.Context(), "w.yaml", source("a", "last", "meeting.ended"))
		return err
	})
	if got := h.get(t, "a"); got.Version != definition.Version(source("a", "last", "meeting.ended")) {
		t.Errorf("got %+v", got)
	}
}

// eventually tries until there is no error, for a server that comes back.
func eventually(t testing.TB, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal(err)
		}
	}
}

func TestOpenWithoutBucket(t *testing.T) {
	s := natstest.Start(t)
	if _, err := Open(t.Context(), s.JetStream(t), s.Gate(t), known(t)); !errors.Is(err, jetstream.ErrBucketNotFound) {
		t.Errorf("got %v", err)
	}
	must(t, Create(t.Context(), s.JetStream(t), 0))
	c := another(t, s)
	if _, _, err := c.Deploy(t.Context(), "w.yaml", source("a", "x", "meeting.ended")); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("without EVENTS: got %v", err)
	}
}
