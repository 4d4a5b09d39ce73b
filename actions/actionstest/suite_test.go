package actionstest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"zflow/actions"
	"zflow/actions/actionstest"
)

const (
	planted = "ZFLOW_TEST_PLANTED" // names the fault to run, in a process of its own
	secret  = "s3cret-s3cret"
)

// faults are actions with one thing wrong each, and the test that must find it.
// The one without a fault passes.
var faults = map[string]struct {
	change func(*actions.Action)
	found  string
}{
	"none":              {func(*actions.Action) {}, ""},
	"no docs":           {func(a *actions.Action) { a.Spec.Input.Fields["meeting"] = actions.Schema{} }, "spec"},
	"no summary":        {func(a *actions.Action) { a.Spec.Summary = "" }, "spec"},
	"example misfits":   {func(a *actions.Action) { a.Spec.Examples[0].Input = map[string]any{"nmae": "x"} }, "spec"},
	"unknown secret":    {func(a *actions.Action) { a.Spec.Secret = []string{"strat_url"} }, "spec"},
	"example differs":   {func(a *actions.Action) { a.Spec.Examples[0].Output = map[string]any{"id": int64(2)} }, "examples"},
	"output misfits":    {func(a *actions.Action) { a.Spec.Output.Required = []string{"uuid"} }, "success"},
	"secret in output":  {after(func(r *actions.Result, err error) error { r.Output = map[string]any{"id": secret}; return err }), "success"},
	"secret in error":   {failing(func(e *actions.Error) { e.Message += secret }), "statuses"},
	"secret in the log": {before(func(c actions.Call) { c.Log("using " + secret) }), "success"},
	"changes its input": {before(func(c actions.Call) { c.Input["name"] = "other" }), "success"},
	"all is final":      {failing(func(e *actions.Error) { e.Class = actions.ClassFinal }), "statuses"},
	"all is retryable":  {failing(func(e *actions.Error) { e.Class = actions.ClassRetryable }), "hang-up"},
	"all is unknown":    {failing(func(e *actions.Error) { e.Class = actions.ClassUnknown }), "no server"},
	"forgets Retry-At":  {failing(func(e *actions.Error) { e.RetryAt = time.Time{} }), "retry after"},
	"no error at all":   {after(func(r *actions.Result, _ error) error { r.Output = map[string]any{"id": int64(1)}; return nil }), "shape"},
	"outlives context": {func(a *actions.Action) {
		do := a.Do
		a.Do = func(ctx context.Context, c actions.Call) (actions.Result, error) {
			return do(context.WithoutCancel(ctx), c)
		}
	}, "cancel"},
}

func before(f func(actions.Call)) func(*actions.Action) {
	return func(a *actions.Action) {
		do := a.Do
		a.Do = func(ctx context.Context, c actions.Call) (actions.Result, error) {
			if c.Log != nil {
				f(c)
			}
			return do(ctx, c)
		}
	}
}

func after(f func(*actions.Result, error) error) func(*actions.Action) {
	return func(a *actions.Action) {
		do := a.Do
		a.Do = func(ctx context.Context, c actions.Call) (actions.Result, error) {
			r, err := do(ctx, c)
			err = f(&r, err)
			return r, err
		}
	}
}

func failing(f func(*actions.Error)) func(*actions.Action) {
	return after(func(_ *actions.Result, err error) error {
		var e *actions.Error
		if errors.As(err, &e) {
			f(e)
		}
		return err
	})
}

// sound is a small action that does everything right: it posts a name.
func sound(base string) *actions.Action {
	return &actions.Action{
		Spec: actions.Spec{
			Name: "test.post", Summary: "Posts a name.", Effect: actions.Write,
			Input: actions.Schema{Type: "object", Fields: map[string]actions.Schema{"name": {Type: "string", Doc: "A name."}}},
			Output: actions.Schema{Type: "object", Required: []string{"id"}, Fields: map[string]actions.Schema{
				"id": {Doc: "What it got."},
			}},
			Examples: []actions.Example{{Title: "Post", Input: map[string]any{"name": "x"}, Output: map[string]any{"id": int64(1)}}},
		},
		Do: func(ctx context.Context, c actions.Call) (actions.Result, error) { return post(ctx, base) },
	}
}

