package http_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"zflow/actions"
	"zflow/actions/actionstest"
	"zflow/actions/http"
)

func newAction(t testing.TB, allow ...string) *actions.Action {
	t.Helper()
	c, err := http.New(http.Options{Allow: allow})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.Action()
}

func local(t *testing.T, _ string) *actions.Action { return newAction(t, "127.0.0.0/8") }

func TestConformance(t *testing.T) {
	for _, method := range []string{"GET", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"} {
		t.Run(method, func(t *testing.T) {
			actionstest.Suite{
				New: local,
				Input: func(base string) map[string]any {
					return map[string]any{
						"method": method, "url": base + "/path",
						"auth":    map[string]any{"bearer": "s3cret-bearer-token"},
						"headers": map[string]any{"x-api-key": "s3cret-bearer-token"},
					}
				},
				Reply:  `{"ok":true}`,
				Secret: "s3cret-bearer-token",
			}.Run(t)
		})
	}
}

// do sends one request, whose input has url set, to a handler.
func do(t *testing.T, input map[string]any, h nethttp.HandlerFunc) (map[string]any, *actions.Error) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	path, _ := input["url"].(string)
	input["url"] = server.URL + path
	return call(t, newAction(t, "127.0.0.1"), input)
}

func call(t *testing.T, a *actions.Action, input map[string]any) (map[string]any, *actions.Error) {
	t.Helper()
	r, err := a.Do(t.Context(), actions.Call{Input: input})
	if err == nil {
		return r.Output.(map[string]any), nil
	}
	var e *actions.Error
	if !errors.As(err, &e) {
		t.Fatalf("not an *actions.Error: %v", err)
	}
	return nil, e
}

