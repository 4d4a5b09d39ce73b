package connections_test

import (
	"strings"
	"testing"
	"time"

	"zflow/internal/zoomapi"
)

// An app's own token is asked for once until it ends, and is not a person's; a
// server-to-server app has no other than its connection's.
func TestAnAppsOwnToken(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, z *virtual) {
		s := z.store(t)
		z.connected(t, s, z.wants(t, "lina", zoomapi.KindUser))
		own := func() zoomapi.Token {
			t.Helper()
			a, err := s.AppToken(t.Context(), "lina")
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		first := own()
		if person := token(t, s, "lina"); first.Access == person.Access || first.Account != person.Account || !strings.Contains(strings.Join(first.Scopes, " "), "marketplace:write:event_subscription") {
			t.Errorf("%+v", first)
		}
		if again := own(); again.Access != first.Access {
			t.Error("asked again for a token that is good")
		}
		fresh, err := s.RenewApp(t.Context(), first)
		if err != nil || fresh.Access == first.Access || own().Access != fresh.Access {
			t.Errorf("a refused token was not replaced: %v", err)
		}
		time.Sleep(time.Hour)
		if own().Access == fresh.Access {
			t.Error("a token that has ended is used")
		}
		school, err := s.AppToken(t.Context(), "school")
		if err != nil || school.Access != token(t, s, "school").Access {
			t.Errorf("two tokens of a server-to-server app void each other: %v", err)
		}
		z.sim.Disable(z.wants(t, "lina", zoomapi.KindUser).ClientID, true)
		if _, err := s.RenewApp(t.Context(), own()); err == nil || !strings.Contains(err.Error(), "connection lina: Zoom gives it no token") {
			t.Errorf("an app that is switched off: %v", err)
		}
		if _, err := s.AppToken(t.Context(), "nobody"); err == nil {
			t.Error("a connection that is not there")
		}
	})
}
