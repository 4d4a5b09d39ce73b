package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"zflow/internal/sealed"
	"zflow/internal/zoomapi"
	"zflow/proto"
	"zflow/sources"

	"github.com/nats-io/nats.go/jetstream"
)

// Config is what a Reconciler is made of.
type Config struct {
	App        string // whose events, as in the webhook's path
	AppID      string // the app's id in Zoom's Marketplace; empty: there is no log to read
	Connection string // whose grant reads Zoom's log and lists
	Account    string // of the connection; made-up events carry it
	User       string // whose objects are listed: "me", or empty for all of the account's users

	Call    func(context.Context, zoomapi.Request) (zoomapi.Response, error)
	Publish func(context.Context, *proto.Event) (sources.Ack, error)
	Stream  jetstream.Stream // EVENTS
	Key     sealed.PublicKey // seals the credentials in events
}

// Reconciler compares one app's events.
type Reconciler struct{ Config }

// New returns a Reconciler.
func New(c Config) *Reconciler { return &Reconciler{c} }

// Want says what to compare.
type Want struct {
	Since  time.Time
	Lists  []string // of Families
	DryRun bool     // nothing is put in
}

// Count is how many events of a type Zoom sent, or ought to have, and how many of
// them EVENTS held before.
type Count struct {
	Sent int `json:"sent"`
	Held int `json:"held"`
}

// Report is what a comparison found.
type Report struct {
	App        string           `json:"app"`
	From       time.Time        `json:"from"`
	To         time.Time        `json:"to"`
	Sent       int              `json:"sent"`     // events, however often delivered
	Held       int              `json:"held"`     // of these
	Injected   int              `json:"injected"` // put in now; in a dry run: would be
	Unreadable int              `json:"unreadable,omitempty"`
	Types      map[string]Count `json:"types"`
	Problems   []string         `json:"problems"` // what could not be compared, and why
}

func (r *Report) count(kind string, held bool) {
	c := r.Types[kind]
	c.Sent++
	r.Sent++
	if held {
		c.Held++
		r.Held++
	}
	r.Types[kind] = c
}

// work is one comparison under way.
type work struct {
	from, to time.Time
	held     *held
	seen     map[string]struct{} // ids and objects that were looked at
	missing  []missing
	report   *Report
}

// settled is how long after an event Zoom may still deliver it: its last retry comes
// after 85 minutes.
const settled = 2 * time.Hour

// Run compares and puts in what is missing. An error means that EVENTS could not be
// read or written; what Zoom did not answer is a problem of the report.
func (r *Reconciler) Run(ctx context.Context, want Want) (Report, error) {
	now := time.Now()
	report := Report{App: r.App, From: want.Since, To: now, Types: map[string]Count{}, Problems: []string{}}
	if earliest := now.Add(-LogAge); report.From.Before(earliest) {
		report.From = earliest
	}
	families, err := familiesOf(want.Lists)
	if err != nil {
		return report, err
	}
	held, err := r.look(ctx, report.From, len(families) > 0)
	if err != nil {
		return report, fmt.Errorf("reconciling app %s: %w", r.App, err)
	}
	if held.from.After(report.From) {
		report.problem("%s holds nothing from before %s any more: only what came since is compared", proto.Events, held.from.UTC().Format(time.RFC3339))
	}
	w := &work{from: report.From, to: now, held: held, seen: map[string]struct{}{}, report: &report}
	r.gather(ctx, w, families)
	if err := ctx.Err(); err != nil {
		return report, err
	}
	slices.SortStableFunc(w.missing, func(a, b missing) int { return a.envelope.At.Compare(b.envelope.At) })
	for _, m := range w.missing {
		if !want.DryRun {
			if err := r.inject(ctx, m); err != nil {
				return report, fmt.Errorf("reconciling app %s: %w", r.App, err)
			}
		}
		report.Injected++
	}
	return report, nil
}

// gather asks Zoom.
func (r *Reconciler) gather(ctx context.Context, w *work, families []family) {
	if r.AppID == "" && len(families) == 0 {
		w.report.problem("nothing was compared: the app's id in Zoom's Marketplace is not configured, so its log cannot be read")
	}
	if r.AppID != "" {
		if err := r.readLog(ctx, w); err != nil {
			w.report.problem("Zoom's webhook log: %s", reason(err))
		}
	}
	if len(families) == 0 {
		return
	}
	r.readLists(ctx, w, families)
}

func (r *Report) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// reason is the error for people, with what to do where that is known.
func reason(err error) string {
	var e *zoomapi.Error
	if errors.As(err, &e) && e.Status == 404 {
		return err.Error() + ": is the app_id right, and the connection of the app's own account?"
	}
	return err.Error()
}
