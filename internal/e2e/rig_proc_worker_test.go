//go:build unix

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"zflow/actions"
	"zflow/engine/router"
	"zflow/engine/waits"
	"zflow/engine/worker"
	"zflow/internal/app"
	"zflow/internal/app/broker"
	"zflow/internal/app/link"
	"zflow/internal/app/streams"
	"zflow/internal/durable"
	"zflow/internal/sealed"
	"zflow/internal/settings"
)

// procRoleEnv makes this test binary a broker or a worker; it holds a procRole.
const procRoleEnv = "ZFLOW_E2E_ROLE"

// procBeginHeader carries a procBegin to the called API.
const procBeginHeader = "X-E2e-Begin"

func TestMain(m *testing.M) {
	role := os.Getenv(procRoleEnv)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := procPlay(role); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// procRole is what a process is told to be.
type procRole struct {
	Role           string
	Data, Listen   string // of a broker
	URL, Keys, Log string // of a worker
}

func procPlay(text string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var r procRole
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return err
	}
	c := zap.NewProductionConfig()
	c.Sampling, c.DisableCaller = nil, true
	log, err := c.Build()
	if err != nil {
		return err
	}
	if r.Role == "broker" {
		return procBroker(ctx, r, log)
	}
	return procWork(ctx, r, log)
}

// procBroker is what cmd/broker is.
func procBroker(ctx context.Context, r procRole, log *zap.Logger) error {
	b, err := broker.Start(ctx, broker.Config{Data: r.Data, Listen: r.Listen, Log: log})
	if err != nil {
		return err
	}
	defer b.Shutdown()
	select {
	case <-ctx.Done():
		return nil
	case <-b.Done():
		return b.Err()
	}
}

// procBegin is the right by which a call began, as the worker process saw it.
type procBegin struct {
	worker.Begin
	Worker  string
	Checked time.Time
}

// procWork is the worker of the product, but for what it tells of its rights: its
// renewals in a file, and by what right a call began in the call itself.
func procWork(ctx context.Context, spec procRole, log *zap.Logger) error {
	keys, err := sealed.LoadOrCreateKeys(spec.Keys)
	if err != nil {
		return err
	}
	cc := app.ClientConfig{Config: link.Config{URL: spec.URL, Name: "worker", Wait: true}}
	nc, err := link.Dial(ctx, cc.Config)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	if err := streams.Make(ctx, js, procStreams()); err != nil {
		return err
	}
	if cc.Gate, err = durable.Open(ctx, nc, durable.Options{}); err != nil {
		return err
	}
	t := &procTeller{}
	registry, err := t.registry()
	if err != nil {
		return err
	}
	cc.Known = app.Known(registry, nil)
	client, err := app.OpenOn(ctx, nc, cc)
	if err != nil {
		return err
	}
	waiters, err := waits.Open(ctx, js, cc.Gate)
	if err != nil {
		return err
	}
	events, err := router.Open(ctx, js, cc.Gate, router.Stores{Waits: waiters, Wakes: client.Stores.Wakes}, log)
	if err != nil {
		return err
	}
	w := worker.New(worker.Config{
		NC: nc, Gate: cc.Gate, Catalog: client.Catalog, Router: events, Stores: client.Stores, Actions: registry, Keys: keys, Log: log,
		Watch: worker.Watch{Renewed: t.renewed, Calling: t.calling},
	})
	if err := t.open(spec.Log, w.ID()); err != nil {
		return err
	}
	go t.weigh(nc)
	return w.Run(ctx)
}

// procStreams are limits that many brokers on one disk can have.
func procStreams() settings.Streams {
	s := settings.Default().Streams
	s.EventsBytes, s.RunsBytes, s.WakesBytes = 256<<20, 256<<20, 64<<20
	return s
}

// procTeller tells of a worker's rights.
type procTeller struct {
	worker string
	log    *os.File
	begins sync.Map // step key to worker.Begin and when
}

func (t *procTeller) open(path, id string) (err error) {
	t.worker = id
	if t.log, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	_, err = fmt.Fprintln(t.log, "worker", id)
	return err
}

func (t *procTeller) renewed(sent, answered time.Time) {
	fmt.Fprintln(t.log, "put", sent.UnixNano(), answered.UnixNano())
}

func (t *procTeller) calling(b worker.Begin) {
	t.begins.Store(b.Run+"."+b.Step, procBegin{b, t.worker, time.Now()})
}

// registry has all actions; http.request sends its right along.
func (t *procTeller) registry() (*actions.Registry, error) {
	plain, err := app.Actions(app.ActionsConfig{HTTPAllow: []string{"127.0.0.1"}})
	if err != nil {
		return nil, err
	}
	request := *plain.Get("http.request")
	do := request.Do
	request.Do = func(ctx context.Context, c actions.Call) (actions.Result, error) {
		begin, there := t.begins.LoadAndDelete(c.Key)
		if !there {
			return actions.Result{}, actions.Final("a call that was not announced")
		}
		text, err := json.Marshal(begin)
		if err != nil {
			return actions.Result{}, err
		}
		c.Input["headers"] = map[string]any{procBeginHeader: string(text)}
		return do(ctx, c)
	}
	return actions.NewRegistry(&request)
}

// procPut is a renewal of a lease that succeeded.
type procPut struct{ sent, answered time.Time }

// procReadLog reads what a worker process has told.
func procReadLog(path string) (id string, puts []procPut, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var sent, answered int64
		if n, _ := fmt.Sscanf(lines.Text(), "put %d %d", &sent, &answered); n == 2 {
			puts = append(puts, procPut{time.Unix(0, sent), time.Unix(0, answered)})
		} else if name, is := strings.CutPrefix(lines.Text(), "worker "); is {
			id = name
		}
	}
	return id, puts, nil
}
