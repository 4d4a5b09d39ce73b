package catalog

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"zflow/engine/definition"
	"zflow/internal/natstest"
	"zflow/proto"
)

// versions lists those of a workflow by the text that they say.
func (h house) versions(t *testing.T, name string) string {
	t.Helper()
	all, err := h.Versions(t.Context(), name)
	must(t, err)
	var texts []string
	for _, v := range all {
		src, err := h.Source(t.Context(), name, v.Version)
		must(t, err)
		_, text, _ := strings.Cut(src, "text: ")
		text, _, _ = strings.Cut(text, " }")
		if v.Version == h.get(t, name).Version {
			text = "[" + text + "]"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

// Versions stand in the order of their last deployments; a rollback moves which
// is active, and nothing else.
func TestVersionsAndRollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		h := open(t)
		at := func(text string) string { return definition.Version(source("a", text, "meeting.ended")) }
		deploy := func(text string) {
			h.deploy(t, source("a", text, "meeting.ended"))
			time.Sleep(time.Hour)
		}
		back := func(text string, want Change) {
			d, err := h.Rollback(t.Context(), "a", at(text))
			if err != nil || d.Change != want || d.Version != at(text) || d.File != "w.yaml" {
				t.Errorf("back to %s: %+v, %v", text, d, err)
			}
			time.Sleep(time.Hour)
		}
		check := func(want string) {
			t.Helper()
			if got := h.versions(t, "a"); got != want {
				t.Errorf("%s, not %s", got, want)
			}
		}
		for _, text := range []string{"one", "two", "three"} {
			deploy(text)
		}
		h.deploy(t, source("ab", "other", "meeting.ended"))
		check("[three] two one")
		back("two", Updated)
		back("two", Unchanged)
		check("three [two] one")
		back("one", Updated)
		check("three two [one]")
		deploy("one") // it is active
		check("three two [one]")
		deploy("two")
		check("[two] three one")
		all, err := h.Versions(t.Context(), "a")
		must(t, err)
		if !all[0].DeployedAt.After(all[0].StoredAt.Add(4*time.Hour)) || !all[2].DeployedAt.Equal(h.get(t, "a").FirstDeployedAt) {
			t.Errorf("got %+v", all)
		}
	})
}

// What was stored before deployments were noted is in the order of its storage.
func TestVersionsWithoutANote(t *testing.T) {
	h := open(t)
	for _, text := range []string{"one", "two"} {
		d := h.deploy(t, source("a", text, "meeting.ended"))
		must(t, h.bucket.Delete(t.Context(), versionKey("a", d.Version)+deploymentSuffix))
	}
	if got := h.versions(t, "a"); got != "[two] one" {
		t.Error(got)
	}
}

func TestRollbackKeepsTheStateAndMovesTheConsumer(t *testing.T) {
	h := open(t)
	one := h.deploy(t, source("a", "one", "meeting.ended"))
	h.deploy(t, source("a", "two", "meeting.started"))
	must(t, h.Pause(t.Context(), "a"))
	d, err := h.Rollback(t.Context(), "a", one.Version)
	if err != nil || d.State != Paused || !d.FirstDeployedAt.Equal(one.FirstDeployedAt) {
		t.Errorf("got %+v, %v", d, err)
	}
	must(t, h.Resume(t.Context(), "a"))
	consumer, err := h.Consumer(t.Context(), "a")
	must(t, err)
	if got := consumer.CachedInfo().Config.FilterSubjects; len(got) != 1 || !strings.HasSuffix(got[0], "meeting.ended") {
		t.Errorf("it gets %v", got)
	}
}

func TestRollbackRefuses(t *testing.T) {
	h := open(t)
	gone := h.deploy(t, source("gone", "one", "meeting.ended"))
	must(t, h.Remove(t.Context(), "gone"))
	d := h.deploy(t, source("a", "one", "meeting.ended"))
	for _, c := range []struct {
		name, version string
		want          error
	}{
		{"a", "0123", ErrNoVersion}, {"a", d.Version + deploymentSuffix, ErrNoVersion}, {"nosuch", d.Version, ErrNoVersion}, {"gone", gone.Version, ErrNotDeployed},
	} {
		if _, err := h.Rollback(t.Context(), c.name, c.version); !errors.Is(err, c.want) {
			t.Errorf("%s %s: %v", c.name, c.version, err)
		}
	}
	_, err := h.bucket.PutString(t.Context(), versionKey("a", "0123"), `{"level":2,"source":"x"}`)
	must(t, err)
	if _, err := h.Rollback(t.Context(), "a", "0123"); err == nil || h.get(t, "a").Version != d.Version {
		t.Errorf("a version that this zflow cannot run: %v", err)
	}
	for _, name := range []string{"nosuch", "*", "", "a.b"} {
		if all, err := h.Versions(t.Context(), name); !errors.Is(err, ErrNotDeployed) {
			t.Errorf("%q: %v, %v", name, all, err)
		}
	}
	if all, err := h.Versions(t.Context(), "gone"); err != nil || len(all) != 1 {
		t.Errorf("of a workflow that was removed: %v, %v", all, err)
	}
}

// TestListUnanswered: a server that never answers what a list asks for, here since
// it may not be asked, is not waited for without end.
func TestListUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		s := natstest.Start(t, natstest.Configure(func(o *server.Options) {
			deaf := &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"$JS.API.CONSUMER.CREATE." + proto.Bucket(proto.Definitions) + ".>"}}}
			o.Users = []*server.User{{Username: "all"}, {Username: "deaf", Permissions: deaf}}
			o.NoAuthUser = "all"
		}))
		must(t, Create(t.Context(), s.JetStream(t), 1))
		nc := s.Connect(t, nats.UserInfo("deaf", ""), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
		c, err := Open(t.Context(), natstest.JetStream(t, nc), natstest.Gate(t, nc), known(t))
		must(t, err)
		start := time.Now()
		if _, err := c.List(t.Context()); !errors.Is(err, errUnanswered) {
			t.Errorf("an unanswered list ends with %v", err)
		}
		if took := time.Since(start); took > (mostLists+1)*(nextWithin+stopWithin) {
			t.Errorf("it took %s", took)
		}
	})
}
