package zoomapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"zflow/internal/zoomapi"
)

const access = "acc3ss-acc3ss"

// zoom is an API that answers by a function, and a client of it.
type zoom struct {
	*zoomapi.Client
	calls   []string // method, URI, Authorization
	renewed int
}

func serve(t testing.TB, h func(n int, w http.ResponseWriter, r *http.Request)) *zoom {
	z := &zoom{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		z.calls = append(z.calls, r.Method+" "+r.RequestURI+" "+r.Header.Get("Authorization"))
		io.Copy(io.Discard, r.Body)
		h(len(z.calls), w, r)
	}))
	t.Cleanup(server.Close)
	z.Client = zoomapi.New(zoomapi.Options{
		Base: server.URL + "/v2/",
		Token: func(_ context.Context, name, account string) (zoomapi.Token, error) {
			return zoomapi.Token{Access: access, Connection: name}, nil
		},
		Renew: func(_ context.Context, old zoomapi.Token) (zoomapi.Token, error) {
			z.renewed++
			return zoomapi.Token{Access: old.Access + "-new", Connection: old.Connection}, nil
		},
		MaxResponse: 1000,
	})
	t.Cleanup(z.Close)
	return z
}

func (z *zoom) do(t testing.TB, method string) (zoomapi.Response, *zoomapi.Error) {
	t.Helper()
	res, err := z.Do(t.Context(), zoomapi.Request{Connection: "school", Method: method, Path: "/x", Query: url.Values{"a": {"b c"}}})
	if err == nil {
		return res, nil
	}
	var e *zoomapi.Error
	if !errors.As(err, &e) {
		t.Fatalf("not a *zoomapi.Error: %v", err)
	}
	if strings.Contains(e.Error(), access) {
		t.Errorf("the error shows the token: %v", e)
	}
	return res, e
}

func say(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	io.WriteString(w, body)
}

func TestPath(t *testing.T) {
	for _, c := range []struct{ template, value, want string }{
		{"/meetings/{meetingId}", "91000000001", "/meetings/91000000001"},
		{"/past_meetings/{uuid}/participants", "abc+d==", "/past_meetings/abc+d==/participants"},
		{"/past_meetings/{uuid}", "ab/c==", "/past_meetings/ab%2Fc=="},
		{"/past_meetings/{uuid}", "/abc==", "/past_meetings/%252Fabc=="},
		{"/past_meetings/{uuid}", "a//bc==", "/past_meetings/a%252F%252Fbc=="},
		{"/users/{userId}", "ann@x.example", "/users/ann@x.example"},
		{"/users/{userId}", "a b?c#d%e", "/users/a%20b%3Fc%23d%25e"},
		{"/users/me", "unused", "/users/me"},
	} {
		got, err := zoomapi.Path(c.template, c.value)
		if err != nil || got != c.want {
			t.Errorf("%s of %q = %q, %v; want %q", c.template, c.value, got, err, c.want)
		}
	}
	if got, err := zoomapi.Path("/a/{b}/c/{d}", "1", "2"); err != nil || got != "/a/1/c/2" {
		t.Errorf("%q, %v", got, err)
	}
	for _, values := range [][]string{{""}, {"."}, {".."}, {}} {
		if got, err := zoomapi.Path("/meetings/{meetingId}", values...); err == nil {
			t.Errorf("%q gave %s", values, got)
		}
	}
}

// The server must see the bytes that were escaped, not a tidied path.
func TestEscapesArriveUntouched(t *testing.T) {
	z := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) { say(w, 204, "") })
	path, err := zoomapi.Path("/past_meetings/{uuid}/participants", "/a//b+c==")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Do(t.Context(), zoomapi.Request{Method: "GET", Path: path}); err != nil {
		t.Fatal(err)
	}
	if want := "GET /v2/past_meetings/%252Fa%252F%252Fb+c==/participants Bearer " + access; z.calls[0] != want {
		t.Errorf("%s, want %s", z.calls[0], want)
	}
}

