package poll

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"zflow/internal/durable"
)

// state is what stands under <workflow>.poll.
type state struct {
	List    string    `json:"list"`   // which list it is of
	Fields  string    `json:"fields"` // which fields the items were compared by
	Since   time.Time `json:"since"`  // the first poll of it
	Version uint64    `json:"version"`
	Items   parts     `json:"items"`           // map[string]item
	Known   int       `json:"known"`           // items
	Polled  time.Time `json:"polled,omitzero"` // when the list was read last
	At      time.Time `json:"at,omitzero"`     // the tick that was handled last
	Pending *pending  `json:"pending,omitempty"`
	Problem *Problem  `json:"problem,omitempty"`
}

// pending is what follows from a comparison and may not be done yet.
type pending struct {
	Events parts `json:"events"` // []event: they are published,
	Next   state `json:"next"`   // and then this is what is known
}

// parts say where something large stands.
type parts struct {
	Name  string `json:"name,omitempty"` // empty: there is none
	Count int    `json:"count,omitempty"`
}

// Problem is why polls fail.
type Problem struct {
	Message string    `json:"message"`
	Since   time.Time `json:"since"` // the first one that failed since the last that did not
	Last    time.Time `json:"last"`
	Times   int       `json:"times"`
}

// known is the state as it was read, with the items if they were.
type known struct {
	state
	entry durable.Entry
	items map[string]item
}

func key(workflow string) string { return workflow + ".poll" }

// Status is how the polls of a workflow go.
type Status struct {
	Polled  time.Time `json:"polled,omitzero"` // when the list was read last; zero: never
	Known   int       `json:"known"`           // items
	Problem *Problem  `json:"problem,omitempty"`
}

// StatusOf tells how the polls of a workflow go.
func StatusOf(ctx context.Context, b *durable.Bucket, workflow string) (Status, error) {
	p := &Poller{Config{Bucket: b}}
	k, err := p.load(ctx, workflow)
	if err != nil {
		return Status{}, err
	}
	return Status{Polled: k.Polled, Known: k.Known, Problem: k.Problem}, nil
}

func (p *Poller) load(ctx context.Context, workflow string) (*known, error) {
	e, err := p.Bucket.Get(ctx, key(workflow))
	if err != nil {
		return nil, err
	}
	k := &known{entry: e}
	if e.Value == nil {
		return k, nil
	}
	if err := json.Unmarshal(e.Value, &k.state); err != nil {
		return nil, fmt.Errorf("reading what the polls of workflow %s know: %w", workflow, err)
	}
	return k, nil
}

// errOvertaken says that another worker polled at the same time.
var errOvertaken = errors.New("what is known was changed meanwhile")

// save replaces what is known, durably.
func (p *Poller) save(ctx context.Context, workflow string, k *known, next state) error {
	raw, err := json.Marshal(next)
	if err != nil {
		return err
	}
	err = p.Bucket.Durably(ctx, func() error {
		err := p.Bucket.Swap(ctx, key(workflow), k.entry, raw, 0)
		if errors.Is(err, durable.ErrConflict) || errors.Is(err, durable.ErrChanged) {
			return errOvertaken // another try would be of what was read before
		}
		return err
	})
	if err != nil {
		return err
	}
	if k.entry, err = p.Bucket.Get(ctx, key(workflow)); err != nil {
		return err
	}
	if !bytes.Equal(k.entry.Value, raw) {
		return errOvertaken
	}
	k.state = next
	return nil
}

// Limits of what is known.
const (
	mostItems = 100_000
	mostBytes = 16 << 20 // compressed
	partBytes = 512 << 10
)

// write stores something large, durably, under a name of its own. Nobody knows of it
// until the state names it.
func (p *Poller) write(ctx context.Context, workflow string, what any) (parts, error) {
	raw, err := pack(what)
	if err != nil {
		return parts{}, err
	}
	if len(raw) > mostBytes {
		return parts{}, failed("what is to be known of the list takes %d MiB, at most are %d: compare fewer fields, or a shorter list", len(raw)>>20, mostBytes>>20)
	}
	to := parts{Name: strconv.FormatInt(p.Now().UnixMilli(), 10) + "-" + rand.Text()[:8]}
	err = p.Bucket.Durably(ctx, func() error {
		to.Count = 0
		for rest := raw; len(rest) > 0; to.Count++ {
			n := min(len(rest), partBytes)
			part := rest[:n]
			rest = rest[n:]
			if err := p.Bucket.Change(ctx, to.key(workflow, to.Count), func([]byte) ([]byte, error) { return part, nil }); err != nil {
				return err
			}
		}
		return nil
	})
	return to, err
}

func (t parts) key(workflow string, i int) string {
	return key(workflow) + "." + t.Name + "-" + strconv.Itoa(i)
}

// read is the inverse of write.
func (p *Poller) unpack(ctx context.Context, workflow string, from parts, to any) error {
	var raw []byte
	for i := range from.Count {
		e, err := p.Bucket.Get(ctx, from.key(workflow, i))
		if err != nil {
			return err
		}
		raw = append(raw, e.Value...)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err == nil {
		err = json.NewDecoder(z).Decode(to)
	}
	if err != nil {
		return failed("what is known of the list cannot be read (%v): remove the workflow and deploy it again to begin anew", err)
	}
	return nil
}

func pack(what any) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := json.NewEncoder(z).Encode(what); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// orphanAfter is when parts that no state names are nobody's: their poll has ended.
const orphanAfter = time.Hour

// clear removes the parts that the present state does not name: those of the state
// before, and what polls have left that were cut short.
func (p *Poller) clear(ctx context.Context, workflow string, before, now state) error {
	all, err := p.Bucket.Below(ctx, key(workflow))
	if err != nil {
		return err
	}
	for _, k := range all {
		name := k[len(key(workflow))+1 : max(strings.LastIndexByte(k, '-'), len(key(workflow))+1)]
		if name == now.Items.Name || now.Pending != nil && name == now.Pending.Events.Name {
			continue
		}
		mine := name == before.Items.Name || before.Pending != nil && name == before.Pending.Events.Name
		if !mine && p.Now().Sub(madeAt(name)) < orphanAfter {
			continue
		}
		if err := p.Bucket.Remove(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// madeAt is when parts of a name were written.
func madeAt(name string) time.Time {
	millis, _, _ := strings.Cut(name, "-")
	n, _ := strconv.ParseInt(millis, 10, 64) // of another form: long ago
	return time.UnixMilli(n)
}
