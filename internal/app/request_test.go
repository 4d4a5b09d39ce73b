package app

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zflow/internal/operator"
	"zflow/internal/settings"
)

const echoFlow = `name: echo
on: [ { http: { respond: when_done, auth: { bearer: "${{ secrets.token }}" } } } ]
steps:
  - respond: { status: 201, headers: { x-who: "${{ trigger.query.who }}" }, body: { twice: "${{ event.n * 2 }}", hidden: "${{ trigger.headers.authorization ?? 'none' }}" } }
`

const mirrorFlow = `name: mirror
on: [ { http: { respond: when_done } } ]
steps:
  - respond: { body: "${{ event.doc }}" }
`

const outputFlow = `name: plain
on: [ { http: { method: [GET, POST], respond: when_done }, if: "trigger.query.no == nil" } ]
steps: [ { id: a, set: "${{ trigger.query.n }}" }, { if: "steps.a.output == 'fail'", stop: { status: failed, message: hush } } ]
output: { n: "${{ steps.a.output }}" }
`

func request(t *testing.T, method, url, body string, headers ...string) (status int, answer string, h http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	raw, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.StatusCode, string(raw), w.Header
}

// Requests through ingest start runs, which answer them: by respond, by a file, by
// their end. One key is one run and one answer.
func TestRequests(t *testing.T) {
	c, _ := devConfig(t)
	c.SimListen, c.Config = "", settings.Default()
	c.Config.Secrets = map[string]settings.Known{"token": {Secret: settings.NewSecret("hush")}}
	for name, text := range map[string]string{"echo": echoFlow, "mirror": mirrorFlow, "plain": outputFlow} {
		if err := os.WriteFile(filepath.Join(c.Dir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := startDev(t, c)
	url := d.IngestURL() + "/http/"
	const kind, json = "Content-Type", "application/json"
	for range 3 {
		status, body, h := request(t, "POST", url+"echo?who=me", `{"n":21}`, kind, json, "Authorization", "Bearer hush", "Idempotency-Key", "k1")
		if status != 201 || body != `{"hidden":"none","twice":42}` || h.Get("X-Who") != "me" {
			t.Errorf("%d %s %v", status, body, h)
		}
	}
	if runs, err := d.Client().Operator().Runs(t.Context(), operator.RunQuery{Workflow: "echo"}); err != nil || len(runs) != 1 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
	for _, one := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"POST", "echo", 401, "bearer"}, {"GET", "nosuch", 404, "no workflow"}, {"DELETE", "plain", 405, "GET"},
		{"GET", "plain?n=7", 200, `{"n":"7"}`}, {"GET", "plain?n=fail", 500, "the run failed"}, {"GET", "plain?no=1", 202, "not_started"},
	} {
		began := time.Now()
		status, body, _ := request(t, one.method, url+one.path, "")
		if status != one.status || !strings.Contains(body, one.body) || strings.Contains(body, "hush") {
			t.Errorf("%s %s: %d %s after %v", one.method, one.path, status, body, time.Since(began))
		}
	}
	file := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part, err := m.CreateFormFile("doc", "../a.bin")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(file) // to memory
	_ = m.Close()
	status, body, h := request(t, "POST", url+"mirror", form.String(), kind, m.FormDataContentType())
	if status != 200 || body != string(file) || h.Get(kind) != "application/octet-stream" {
		t.Errorf("the file came back as %d bytes, %d %v", len(body), status, h)
	}
}
