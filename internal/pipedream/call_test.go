package pipedream_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"zflow/internal/pipedream"
)

func rowsOf(t *testing.T) map[string]map[string]any {
	t.Helper()
	raw, err := os.ReadFile("components.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]map[string]any{}
	if err := yaml.Unmarshal(raw, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

var (
	word   = regexp.MustCompile(`(^|\s)(\w+)[^\s]*`)
	inPath = regexp.MustCompile(`\{(\w+)\}`)
)

// Each row of the table becomes steps that load, with all the props that it knows.
func TestRows(t *testing.T) {
	registry, err := registry()
	if err != nil {
		t.Fatal(err)
	}
	rows := rowsOf(t)
	if len(rows) < 70 {
		t.Errorf("there are %d rows", len(rows))
	}
	for key, row := range rows {
		var props strings.Builder
		if !strings.HasPrefix(key, "data_stores-") {
			props.WriteString(", zoom: { authProvisionId: apn_1 }")
		}
		given := map[string]bool{}
		say := func(name string) {
			if !given[name] && name != "data_store" { // another name of dataStore
				fmt.Fprintf(&props, ", %s: '{{ steps.trigger.event.body.%s }}'", name, name)
			}
			given[name] = true
		}
		for _, part := range []string{"with", "query", "body"} {
			for _, m := range word.FindAllStringSubmatch(fmt.Sprint(row[part]), -1) {
				if row[part] != nil {
					say(m[2])
				}
			}
		}
		for _, m := range inPath.FindAllStringSubmatch(fmt.Sprint(row["call"]), -1) {
			say(m[1])
		}
		src := fmt.Sprintf("schema: workflow/2022.04\nname: Row\ntriggers: [ { id: hi_1 } ]\nsteps:\n- { namespace: a, uses: %s@1.0.0, props: { a: null%s } }\n", key, props.String())
		w, err := pipedream.Translate("workflow.yaml", []byte(src), pipedream.Options{Actions: registry})
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		for _, n := range w.Notes {
			if text := fmt.Sprint(n); row["hand"] == nil && (!strings.Contains(text, ": hint: ") || strings.Contains(text, "has no field")) {
				t.Errorf("%s: %s", key, text)
			}
		}
		if row["hand"] == nil {
			loads(t, w)
		}
	}
}

const runner = `
const [base, ...files] = process.argv.slice(2);
for (const file of files) {
  const { inputs } = JSON.parse(process.env["IN" + file.match(/(\d+)\.mjs$/)[1]]);
  const { default: f } = await import(file);
  await f({ inputs, connection: { api_url: base, headers: { authorization: "Bearer t" } } }).then((v) => console.log(JSON.stringify(v)), (e) => console.log(e.message, e.status, e.retryable));
}`

// The code that stands for components of Zoom makes the request that it should.
func TestCallsAreMade(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no Node.js")
	}
	var calls []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		calls = append(calls, strings.TrimSpace(fmt.Sprintln(q.Method, q.RequestURI, q.Header.Get("Authorization"), string(body))))
		switch {
		case q.Method == "PUT":
			w.WriteHeader(http.StatusNoContent)
		case q.Method == "DELETE":
			http.Error(w, `{"code":3001}`, http.StatusNotFound)
		case q.URL.Query().Get("next_page_token") == "":
			_, _ = io.WriteString(w, `{"registrants":[1],"next_page_token":"p2"}`)
		default:
			_, _ = io.WriteString(w, `{"registrants":[2],"next_page_token":""}`)
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	args := []string{filepath.Join(dir, "run.mjs"), server.URL}
	env := os.Environ()
	for i, step := range []string{
		`zoom_admin-list-webinar-registrants@1, props: { webinar: "a/b", status: approved }`,
		`zoom_admin-end-meeting@1, props: { meeting: "/uuid==" }`,
		`zoom_admin-delete-webinar@1, props: { webinar: 7, occurrence: o }`,
		`zoom_admin-add-webinar-panelist@1, props: { webinar: 7, name: Noor, email: n@harbor.example }`,
	} {
		w, err := pipedream.Translate("workflow.yaml", []byte("schema: workflow/2022.04\nname: Row\ntriggers: [ { id: hi_1 } ]\nsteps: [ { namespace: a, uses: "+step+" } ]\n"), pipedream.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var flow struct {
			Steps []struct {
				With any    `yaml:"with"`
				Code string `yaml:"code"`
			} `yaml:"steps"`
		}
		if err := yaml.Unmarshal(w.YAML, &flow); err != nil {
			t.Fatal(err)
		}
		in, err := json.Marshal(map[string]any{"inputs": flow.Steps[0].With})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, fmt.Sprint(i)+".mjs")
		write(t, file, flow.Steps[0].Code)
		args, env = append(args, file), append(env, fmt.Sprintf("IN%d=%s", i, in))
	}
	write(t, filepath.Join(dir, "run.mjs"), runner)
	cmd := exec.Command(node, args...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	want := `[1,2]
null
Zoom answered 404: {"code":3001}
 404 false
{"registrants":[1],"next_page_token":"p2"}
`
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s", err, out)
	}
	made := `GET /webinars/a%2Fb/registrants?status=approved&page_size=300 Bearer t
GET /webinars/a%2Fb/registrants?status=approved&page_size=300&next_page_token=p2 Bearer t
PUT /meetings/%252Fuuid%253D%253D/status Bearer t {"action":"end"}
DELETE /webinars/7?occurrence_id=o Bearer t
POST /webinars/7/panelists Bearer t {"panelists":[{"email":"n@harbor.example","name":"Noor"}]}`
	if got := strings.Join(calls, "\n"); got != made {
		t.Errorf("the calls are\n%s", got)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