func TestTokenIsRenewedOnceAndOnlyForItsOwnSake(t *testing.T) {
	for _, c := range []struct {
		status, code int
		renews       bool
	}{
		{401, 124, true}, {400, 124, true}, {404, 124, false}, {401, 200, false}, {401, 300, false}, {400, 300, false}, {403, 124, false},
	} {
		z := serve(t, func(n int, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				say(w, c.status, fmt.Sprintf(`{"code":%d,"message":"Invalid access token, or not."}`, c.code))
				return
			}
			say(w, 201, `{}`)
		})
		_, err := z.do(t, "POST")
		if (err == nil) != c.renews || (z.renewed == 1) != c.renews {
			t.Errorf("%+v: %v, renewed %d times", c, err, z.renewed)
		}
		if c.renews && z.calls[1] != "POST /v2/x?a=b+c Bearer "+access+"-new" {
			t.Errorf("sent again as %s", z.calls[1])
		}
	}
}

func TestTokenThatIsRefusedAgain(t *testing.T) {
	z := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		say(w, 401, `{"code":124,"message":"Invalid access token."}`)
	})
	_, err := z.do(t, "GET")
	if err == nil || err.Outcome != zoomapi.Refused || !strings.Contains(err.Message, "connection school") || len(z.calls) != 2 {
		t.Errorf("%v after %d calls", err, len(z.calls))
	}
}

func TestErrorsOfTheTokenFunction(t *testing.T) {
	for _, given := range []error{
		&zoomapi.Error{Outcome: zoomapi.Refused, Message: "connect again"},
		fmt.Errorf("wrapping: %w", &zoomapi.Error{Outcome: zoomapi.Refused, Message: "connect again"}),
		errors.New("no idea"),
	} {
		c := zoomapi.New(zoomapi.Options{Token: func(context.Context, string, string) (zoomapi.Token, error) { return zoomapi.Token{}, given }})
		_, err := c.Do(t.Context(), zoomapi.Request{Method: "POST", Path: "/x"})
		var e *zoomapi.Error
		want := zoomapi.Refused
		if given.Error() == "no idea" {
			want = zoomapi.Again
		}
		if !errors.As(err, &e) || e.Outcome != want {
			t.Errorf("%v became %v", given, err)
		}
	}
}

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		method string
		status int
		want   zoomapi.Outcome
	}{
		{"GET", 500, zoomapi.Again}, {"PATCH", 503, zoomapi.Again}, {"DELETE", 502, zoomapi.Again},
		{"POST", 500, zoomapi.Lost}, {"POST", 502, zoomapi.Lost}, {"POST", 503, zoomapi.Lost}, {"POST", 504, zoomapi.Lost},
		{"POST", 429, zoomapi.Again}, {"POST", 408, zoomapi.Again}, {"POST", 425, zoomapi.Again},
		{"POST", 400, zoomapi.Refused}, {"GET", 404, zoomapi.Refused}, {"GET", 409, zoomapi.Refused}, {"GET", 302, zoomapi.Refused}, {"GET", 304, zoomapi.Refused},
	} {
		z := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) { say(w, c.status, `{"code":1,"message":"m"}`) })
		_, err := z.do(t, c.method)
		if err == nil || err.Outcome != c.want {
			t.Errorf("%s %d: %v", c.method, c.status, err)
		}
		if len(z.calls) != 1 {
			t.Errorf("%s %d: sent %d times", c.method, c.status, len(z.calls))
		}
	}
}

func TestPostThatMayBeRepeated(t *testing.T) {
	z := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) { say(w, 500, ``) })
	_, err := z.Do(t.Context(), zoomapi.Request{Method: "POST", Path: "/x", Repeatable: true})
	var e *zoomapi.Error
	if !errors.As(err, &e) || e.Outcome != zoomapi.Again {
		t.Errorf("%v", err)
	}
}

func TestMessages(t *testing.T) {
	for body, want := range map[string]string{
		`{"code":3001,"message":"Meeting does not exist: 5."}`:                                 "Meeting does not exist: 5. (status 400, code 3001)",
		`{"code":"abc","message":"x"}`:                                                         "x (status 400, code abc)",
		`{"code":300,"message":"Validation Failed.","errors":[{"field":"a","message":"bad"}]}`: "Validation Failed.; a: bad (status 400, code 300)",
		`{"reason":"Bad Request","error":"invalid_request"}`:                                   "Bad Request (status 400)",
		`<html>`: "Zoom answered bad request (status 400)",
		``:       "Zoom answered bad request (status 400)",
		`[1]`:    "Zoom answered bad request (status 400)",
		`{"code":4711,"message":"Invalid access token, does not contain scopes:[meeting:write]"}`: "the Zoom app lacks a scope; add it and connect again: Invalid access token, does not contain scopes:[meeting:write] (status 400, code 4711)",
		`{"code":1,"message":"token acc3ss-acc3ss is bad"}`:                                       "token •••• is bad (status 400, code 1)",
	} {
		z := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) { say(w, 400, body) })
		_, err := z.do(t, "POST")
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

