package trigger

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zflow/engine/definition"
	"zflow/internal/app"
	"zflow/internal/terminal"
	"zflow/internal/zoomcatalog"
)

// zflow runs a command of this package and returns what it prints.
func zflow(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	sh := &terminal.Shell{Out: &out, Err: &out, Env: func(string) string { return "" }}
	root := terminal.Group("zflow", "", Commands(sh), Scopes(sh))
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetArgs(args)
	root.SetOut(&out)
	err := root.Execute()
	return out.String(), err
}

func ok(t *testing.T, args ...string) string {
	t.Helper()
	out, err := zflow(t, args...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return out
}

func TestList(t *testing.T) {
	if n := strings.Count(ok(t, "triggers", "list"), "\n"); n != 607 {
		t.Errorf("%d lines", n)
	}
	if out := ok(t, "triggers", "list", "recording.*", "*.ended"); !strings.Contains(out, "recording.completed") || !strings.Contains(out, "webinar.ended") || strings.Contains(out, "meeting.started") {
		t.Errorf("patterns:\n%s", out)
	}
	if out := ok(t, "triggers", "list", "--product", "phone"); !strings.Contains(out, "phone.fax_received") || strings.Contains(out, "meetings") {
		t.Errorf("a product:\n%s", out)
	}
	var all []map[string]any
	if err := json.Unmarshal([]byte(ok(t, "triggers", "list", "account.created", "session.ended", "--output", "json")), &all); err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	want := `{"admin_scopes":["account:read:sub_account:admin"],"business_key":"whole","deprecated":false,"description":"A sub-account was created","name":"account.created",` +
		`"product":"accounts","scopes":["account:read:sub_account:master","account:read:sub_account:admin","account:master"],"scopes_basis":"stated","source":"zoom","user_scopes":[]}`
	if got, _ := json.Marshal(all[0]); string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if all[1]["scopes_basis"] != "none" || len(all[1]["scopes"].([]any)) != 0 {
		t.Errorf("an event without scopes: %v", all[1])
	}
}

func TestSearch(t *testing.T) {
	if out := ok(t, "triggers", "search", "recording ready"); !strings.Contains(out, "recording.completed ") {
		t.Errorf("quoted words find\n%s", out)
	}
	if out := ok(t, "triggers", "search", "Waiting", "room", "left"); strings.Count(out, "\n") != 2 || !strings.Contains(out, "meeting.participant_left_waiting_room") {
		t.Errorf("%s", out)
	}
}

func TestMistakesAreExplained(t *testing.T) {
	empty, broken := t.TempDir(), filepath.Join(t.TempDir(), "x.yaml")
	if err := os.WriteFile(broken, []byte("name: x\non: { zoom: meeting.ended }\nsteps: [ { uses: nosuch.action } ]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"triggers list meeting.endet":             `there is no event "meeting.endet": did you mean "meeting.ended"?`,
		"triggers list recordings.*":              `did you mean "recording.*"?`,
		"triggers list --product meting":          `there is no product "meting": did you mean "meetings"?`,
		"triggers list --product phone meeting.*": "the product phone has no event meeting.*",
		"triggers search flying saucer":           `no event is about "flying saucer"; zflow triggers list prints all`,
		"triggers show metting.ended":             `there is no event "metting.ended": did you mean "meeting.ended"?`,
		"triggers show quite.another_thing":       `there is no event "quite.another_thing"; zflow triggers search WORD finds one`,
		"triggers show recording.*":               `there is no event "recording.*"`,
		"triggers show":                           "NAME is missing",
		"scopes /no/such/folder":                  "reading workflows: stat /no/such/folder",
		"scopes " + empty:                         "holds no .yaml file",
		"scopes " + broken:                        "(zflow validate " + broken + " prints all that is wrong)",
	} {
		out, err := zflow(t, strings.Fields(args)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\n%s", args, err, out)
		}
	}
}

// Each event can be shown, and its example is a workflow that it starts.
func TestShowEvery(t *testing.T) {
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	known := app.Known(registry, nil)
	for _, e := range zoomcatalog.Events() {
		d := detailOf(e)
		if d.Description == "" || len(d.Sample) == 0 || len(d.Fields) == 0 && e.Name != "app.authorization_request_created" && e.Name != "endpoint.url_validation" {
			t.Errorf("%s: %d fields, %d bytes", e.Name, len(d.Fields), len(d.Sample))
		}
		w, problems := definition.Parse("x.yaml", []byte(d.Example), known)
		if w == nil || len(problems) > 0 || !slices.Equal(w.Triggers[0].Types, []string{e.Name}) {
			t.Errorf("%s: %v\n%s", e.Name, problems, d.Example)
		}
	}
}

func TestShow(t *testing.T) {
	out := ok(t, "triggers", "show", "recording.completed")
	for _, want := range []string{
		"trigger          recording.completed\n", "A cloud recording is ready\n",
		"scopes, user     cloud_recording:read:recording or recording:read (as far as is known)\n",
		"what is there of object.uuid, object.id, object.session_id\n", "mind             payload.object.id is a number; download_token stands at the top level\n",
		"payload.object.recording_files[].download_url", "always there", "\"download_token\":", "  - zoom: recording.completed\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing of\n%s", want, out)
		}
	}
	for name, want := range map[string]string{
		"contact_center.consumer_messaging_opt_in": "fields (not documented; these are of contact_center.sms_status)",
		"meeting.updated":                          "if all that it says is the same", "session.ended": "none is needed", "contact_center.task_created": "Zoom states none",
		"account.created": "scopes, master",
	} {
		if out := ok(t, "triggers", "show", name); !strings.Contains(out, want) {
			t.Errorf("%s: %q is missing of\n%s", name, want, out)
		}
	}
	var d detail
	if err := json.Unmarshal([]byte(ok(t, "triggers", "show", "meeting.ended", "--output", "json")), &d); err != nil {
		t.Fatal(err)
	}
	if d.Name != "meeting.ended" || len(d.Key.About) != 3 || d.Object != "payload.object" || !json.Valid(d.Sample) ||
		!slices.ContainsFunc(d.Fields, func(f field) bool { return f.Path == "payload.object.uuid" && f.Type == "string" }) {
		t.Errorf("%+v", d)
	}
}

func TestScopes(t *testing.T) {
	dir := t.TempDir()
	for name, src := range map[string]string{
		"a.yaml":      "name: a\non: { zoom: [meeting.ended, contact_center.task_created] }\nsteps:\n  - uses: zoom.get_meeting\n    with: { meeting_id: '1' }\n",
		"b.yaml":      "name: b\non: { zoom: session.ended }\nsteps:\n  - wait_for: { zoom: account.created, match: { payload.account_id: '1' }, timeout: 1h }\n",
		"b_test.yaml": "not: a workflow",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := ok(t, "scopes", dir)
	for _, want := range []string{
		"meeting:read:meeting meeting:read (assumed)", "meeting.ended\n", "zoom.get_meeting\n", "unknown", "contact_center.task_created\n",
		"account:read:sub_account:admin", "session.ended\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing of\n%s", want, out)
		}
	}
	var needs []need
	if err := json.Unmarshal([]byte(ok(t, "scopes", filepath.Join(dir, "a.yaml"), "--output", "json")), &needs); err != nil || len(needs) != 3 {
		t.Fatalf("%+v, %v", needs, err)
	}
	if n := needs[2]; !slices.Equal(n.Of, []string{"zoom.get_meeting"}) || n.Basis != "stated" || !slices.Contains(n.AdminScopes, "meeting:read:meeting:admin") {
		t.Errorf("%+v", n)
	}
}