func post(ctx context.Context, base string) (actions.Result, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base, strings.NewReader("x"))
	if err != nil {
		return actions.Result{}, err
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	res, err := client.Do(r)
	if err != nil && strings.Contains(err.Error(), "refused") {
		return actions.Result{}, actions.Retryable("connecting: refused")
	}
	if err != nil {
		return actions.Result{}, actions.Unknown("no answer")
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return actions.Result{}, actions.Unknown("half an answer")
	}
	return judge(res, body)
}

func judge(res *http.Response, body []byte) (actions.Result, error) {
	var seconds int
	at, _ := http.ParseTime(res.Header.Get("Retry-After"))
	if _, err := fmt.Sscan(res.Header.Get("Retry-After"), &seconds); err == nil && seconds > 0 {
		at = time.Now().Add(time.Duration(seconds) * time.Second)
	}
	switch s := res.StatusCode; {
	case s == 408 || s == 425 || s == 429 || s >= 500:
		e := actions.Retryable("not now").With(s, "")
		if at.After(time.Now()) {
			e.RetryAt = at
		}
		return actions.Result{}, e
	case s >= 300:
		return actions.Result{}, actions.Final("no").With(s, "")
	}
	v, err := actions.DecodeJSON(body)
	object, ok := v.(map[string]any)
	if err != nil || !ok || object["id"] == nil {
		return actions.Result{}, actions.Unknown("a strange answer")
	}
	return actions.Result{Output: object}, nil
}

// TestPlanted runs the suite on the fault that the environment names.
func TestPlanted(t *testing.T) {
	fault, ok := faults[os.Getenv(planted)]
	if !ok {
		t.Skip("run by TestSuiteFindsEachFault")
	}
	actionstest.Suite{
		New: func(_ *testing.T, base string) *actions.Action {
			a := sound(base)
			fault.change(a)
			return a
		},
		Input: func(string) map[string]any { return map[string]any{"name": "x"} },
		Reply: `{"id":1}`, Secret: secret, Shaped: true,
	}.Run(t)
}

// Each planted fault makes the suite fail, in the test that is there for it.
func TestSuiteFindsEachFault(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPlanted$", "-test.timeout=60s")
			c.Env = append(os.Environ(), planted+"="+name)
			out, err := c.CombinedOutput()
			if fault.found == "" && err != nil {
				t.Fatalf("the sound action fails:\n%s", out)
			}
			test := "TestPlanted/" + strings.ReplaceAll(fault.found, " ", "_")
			if fault.found != "" && (err == nil || !strings.Contains(string(out), "--- FAIL: "+test)) {
				t.Errorf("not found by %s:\n%s", test, out)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	s := actions.Schema{
		Type: "object", Required: []string{"id"},
		Fields: map[string]actions.Schema{
			"id":   {Type: "integer"},
			"kind": {Type: "string", Enum: []string{"a", "b"}},
			"list": {Type: "array", Items: &actions.Schema{Type: "boolean"}},
			"any":  {},
		},
	}
	for _, c := range []struct {
		value any
		want  []string
	}{
		{map[string]any{"id": int64(1), "kind": "a", "list": []any{true}, "any": nil}, nil},
		{map[string]any{"id": 1.0}, nil},
		{map[string]any{"id": 1.5}, []string{"it.id is a float64, want integer"}},
		{map[string]any{}, []string{"it.id is missing"}},
		{map[string]any{"id": int64(1), "kind": "c"}, []string{`it.kind is "c", want one of ["a" "b"]`}},
		{map[string]any{"id": int64(1), "list": []any{true, "x"}}, []string{"it.list[1] is a string, want boolean"}},
		{map[string]any{"id": int64(1), "more": 1}, []string{"it.more is not in the schema"}},
		{[]any{}, []string{"it is a []interface {}, want object"}},
		{nil, []string{"it is a <nil>, want object"}},
	} {
		if got := actionstest.Check(s, c.value); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: %q, want %q", c.value, got, c.want)
		}
	}
}
