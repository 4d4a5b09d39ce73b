package described_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zflow/actions"
	"zflow/actions/http"
	"zflow/engine/definition"
	"zflow/engine/definition/document"
	"zflow/internal/described"
)

const flow = `name: flow
on: [ { zoom: meeting.ended } ]
steps:
  - { id: add, uses: crm.add_contact, with: { email: a@x.org } }
`

func inline(t *testing.T, src string, files map[string]string) (string, document.Problems, *http.Client) {
	t.Helper()
	c, err := http.New(http.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, described.Folder), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, described.Folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, problems, err := described.Inline(filepath.Join(dir, "flow.yaml"), []byte(src), c)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), problems, c
}

func parse(src string, c *http.Client) (string, definition.Problems) {
	registry, err := actions.NewRegistry()
	if err != nil {
		return "", nil
	}
	w, problems := definition.Parse("flow.yaml", []byte(src), definition.Known{Actions: registry,
		Describe: func(f *document.File, n *document.Node) *actions.Action { return described.Compile(f, n, c) }})
	if w == nil {
		return "", problems
	}
	return w.Version, problems
}

// The descriptions that a workflow uses are part of its text, and so of its version.
func TestInline(t *testing.T) {
	out, problems, c := inline(t, flow, map[string]string{"crm.add_contact.yaml": "---\r\n# ours\r\n" + strings.ReplaceAll(good, "\n", "\r\n"), "crm.other.yaml": "what: ever"})
	if len(problems) > 0 || !strings.HasPrefix(out, flow) || !strings.Contains(out, "    # ours\n    name: crm.add_contact\n") || strings.Contains(out, "ever") {
		t.Fatalf("%v\n%s", problems, out)
	}
	version, found := parse(out, c)
	if version == "" || len(found) > 0 {
		t.Fatal(found)
	}
	changed, _, _ := inline(t, flow, map[string]string{"crm.add_contact.yaml": strings.Replace(good, "/contacts", "/people", 1)})
	if other, _ := parse(changed, c); other == "" || other == version {
		t.Errorf("a changed description has the version %q, the first %q", other, version)
	}
	if _, found := parse(strings.Replace(out, "email: a@x.org", "mail: a@x.org", 1), c); found.Err() == nil || !strings.Contains(found.Err().Error(), "4:47: with has no field mail") {
		t.Errorf("a wrong input: %v", found)
	}
	if same, problems, _ := inline(t, strings.Replace(flow, "crm.add_contact", "log.line", 1), nil); problems != nil || strings.Contains(same, "actions:") {
		t.Errorf("nothing is used: %v, %s", problems, same)
	}
}

func TestInlineFaults(t *testing.T) {
	for name, f := range map[string]struct{ src, file, text, want string }{
		"a fault":      {flow, "crm.add_contact.yaml", strings.Replace(good, "effect: write", "effect: writes", 1), "crm.add_contact.yaml:3:9: effect cannot be writes"},
		"another name": {flow, "crm.add_contact.yml", strings.Replace(good, "name: crm.add_contact", "name: crm.add", 1), "the file is named crm.add_contact, the action crm.add"},
		"both places":  {flow + "actions: { a.b: {} }\n", "crm.add_contact.yaml", good, "keep them all in one place"},
		"in braces":    {`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [ { uses: crm.add_contact } ] }`, "crm.add_contact.yaml", good, "cannot be put below this workflow"},
	} {
		if out, problems, _ := inline(t, f.src, map[string]string{f.file: f.text}); problems.Err() == nil || !strings.Contains(problems.Err().Error(), f.want) || out != f.src {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func TestSkeletonIsInOrder(t *testing.T) {
	text, err := described.Skeleton("crm.add_contact")
	if err != nil {
		t.Fatal(err)
	}
	out, problems, c := inline(t, flow, map[string]string{"crm.add_contact.yaml": text})
	if version, found := parse(out, c); problems != nil || version == "" {
		t.Errorf("%v, %v", problems, found)
	}
	if _, err := described.Skeleton("../x"); err == nil {
		t.Error("a name that leads elsewhere was taken")
	}
}
