package actionstest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"zflow/actions"
)

// Suite describes an action to test.
type Suite struct {
	// New makes the action; it calls the server at this address.
	New func(t *testing.T, base string) *actions.Action
	// Input of a call that succeeds.
	Input func(base string) map[string]any
	// Status and Reply are the server's answer to such a call; 0 is 200.
	Status int
	Reply  string
	// Secret is the credential that the call sends; it must be seen nowhere.
	Secret string
	// Shaped actions take only the answer that they know for a success.
	Shaped bool
	// Examples answers the documented examples; nil: as Reply does.
	Examples func(t *testing.T) *actions.Action
}

// Run runs the whole suite.
func (s Suite) Run(t *testing.T) {
	t.Run("spec", s.spec)
	t.Run("success", s.success)
	t.Run("statuses", s.statuses)
	t.Run("retry after", s.retryAfter)
	t.Run("shape", s.shape)
	t.Run("truncated", s.truncated)
	t.Run("hang-up", s.hangUp)
	t.Run("cancel", s.cancel)
	t.Run("time-out", s.timeOut)
	t.Run("no server", s.noServer)
	t.Run("redirect", s.redirect)
	t.Run("redirect away", s.redirectAway)
	t.Run("examples", s.examples)
}

// fixture is a server that does as told, and an action that calls it.
type fixture struct {
	t      *testing.T
	suite  Suite
	action *actions.Action
	base   string
	input  map[string]any
	mu     sync.Mutex
	calls  int
}

func (s Suite) serve(t *testing.T, h http.HandlerFunc) *fixture {
	t.Helper()
	f := &fixture{t: t, suite: s}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.calls++
		f.mu.Unlock()
		io.Copy(io.Discard, r.Body) // else the server does not notice that the client went
		h(w, r)
	}))
	t.Cleanup(server.Close)
	f.at(server.URL)
	return f
}

func (f *fixture) at(base string) {
	f.base = base
	f.action = f.suite.New(f.t, base)
	f.input = f.suite.Input(base)
}

func (f *fixture) seen() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// do calls the action and checks what must hold whatever happens: it lets its
// input be, tells its error by class, and shows the credential nowhere.
func (f *fixture) do(ctx context.Context) (any, *actions.Error) {
	f.t.Helper()
	before, _ := json.Marshal(f.input)
	var logged strings.Builder
	r, err := f.action.Do(ctx, actions.Call{
		Input: f.input, Key: "run/step", Account: "account", Started: time.Now(),
		Log: func(line string) { logged.WriteString(line) },
	})
	if after, _ := json.Marshal(f.input); string(before) != string(after) {
		f.t.Errorf("the input was changed from %s to %s", before, after)
	}
	f.secret("log", logged.String())
	out, _ := json.Marshal(redact(f.action.Spec.Secret, r.Output))
	f.secret("output", string(out))
	if err == nil {
		return r.Output, nil
	}
	f.secret("error", err.Error())
	var e *actions.Error
	if !errors.As(err, &e) {
		return nil, actions.Final("%s", err)
	}
	return nil, e
}

func (f *fixture) secret(where, text string) {
	if f.suite.Secret != "" && strings.Contains(text, f.suite.Secret) {
		f.t.Errorf("the %s shows the credential: %s", where, text)
	}
}

func (f *fixture) effect() actions.Effect { return f.action.Effect(f.input) }

// want checks the class of an error.
func (f *fixture) want(e *actions.Error, classes ...actions.Class) {
	f.t.Helper()
	if e == nil {
		f.t.Errorf("it succeeded, want %v", classes)
		return
	}
	for _, c := range classes {
		if e.Class == c {
			return
		}
	}
	f.t.Errorf("%s: %q, want %v", e.Class, e, classes)
}

// lost is the class of a call that was sent and not answered.
func (f *fixture) lost() actions.Class {
	if f.effect() == actions.Write {
		return actions.ClassUnknown
	}
	return actions.ClassRetryable
}

