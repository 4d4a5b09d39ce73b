package tokens

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/durable"
	"zflow/proto"
)

// Token is what is known of a token; the token itself is not.
type Token struct {
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"` // null: never
	Expired   bool       `json:"expired"`
}

// record is a token as stored.
type record struct {
	Hash      []byte     `json:"hash"`
	Scopes    []string   `json:"scopes"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// Reasons why a text is no token.
var (
	ErrUnknown = errors.New("the token is not valid: it is mistyped, was revoked, or is of another server")
	ErrExpired = errors.New("the token has expired")
)

// ErrNone says that there is no token of a name.
var ErrNone = errors.New("there is no token of this name: zflow tokens list shows those that there are")

// Create makes the bucket.
func Create(ctx context.Context, js jetstream.JetStream, replicas int) error {
	return durable.CreateBucket(ctx, js, proto.Tokens, "hashes of the API's tokens", replicas)
}

// Store makes, checks and revokes tokens. It is safe for concurrent use.
type Store struct{ bucket *durable.Bucket }

// Open looks the bucket up.
func Open(ctx context.Context, js jetstream.JetStream, gate *durable.Gate) (*Store, error) {
	b, err := durable.OpenBucket(ctx, js, gate, proto.Tokens)
	if err != nil {
		return nil, err
	}
	return &Store{b}, nil
}

// A token's text is zf_<name>_<secret>, so that one that is found somewhere tells
// what it is and which is to be revoked.
const (
	prefix     = "zf_"
	secretSize = 26 // of rand.Text
	above      = "token"
)

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// CheckName explains what is wrong with a token's name.
func CheckName(name string) error {
	if !nameForm.MatchString(name) {
		return fmt.Errorf("%.80q is no name for a token: it has 1 to 64 of a-z, 0-9 and -", name)
	}
	return nil
}

func key(name string) string { return above + "." + name }

func hash(text string) []byte {
	h := sha256.Sum256([]byte(text))
	return h[:]
}

// New makes a token and returns its text, which nobody can get again. Expires in 0
// is never.
func (s *Store) New(ctx context.Context, name string, scopes []string, expires time.Duration) (text string, t Token, err error) {
	if err := errors.Join(CheckName(name), CheckScopes(scopes)); err != nil {
		return "", t, err
	}
	text = prefix + name + "_" + rand.Text()
	r := record{Hash: hash(text), Scopes: slices.Compact(slices.Sorted(slices.Values(scopes))), CreatedAt: time.Now().UTC().Truncate(time.Second)}
	if expires > 0 {
		at := r.CreatedAt.Add(expires)
		r.ExpiresAt = &at
	}
	raw, err := json.Marshal(r)
	if err != nil {
		return "", t, err
	}
	taken := fmt.Errorf("there is a token %s already: revoke it, or take another name", name)
	err = s.bucket.Durably(ctx, func() error {
		return s.bucket.Change(ctx, key(name), func(old []byte) ([]byte, error) {
			if old != nil && string(old) != string(raw) {
				return nil, taken
			}
			return raw, nil
		})
	})
	if err != nil {
		return "", t, fmt.Errorf("making token %s: %w", name, err)
	}
	return text, r.token(name), nil
}

func (r *record) token(name string) Token {
	return Token{Name: name, Scopes: r.Scopes, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt, Expired: r.expired()}
}

func (r *record) expired() bool { return r.ExpiresAt != nil && !time.Now().Before(*r.ExpiresAt) }

// load reads a record; nil where there is none.
func (s *Store) load(ctx context.Context, name string) (*record, error) {
	e, err := s.bucket.Get(ctx, key(name))
	if err != nil || e.Value == nil {
		return nil, err
	}
	r := &record{}
	if err := json.Unmarshal(e.Value, r); err != nil {
		return nil, fmt.Errorf("reading token %s: %w", name, err)
	}
	return r, nil
}

// List returns all tokens by name.
func (s *Store) List(ctx context.Context) ([]Token, error) {
	keys, err := s.bucket.Below(ctx, above)
	if err != nil {
		return nil, fmt.Errorf("listing tokens: %w", err)
	}
	all := []Token{}
	for _, k := range keys {
		name := strings.TrimPrefix(k, above+".")
		r, err := s.load(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("listing tokens: %w", err)
		}
		if r != nil {
			all = append(all, r.token(name))
		}
	}
	slices.SortFunc(all, func(a, b Token) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// Revoke removes a token: whoever has it is refused from now on.
func (s *Store) Revoke(ctx context.Context, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	there := false
	err := s.bucket.Durably(ctx, func() error {
		return s.bucket.Change(ctx, key(name), func(old []byte) ([]byte, error) {
			there = there || old != nil
			return nil, nil
		})
	})
	if err == nil && !there {
		err = ErrNone
	}
	if err != nil {
		return fmt.Errorf("revoking token %s: %w", name, err)
	}
	return nil
}

// Check returns the token of a text: ErrUnknown or ErrExpired where it is none, and
// another error where that cannot be found out.
func (s *Store) Check(ctx context.Context, text string) (Token, error) {
	name, ok := nameOf(text)
	if !ok {
		return Token{}, ErrUnknown
	}
	r, err := s.load(ctx, name)
	if err != nil {
		return Token{}, fmt.Errorf("checking a token: %w", err)
	}
	have := make([]byte, sha256.Size)
	if r != nil {
		have = r.Hash
	}
	switch {
	case subtle.ConstantTimeCompare(have, hash(text)) != 1:
		return Token{}, ErrUnknown
	case r.expired():
		return Token{}, ErrExpired
	}
	return r.token(name), nil
}

// nameOf reads the name in a token's text, and tells whether it can be one.
func nameOf(text string) (string, bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	at := len(rest) - secretSize - 1
	if !ok || at < 1 || rest[at] != '_' || !nameForm.MatchString(rest[:at]) {
		return "", false
	}
	return rest[:at], true
}