func TestWhenALimitEnds(t *testing.T) {
	now := time.Now().UTC()
	midnight := now.Truncate(24 * time.Hour).Add(24 * time.Hour)
	later := now.Add(3 * time.Hour).Truncate(time.Second)
	for name, c := range map[string]struct {
		header  map[string]string
		message string
		want    time.Time
	}{
		"per second":            {map[string]string{"X-RateLimit-Type": "QPS"}, "You have reached the maximum per-second rate limit for this API. Try again later.", time.Time{}},
		"per second, headers":   {map[string]string{"Retry-After": "2"}, "You have reached the maximum per-second rate limit for this API.", now.Add(2 * time.Second)},
		"daily, ISO date":       {map[string]string{"Retry-After": later.Format(time.RFC3339), "X-RateLimit-Type": "Daily-limit"}, "You have reached the maximum daily rate limit for this API.", later},
		"daily, HTTP date":      {map[string]string{"Retry-After": later.Format(http.TimeFormat)}, "You have reached the maximum daily rate limit for this API.", later},
		"daily, no date":        {nil, "You have reached the maximum daily rate limit for this API.", midnight},
		"daily by header":       {map[string]string{"X-RateLimit-Type": "Daily-limit"}, "no", midnight},
		"100 for a host":        {map[string]string{"X-RateLimit-Category": "Light", "X-RateLimit-Remaining": "5893"}, "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted for this particular user.", midnight},
		"100, misleading after": {map[string]string{"Retry-After": "1"}, "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests permitted for this particular user. You may resume these requests at GMT 00:00:00.", midnight},
		"3 for a registrant":    {nil, "You have exceeded the daily rate limit (3) of Add meeting registrant API request for the registrant.", midnight},
		"too many at once":      {nil, "Too many concurrent requests. A request to disassociate this user has already been made.", time.Time{}},
		"date in the past":      {map[string]string{"Retry-After": "2020-01-01T00:00:00Z"}, "no", time.Time{}},
		"nonsense":              {map[string]string{"Retry-After": "soon"}, "no", time.Time{}},
	} {
		z := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
			for k, v := range c.header {
				w.Header().Set(k, v)
			}
			say(w, 429, fmt.Sprintf(`{"code":429,"message":%q}`, c.message))
		})
		_, err := z.do(t, "POST")
		if err == nil || err.Outcome != zoomapi.Again || err.RetryAt.Sub(c.want).Abs() > 3*time.Second {
			t.Errorf("%s: not before %v, want %v", name, err.RetryAt, c.want)
		}
	}
}

