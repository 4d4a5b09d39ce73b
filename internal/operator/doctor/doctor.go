// Package doctor examines a server and the processes on it, and says what is wrong
// and what to do about it.
package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/internal/durable"
	"zflow/internal/operator"
	wire "zflow/proto"
)

// Finding is something that is wrong, and what to do about it.
type Finding struct {
	Check  string `json:"check"`  // server, durability, stream, consumer, disk, clock, app, ingest, workflow, mailbox, worker, connection, subscription, scope, run, history
	About  string `json:"about"`  // which one
	Wrong  string `json:"wrong"`  // what is wrong with it
	Advice string `json:"advice"` // what to do
}

// Report is what an examination found.
type Report struct {
	Server     string    `json:"server"`
	Version    string    `json:"version"`
	Durability string    `json:"durability"`
	Findings   []Finding `json:"findings"`
	Notes      []string  `json:"notes"` // what could not be checked, and why
}

// App is a Zoom app that ingest takes events of.
type App struct {
	Name    string
	Secrets int
}

// Doctor examines a server and the processes on it. Funcs and fields that are
// empty are not examined.
type Doctor struct {
	Dial        func(context.Context) (*nats.Conn, error)
	Open        func(context.Context, *nats.Conn) (*operator.Operator, error)
	Declared    durable.Mode
	Replicas    int   // that streams are configured to have; 0: 1
	Apps        []App // nil: not known
	Connections []string
	Token       func(ctx context.Context, gate *durable.Gate, js jetstream.JetStream, connection string) error
	Metrics     string                                             // URL of ingest's metrics
	Zoom        func(context.Context, *nats.Conn) (Zoom, error)    // asks a worker
	Code        func(context.Context, *nats.Conn) (Code, error)    // asks all workers
	Scopes      func(w *engine.Workflow, of []Connection) []string // that its connections lack
	Histories   bool                                               // all histories are read and checked
	Progress    func(done, of uint64)
}

// examination is one in progress.
type examination struct {
	Doctor
	report *Report
	nc     *nats.Conn
	js     jetstream.JetStream
	gate   *durable.Gate
	op     *operator.Operator
	linked []Connection // as workers know them
	coded  []string     // workflows that have steps of code
}

// Examine checks everything that it can reach, and reports all that is wrong.
func (d Doctor) Examine(ctx context.Context) Report {
	e := &examination{Doctor: d, report: &Report{Findings: []Finding{}, Notes: []string{}}}
	e.apps()
	e.ingest(ctx)
	if e.server(ctx) {
		defer e.nc.Close()
		e.streams(ctx)
		e.disk(ctx)
		e.clock(ctx)
		e.connections(ctx)
		if e.opened(ctx) {
			e.workers(ctx)
			e.zoom(ctx)
			e.workflows(ctx)
			e.code(ctx)
			e.runs(ctx)
			e.histories(ctx)
		}
	}
	return *e.report
}

func (e *examination) found(check, about, advice, wrong string, args ...any) {
	f := Finding{check, about, operator.Line(fmt.Sprintf(wrong, args...)), advice}
	e.report.Findings = append(e.report.Findings, f)
}

func (e *examination) note(format string, args ...any) {
	e.report.Notes = append(e.report.Notes, operator.Line(fmt.Sprintf(format, args...)))
}

func (e *examination) apps() {
	for _, a := range e.Apps {
		if a.Secrets == 0 {
			e.found("app", a.Name, "put its secret token (Zoom Marketplace, Features, Access) into ingest.apps",
				"it has no secret token, so none of its events can be verified: all are refused")
		}
	}
}

// server connects and finds out what the server promises. False: nothing more
// can be checked.
func (e *examination) server(ctx context.Context) bool {
	var err error
	if e.nc, err = e.Dial(ctx); err != nil {
		e.found("server", "", "start it (zflow dev, or the broker), or name another with --server", "it does not answer: %v", err)
		return false
	}
	e.report.Server, e.report.Version = e.nc.ConnectedUrlRedacted(), e.nc.ConnectedServerVersion()
	if e.js, err = jetstream.New(e.nc); err == nil {
		_, err = e.js.AccountInfo(ctx)
	}
	if err != nil {
		e.found("server", e.report.Server, "turn JetStream on for this account", "JetStream does not answer: %v", err)
		e.nc.Close()
		return false
	}
	if e.gate, err = durable.Open(ctx, e.nc, durable.Options{Declared: e.Declared}); err != nil {
		e.unfit(err)
		return true
	}
	e.report.Durability = string(e.gate.Mode())
	if w := e.gate.Warning(); w != "" {
		e.note("%s", w)
	}
	return true
}

// unfit is about a server on which nothing would last.
func (e *examination) unfit(err error) {
	if strings.Contains(err.Error(), e.report.Version) {
		e.found("server", e.report.Server, "update nats-server", "%v", err)
		return
	}
	e.found("durability", e.report.Server, "use zflow's broker, or a server with sync_interval: always, and declare it", "%v", err)
}

func (e *examination) disk(ctx context.Context) {
	if e.gate == nil {
		return
	}
	d, err := e.gate.Disk(ctx)
	if err != nil {
		e.found("disk", "", "look at the broker's log", "the broker does not tell its disk's room: %v", err)
		return
	}
	if d.Size == 0 {
		e.note("the room on the server's disk cannot be known in mode %s", e.report.Durability)
		return
	}
	if d.Free <= d.Reserve {
		e.found("disk", "", "make room: ingest answers 503 until there is", "%s are free, the reserve is %s", size(d.Free), size(d.Reserve))
	}
}

func size(bytes uint64) string { return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30)) }

// clockOff is how far a clock may be off.
const clockOff = 2 * time.Second

func (e *examination) clock(ctx context.Context) {
	sent := time.Now()
	s, err := e.js.Stream(ctx, wire.Events)
	if err != nil {
		return // said by the check of streams
	}
	half := time.Since(sent) / 2
	if off := s.CachedInfo().TimeStamp.Sub(sent.Add(half)); off.Abs() > clockOff+half {
		e.found("clock", "", "let both machines follow a time server (NTP): signatures and timers depend on it",
			"the server's clock and this machine's are %s apart", operator.Took(off.Abs()))
	}
}

func (e *examination) connections(ctx context.Context) {
	if e.gate == nil || e.Token == nil {
		return
	}
	for _, name := range e.Connections {
		if err := e.Token(ctx, e.gate, e.js, name); err != nil {
			e.found("connection", name, "check its account id, client id and client secret in Zoom's Marketplace", "it gets no token: %v", err)
		}
	}
}

func (e *examination) opened(ctx context.Context) bool {
	if e.gate == nil {
		return false
	}
	var err error
	if e.op, err = e.Open(ctx, e.nc); err != nil {
		e.found("server", e.report.Server, "start a worker: it makes what is missing", "zflow's streams cannot be opened: %v", err)
		return false
	}
	return true
}
