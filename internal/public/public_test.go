package public

import (
	"net/http/httptest"
	"testing"
)

func site(t *testing.T, url string, proxies ...string) Site {
	t.Helper()
	s, err := NewSite(url, proxies)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAForgedHostChangesNoAddress: a request has no part in it at all.
func TestAForgedHostChangesNoAddress(t *testing.T) {
	for base, want := range map[string]string{
		"https://z.example.org":     "https://z.example.org/oauth/callback",
		"https://z.example.org/zf/": "https://z.example.org/zf/oauth/callback",
		"http://127.0.0.1:8081":     "http://127.0.0.1:8081/oauth/callback",
		"":                          "",
	} {
		if got := site(t, base).URL("/oauth/callback"); got != want {
			t.Errorf("%q: %q", base, got)
		}
	}
}

func TestClient(t *testing.T) {
	for _, c := range []struct{ name, remote, forwarded, want string }{
		{"nobody in between", "198.51.100.7:4711", "", "198.51.100.7"},
		{"a stranger who forges", "198.51.100.7:4711", "203.0.113.1", "198.51.100.7"},
		{"a trusted proxy", "10.0.0.2:4711", "203.0.113.1", "203.0.113.1"},
		{"a client that forges before a proxy", "10.0.0.2:4711", "127.0.0.1, 203.0.113.1", "203.0.113.1"},
		{"two trusted proxies", "10.0.0.2:4711", "203.0.113.1, 10.9.9.9", "203.0.113.1"},
		{"only proxies", "10.0.0.2:4711", "10.9.9.9", "10.9.9.9"},
		{"nonsense from a proxy", "10.0.0.2:4711", "unknown", "10.0.0.2"},
		{"nonsense further left", "10.0.0.2:4711", "x, 203.0.113.1", "203.0.113.1"},
		{"IPv6", "[2001:db8::7]:4711", "", "2001:db8::7"},
		{"a proxy by IPv4 in IPv6", "[::ffff:10.0.0.2]:4711", "203.0.113.1", "203.0.113.1"},
		{"a socket", "@", "203.0.113.1", "invalid IP"},
	} {
		r := httptest.NewRequest("POST", "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := site(t, "", "10.0.0.0/8").Client(r).String(); got != c.want {
			t.Errorf("%s: %s instead of %s", c.name, got, c.want)
		}
	}
}

func TestNewSiteRefusesNonsense(t *testing.T) {
	if _, err := NewSite("", []string{"10.0.0.0"}); err == nil {
		t.Error("taken")
	}
}
