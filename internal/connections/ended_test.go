package connections

import (
	"strings"
	"testing"
	"time"

	"zflow/internal/connections/oauth"
	"zflow/internal/connections/service"
	"zflow/internal/natstest"
)

// A token that has ended and cannot be renewed ends its connection.
func TestTokenThatEnded(t *testing.T) {
	js, _ := newBucket(t)
	keys, err := NewKeyring(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), js, Options{Keys: keys, Gate: natstest.Gate(t, js.Conn())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	w := Wanted{Name: "crm", Kind: KindHTTP, ClientID: "c", Service: &service.Service{Auth: service.OAuth2, Hosts: []string{"api.crm.example"},
		OAuth: &service.OAuth{Grant: service.Code, TokenURL: "https://crm.example/token", NoRefresh: true}}}
	if _, err := s.save(t.Context(), w, who{}, oauth.Grant{Access: "acc3ss", Asked: time.Now().Add(-2 * time.Hour), Life: time.Hour}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Credential(t.Context(), "crm"); err == nil || !strings.Contains(err.Error(), "nothing to renew it with") || !strings.Contains(err.Error(), "zflow connect http crm") {
		t.Error(err)
	}
	if r, err := s.Show(t.Context(), "crm"); err != nil || r.State != NeedsReconnect {
		t.Errorf("%+v, %v", r, err)
	}
}