func TestRequestIsSentAsAsked(t *testing.T) {
	type seen struct {
		Method, URI, Body string
		Header            nethttp.Header
	}
	for name, c := range map[string]struct {
		input  map[string]any
		method string
		uri    string
		body   string
		header map[string]string
	}{
		"plain":        {map[string]any{}, "GET", "/", "", map[string]string{"User-Agent": "zflow"}},
		"lower case":   {map[string]any{"method": "options"}, "OPTIONS", "/", "", nil},
		"query":        {map[string]any{"url": "/a?x=1", "query": map[string]any{"y": "a b", "n": int64(7), "l": []any{"p", true}, "z": nil}}, "GET", "/a?x=1&l=p&l=true&n=7&y=a+b", "", nil},
		"escaped path": {map[string]any{"url": "/a%2Fb%252Fc"}, "GET", "/a%2Fb%252Fc", "", nil},
		"json":         {map[string]any{"method": "POST", "json": map[string]any{"b": int64(9007199254740993), "a": "<&>"}}, "POST", "/", `{"a":"<&>","b":9007199254740993}`, map[string]string{"Content-Type": "application/json"}},
		"json null":    {map[string]any{"method": "POST", "json": nil}, "POST", "/", `null`, nil},
		"form":         {map[string]any{"method": "PUT", "form": map[string]any{"a": "1 2", "b": int64(3)}}, "PUT", "/", `a=1+2&b=3`, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
		"text":         {map[string]any{"method": "PATCH", "text": "hé"}, "PATCH", "/", "hé", map[string]string{"Content-Type": "text/plain; charset=utf-8"}},
		"own type":     {map[string]any{"method": "POST", "text": "<a/>", "headers": map[string]any{"content-type": "text/xml", "X-N": int64(4)}}, "POST", "/", "<a/>", map[string]string{"Content-Type": "text/xml", "X-N": "4"}},
		"bearer":       {map[string]any{"auth": map[string]any{"bearer": "abc"}}, "GET", "/", "", map[string]string{"Authorization": "Bearer abc"}},
		"basic":        {map[string]any{"auth": map[string]any{"basic": map[string]any{"username": "u", "password": "p:q"}}}, "GET", "/", "", map[string]string{"Authorization": "Basic dTpwOnE="}},
	} {
		t.Run(name, func(t *testing.T) {
			var got seen
			_, err := do(t, c.input, func(w nethttp.ResponseWriter, r *nethttp.Request) {
				body, _ := io.ReadAll(r.Body)
				got = seen{r.Method, r.RequestURI, string(body), r.Header}
			})
			if err != nil {
				t.Fatal(err)
			}
			if got.Method != c.method || got.URI != c.uri || got.Body != c.body {
				t.Errorf("sent %s %s %q", got.Method, got.URI, got.Body)
			}
			for name, want := range c.header {
				if got.Header.Get(name) != want {
					t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
				}
			}
		})
	}
}

func TestHostHeader(t *testing.T) {
	var host string
	_, err := do(t, map[string]any{"headers": map[string]any{"host": "api.example.org"}},
		func(_ nethttp.ResponseWriter, r *nethttp.Request) { host = r.Host })
	if err != nil || host != "api.example.org" {
		t.Errorf("host %q, %v", host, err)
	}
}

func TestBadInputIsFinalAndSendsNothing(t *testing.T) {
	secret := "https://ann:hunter22222@example.org/"
	for name, input := range map[string]map[string]any{
		"no url":           {},
		"url a number":     {"url": int64(1)},
		"no scheme":        {"url": "example.org/x"},
		"file":             {"url": "file:///etc/passwd"},
		"no host":          {"url": "http:///x"},
		"credentials":      {"url": secret},
		"bad escape":       {"url": "http://127.0.0.1/%zz?hunter22222"},
		"method":           {"url": "http://127.0.0.1", "method": "CONNECT"},
		"method a list":    {"url": "http://127.0.0.1", "method": []any{}},
		"two bodies":       {"url": "http://127.0.0.1", "method": "POST", "json": int64(1), "text": "x"},
		"form a text":      {"url": "http://127.0.0.1", "method": "POST", "form": "a=1"},
		"text an object":   {"url": "http://127.0.0.1", "method": "POST", "text": map[string]any{}},
		"query nested":     {"url": "http://127.0.0.1", "query": map[string]any{"a": map[string]any{}}},
		"headers a list":   {"url": "http://127.0.0.1", "headers": []any{"a: b"}},
		"header name":      {"url": "http://127.0.0.1", "headers": map[string]any{"a b": "c"}},
		"header injection": {"url": "http://127.0.0.1", "headers": map[string]any{"a": "b\r\nc: d"}},
		"framing header":   {"url": "http://127.0.0.1", "headers": map[string]any{"transfer-encoding": "chunked"}},
		"auth a text":      {"url": "http://127.0.0.1", "auth": "hunter22222"},
		"auth of two":      {"url": "http://127.0.0.1", "auth": map[string]any{"bearer": "a", "basic": map[string]any{}}},
		"auth unknown":     {"url": "http://127.0.0.1", "auth": map[string]any{"digest": "hunter22222"}},
		"auth injection":   {"url": "http://127.0.0.1", "auth": map[string]any{"bearer": "a\nhunter22222"}},
		"auth twice":       {"url": "http://127.0.0.1", "auth": map[string]any{"bearer": "a"}, "headers": map[string]any{"Authorization": "hunter22222"}},
		"basic colon":      {"url": "http://127.0.0.1", "auth": map[string]any{"basic": map[string]any{"username": "a:b", "password": "hunter22222"}}},
		"timeout":          {"url": "http://127.0.0.1", "timeout": "10"},
		"timeout negative": {"url": "http://127.0.0.1", "timeout": "-1s"},
		"timeout a number": {"url": "http://127.0.0.1", "timeout": int64(10)},
	} {
		_, err := call(t, newAction(t, "127.0.0.1"), input)
		if err == nil || err.Class != actions.ClassFinal {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows a credential: %v", name, err)
		}
	}
}

func TestOutput(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, body string
		field             string
		want              any
	}{
		"json":            {"application/json", `{"big":12345678901234567890,"n":9007199254740993,"f":1.5}`, "json", map[string]any{"big": "12345678901234567890", "n": int64(9007199254740993), "f": 1.5}},
		"json list":       {"application/json; charset=utf-8", `[1]`, "json", []any{int64(1)}},
		"json suffix":     {"application/problem+json", `{"a":null}`, "json", map[string]any{"a": nil}},
		"says json only":  {"application/json", `OK`, "text", "OK"},
		"text":            {"text/plain", `{"a":1}`, "text", `{"a":1}`},
		"no type":         {"", "x", "text", "x"},
		"bad type":        {"application/json;;;", `{"a":1}`, "json", map[string]any{"a": int64(1)}},
		"latin":           {"text/plain; charset=ISO-8859-1", "h\xe9", "text", "hé"},
		"not utf-8":       {"text/plain", "h\xe9!", "text", "h\uFFFD!"},
		"empty":           {"application/json", "", "", nil},
		"only whitespace": {"application/json", "\n", "", nil},
	} {
		out, err := do(t, map[string]any{}, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			w.Header()["Content-Type"] = []string{c.contentType}
			w.Header().Add("X-Twice", "a")
			w.Header().Add("X-Twice", "b")
			w.WriteHeader(nethttp.StatusAccepted)
			io.WriteString(w, c.body)
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if out["status"] != int64(202) || out["headers"].(map[string]any)["x-twice"] != "a, b" {
			t.Errorf("%s: status %v, headers %v", name, out["status"], out["headers"])
		}
		if want := map[string]int{"": 2}[c.field]; want != 0 && len(out) != want {
			t.Errorf("%s: %v", name, out)
		}
		if c.field != "" && !reflect.DeepEqual(out[c.field], c.want) {
			t.Errorf("%s: %s = %#v, want %#v", name, c.field, out[c.field], c.want)
		}
	}
}

func TestGzipIsUnpackedWithinTheLimit(t *testing.T) {
	c, err := http.New(http.Options{Allow: []string{"127.0.0.1"}, MaxResponse: 1000})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for size, ok := range map[int]bool{1000: true, 1001: false, 5_000_000: false} {
		server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, strings.Repeat("a", size))
			z.Close()
		}))
		out, e := call(t, c.Action(), map[string]any{"url": server.URL, "method": "POST"})
		server.Close()
		if ok && (e != nil || len(out["text"].(string)) != size) {
			t.Errorf("%d bytes: %v", size, e)
		}
		if !ok && (e == nil || e.Class != actions.ClassFinal || e.Status != 200) {
			t.Errorf("%d bytes: %v", size, e)
		}
	}
}

