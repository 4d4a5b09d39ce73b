package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"zflow/internal/app/routes"
	"zflow/internal/ask"
	"zflow/internal/sealed"
	"zflow/proto"
	"zflow/sources/http"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

const (
	routesEvery  = 15 * time.Second // a hint of a change may be lost
	retryRoutes  = time.Second
	freshFor     = time.Second // an unknown path asks no sooner again
	routesWithin = 3 * time.Second
	responses    = "zflow.response."
)

// web serves HTTP triggers. It learns the routes from workers, sealed to a key that
// nobody else ever has.
type web struct {
	in      *Intake
	keys    *sealed.Keys
	handler *http.Handler
	table   atomic.Pointer[http.Table]
	boxes   atomic.Pointer[[]string] // mailboxes; nil: nobody has said
	changed chan struct{}            // holds one

	asking sync.Mutex // one at a time
	asked  time.Time

	mu      sync.Mutex
	waiting map[string][]chan *http.Answer // by event
	subbed  bool
}

func newWeb(in *Intake) (*web, error) {
	keys, err := sealed.GenerateKeys()
	if err != nil {
		return nil, err
	}
	v := &web{in: in, keys: keys, changed: make(chan struct{}, 1), waiting: map[string][]chan *http.Answer{}}
	limits := in.config.HTTP
	limits.Body = in.config.MaxBody
	v.handler = http.NewHandler(http.Config{
		Limits: limits, Routes: v.table.Load, Fresh: v.fresh, Publish: in.publish, Room: in.room, MaxPayload: in.maxPayload, Log: in.log,
		Files: http.Files{Begin: v.begin, Copy: v.copy},
		Runs:  http.Runs{Await: v.await, Recorded: v.recorded},
	})
	return v, nil
}

// open listens for answers and for changes, once.
func (v *web) open() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.subbed {
		return nil
	}
	if _, err := v.in.nc.Subscribe(responses+"*", v.onAnswer); err != nil {
		return fmt.Errorf("listening for answers: %w", err)
	}
	if _, err := v.in.nc.Subscribe(routes.Changed, func(*nats.Msg) { v.change() }); err != nil {
		return fmt.Errorf("listening for changes of workflows: %w", err)
	}
	v.subbed = true
	v.change()
	return nil
}

func (v *web) change() {
	select {
	case v.changed <- struct{}{}:
	default:
	}
}

// keep knows the routes until ctx ends.
func (v *web) keep(ctx context.Context) {
	said := ""
	for wait := retryRoutes; ; {
		select {
		case <-ctx.Done():
			return
		case <-v.changed:
		case <-time.After(wait):
		}
		wait = routesEvery
		if err := v.ask(ctx); err != nil {
			wait = retryRoutes
			if err.Error() != said && ctx.Err() == nil {
				v.in.log.Warn("the HTTP triggers are not known anew", zap.Error(err))
			}
			said = err.Error()
			continue
		}
		said = ""
	}
}

// Learn asks workers now which HTTP triggers there are.
func (in *Intake) Learn(ctx context.Context) error { return in.web.ask(ctx) }

// Requests are the methods and paths of the HTTP triggers.
func (in *Intake) Requests() []string { return in.web.table.Load().List() }

// fresh asks for the routes, unless that was done just now.
func (v *web) fresh(ctx context.Context) *http.Table {
	_ = v.askUnless(ctx, freshFor) // else what is known holds on
	return v.table.Load()
}

func (v *web) ask(ctx context.Context) error { return v.askUnless(ctx, 0) }

func (v *web) askUnless(ctx context.Context, since time.Duration) error {
	v.asking.Lock()
	defer v.asking.Unlock()
	if since > 0 && time.Since(v.asked) < since {
		return nil
	}
	if !v.in.nc.IsConnected() {
		return errNotOpened
	}
	v.asked = time.Now()
	ctx, cancel := context.WithTimeout(ctx, routesWithin)
	defer cancel()
	got, err := ask.Call[routes.Sealed](ctx, v.in.nc, routes.Verbs+"routes", routes.Wish{Key: v.keys.Public().String()})
	if err != nil {
		return err
	}
	text, err := v.keys.OpenText(got.Routes)
	if err != nil {
		return err
	}
	var all []http.Route
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return errors.New("the routes are not those of this version of zflow")
	}
	table, without := http.NewTable(all)
	v.table.Store(table)
	slices.Sort(got.Mailboxes)
	boxes := slices.Compact(got.Mailboxes)
	v.boxes.Store(&boxes)
	for _, r := range without {
		v.in.log.Warn("an HTTP trigger has no path, since another workflow has it", zap.String("workflow", r.Workflow), zap.String("path", r.Path))
	}
	return nil
}

// await registers for the answer of an event.
func (v *web) await(event string) (<-chan *http.Answer, func()) {
	c := make(chan *http.Answer, 1)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.waiting[event] = append(v.waiting[event], c)
	return c, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		left := slices.DeleteFunc(v.waiting[event], func(other chan *http.Answer) bool { return other == c })
		if v.waiting[event] = left; len(left) == 0 {
			delete(v.waiting, event)
		}
	}
}

func (v *web) onAnswer(m *nats.Msg) {
	event := proto.Text(strings.TrimPrefix(m.Subject, responses))
	v.mu.Lock()
	defer v.mu.Unlock() // whoever stops waiting changes the list
	if len(v.waiting[event]) == 0 {
		return
	}
	a := &http.Answer{}
	if json.Unmarshal(m.Data, a) != nil {
		return // who waits asks for it
	}
	for _, c := range v.waiting[event] {
		select {
		case c <- a:
		default: // it has one: the first is the answer
		}
	}
}

// recorded asks a worker for what a run's history has.
func (v *web) recorded(ctx context.Context, workflow, event string) (*http.Answer, error) {
	got, err := ask.Call[routes.Recorded](ctx, v.in.nc, routes.Verbs+"answer", routes.Question{Workflow: workflow, Event: event})
	return got.Answer, err
}