func TestNoAnswer(t *testing.T) {
	for method, want := range map[string]zoomapi.Outcome{"GET": zoomapi.Again, "DELETE": zoomapi.Again, "POST": zoomapi.Lost} {
		for name, h := range map[string]func(int, http.ResponseWriter, *http.Request){
			"hang-up": func(int, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			"truncated": func(_ int, w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				say(w, 201, "{")
			},
		} {
			z := serve(t, h)
			_, err := z.do(t, method)
			if err == nil || err.Outcome != want {
				t.Errorf("%s, %s: %v", method, name, err)
			}
		}
	}
}

func TestNothingWasSent(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	base := server.URL
	server.Close()
	c := zoomapi.New(zoomapi.Options{Base: base, Token: func(context.Context, string, string) (zoomapi.Token, error) {
		return zoomapi.Token{Access: access}, nil
	}})
	defer c.Close()
	_, err := c.Do(t.Context(), zoomapi.Request{Method: "POST", Path: "/x", Body: 1})
	var e *zoomapi.Error
	if !errors.As(err, &e) || e.Outcome != zoomapi.Again || strings.Contains(e.Message, base) {
		t.Errorf("%v", err)
	}
}

func TestTooLarge(t *testing.T) {
	for size, ok := range map[int]bool{1000: true, 1001: false} {
		z := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) { say(w, 200, strings.Repeat(" ", size)) })
		if _, err := z.do(t, "GET"); (err == nil) != ok {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestRedirects(t *testing.T) {
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s went to another host, Authorization %q", r.Method, r.Header.Get("Authorization"))
	}))
	defer away.Close()
	for _, c := range []struct {
		method, to string
		status     int
		ok         bool
	}{
		{"GET", "/v2/y", 302, true}, {"POST", "/v2/y", 307, true}, {"POST", "/v2/y", 308, true},
		{"POST", "/v2/y", 301, false}, {"POST", "/v2/y", 302, false}, {"POST", "/v2/y", 303, false}, {"DELETE", "/v2/y", 302, false},
		{"GET", away.URL, 302, false}, {"POST", away.URL, 307, false},
	} {
		z := serve(t, func(n int, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				w.Header().Set("Location", c.to)
				w.WriteHeader(c.status)
				return
			}
			say(w, 200, `{}`)
		})
		_, err := z.do(t, c.method)
		if (err == nil) != c.ok || !c.ok && (err.Outcome != zoomapi.Refused || len(z.calls) != 1) {
			t.Errorf("%+v: %v after %d calls", c, err, len(z.calls))
		}
		if c.ok && z.calls[1] != c.method+" /v2/y Bearer "+access {
			t.Errorf("%+v: then %s", c, z.calls[1])
		}
	}
}

// host is a transport that answers all and remembers where calls went.
type host struct{ urls []string }

func (h *host) RoundTrip(r *http.Request) (*http.Response, error) {
	h.urls = append(h.urls, r.URL.String())
	return &http.Response{StatusCode: 204, Body: http.NoBody, Request: r}, nil
}

// A token goes only to Zoom, whatever address stands beside it.
func TestRegion(t *testing.T) {
	for api, want := range map[string]string{
		"":                                     "https://api.zoom.us/v2/x",
		"https://api-eu.zoom.us":               "https://api-eu.zoom.us/v2/x",
		"https://api-eu.zoom.us/":              "https://api-eu.zoom.us/v2/x",
		"https://harbor.zoom.us/v2":            "https://harbor.zoom.us/v2/x",
		"http://api-eu.zoom.us":                "https://api.zoom.us/v2/x",
		"https://evil.example":                 "https://api.zoom.us/v2/x",
		"https://zoom.us.evil.example":         "https://api.zoom.us/v2/x",
		"https://evilzoom.us":                  "https://api.zoom.us/v2/x",
		"https://a@api-eu.zoom.us":             "https://api.zoom.us/v2/x",
		"https://evil.example\\@api.zoom.us/x": "https://api.zoom.us/v2/x",
		"://":                                  "https://api.zoom.us/v2/x",
	} {
		h := &host{}
		c := zoomapi.New(zoomapi.Options{Transport: h, Token: func(context.Context, string, string) (zoomapi.Token, error) {
			return zoomapi.Token{Access: access, API: api}, nil
		}})
		if _, err := c.Do(t.Context(), zoomapi.Request{Method: "GET", Path: "/x"}); err != nil || h.urls[0] != want {
			t.Errorf("%s: called %v, %v", api, h.urls, err)
		}
	}
}

func TestNoToken(t *testing.T) {
	c := zoomapi.New(zoomapi.Options{Token: func(context.Context, string, string) (zoomapi.Token, error) { return zoomapi.Token{}, nil }})
	if _, err := c.Do(t.Context(), zoomapi.Request{Method: "GET", Path: "/x"}); err == nil {
		t.Error("called without a token")
	}
}

func BenchmarkDo(b *testing.B) {
	z := serve(b, func(_ int, w http.ResponseWriter, r *http.Request) { say(w, 200, `{"id":1}`) })
	b.ReportAllocs()
	for b.Loop() {
		if _, err := z.Do(b.Context(), zoomapi.Request{Method: "GET", Path: "/x"}); err != nil {
			b.Fatal(err)
		}
	}
}
