package tokens

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"zflow/internal/natstest"
	"zflow/proto"
)

func open(t *testing.T) (*Store, *natstest.Server) {
	t.Helper()
	server := natstest.Start(t)
	if err := Create(context.Background(), server.JetStream(t), 1); err != nil {
		t.Fatal(err)
	}
	s, err := Open(context.Background(), server.JetStream(t), server.Gate(t))
	if err != nil {
		t.Fatal(err)
	}
	return s, server
}

func create(t *testing.T, s *Store, name string, expires time.Duration, scopes ...string) string {
	t.Helper()
	text, _, err := s.New(context.Background(), name, scopes, expires)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestATokenLivesUntilItIsRevoked(t *testing.T) {
	s, _ := open(t)
	ctx := context.Background()
	text := create(t, s, "ci-1", 0, RunsRead, EventsRead, RunsRead)
	got, err := s.Check(ctx, text)
	if err != nil || got.Name != "ci-1" || strings.Join(got.Scopes, " ") != "events:read runs:read" || got.ExpiresAt != nil {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, _, err := s.New(ctx, "ci-1", []string{Admin}, 0); err == nil || !strings.Contains(err.Error(), "there is a token ci-1 already") {
		t.Errorf("a name is taken twice: %v", err)
	}
	if err := s.Revoke(ctx, "ci-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Check(ctx, text); !errors.Is(err, ErrUnknown) {
		t.Errorf("a revoked token: %v", err)
	}
	if err := s.Revoke(ctx, "ci-1"); !errors.Is(err, ErrNone) {
		t.Errorf("revoked twice: %v", err)
	}
	again := create(t, s, "ci-1", 0, Admin)
	if _, err := s.Check(ctx, text); !errors.Is(err, ErrUnknown) || again == text {
		t.Errorf("the old token of a name that is used again: %v", err)
	}
}

func TestATokenExpires(t *testing.T) {
	s, _ := open(t)
	ctx := context.Background()
	text := create(t, s, "brief", time.Nanosecond, Admin)
	if _, err := s.Check(ctx, text); !errors.Is(err, ErrExpired) {
		t.Errorf("an expired token: %v", err)
	}
	if _, err := s.Check(ctx, create(t, s, "long", 90*24*time.Hour, Admin)); err != nil {
		t.Error(err)
	}
	all, err := s.List(ctx)
	if err != nil || len(all) != 2 || all[0].Name != "brief" || !all[0].Expired || all[1].Expired {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestWhatIsNoToken(t *testing.T) {
	s, _ := open(t)
	text := create(t, s, "one", 0, Admin)
	last := "A"
	if strings.HasSuffix(text, last) {
		last = "B"
	}
	for _, bad := range []string{"", "zf_", "zf__", text + "A", text[:len(text)-1], text[:len(text)-1] + last, strings.Replace(text, "one", "two", 1),
		strings.Replace(text, "one", "*", 1), strings.Replace(text, "one", "a.b", 1), strings.ToLower(text), strings.Repeat("zf_", 1000)} {
		if _, err := s.Check(context.Background(), bad); !errors.Is(err, ErrUnknown) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
}

func TestOnlyAHashIsStored(t *testing.T) {
	s, server := open(t)
	text := create(t, s, "one", 0, Admin)
	stream, err := server.JetStream(t).Stream(context.Background(), proto.Bucket(proto.Tokens))
	if err != nil {
		t.Fatal(err)
	}
	m, err := stream.GetMsg(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	secret := text[len(text)-secretSize:]
	if strings.Contains(string(m.Data), secret) {
		t.Error("the token is stored")
	}
	all, err := s.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(all)
	if err != nil || strings.Contains(string(raw), secret) || strings.Contains(string(raw), "hash") {
		t.Errorf("listed as %s, %v", raw, err)
	}
}

func TestBadOrders(t *testing.T) {
	s, _ := open(t)
	for _, c := range []struct {
		name, want string
		scopes     []string
	}{
		{"", "is no name", []string{Admin}}, {"A", "is no name", []string{Admin}}, {"a.b", "is no name", []string{Admin}}, {"a_b", "is no name", []string{Admin}},
		{strings.Repeat("a", 65), "is no name", []string{Admin}}, {"a", "has no scope", nil}, {"a", `no scope "root"`, []string{"root"}},
	} {
		if _, _, err := s.New(context.Background(), c.name, c.scopes, 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %q: %v", c.name, c.scopes, err)
		}
	}
	if err := s.Revoke(context.Background(), "*"); err == nil {
		t.Error("everything is revoked")
	}
}

func TestWhoMayWriteMayRead(t *testing.T) {
	for _, c := range []struct {
		has, wants string
		may        bool
	}{
		{RunsWrite, RunsRead, true}, {RunsRead, RunsWrite, false}, {Admin, ConnectionsWrite, true}, {RunsWrite, EventsRead, false}, {EventsRead, EventsRead, true}, {EventsRead, Admin, false},
	} {
		token := Token{Scopes: []string{c.has}}
		if got := token.May(c.wants); got != c.may {
			t.Errorf("%s may %s: %v", c.has, c.wants, got)
		}
	}
}
