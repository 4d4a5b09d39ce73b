package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/nats-io/nats.go"

	"zflow/internal/ask"
	"zflow/internal/connections"
	"zflow/internal/connections/forget"
	"zflow/internal/sealed"
)

// Options of a Desk.
type Options struct {
	Store    *connections.Store
	Forget   *forget.Forgetter
	Keys     *sealed.Keys
	OAuth    string // the addresses of connections that name none; empty: Zoom's
	API      string
	Callback string // of the console; empty: there is none
}

// Desk answers requests until Close.
type Desk struct {
	o      Options
	server *ask.Server
}

// Serve begins to answer; of all workers one answers each request.
func Serve(nc *nats.Conn, o Options) (*Desk, error) {
	d := &Desk{o: o}
	show := func(ctx context.Context, n name) (any, error) { return o.Store.Show(ctx, n.Name) }
	test := func(ctx context.Context, n name) (any, error) { return o.Store.Test(ctx, n.Name) }
	var err error
	d.server, err = ask.Serve(nc, subjects, map[string]ask.Verb{
		verbKey:    func(context.Context, []byte) (any, error) { return o.Keys.Public().String(), nil },
		verbJoin:   within(d.join),
		verbBegin:  within(d.begin),
		verbEnd:    within(d.finish),
		verbPoll:   within(d.poll),
		verbList:   within(d.list),
		verbShow:   within(show),
		verbTest:   within(test),
		verbDrop:   within(d.revoke),
		verbErase:  within(d.erase),
		verbForget: ask.By(d.forget), // reads all runs: for as long as that takes
	})
	return d, err
}

// Close ends the answers under way; what has asked Zoom for a grant stores it.
func (d *Desk) Close() { d.server.Close() }

// within makes a verb of a function, and says so when it takes too long.
func within[T any](do func(context.Context, T) (any, error)) ask.Verb {
	return ask.By(func(ctx context.Context, in T) (any, error) {
		ctx, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		out, err := do(ctx, in)
		if err != nil && ctx.Err() == context.DeadlineExceeded {
			return nil, fmt.Errorf("not done within %s: %w; look how it stands with `zflow connections list`, then ask again", answerWithin, err)
		}
		return out, err
	})
}

func (d *Desk) join(ctx context.Context, w connections.Wanted) (any, error) {
	w, err := d.complete(ctx, w)
	if err != nil {
		return nil, err
	}
	r, err := d.o.Store.Connect(ctx, w)
	return d.kept(ctx, r, err)
}

func (d *Desk) begin(ctx context.Context, b Begin) (any, error) {
	w, err := d.complete(ctx, b.Wanted)
	switch {
	case err != nil:
		return nil, err
	case b.Device:
		return d.o.Store.BeginDevice(ctx, w)
	case cmp.Or(b.Redirect, d.o.Callback) == "":
		return nil, errors.New("there is no call-back address: set public_url in the configuration, or connect with --device or from the machine of your browser")
	}
	return d.o.Store.Begin(ctx, w, cmp.Or(b.Redirect, d.o.Callback))
}

// complete opens what was sealed, and fills in what is known already: how the
// connection is now, if it is there, and where Zoom is.
func (d *Desk) complete(ctx context.Context, w connections.Wanted) (connections.Wanted, error) {
	secret, err := d.o.Keys.OpenText(w.Secret)
	if err != nil {
		return w, fmt.Errorf("opening the client secret: %w", err)
	}
	w.Secret = secret
	if w.Kind == connections.KindHTTP {
		return d.o.Store.CompleteService(ctx, w)
	}
	w = d.o.Store.Complete(ctx, w)
	w.OAuth, w.API = cmp.Or(w.OAuth, d.o.OAuth), cmp.Or(w.API, d.o.API)
	return w, nil
}

func (d *Desk) finish(ctx context.Context, a connections.Answer) (any, error) {
	code, err := d.o.Keys.OpenText(a.Code)
	if err != nil {
		return nil, fmt.Errorf("opening the code: %w", err)
	}
	a.Code = code
	r, err := d.o.Store.Finish(ctx, a)
	return d.kept(ctx, r, err)
}

func (d *Desk) poll(ctx context.Context, state connections.Answer) (any, error) {
	r, again, err := d.o.Store.Poll(ctx, state.State)
	switch {
	case errors.Is(err, connections.ErrWaits):
		return Polled{Again: again.Seconds()}, nil
	case err != nil:
		return nil, err
	}
	_, err = d.kept(ctx, r, nil)
	return Polled{Record: &r}, err
}

// kept takes back that an account that is connected again is to be forgotten.
func (d *Desk) kept(ctx context.Context, r connections.Record, err error) (any, error) {
	if err != nil || r.Account == "" {
		return r, err
	}
	return r, d.o.Forget.Cancel(ctx, r.Account)
}

// forget deletes what is stored of an account; it is not done while runs that it
// canceled are ending, and may be asked for again then.
func (d *Desk) forget(ctx context.Context, f Forget) (any, error) {
	if f.Account == "" {
		r, err := d.o.Store.Show(ctx, f.Name)
		if err != nil {
			return nil, err
		}
		if f.Account = r.Account; f.Account == "" {
			return nil, fmt.Errorf("it is not known of which account connection %s is: say --account-id", f.Name)
		}
	}
	if err := d.o.Forget.Want(ctx, f.Account, "somebody asked for it", time.Now()); err != nil {
		return nil, err
	}
	return d.o.Forget.Do(ctx, f.Account)
}

func (d *Desk) list(_ context.Context, l listed) (any, error) {
	all := d.o.Store.All()
	all = all[sort.Search(len(all), func(i int) bool { return all[i].Name > l.After }):]
	n := min(len(all), pageSize)
	return page{Connections: all[:n], More: n < len(all)}, nil
}

func (d *Desk) revoke(ctx context.Context, n name) (any, error) {
	_, told, err := d.o.Store.Revoke(ctx, n.Name, "with zflow")
	return ended(n.Name, told), err
}

func (d *Desk) erase(ctx context.Context, n name) (any, error) {
	told, err := d.o.Store.Delete(ctx, n.Name)
	return ended(n.Name, told), err
}

func ended(name string, told error) Ended {
	e := Ended{Name: name}
	if told != nil {
		e.Told = told.Error()
	}
	return e
}
