// Package able tells which workers can run the code of steps, and with what.
package able

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/actions/code/node"
	"zflow/engine/leases"
	"zflow/proto"
)

// Worker is what a worker says of itself.
type Worker struct {
	ID        string `json:"id"`
	Version   string `json:"version,omitempty"`    // of its Node.js
	Confined  bool   `json:"confined,omitempty"`   // its Node.js has the permission model
	NoNetwork bool   `json:"no_network,omitempty"` // code can be kept from the network there
	Problem   string `json:"problem,omitempty"`    // why it cannot run code; empty: it can
}

// subject is what all workers hear; those of single workers have an id there.
var subject = proto.WorkerSubject("CODE")

// patience is how long workers may take to answer: the first time they start Node.js.
const patience = 10 * time.Second

// Server answers for a worker.
type Server struct {
	sub  *nats.Subscription
	work sync.WaitGroup
}

// Serve begins to answer; find looks for the Node.js that code is run with.
func Serve(nc *nats.Conn, id string, find func() (node.Found, error)) (*Server, error) {
	s := &Server{}
	var err error
	s.sub, err = nc.Subscribe(subject, func(m *nats.Msg) {
		s.work.Go(func() {
			if raw, err := json.Marshal(of(id, find)); err == nil { // it is made of JSON
				_ = m.Respond(raw) // else who asked counts this worker as silent
			}
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listening at %s: %w", subject, err)
	}
	return s, nil
}

func of(id string, find func() (node.Found, error)) Worker {
	found, err := find()
	if err != nil {
		return Worker{ID: id, Problem: err.Error()}
	}
	return Worker{ID: id, Version: found.Version, Confined: found.Permission != "", NoNetwork: found.NoNetwork}
}

// Close ends the answers under way.
func (s *Server) Close() {
	_ = s.sub.Unsubscribe() // of a connection that is closed: ended already
	s.work.Wait()
}

// Ask asks all workers. It returns those that answer, in the order of their ids, and
// how many of those that hold a lease do not.
func Ask(ctx context.Context, nc *nats.Conn) (all []Worker, silent int, err error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, 0, err
	}
	want, err := leases.Workers(ctx, js)
	if err != nil {
		return nil, 0, fmt.Errorf("counting workers: %w", err)
	}
	if want == 0 {
		return nil, 0, nil
	}
	if all, err = gather(ctx, nc, want); err != nil {
		return nil, 0, fmt.Errorf("asking workers whether they can run code: %w", err)
	}
	slices.SortFunc(all, func(a, b Worker) int { return strings.Compare(a.ID, b.ID) })
	return all, max(want-len(all), 0), nil
}

func gather(ctx context.Context, nc *nats.Conn, want int) (all []Worker, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	inbox := nc.NewRespInbox()
	sub, err := nc.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer func() { _ = sub.Unsubscribe() }() // nothing comes any more
	if err := nc.PublishRequest(subject, inbox, nil); err != nil {
		return nil, err
	}
	for len(all) < want {
		m, err := sub.NextMsgWithContext(ctx)
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrNoResponders) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		w := Worker{}
		if len(m.Data) == 0 || json.Unmarshal(m.Data, &w) != nil {
			return all, nil // nobody hears it: these workers are of an older version
		}
		all = append(all, w)
	}
	return all, nil
}

// Nobody says why none of the workers can run code; empty: one can, or none is there.
func Nobody(all []Worker) string {
	var why []string
	for _, w := range all {
		if w.Problem == "" {
			return ""
		}
		if !slices.Contains(why, w.Problem) {
			why = append(why, w.Problem)
		}
	}
	return strings.Join(why, "; ")
}