func TestLimitOfPlainBody(t *testing.T) {
	for size, ok := range map[int]bool{4 << 20: true, 4<<20 + 1: false} {
		_, err := do(t, map[string]any{}, func(w nethttp.ResponseWriter, r *nethttp.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(size))
			io.WriteString(w, strings.Repeat("a", size))
		})
		if (err == nil) != ok {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestErrorSaysWhatTheServerSaid(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, body string
		code, want        string
	}{
		"message":       {"application/json", `{"code":3001,"message":"no such\n meeting"}`, "3001", "not found: no such meeting"},
		"nested":        {"application/json", `{"error":{"code":"E1","message":"gone"}}`, "E1", "not found: gone"},
		"oauth":         {"application/json", `{"error":"invalid_request"}`, "", "not found: invalid_request"},
		"text":          {"text/plain", "no route", "", "not found: no route"},
		"page":          {"text/html", "<!doctype html><p>no", "", "not found"},
		"long":          {"text/plain", strings.Repeat("é", 500), "", "not found: " + strings.Repeat("é", 200) + "…"},
		"list":          {"application/json", `[1]`, "", "not found"},
		"the address":   {"text/plain", "Cannot GET /hooks/T0p53cr3t", "", "not found: Cannot GET ••••"},
		"a query value": {"text/plain", "bad key k3y-k3y-k3y", "", "not found: bad key ••••"},
	} {
		_, err := do(t, map[string]any{"url": "/hooks/T0p53cr3t", "query": map[string]any{"key": "k3y-k3y-k3y"}},
			func(w nethttp.ResponseWriter, r *nethttp.Request) {
				w.Header().Set("Content-Type", c.contentType)
				w.WriteHeader(404)
				io.WriteString(w, c.body)
			})
		if err == nil || err.Code != c.code || !strings.HasSuffix(err.Message, c.want) {
			t.Errorf("%s: code %q, message %q", name, err.Code, err.Message)
		}
	}
}

func TestAnswerThatRepeatsCredentials(t *testing.T) {
	out, err := do(t, map[string]any{"auth": map[string]any{"basic": map[string]any{"username": "ann", "password": "hunter22222"}}},
		func(w nethttp.ResponseWriter, r *nethttp.Request) {
			_, p, _ := r.BasicAuth()
			w.Header().Set("X-Echo", r.Header.Get("Authorization"))
			fmt.Fprintf(w, "%s and %s", r.Header.Get("Authorization"), p)
		})
	if err != nil {
		t.Fatal(err)
	}
	if out["text"] != "Basic •••• and ••••" || out["headers"].(map[string]any)["x-echo"] != "Basic ••••" {
		t.Errorf("%v", out)
	}
}

func TestTimeout(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for method, want := range map[string]actions.Class{"GET": actions.ClassRetryable, "POST": actions.ClassUnknown} {
		_, err := do(t, map[string]any{"method": method, "timeout": "30ms"},
			func(_ nethttp.ResponseWriter, r *nethttp.Request) {
				select {
				case <-release:
				case <-r.Context().Done():
				}
			})
		if err == nil || err.Class != want || !strings.Contains(err.Message, "no answer within 30ms") {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// The answer's head came, its body did not.
func TestTimeoutInTheBody(t *testing.T) {
	_, err := do(t, map[string]any{"method": "POST", "timeout": "50ms"},
		func(w nethttp.ResponseWriter, r *nethttp.Request) {
			w.WriteHeader(201)
			w.(nethttp.Flusher).Flush()
			<-r.Context().Done()
		})
	if err == nil || err.Class != actions.ClassUnknown || err.Status != 201 {
		t.Errorf("%v", err)
	}
}

func TestUnknownNameIsRetryable(t *testing.T) {
	_, err := call(t, newAction(t), map[string]any{"method": "POST", "url": "http://no-such-host.invalid/secret-path"})
	if err == nil || err.Class != actions.ClassRetryable || strings.Contains(err.Error(), "secret-path") {
		t.Errorf("%v", err)
	}
}

func TestCertificateIsFinal(t *testing.T) {
	server := httptest.NewTLSServer(nethttp.NotFoundHandler())
	defer server.Close()
	_, err := call(t, newAction(t, "127.0.0.1"), map[string]any{"url": server.URL})
	if err == nil || err.Class != actions.ClassFinal || !strings.Contains(err.Message, "certificate") {
		t.Errorf("%v", err)
	}
}

// A kept-alive connection that the server closed between two POSTs must not make
// the second one unknown: net/http saw that nothing was written, or gets another.
func TestStaleConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	closed := make(chan struct{}, 10)
	go serveOnce(l, closed)
	a := newAction(t, "127.0.0.1")
	for i := range 5 {
		_, e := call(t, a, map[string]any{"method": "POST", "url": "http://" + l.Addr().String(), "json": int64(i)})
		if e != nil && e.Class != actions.ClassUnknown {
			t.Errorf("call %d: %s: %v", i, e.Class, e)
		}
		if e == nil { // else the server may not have seen it at all
			<-closed
		}
	}
}

// serveOnce answers one request a connection, promises to keep it, and closes it.
func serveOnce(l net.Listener, closed chan<- struct{}) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		if _, err := nethttp.ReadRequest(bufio.NewReader(c)); err == nil {
			io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
		}
		c.Close()
		closed <- struct{}{}
	}
}

func TestEffect(t *testing.T) {
	a := newAction(t)
	for method, want := range map[any]actions.Effect{
		nil: actions.Read, "get": actions.Read, "HEAD": actions.Read, "OPTIONS": actions.Read,
		"PUT": actions.Idempotent, "delete": actions.Idempotent,
		"POST": actions.Write, "PATCH": actions.Write, "nonsense": actions.Write, 1: actions.Write,
	} {
		if got := a.Effect(map[string]any{"method": method}); got != want {
			t.Errorf("%v: %s, want %s", method, got, want)
		}
	}
}

func TestNoProxyOfTheEnvironment(t *testing.T) {
	proxied := false
	proxy := httptest.NewServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) { proxied = true }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	_, err := call(t, newAction(t), map[string]any{"url": "http://no-such-host.invalid/"})
	if err == nil || proxied {
		t.Errorf("%v, proxied %t", err, proxied)
	}
}

