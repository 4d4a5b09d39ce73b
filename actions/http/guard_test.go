package http_test

import (
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"zflow/actions"
)

func TestAddressesThatAreNotPublicAreRefused(t *testing.T) {
	for _, host := range []string{
		"127.0.0.1", "127.9.9.9", "localhost", "[::1]", "0.0.0.0", "[::]",
		"10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
		"192.0.0.8", "198.18.0.1", "192.0.2.1", "198.51.100.7", "203.0.113.9", "240.0.0.1", "255.255.255.255", "224.0.0.1",
		"[fd00::1]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[2002:7f00:1::]", "[2001:0:1::1]",
		"[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::7f00:1]", "[::7f00:1]", "[100::1]",
		"2130706433", "0x7f.1", "127.1", // spellings that some resolvers read as 127.0.0.1
	} {
		_, err := call(t, newAction(t), map[string]any{"method": "POST", "url": "http://" + host + ":1/"})
		if err == nil {
			t.Errorf("%s was called", host)
			continue
		}
		unresolved := err.Class == actions.ClassRetryable && strings.Contains(err.Message, "lookup")
		if !unresolved && (err.Class != actions.ClassFinal || !strings.Contains(err.Message, "http_allow")) {
			t.Errorf("%s: %s: %v", host, err.Class, err)
		}
	}
}

func TestAllowList(t *testing.T) {
	server := httptest.NewServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) {}))
	defer server.Close()
	port := hostOf(t, server.URL)[len("127.0.0.1:"):]
	byName := "http://localhost:" + port
	for _, c := range []struct {
		allow, base string
		ok          bool
	}{
		{"127.0.0.1", server.URL, true},
		{"127.0.0.0/8", server.URL, true},
		{"127.0.0.1:" + port, server.URL, true},
		{"127.0.0.1:1", server.URL, false},
		{"10.0.0.0/8", server.URL, false},
		{"localhost", byName, true},
		{" LOCALHOST ", byName, true},
		{"localhost:" + port, byName, true},
		{"localhost:1", byName, false},
		{"localhost", server.URL, false},
		{"127.0.0.0/8", byName, true},
		{"*.localhost", byName, false},
		{"*.localhost", "http://api.localhost:" + port, true},
		{"ost", byName, false},
	} {
		_, err := call(t, newAction(t, c.allow), map[string]any{"url": c.base})
		if err != nil && strings.Contains(err.Message, "lookup") {
			continue // this machine does not resolve the name
		}
		if (err == nil) != c.ok {
			t.Errorf("allow %q, call %s: %v", c.allow, c.base, err)
		}
	}
}

// A redirect of a listed host to an address inside must not get through.
func TestRedirectIsCheckedAnew(t *testing.T) {
	inside := 0
	metadata := httptest.NewServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) { inside++ }))
	defer metadata.Close()
	front := httptest.NewServer(nethttp.RedirectHandler(metadata.URL, nethttp.StatusTemporaryRedirect))
	defer front.Close()
	for _, method := range []string{"GET", "POST"} {
		_, err := call(t, newAction(t, hostOf(t, front.URL)), map[string]any{"method": method, "url": front.URL})
		if err == nil || err.Class != actions.ClassFinal || inside != 0 {
			t.Errorf("%s: %v, %d calls inside", method, err, inside)
		}
	}
}

func TestRedirectsThatAreFollowed(t *testing.T) {
	var got []string
	target := httptest.NewServer(nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, r *nethttp.Request) {
		body := make([]byte, 100)
		n, _ := r.Body.Read(body)
		got = append(got, r.Method+" "+string(body[:n]))
		for _, name := range []string{"Authorization", "X-Api-Key", "Cookie", "Referer"} {
			if v := r.Header.Get(name); v != "" {
				t.Errorf("%s %q went to another host", name, v)
			}
		}
		if r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("content type %q", r.Header.Get("Content-Type"))
		}
	}))
	defer target.Close()
	for _, status := range []int{307, 308} {
		_, err := do(t, map[string]any{
			"method": "POST", "json": int64(7), "auth": map[string]any{"bearer": "t"},
			"headers": map[string]any{"x-api-key": "k", "cookie": "c"},
		}, nethttp.RedirectHandler(target.URL, status).ServeHTTP)
		if err != nil {
			t.Error(err)
		}
	}
	if strings.Join(got, ",") != "POST 7,POST 7" {
		t.Errorf("target got %q", got)
	}
}

