package feeds

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"zflow/internal/ask"
	"zflow/internal/pause"
	"zflow/internal/zoomapi"
	"zflow/proto"
	"zflow/sources/zoom/reconcile"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

const (
	// overlap is how far a comparison reaches back behind the last: Zoom may deliver
	// an event 85 minutes late.
	overlap = 3 * time.Hour
	// soonest is how long after a comparison that was not complete, or after events
	// may have been missed, the next begins.
	soonest = time.Minute
)

// compareAgain compares at each interval and soon after events may have been
// missed, until ctx ends.
func (f *feed) compareAgain(ctx context.Context) {
	every := time.Duration(f.app.Reconcile)
	if every == 0 && f.app.AppID == "" {
		<-ctx.Done() // nothing to compare with
		return
	}
	for {
		wait := every
		if at, _ := f.mark(ctx); every > 0 && !at.IsZero() {
			wait = max(time.Until(at.Add(every)), soonest)
		} else if every > 0 {
			wait = soonest
		}
		if !f.wait(ctx, wait) {
			return
		}
		report, err := f.compare(ctx, reconcile.Want{Lists: f.app.Lists})
		if err == nil && len(report.Problems) > 0 {
			err = errors.New(strings.Join(report.Problems, "; "))
		}
		if err != nil && ctx.Err() == nil {
			f.Log.Warn("events could not be compared with Zoom's", zap.String("app", f.name), zap.Error(err))
		}
		if err != nil && !pause.For(ctx, soonest) {
			return
		}
	}
}

// wait returns true when it is time, false when ctx ended. With no interval it
// waits for events that may have been missed.
func (f *feed) wait(ctx context.Context, d time.Duration) bool {
	var due <-chan time.Time
	if d > 0 {
		due = time.After(d)
	}
	select {
	case <-ctx.Done():
		return false
	case <-due:
		return true
	case <-f.soon:
		return pause.For(ctx, soonest) // what comes now is not missed yet
	}
}

// compare compares once; without a time since the last comparison that was complete.
func (f *feed) compare(ctx context.Context, want reconcile.Want) (reconcile.Report, error) {
	begun := time.Now()
	scheduled := want.Since.IsZero()
	if scheduled {
		at, err := f.mark(ctx)
		if err != nil {
			return reconcile.Report{}, err
		}
		want.Since = begun.Add(-reconcile.LogAge)
		if !at.IsZero() {
			want.Since = at.Add(-overlap)
		}
	}
	token, err := f.Tokens.Token(ctx, f.app.Connection, "")
	if err != nil {
		return reconcile.Report{}, err
	}
	c := reconcile.Config{App: f.name, AppID: f.app.AppID, Connection: f.app.Connection, Account: token.Account,
		Call: f.api.Do, Publish: f.Publish, Stream: f.stream, Key: f.Key}
	if token.Kind == zoomapi.KindUser {
		c.User = "me"
	}
	report, err := reconcile.New(c).Run(ctx, want)
	complete := err == nil && len(report.Problems) == 0 && !want.DryRun
	f.note(report, complete, begun)
	if complete && scheduled {
		err = f.setMark(ctx, begun)
	}
	if report.Injected > 0 && !want.DryRun {
		f.Log.Info("events that were missing were put in", zap.String("app", f.name), zap.Int("events", report.Injected))
	}
	return report, err
}

func (f *feed) note(r reconcile.Report, complete bool, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if complete {
		f.last.At = at
	} else {
		f.last.Failed++
	}
	f.last.Injected += r.Injected
}

func (f *feed) markKey() string { return "reconcile." + proto.Token(f.name) }

// mark returns until when the app's events were compared; the zero time where they
// never were.
func (f *feed) mark(ctx context.Context) (time.Time, error) {
	e, err := f.marks.Get(ctx, f.markKey())
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("reading until when events were compared: %w", err)
	}
	at, err := time.Parse(time.RFC3339Nano, string(e.Value()))
	if err != nil {
		return time.Time{}, nil // compared anew
	}
	return at, nil
}

// setMark needs no flush: what it forgets is compared again.
func (f *feed) setMark(ctx context.Context, at time.Time) error {
	if _, err := f.marks.Put(ctx, f.markKey(), []byte(at.UTC().Format(time.RFC3339Nano))); err != nil {
		return fmt.Errorf("noting until when events were compared: %w", err)
	}
	return nil
}

// Request asks for a comparison.
type Request struct {
	App    string    `json:"app,omitempty"` // empty: all
	Since  time.Time `json:"since"`
	Lists  []string  `json:"lists,omitempty"`
	DryRun bool      `json:"dry_run,omitempty"`
}

// Reconcile asks a worker to compare the events of one app, or of all.
func Reconcile(ctx context.Context, nc *nats.Conn, r Request) ([]reconcile.Report, error) {
	return ask.Call[[]reconcile.Report](ctx, nc, subjects+"reconcile", r)
}

func (f *Feeds) onReconcile(ctx context.Context, q Request) (any, error) {
	names, err := f.chosen(q.App)
	if err != nil {
		return nil, err
	}
	all := []reconcile.Report{}
	for _, name := range names {
		report, err := f.feeds[name].compare(ctx, reconcile.Want{Since: q.Since, Lists: q.Lists, DryRun: q.DryRun})
		if err != nil {
			return nil, err
		}
		all = append(all, report)
	}
	return all, nil
}

// chosen returns the app that is named, or all.
func (f *Feeds) chosen(app string) ([]string, error) {
	names := f.names()
	switch {
	case len(names) == 0:
		return nil, errors.New("no app is configured: zoom.apps of the worker's configuration names the apps and their connections")
	case app != "" && f.feeds[app] == nil:
		return nil, fmt.Errorf("there is no app %q: zoom.apps has %s", app, strings.Join(names, ", "))
	case app != "":
		names = []string{app}
	}
	return names, nil
}
