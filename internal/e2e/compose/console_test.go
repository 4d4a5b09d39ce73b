package compose

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"zflow/internal/operator"
)

var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```")

// TestEnvIsMadeAsThePageSays runs what docs/operating.md has for a fresh clone, up
// to where a person types.
func TestEnvIsMadeAsThePageSays(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("there is no openssl")
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/operating.md"))
	if err != nil {
		t.Fatal(err)
	}
	script, rest, typed := strings.Cut(shellBlock.FindStringSubmatch(string(page))[1], "$EDITOR")
	if !typed || !strings.Contains(rest, "docker compose up -d") {
		t.Fatalf("the page begins with other commands: %s", script)
	}
	example, err := os.ReadFile(filepath.Join(root, ".env.example"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(script) {
		if !strings.Contains(string(example), strings.TrimSpace(line)) {
			t.Errorf(".env.example does not say %q", line)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".env.example"), example, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("sh", "-euc", script)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	made, err := os.ReadFile(filepath.Join(dir, ".env"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{"": true}
	for name := range someEnv() {
		value := ""
		for line := range strings.Lines(string(made)) {
			if v, ok := strings.CutPrefix(line, name+"="); ok {
				value = strings.TrimSpace(v)
			}
		}
		if seen[value] && name != "ZOOM_SECRET_TOKEN" {
			t.Errorf("%s is %q: empty, or that of another", name, value)
		}
		seen[value] = true
	}
}

// startConsole returns where it is.
func (p *production) startConsole(t *testing.T) (url string) {
	t.Helper()
	p.metrics["console"] = "127.0.0.1:" + freePort(t)
	listen := "127.0.0.1:" + freePort(t)
	p.start(t, "console", "console", "ZFLOW_CONSOLE_LISTEN="+listen, "ZFLOW_CONSOLE_METRICS_LISTEN="+p.metrics["console"])
	p.ready(t, "console")
	return "http://" + listen
}

// call asks the console; whoever calls reads and closes the body.
func call(ctx context.Context, method, url, token, body string) (*http.Response, error) {
	q, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	q.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	return http.DefaultClient.Do(q)
}

// answered is the status and text of an answer.
func answered(t *testing.T, method, url, token, body string) (int, string) {
	t.Helper()
	a, err := call(t.Context(), method, url, token, body)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(a.Body)
	if err := errors.Join(err, a.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(raw)
}

// wantConsole: the console may do what it must with the rights that its role has,
// for the token of .env and for one that was made.
func (p *production) wantConsole(t *testing.T) {
	t.Helper()
	api := p.startConsole(t) + "/api/v1"
	fixed := someEnv()["ZFLOW_API_TOKEN"]
	made := strings.TrimSpace(p.must(t, "zflow", "tokens", "create", "dashboard", "--scope", "events:read", "--scope", "runs:read"))
	p.secrets = append(p.secrets, made)
	for path, want := range map[string]string{"/events": `"seq"`, "/runs?limit=1": `"next"`, "/workflows": `"name"`, "/connections": `"connections"`} {
		if status, text := answered(t, "GET", api+path, fixed, ""); status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	for path, want := range map[string]int{"/events": 200, "/workflows": 403} {
		if status, text := answered(t, "GET", api+path, made, ""); status != want {
			t.Errorf("%s with a token that was made: %d %s", path, status, text)
		}
	}
	p.wantOrder(t, api, fixed)
	for _, stream := range []string{"/events/stream", "/runs/stream"} {
		wantFirst(t, api+stream+"?last_event_id=0", made)
	}
	p.must(t, "zflow", "tokens", "revoke", "dashboard")
	if status, text := answered(t, "GET", api+"/events", made, ""); status != http.StatusUnauthorized {
		t.Errorf("a revoked token: %d %s", status, text)
	}
}

// wantOrder: the console shows a run that waits, and cancels it.
func (p *production) wantOrder(t *testing.T, api, token string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sleeps.yaml")
	if err := os.WriteFile(file, []byte("name: sleeps\non: [ { event: shop.closed } ]\nsteps: [ { sleep: 7d } ]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.must(t, "zflow", "deploy", file)
	p.must(t, "zflow", "events", "publish", "shop.closed", "--key", "1", "--data", "{}")
	var page struct{ Runs []operator.Run }
	await(t, "the run", func() error {
		_, text := answered(t, "GET", api+"/runs?workflow=sleeps&status=waiting", token, "")
		if err := json.Unmarshal([]byte(text), &page); err != nil || len(page.Runs) != 1 {
			return fmt.Errorf("%w in %s", err, text)
		}
		return nil
	})
	run := api + "/runs/" + page.Runs[0].ID
	if status, text := answered(t, "GET", run, token, ""); status != http.StatusOK {
		t.Errorf("the run is shown with %d %s", status, text)
	}
	if status, text := answered(t, "POST", run+"/cancel", token, `{"reason":"enough"}`); status != http.StatusOK {
		t.Errorf("the run is canceled with %d %s", status, text)
	}
}

// wantFirst reads a stream up to its first message.
func wantFirst(t *testing.T, url, token string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	a, err := call(ctx, "GET", url, token, "")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	lines := bufio.NewScanner(a.Body)
	for lines.Scan() {
		if lines.Text() == "id: 1" {
			return
		}
	}
	t.Error(fmt.Errorf("%s has no first message: %s %w", url, a.Status, errors.Join(lines.Err(), ctx.Err())))
}
