package forget

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine/history"
	"zflow/internal/pause"
	"zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// zoom is the kind of source whose events have accounts of Zoom's.
const zoom = "zoom"

// Do carries an order out as far as it goes now: where it is not done, runs that
// were open have still to end. It waits for another worker that is at it.
func (f *Forgetter) Do(ctx context.Context, account string) (Order, error) {
	for {
		o, mine, err := f.try(ctx, account)
		if err != nil || mine || !o.Done.IsZero() {
			return o, err
		}
		if !pause.For(ctx, waitFor) {
			return o, ctx.Err()
		}
	}
}

// waitFor is how long another worker is waited for at a time.
const waitFor = time.Second

// try carries an order out, unless another worker is at it or has done it: mine tells.
// Two at once would count what they delete twice.
func (f *Forgetter) try(ctx context.Context, account string) (o Order, mine bool, err error) {
	held, err := f.leases.While(ctx, orderKey(account), f.holder, func(ctx context.Context) (err error) {
		if o, _, err = f.Order(ctx, account); err == nil && o.Done.IsZero() {
			mine = true
			o, err = f.do(ctx, account)
		}
		return err
	})
	if err == nil && !held {
		o, _, err = f.Order(ctx, account)
	}
	return o, mine, err
}

func (f *Forgetter) do(ctx context.Context, account string) (Order, error) {
	events, err := f.purge(ctx, proto.Events, "zflow.event."+zoom+"."+proto.Token(account)+".>")
	if err != nil {
		return Order{}, err
	}
	if err := f.change(ctx, account, func(o *Order) { o.Events += events }); err != nil {
		return Order{}, err
	}
	found, err := f.find(ctx, account)
	if err != nil {
		return Order{}, err
	}
	for _, h := range found.open {
		if err := f.cancel(ctx, h); err != nil {
			return Order{}, err
		}
	}
	values, err := f.deleteValues(ctx, found) // first: once its run is gone, nobody finds one
	if err != nil {
		return Order{}, err
	}
	for _, h := range found.ended {
		if err := f.delete(ctx, account, h); err != nil {
			return Order{}, err
		}
	}
	err = f.change(ctx, account, func(o *Order) {
		o.Values, o.Open = o.Values+values, uint64(len(found.open))
		if o.Open == 0 {
			o.Done = time.Now().UTC()
		}
	})
	if err != nil {
		return Order{}, err
	}
	o, _, err := f.Order(ctx, account)
	return o, err
}

// found is what there is of an account.
type found struct {
	open, ended []history.Head
	theirs      map[string]bool // large values of runs that go
	others      map[string]bool // of runs that stay
}

// find reads all runs. One whose history is damaged cannot be told to be of an
// account; it ages away like all.
func (f *Forgetter) find(ctx context.Context, account string) (found, error) {
	all := found{theirs: map[string]bool{}, others: map[string]bool{}}
	var heads []history.Head
	err := f.history.Heads(ctx, "", nil, func(h history.Head) error { heads = append(heads, h); return nil })
	if err != nil {
		return all, fmt.Errorf("reading the runs: %w", err)
	}
	for _, h := range heads {
		loaded, err := f.history.Load(ctx, h.Workflow, h.Run)
		var damaged *history.Damaged
		if errors.As(err, &damaged) {
			continue
		}
		if err != nil {
			return all, err
		}
		all.sort(h, loaded, account)
	}
	return all, nil
}

func (a *found) sort(h history.Head, loaded *history.History, account string) {
	theirs, values := false, a.others
	for _, append := range loaded.Appends {
		theirs = theirs || isOf(append.Facts, account)
	}
	open := h.State == "running" || h.State == "waiting"
	switch {
	case theirs && open:
		a.open = append(a.open, h)
	case theirs:
		a.ended, values = append(a.ended, h), a.theirs
	}
	for _, append := range loaded.Appends {
		for _, v := range history.Values(append.Facts) {
			if v.Blob != "" {
				values[v.Blob] = true
			}
		}
	}
}

// isOf tells whether the event that started a run is an account's; that of a run
// that was called is its caller's.
func isOf(facts []*v1.Fact, account string) bool {
	for _, fact := range facts {
		if s := fact.GetRunStarted(); s != nil && s.GetEvent().GetAccount() == account {
			return true
		}
		if c := fact.GetRunContinued(); c != nil && isOf(c.Facts, account) {
			return true
		}
	}
	return false
}

// cancel orders a run to end at once.
func (f *Forgetter) cancel(ctx context.Context, h history.Head) error {
	return f.wakes.Command(ctx, h.Workflow, h.Run, &v1.Command{
		Id: rand.Text(), Kind: "cancel", By: "zflow", Reason: "the data of its account is being deleted", Now: true,
	})
}

// delete removes an ended run: what could wake it first, its history last.
func (f *Forgetter) delete(ctx context.Context, account string, h history.Head) error {
	about := h.Workflow + "." + h.Run
	for _, subject := range []string{"zflow.timer." + about + ".*", "zflow.wake." + about, "zflow.command." + about} {
		if _, err := f.purge(ctx, proto.Wakes, subject); err != nil {
			return err
		}
	}
	if _, err := f.purge(ctx, proto.Runs, proto.RunFilter(h.Workflow, h.Run)); err != nil {
		return err
	}
	return f.change(ctx, account, func(o *Order) { o.Runs++ })
}

// purge removes the messages of a subject, past the Gate, and says how many
// there were.
func (f *Forgetter) purge(ctx context.Context, stream, subject string) (uint64, error) {
	mark := f.gate.Mark()
	s, err := f.js.Stream(ctx, stream)
	if err != nil {
		return 0, fmt.Errorf("deleting from %s: %w", stream, err)
	}
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(subject))
	if err != nil {
		return 0, fmt.Errorf("deleting from %s: %w", stream, err)
	}
	var n uint64
	for _, count := range info.State.Subjects {
		n += count
	}
	if n == 0 {
		return 0, nil
	}
	if err := s.Purge(ctx, jetstream.WithPurgeSubject(subject)); err != nil {
		return 0, fmt.Errorf("deleting from %s: %w", stream, err)
	}
	return n, f.gate.Pass(ctx, stream, mark)
}

// deleteValues removes the large values that only runs have that go.
func (f *Forgetter) deleteValues(ctx context.Context, all found) (uint64, error) {
	if len(all.theirs) == 0 {
		return 0, nil
	}
	objects, err := f.js.ObjectStore(ctx, proto.Blobs)
	if err != nil {
		return 0, fmt.Errorf("deleting large values: %w", err)
	}
	var n uint64
	for name := range all.theirs {
		if all.others[name] {
			continue
		}
		err := objects.Delete(ctx, name)
		if err != nil && !errors.Is(err, jetstream.ErrObjectNotFound) {
			return n, fmt.Errorf("deleting large values: %w", err)
		}
		n++
	}
	return n, nil
}