func (s Suite) reply(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if s.Status != 0 {
		w.WriteHeader(s.Status)
	}
	fmt.Fprint(w, s.Reply)
}

func (s Suite) success(t *testing.T) {
	f := s.serve(t, s.reply)
	out, err := f.do(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", err.Class, err)
	}
	for _, problem := range Check(f.action.Spec.Output, out) {
		t.Errorf("output: %s", problem)
	}
}

// statuses: refusals are final, server errors never are, none is a success.
func (s Suite) statuses(t *testing.T) {
	for _, status := range []int{400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 413, 415, 418, 422, 451} {
		f := s.answering(t, status)
		_, err := f.do(t.Context())
		f.want(err, actions.ClassFinal)
		f.status(err, status)
	}
	for _, status := range []int{408, 425, 429} {
		f := s.answering(t, status)
		_, err := f.do(t.Context())
		f.want(err, actions.ClassRetryable)
		f.status(err, status)
	}
	for _, status := range []int{500, 501, 502, 503, 504, 520, 599} {
		f := s.answering(t, status)
		_, err := f.do(t.Context())
		f.want(err, actions.ClassRetryable, f.lost())
		f.status(err, status)
	}
}

func (s Suite) answering(t *testing.T, status int) *fixture {
	return s.serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"code":%d,"message":"no, not with %s"}`, status, s.Secret)
	})
}

func (f *fixture) status(e *actions.Error, want int) {
	f.t.Helper()
	if e != nil && e.Status != want {
		f.t.Errorf("the error says status %d, the server said %d", e.Status, want)
	}
}

func (s Suite) retryAfter(t *testing.T) {
	at := time.Now().Add(2 * time.Hour).UTC().Truncate(time.Second)
	for header, want := range map[string]time.Time{
		"90":                        time.Now().Add(90 * time.Second),
		at.Format(http.TimeFormat):  at,
		"":                          {},
		"soon":                      {},
		"-5":                        {},
		"Mon, 02 Jan 2006 15:04:05": {},
	} {
		f := s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			if header != "" {
				w.Header().Set("Retry-After", header)
			}
			w.WriteHeader(http.StatusTooManyRequests)
		})
		_, err := f.do(t.Context())
		f.want(err, actions.ClassRetryable)
		if err != nil && err.RetryAt.Sub(want).Abs() > 5*time.Second {
			t.Errorf("Retry-After %q: not before %v, want %v", header, err.RetryAt, want)
		}
	}
}

// shape: an action that knows what a success looks like takes nothing else.
func (s Suite) shape(t *testing.T) {
	if !s.Shaped {
		t.Skip("takes any answer")
	}
	for name, body := range map[string]string{
		"an error": `{"code":3001,"message":"Meeting does not exist."}`,
		"a list":   `[{"id":1}]`,
		"a text":   `"ok"`,
		"a page":   `<html>Please sign in</html>`,
		"half":     `{"id":1,`,
	} {
		f := s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, body)
		})
		if out, err := f.do(t.Context()); err == nil {
			t.Errorf("a 200 with %s was a success: %v", name, out)
		}
	}
}

func (s Suite) truncated(t *testing.T) {
	f := s.serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "10000")
		fmt.Fprint(w, s.Reply+" ")
	})
	_, err := f.do(t.Context())
	f.want(err, f.lost())
}

func (s Suite) hangUp(t *testing.T) {
	f := s.serve(t, func(w http.ResponseWriter, r *http.Request) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			conn.Close()
		}
	})
	_, err := f.do(t.Context())
	f.want(err, f.lost())
	if f.effect() == actions.Write && f.seen() != 1 {
		t.Errorf("a write was sent %d times", f.seen())
	}
}

// silent never answers; arrived is closed by the first request.
func (s Suite) silent(t *testing.T) (f *fixture, arrived chan struct{}) {
	arrived = make(chan struct{})
	over := make(chan struct{})
	var once sync.Once
	f = s.serve(t, func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(arrived) })
		select {
		case <-r.Context().Done():
		case <-over:
		}
	})
	t.Cleanup(func() { close(over) })
	return f, arrived
}

func (s Suite) cancel(t *testing.T) {
	f, arrived := s.silent(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	f.want(f.ends(ctx), f.lost())
}

func (s Suite) timeOut(t *testing.T) {
	f, _ := s.silent(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	f.want(f.ends(ctx), f.lost())
}

// ends fails the test where the action outlives its context.
func (f *fixture) ends(ctx context.Context) *actions.Error {
	f.t.Helper()
	done := make(chan *actions.Error, 1)
	go func() {
		_, err := f.do(ctx)
		done <- err
	}()
	<-ctx.Done()
	select {
	case err := <-done:
		return err
	case <-time.After(3 * time.Second):
		f.t.Fatal("it went on 3 s after its context had ended")
		return nil
	}
}

func (s Suite) noServer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	base := server.URL
	server.Close()
	f := &fixture{t: t, suite: s}
	f.at(base)
	_, err := f.do(t.Context())
	f.want(err, actions.ClassRetryable)
}

// redirect: no method is ever changed, so only reads follow a plain redirect.
func (s Suite) redirect(t *testing.T) {
	for _, status := range []int{301, 302, 303} {
		f := s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/moved") {
				s.reply(w, r)
				return
			}
			w.Header().Set("Location", "/moved")
			w.WriteHeader(status)
		})
		_, err := f.do(t.Context())
		if f.effect() == actions.Read {
			continue
		}
		f.want(err, actions.ClassFinal)
		if f.seen() != 1 {
			t.Errorf("%d: %d requests, want only the first", status, f.seen())
		}
	}
}

// redirectAway: no credential goes to a host that the step did not name.
func (s Suite) redirectAway(t *testing.T) {
	for _, status := range []int{302, 307, 308} {
		var leaked []string
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			leaked = append(leaked, headersWith(r.Header, s.Secret)...)
			s.reply(w, r)
		}))
		f := s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", other.URL+"/away")
			w.WriteHeader(status)
		})
		f.do(t.Context())
		other.Close()
		if len(leaked) > 0 {
			t.Errorf("%d: the credential went to another host, in %v", status, leaked)
		}
	}
}

func headersWith(h http.Header, secret string) (names []string) {
	for name, values := range h {
		if name == "Authorization" || secret != "" && strings.Contains(strings.Join(values, " "), secret) {
			names = append(names, name)
		}
	}
	return names
}

// examples runs what the documentation shows.
func (s Suite) examples(t *testing.T) {
	build := s.Examples
	if build == nil {
		f := s.serve(t, s.reply)
		build = func(*testing.T) *actions.Action { return f.action }
	}
	a := build(t)
	for _, x := range a.Spec.Examples {
		input := maps.Clone(x.Input)
		if s.Examples == nil {
			s.address(t, input)
		}
		r, err := a.Do(t.Context(), actions.Call{Input: input, Key: "run/step", Started: time.Now()})
		if err != nil {
			t.Errorf("%s: %v", x.Title, err)
			continue
		}
		if x.Output != nil && !reflect.DeepEqual(r.Output, x.Output) {
			t.Errorf("%s: output %v, want %v", x.Title, r.Output, x.Output)
		}
		for _, problem := range Check(a.Spec.Output, r.Output) {
			t.Errorf("%s: output: %s", x.Title, problem)
		}
	}
}

// address sends an example that names one to the test's server.
func (s Suite) address(t *testing.T, input map[string]any) {
	if _, ok := input["url"]; ok {
		server := httptest.NewServer(http.HandlerFunc(s.reply))
		t.Cleanup(server.Close)
		input["url"] = server.URL + "/example"
	}
}
