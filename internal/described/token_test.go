package described_test

import (
	"context"
	"errors"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"zflow/actions"
	"zflow/actions/http"
	"zflow/internal/described"
)

// The token of a connection goes to its hosts, whatever a step says; one that is
// refused is renewed once.
func TestTokenGoesToItsHostsOnly(t *testing.T) {
	var got []string
	server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		got = append(got, r.Host+" "+r.Header.Get("Authorization"))
		if r.Header.Get("Authorization") == "Bearer old-t0ken" {
			w.WriteHeader(401)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"choices":[{"message":{"content":"ho"}}]}`)
	}))
	defer server.Close()
	fresh := http.Credential{Token: "new-t0ken", Hosts: []string{"api.openai.com"}}
	old := http.Credential{Token: "old-t0ken", Hosts: fresh.Hosts, Renew: func(context.Context) (http.Credential, error) { return fresh, nil }}
	a := named(t, world(t, server.URL, http.Options{Credential: connection("mine", old)}), "openai.chat")
	ask := func(base, connection string) error {
		got = nil
		in := map[string]any{"model": "m", "prompt": "hi"}
		if base != "" {
			in["base_url"] = base
		}
		_, err := a.Do(t.Context(), actions.Call{Input: in, Connection: connection})
		return err
	}
	if err := ask("https://llm.example.org/v1", "mine"); err == nil || !strings.Contains(err.Error(), "was not sent") || got != nil {
		t.Errorf("another host: %v, sent %v", err, got)
	}
	if err := ask("", "mine"); err != nil || strings.Join(got, ",") != "api.openai.com Bearer old-t0ken,api.openai.com Bearer new-t0ken" {
		t.Errorf("renewed: %v, sent %v", err, got)
	}
	if err := ask("", ""); err == nil || !strings.Contains(err.Error(), "no connection openai") || got != nil {
		t.Errorf("no connection: %v, sent %v", err, got)
	}
}

// Where the first of two calls changed something, trying again would change it twice.
func TestLaterCallThatFails(t *testing.T) {
	n := 0
	server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if n++; r.URL.Path == "/two" {
			w.WriteHeader(503)
		}
	}))
	defer server.Close()
	for effect, want := range map[string]actions.Class{"write": actions.ClassUnknown, "idempotent": actions.ClassRetryable} {
		src := `{ name: crm.add, summary: Adds., effect: write, calls: [
  { id: one, effect: ` + effect + `, method: POST, url: "https://crm.example.org/one" },
  { id: two, method: POST, url: "https://crm.example.org/two" } ], output: {} }`
		a, problems := described.Read("f", []byte(src), world(t, server.URL, http.Options{}))
		if a == nil {
			t.Fatal(problems)
		}
		n = 0
		_, err := a.Do(t.Context(), actions.Call{Input: map[string]any{}})
		var e *actions.Error
		if !errors.As(err, &e) || e.Class != want || n != 2 {
			t.Errorf("after a call that is %s: %v, %d calls", effect, err, n)
		}
	}
}
