// Package ask is how commands ask workers to do what only workers can: a request
// on a subject, which one worker of all answers.
//
// Obligations:
//
//  1. While a worker works on a request it says so every few seconds. Who asked
//     waits as long as it does, and knows soon when the worker has gone.
//  2. Errors come back as text fit for the user, without anything sealed.
//  3. A request of a newer version is refused in words.
package ask

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"zflow/internal/sealed"

	"github.com/nats-io/nats.go"
)

const (
	queue        = "workers"
	most         = 64 // requests answered at a time
	workingEvery = 3 * time.Second
	goneAfter    = 4 * workingEvery // without a word
)

// ErrNoWorker says that nobody is there to ask.
var ErrNoWorker = errors.New("no worker answers: start one with `zflow dev`, or the worker process")

// reply is what a worker answers; the last has an error or a result.
type reply struct {
	Working bool            `json:"working,omitempty"`
	Error   string          `json:"error,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
}

// Verb answers one kind of request.
type Verb func(ctx context.Context, in []byte) (any, error)

// By makes a verb of a function that takes one kind of request.
func By[T any](do func(context.Context, T) (any, error)) Verb {
	return func(ctx context.Context, raw []byte) (any, error) {
		var in T
		if err := json.Unmarshal(raw, &in); err != nil {
			return nil, errors.New("the request is not one of this version of zflow")
		}
		return do(ctx, in)
	}
}

// Server answers requests until Close.
type Server struct {
	prefix string
	verbs  map[string]Verb
	sub    *nats.Subscription
	ctx    context.Context
	stop   func()
	work   sync.WaitGroup
	slots  chan struct{}
}

// Serve begins to answer requests on the subjects that a prefix and a verb make.
func Serve(nc *nats.Conn, prefix string, verbs map[string]Verb) (*Server, error) {
	s := &Server{prefix: prefix, verbs: verbs, slots: make(chan struct{}, most)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	var err error
	if s.sub, err = nc.QueueSubscribe(prefix+"*", queue, s.onRequest); err != nil {
		return nil, fmt.Errorf("listening for requests at %s*: %w", prefix, err)
	}
	return s, nil
}

// Close ends the answers under way.
func (s *Server) Close() {
	_ = s.sub.Unsubscribe() // of a connection that is closed: ended already
	s.stop()
	s.work.Wait()
}

func (s *Server) onRequest(m *nats.Msg) {
	select {
	case s.slots <- struct{}{}:
	case <-s.ctx.Done():
		return
	}
	s.work.Go(func() {
		defer func() { <-s.slots }()
		done := make(chan reply, 1)
		go func() { done <- s.answer(s.ctx, strings.TrimPrefix(m.Subject, s.prefix), m.Data) }()
		every := time.NewTicker(workingEvery)
		defer every.Stop()
		for {
			select {
			case r := <-done:
				respond(m, r)
				return
			case <-every.C:
				respond(m, reply{Working: true})
			}
		}
	})
}

func respond(m *nats.Msg, r reply) {
	if raw, err := json.Marshal(r); err == nil { // it is made of JSON
		_ = m.Respond(raw) // where that fails, who asked does not hear from us any more, and says so
	}
}

func (s *Server) answer(ctx context.Context, verb string, in []byte) reply {
	do, known := s.verbs[verb]
	if !known {
		return reply{Error: fmt.Sprintf("the worker knows no request %q: is it older than the command?", verb)}
	}
	out, err := do(ctx, in)
	if err != nil {
		return reply{Error: sealed.Mask(err.Error())}
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return reply{Error: err.Error()}
	}
	return reply{Result: raw}
}

// Call sends a request and returns what came of it; it waits for as long as a
// worker works on it and ctx allows.
func Call[T any](ctx context.Context, nc *nats.Conn, subject string, in any) (out T, err error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	inbox := nc.NewRespInbox()
	sub, err := nc.SubscribeSync(inbox)
	if err != nil {
		return out, fmt.Errorf("asking a worker: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // nothing comes any more
	if err := nc.PublishRequest(subject, inbox, raw); err != nil {
		return out, fmt.Errorf("asking a worker: %w", err)
	}
	for {
		r, err := next(ctx, sub)
		switch {
		case err != nil:
			return out, err
		case r.Working:
			continue
		case r.Error != "":
			return out, errors.New(r.Error)
		}
		if err := json.Unmarshal(r.Result, &out); err != nil {
			return out, fmt.Errorf("reading a worker's answer: %w", err)
		}
		return out, nil
	}
}

func next(ctx context.Context, sub *nats.Subscription) (r reply, err error) {
	within, cancel := context.WithTimeout(ctx, goneAfter)
	defer cancel()
	m, err := sub.NextMsgWithContext(within)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return r, ErrNoWorker
	case ctx.Err() != nil:
		return r, ctx.Err()
	case within.Err() != nil:
		return r, errors.New("asking a worker: it has gone silent; ask again")
	case err != nil:
		return r, fmt.Errorf("asking a worker: %w", err)
	}
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
		return r, ErrNoWorker
	}
	if err := json.Unmarshal(m.Data, &r); err != nil {
		return r, fmt.Errorf("reading a worker's answer: %w", err)
	}
	return r, nil
}
