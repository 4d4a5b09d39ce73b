// Package routes is what workers do for HTTP triggers: they tell ingest which there
// are, and what runs answer.
//
// Obligations:
//
//  1. Tokens and passwords leave a worker as salted hashes; all of a table is sealed
//     to the key of the ingest that asks, which it makes at its start.
//  2. A trigger whose secrets are not there is in the table as one that cannot be
//     served: it is never served without.
//  3. An answer is what a run's history says. What is sealed in it is masked; why a
//     run failed is not told.
package routes

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"zflow/engine/blobs"
	"zflow/engine/catalog"
	"zflow/engine/history"
	"zflow/engine/workflow"
	"zflow/internal/ask"
	"zflow/internal/sealed"
	"zflow/sources/http"
)

const (
	// Verbs begins the subjects on which ingest asks.
	Verbs = "zflow.http."
	// Changed is where workers say that workflows have changed; a hint.
	Changed = "zflow.routes.changed"
)

// Options are what a Desk works with.
type Options struct {
	Catalog *catalog.Catalog
	History *history.Store
	Blobs   *blobs.Store
	Secrets func() map[string]string // as they are now, by name, readable
	Base    string                   // what addresses of triggers begin with, as others see them; empty: nobody knows
	Log     *zap.Logger
}

// Desk answers ingest.
type Desk struct {
	Options
	nc     *nats.Conn
	server *ask.Server
	end    context.CancelFunc
	done   chan struct{}
}

// Wish asks for the routes, sealed to a key.
type Wish struct {
	Key string `json:"key"`
}

// Sealed is a table of routes.
type Sealed struct {
	Routes string `json:"routes"` // a list of http.Route, sealed

	Mailboxes []string `json:"mailboxes"` // that workflows have
}

// Question asks for a run's answer.
type Question struct {
	Workflow string `json:"workflow"`
	Event    string `json:"event"`
}

// Serve begins to answer, until Close.
func Serve(nc *nats.Conn, o Options) (*Desk, error) {
	ctx, end := context.WithCancel(context.Background())
	d := &Desk{Options: o, nc: nc, end: end, done: make(chan struct{})}
	entries, err := o.Catalog.Watch(ctx)
	if err == nil {
		d.server, err = ask.Serve(nc, Verbs, map[string]ask.Verb{
			"routes": ask.By(d.onRoutes), "answer": ask.By(d.onAnswer), "file": ask.By(d.onFile),
			"base": func(context.Context, []byte) (any, error) { return d.Base, nil },
		})
	}
	if err != nil {
		end()
		return nil, fmt.Errorf("serving HTTP triggers: %w", err)
	}
	go d.hint(entries)
	return d, nil
}

// Base asks a worker what the addresses of HTTP triggers begin with; empty where
// nobody knows.
func Base(ctx context.Context, nc *nats.Conn) (string, error) {
	return ask.Call[string](ctx, nc, Verbs+"base", struct{}{})
}

// Close ends the answers under way.
func (d *Desk) Close() {
	d.server.Close()
	d.end()
	<-d.done
}

// hint tells all who serve routes that there may be others.
func (d *Desk) hint(entries <-chan catalog.Entry) {
	defer close(d.done)
	for range entries {
		_ = d.nc.Publish(Changed, nil) // who misses it asks after a while
	}
}

func (d *Desk) onRoutes(ctx context.Context, q Wish) (any, error) {
	key, err := sealed.ParsePublicKey(q.Key)
	if err != nil {
		return nil, err
	}
	all, mailboxes, err := d.routes(ctx)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	return Sealed{Routes: key.Seal(string(raw)), Mailboxes: mailboxes}, nil
}

// routes returns those of the workflows that are deployed, and their mailboxes.
func (d *Desk) routes(ctx context.Context) (all []http.Route, mailboxes []string, err error) {
	entries, err := d.Catalog.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	all, mailboxes = []http.Route{}, []string{}
	for _, e := range entries {
		if e.State != catalog.Active && e.State != catalog.Paused {
			continue
		}
		w, err := d.Catalog.Workflow(ctx, e.Name, e.Version)
		switch {
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case errors.Is(err, catalog.ErrAway): // who asks keeps the routes it has
			return nil, nil, err
		case err != nil: // it cannot be run either, which others say
			continue
		}
		for _, t := range w.Triggers {
			if t.HTTP != nil {
				all = append(all, d.route(w, t.HTTP, e.State == catalog.Paused))
			}
			if t.Email != nil && t.Email.IMAP == nil {
				mailboxes = append(mailboxes, t.Email.Mailbox)
			}
		}
	}
	return all, mailboxes, nil
}

func (d *Desk) route(w *workflow.Workflow, t *workflow.HTTP, paused bool) http.Route {
	r := http.Route{Workflow: w.Name, Path: t.Path, Methods: t.Methods, Wait: t.Wait, Timeout: t.Timeout, CORS: t.CORS, Key: t.Key, Paused: paused}
	var err error
	if r.Auth, err = d.auth(w, &t.Auth); err != nil {
		r.Problem = err.Error()
		d.Log.Warn("an HTTP trigger is not served", zap.String("workflow", w.Name), zap.Error(err))
	}
	return r
}

// errSecret says that what a caller is to be known by is not there.
var errSecret = errors.New("its authentication has no secret")

func (d *Desk) auth(w *workflow.Workflow, a *workflow.Auth) (http.Auth, error) {
	out := http.Auth{Kind: a.Kind, Signature: a.Signature}
	if a.Kind == workflow.AuthNone {
		return out, nil
	}
	out.Salt = []byte(rand.Text())
	user := ""
	if a.User != nil {
		var err error
		if user, err = d.secret(w, a.User); err != nil {
			return out, err
		}
		user += ":"
	}
	for _, t := range a.Secrets {
		text, err := d.secret(w, t)
		switch {
		case err != nil:
			return out, err
		case a.Kind == workflow.AuthHMAC:
			key, err := http.SigningKey(a.Signature, text)
			if err != nil {
				return out, err
			}
			out.Keys = append(out.Keys, key)
		default:
			out.Hashes = append(out.Hashes, http.HashOf(out.Salt, user+text))
		}
	}
	if len(out.Keys)+len(out.Hashes) == 0 {
		return out, errSecret
	}
	return out, nil
}
