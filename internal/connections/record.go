package connections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/zoomapi"
	"zflow/proto"
)

// leaseAge is how long a process may take to fetch and store a token; it must be
// longer than fetchTime.
const (
	leaseAge  = 20 * time.Second
	fetchTime = 10 * time.Second
)

// record is a connection's token as stored.
type record struct {
	Access  string    `json:"access"`
	App     string    `json:"app"`  // account and client it belongs to
	Made    time.Time `json:"made"` // when it was asked for
	Until   time.Time `json:"until"`
	Expires time.Time `json:"expires"`
	API     string    `json:"api,omitempty"`
	Scopes  []string  `json:"scopes,omitempty"`

	number   uint64
	revision uint64 // of the bucket; 0: there is none
}

// Create makes the bucket. It has no direct get, so that reads are answered by the
// leader.
func Create(ctx context.Context, js jetstream.JetStream, replicas int) error {
	_, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: proto.Bucket(proto.Connections), Subjects: []string{"$KV." + proto.Connections + ".>"},
		Storage: jetstream.FileStorage, MaxMsgsPerSubject: 1, Discard: jetstream.DiscardNew,
		Replicas: max(replicas, 1), AllowRollup: true, DenyDelete: true, AllowMsgTTL: true,
	})
	if err != nil {
		return fmt.Errorf("creating bucket %s: %w", proto.Connections, err)
	}
	return nil
}

func tokenKey(name string) string { return "token." + proto.Token(name) }
func leaseKey(name string) string { return "lease." + proto.Token(name) }

// load reads a connection's record. One that is not there, cannot be opened, or
// belongs to another app is empty, but for what is needed to replace it.
func (s *Store) load(ctx context.Context, c *connection) (record, error) {
	e, err := s.kv.Get(ctx, tokenKey(c.app.Name))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return record{}, nil
	}
	if err != nil {
		return record{}, unreachable("reading the token of connection %s: %s", c.app.Name, err)
	}
	empty := record{revision: e.Revision()}
	number, plain, err := s.keys.open(c.app.Name, e.Value())
	if err != nil {
		return empty, nil
	}
	r := record{}
	if json.Unmarshal(plain, &r) != nil || r.App != c.app.id() || number < c.seen.Load() {
		return empty, nil
	}
	r.number, r.revision = number, e.Revision()
	return r, nil
}

// store replaces the record that was read as old; stored is false where another
// process was faster.
func (s *Store) store(ctx context.Context, c *connection, old record, r record) (stored bool, err error) {
	plain, err := json.Marshal(r)
	if err != nil {
		return false, err
	}
	number := max(old.number, c.seen.Load()) + 1
	value, key := s.keys.seal(c.app.Name, number, plain), tokenKey(c.app.Name)
	if old.revision == 0 {
		_, err = s.kv.Create(ctx, key, value)
	} else {
		_, err = s.kv.Update(ctx, key, value, old.revision)
	}
	switch {
	case err == nil:
		c.sees(number)
		return true, nil
	case conflict(err):
		return false, nil
	}
	return false, unreachable("storing the token of connection %s: %s", c.app.Name, err)
}

// lease takes the connection's lease; release gives it back. Both are nil where
// another process has it.
func (s *Store) lease(ctx context.Context, c *connection) (release func(), err error) {
	key := leaseKey(c.app.Name)
	revision, err := s.kv.Create(ctx, key, nil, jetstream.KeyTTL(leaseAge))
	if conflict(err) {
		return nil, nil
	}
	if err != nil {
		return nil, unreachable("taking the lease of connection %s: %s", c.app.Name, err)
	}
	return func() {
		// One that cannot be given back expires.
		_ = s.kv.Delete(ctx, key, jetstream.LastRevision(revision))
	}, nil
}

// conflict tells that a compare and swap found something else; the server has two
// codes for that.
func conflict(err error) bool {
	if errors.Is(err, jetstream.ErrKeyExists) {
		return true
	}
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == 10071 || api.ErrorCode == 10164)
}

func unreachable(format string, args ...any) *zoomapi.Error {
	return &zoomapi.Error{Outcome: zoomapi.Again, Message: fmt.Sprintf(format, args...)}
}

func refused(format string, args ...any) *zoomapi.Error {
	return &zoomapi.Error{Outcome: zoomapi.Refused, Message: fmt.Sprintf(format, args...)}
}
