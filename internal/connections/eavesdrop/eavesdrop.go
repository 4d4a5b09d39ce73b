// Package eavesdrop lets tests find out whether a secret of a connection can be
// read anywhere: it learns the secrets from what goes between the workers and Zoom,
// and looks for them in what it hears and in files.
package eavesdrop

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
)

// Ear hears, and learns secrets.
type Ear struct {
	mu      sync.Mutex
	heard   bytes.Buffer
	secrets map[string]string // what it is, by the secret
}

// On hears all messages that a core subscriber on > gets.
func On(t testing.TB, nc *nats.Conn) *Ear {
	t.Helper()
	e := &Ear{secrets: map[string]string{}}
	sub, err := nc.Subscribe(">", func(m *nats.Msg) {
		_, _ = e.Write([]byte(m.Subject + "\n"))
		for name, values := range m.Header {
			_, _ = e.Write([]byte(name + ": " + strings.Join(values, " ") + "\n"))
		}
		_, _ = e.Write(append(m.Data, '\n'))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		t.Fatal(err)
	}
	return e
}

// Write hears what is written, such as a log.
func (e *Ear) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.heard.Write(p)
}

// Heard tells whether a text was heard.
func (e *Ear) Heard(text string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return bytes.Contains(e.heard.Bytes(), []byte(text))
}

// Learn takes secrets.
func (e *Ear) Learn(what string, secrets ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range secrets {
		if s != "" {
			e.secrets[s] = what
		}
	}
}

// Transport learns all secrets that go between next and Zoom's OAuth server.
func (e *Ear) Transport(next http.RoundTripper) http.RoundTripper { return transport{e, next} }

type transport struct {
	ear  *Ear
	next http.RoundTripper
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, password, ok := r.BasicAuth(); ok {
		t.ear.Learn("client secret", password)
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body)) // what is no form has no secrets of these names
		for _, name := range []string{"client_secret", "code", "code_verifier", "refresh_token", "device_code"} {
			t.ear.Learn(name, form.Get(name))
		}
	}
	res, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	var said map[string]any
	_ = json.Unmarshal(body, &said) // what is not JSON has none either
	for _, name := range []string{"access_token", "refresh_token", "device_code"} {
		text, _ := said[name].(string)
		t.ear.Learn(name, text)
	}
	return res, nil
}

// Kinds tells which kinds of secrets it has learned.
func (e *Ear) Kinds() map[string]int {
	e.mu.Lock()
	defer e.mu.Unlock()
	kinds := map[string]int{}
	for _, what := range e.secrets {
		kinds[what]++
	}
	return kinds
}

// Nothing fails the test if a secret can be read in what was heard or in a file
// below a folder: as it is, or within something in Base64.
func (e *Ear) Nothing(t testing.TB, folder string) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.search(t, "what was heard", e.heard.Bytes())
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		e.search(t, path, raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (e *Ear) search(t testing.TB, where string, text []byte) {
	t.Helper()
	for secret, what := range e.secrets {
		for _, form := range forms(secret) {
			if i := bytes.Index(text, form); i >= 0 {
				t.Errorf("the %s can be read in %s: …%q…", what, where, text[max(0, i-60):min(len(text), i+len(form)+20)])
				break
			}
		}
	}
}

// forms are how a text looks as it is, and at each place that it can have within
// something longer in Base64.
func forms(secret string) [][]byte {
	all := [][]byte{[]byte(secret)}
	for before := range 3 {
		whole := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret))
		from, to := (before*8+5)/6, (before+len(secret))*8/6
		all = append(all, []byte(whole[from:to]))
	}
	return all
}