// Away and back again: what was dropped stays dropped.
func TestCredentialsDoNotComeBack(t *testing.T) {
	var front *httptest.Server
	away := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		nethttp.Redirect(w, r, front.URL+"/back", nethttp.StatusFound)
	}))
	defer away.Close()
	back := "not reached"
	front = httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if r.URL.Path == "/back" {
			back = r.Header.Get("X-Api-Key")
			return
		}
		nethttp.Redirect(w, r, away.URL, nethttp.StatusFound)
	}))
	defer front.Close()
	_, err := call(t, newAction(t, "127.0.0.1"), map[string]any{"url": front.URL, "headers": map[string]any{"x-api-key": "k"}})
	if err != nil || back != "" {
		t.Errorf("%v, back with %q", err, back)
	}
}

func TestRedirectStaysWithTheOrigin(t *testing.T) {
	key := ""
	_, err := do(t, map[string]any{"headers": map[string]any{"x-api-key": "k"}}, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if r.URL.Path == "" || r.URL.Path == "/" {
			nethttp.Redirect(w, r, "/there", nethttp.StatusFound)
			return
		}
		key = r.Header.Get("X-Api-Key")
	})
	if err != nil || key != "k" {
		t.Errorf("%v, key %q", err, key)
	}
}

// A body may hold a credential: it goes to no host but the one that the step named.
func TestBodiesStayWithTheHost(t *testing.T) {
	for to, want := range map[string]string{
		"http://localhost:1/x": "the answer redirects a POST with a body to localhost:1: give the final address",
		"file:///etc/passwd":   "the answer redirects to an address that begins with file:",
	} {
		_, err := do(t, map[string]any{"method": "POST", "json": "k"}, nethttp.RedirectHandler(to, nethttp.StatusTemporaryRedirect).ServeHTTP)
		if err == nil || err.Class != actions.ClassFinal || !strings.HasSuffix(err.Message, want) {
			t.Errorf("%s: %v", to, err)
		}
	}
}

// What answers a POST by a redirect is asked for by GET where the step says it, without
// the body and what signed it.
func TestResultsElsewhere(t *testing.T) {
	target := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "GET" || len(body) > 0 || r.Header.Get("Authorization") != "" {
			t.Errorf("%s with %q and %q", r.Method, body, r.Header.Get("Authorization"))
		}
		_, _ = io.WriteString(w, "done")
	}))
	defer target.Close()
	for _, status := range []int{301, 302, 303} {
		input := map[string]any{"method": "POST", "json": "k", "auth": map[string]any{"bearer": "secret"}}
		redirect := nethttp.RedirectHandler(target.URL, status).ServeHTTP
		if _, err := do(t, input, redirect); err == nil || err.Class != actions.ClassFinal || !strings.Contains(err.Message, "follow_with_get: true") {
			t.Errorf("%d: %v", status, err)
		}
		input["follow_with_get"], input["url"] = true, ""
		if out, err := do(t, input, redirect); err != nil || out["text"] != "done" {
			t.Errorf("%d, followed: %v, %v", status, out, err)
		}
	}
}

func TestRedirectLoopEnds(t *testing.T) {
	n := 0
	_, err := do(t, map[string]any{}, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		n++
		nethttp.Redirect(w, r, "/", nethttp.StatusFound)
	})
	if err == nil || err.Class != actions.ClassFinal || n != 11 {
		t.Errorf("%v after %d requests", err, n)
	}
}