func benchServer(b *testing.B) string {
	server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"id":12345678901,"topic":"Algebra","members":[{"name":"ann"},{"name":"bob"}]}`)
	}))
	b.Cleanup(server.Close)
	return server.URL
}

func BenchmarkRequest(b *testing.B) {
	base := benchServer(b)
	a := newAction(b, "127.0.0.1")
	input := map[string]any{"method": "POST", "url": base + "/x", "json": map[string]any{"a": int64(1)}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.Do(context.Background(), actions.Call{Input: input}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNetHTTP is the same call made by hand: the floor.
func BenchmarkNetHTTP(b *testing.B) {
	base := benchServer(b)
	b.ReportAllocs()
	for b.Loop() {
		res, err := nethttp.Post(base+"/x", "application/json", strings.NewReader(`{"a":1}`))
		if err != nil {
			b.Fatal(err)
		}
		var v any
		if err := json.NewDecoder(res.Body).Decode(&v); err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
}

func TestAllowListIsChecked(t *testing.T) {
	for _, bad := range []string{"", "http://x", "10.0.0.0/33", "a b", "x/y", "user@host"} {
		if _, err := http.New(http.Options{Allow: []string{bad}}); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func hostOf(t *testing.T, base string) string {
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func TestHead(t *testing.T) {
	out, err := do(t, map[string]any{"method": "HEAD"}, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		w.Header().Set("Content-Length", "10000")
	})
	if err != nil || out["headers"].(map[string]any)["content-length"] != "10000" {
		t.Errorf("%v, %v", out, err)
	}
}
