package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zflow/actions"
)

const docs = "../../../docs"

// What is committed is what the specs say now.
func TestCurrent(t *testing.T) {
	all, err := files()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range all {
		got, err := os.ReadFile(filepath.Join(docs, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("docs/%s is not what the specs say: go generate ./internal/tools/reference", name)
		}
	}
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"actions.md", "events.md", "workflow.schema.json"} {
		if s, err := os.ReadFile(filepath.Join(dir, name)); err != nil || len(s) == 0 {
			t.Errorf("%s: %d bytes, %v", name, len(s), err)
		}
	}
	if err := write(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there is no error")
	}
}

func TestPage(t *testing.T) {
	least := 1.0
	a := &actions.Action{Spec: actions.Spec{
		Name: "x.make", Summary: "Makes an x.", Effect: actions.Write, Connects: "x", RateLabel: "LIGHT",
		Scopes: []string{"a", "b"}, Secret: []string{"list[].key"}, Sealed: true,
		Input: actions.Schema{Type: "object", Required: []string{"z"}, Fields: map[string]actions.Schema{
			"a": {Type: "integer", Doc: "One | two.", Min: &least, Default: int64(3)},
			"z": {Type: "object", Required: []string{"m"}, Fields: map[string]actions.Schema{"m": {Type: "string", Enum: []string{"p", "q"}}}},
		}},
		Output: actions.Schema{Type: "object", Open: true, Required: []string{"list"}, Fields: map[string]actions.Schema{
			"list": {Type: "array", Items: &actions.Schema{Type: "object", Fields: map[string]actions.Schema{"key": {Type: "string", Doc: "A key."}}}},
		}},
		Errors:   []actions.Known{{If: "error.code == 1 || false", Doc: "No x.", Again: true}, {If: "error.code == 2", Doc: "Never."}},
		Examples: []actions.Example{{Title: "Simple", Input: map[string]any{"a": int64(3), "z": map[string]any{"m": "on"}}, Output: map[string]any{"n": int64(1)}}},
	}}
	r, err := actions.NewRegistry(a)
	if err != nil {
		t.Fatal(err)
	}
	got := string(page(r))
	for _, want := range []string{
		"| [`x.make`](#xmake) | Makes an x. | write |\n",
		"- **Effect:** write. Twice is two. After an unknown outcome the run waits until a person says",
		"- **Scopes:** any one of `a`, `b`.\n",
		"- **Rate limit:** Zoom counts it as LIGHT.\n",
		"| `z` | object | **Required.** |\n| `z.m` | text | **Required.** One of `p`, `q`. |\n| `a` | integer | One \\| two. At least 1. Default: `3`. |\n",
		"Output (open):\n",
		"| `list` | list of objects | Always there. |\n| `list[].key` | text | A key. Sealed. |\n",
		"| `error.code == 1 || false` | No x. | may help |\n| `error.code == 2` | Never. | does not help |\n",
		"```yaml\n- uses: x.make\n  with:\n    z:\n      m: \"on\"\n    a: 3\n```\n\nOutput: `{\"n\":1}`\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %q:\n%s", want, got)
		}
	}
}

func TestScalars(t *testing.T) {
	for want, v := range map[string]any{
		"Office hours": "Office hours", "10s": "10s", "post": "post", "https://x.org/a?b=1": "https://x.org/a?b=1",
		`"2026-03-09T10:00:00Z"`: "2026-03-09T10:00:00Z", `"yes"`: "yes", `"a: b"`: "a: b", `"a # b"`: "a # b", `"x:"`: "x:",
		"Follow-up": "Follow-up", `""`: "", `"0123"`: "0123", "5": int64(5), "true": true, "[1,2]": []any{1, 2},
		"${{ secrets.token }}": "${{ secrets.token }}", `"${{ a ? b : c }}"`: "${{ a ? b : c }}",
	} {
		if got := scalar(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}

// Every event has its row, in the section of its product.
func TestEventsPage(t *testing.T) {
	text := string(eventsPage())
	for _, want := range []string{
		"\n## meetings\n", "606 events",
		"| `meeting.ended` | A meeting ended | `meeting:read:meeting` `meeting:read` (assumed) | `meeting:read:meeting:admin` `meeting:read:admin` (assumed) | session |\n",
		"| `session.ended` | A Video SDK session ended | none needed | none needed | session |\n",
		"| `contact_center.task_created` | A contact center task was created | unknown | unknown | whole |\n",
		"| `account.created` | A sub-account was created |  | `account:read:sub_account:admin` | whole |\n",
		"| user_session | `object.id` |  | `object.date_time` `object.client_type` `object.version` `object.login_type` |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if rows := strings.Count(text, "\n| `"); rows != 606 {
		t.Errorf("%d events have a row", rows)
	}
}
