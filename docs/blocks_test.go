// Package docs_test executes what the pages of this folder show.
package docs_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"zflow/actions"
	"zflow/engine"
	"zflow/engine/definition"
	"zflow/internal/app"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// block is a piece of code of a page.
type block struct {
	page string
	line int // of its first line, from 1
	kind string
	text string
}

func read(t testing.TB, name string) string {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

// blocksOf returns the fenced blocks of a page, in order.
func blocksOf(t testing.TB, page string) []block {
	t.Helper()
	var all []block
	var open *block
	for i, line := range strings.Split(read(t, page), "\n") {
		kind, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open == nil:
			open = &block{page: page, line: i + 2, kind: kind}
		case fence:
			all, open = append(all, *open), nil
		case open != nil:
			open.text += line + "\n"
		}
	}
	if open != nil {
		t.Fatalf("%s:%d: the block is not closed", page, open.line)
	}
	return all
}

func registry(t testing.TB) *actions.Registry {
	t.Helper()
	r, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func known(t testing.TB) definition.Known { return app.Known(registry(t), nil) }

var (
	hasName  = regexp.MustCompile(`(?m)^name:`)
	hasOn    = regexp.MustCompile(`(?m)^on:`)
	hasSteps = regexp.MustCompile(`(?m)^steps:`)
)

// complete makes a workflow of a part of one: a list of steps, or some of the
// keys. What it adds stands below, so that lines keep their numbers; a list
// moves down by one line, which is returned.
func complete(text string) (whole string, down int) {
	if strings.HasPrefix(text, "- ") {
		text, down = "steps:\n"+text, 1
	}
	if !hasName.MatchString(text) {
		text += "name: example\n"
	}
	if !hasOn.MatchString(text) {
		text += "on: { zoom: meeting.ended }\n"
	}
	if !hasSteps.MatchString(text) {
		text += "steps: [ { uses: log, with: { message: hello } } ]\n"
	}
	return text, down
}

// parse returns the workflow of a block and what is said about it.
func (b block) parse(k definition.Known) (*engine.Workflow, string) {
	text, down := complete(b.text)
	w, problems := definition.Parse("flow.yaml", []byte(text), k)
	var said strings.Builder
	for _, p := range problems {
		p.Line -= down
		said.WriteString(p.String() + "\n")
	}
	return w, said.String()
}

// isWorkflow tells whether a block is ours to execute.
func (b block) isWorkflow() bool {
	return b.kind == "yaml wrong" || b.kind == "yaml" && (hasSteps.MatchString(b.text) || strings.HasPrefix(b.text, "- ") || slices.Contains(language, b.page))
}

// language are the pages on which every YAML block is of a workflow.
var language = []string{"language.md", "expressions.md", "actions.md", "errors.md", "recipes.md"}

// Every workflow of every page is taken without a word, and those that are shown
// as wrong get exactly the messages that stand below them.
func TestBlocks(t *testing.T) {
	k := known(t)
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		all, count := blocksOf(t, page), 0
		for i, b := range all {
			if !b.isWorkflow() {
				continue
			}
			count++
			want := ""
			if b.kind == "yaml wrong" {
				if i+1 == len(all) || all[i+1].kind != "text" {
					t.Errorf("%s:%d: no messages follow what is wrong", page, b.line)
					continue
				}
				want = all[i+1].text
			}
			if _, said := b.parse(k); said != want {
				t.Errorf("%s:%d: zflow says\n%s\nand the page\n%s", page, b.line, said, want)
			}
		}
		if count == 0 && slices.Contains(language, page) {
			t.Errorf("%s shows no workflow", page)
		}
	}
}

// The JSON Schema for editors takes all that zflow takes.
func TestSchemaTakesTheBlocks(t *testing.T) {
	schema := compile(t, read(t, "workflow.schema.json"))
	for _, page := range language {
		for _, b := range blocksOf(t, page) {
			if b.kind != "yaml" {
				continue
			}
			text, _ := complete(b.text)
			if err := schema.Validate(asJSON(t, text)); err != nil {
				t.Errorf("%s:%d: %v", page, b.line, err)
			}
		}
	}
}

func compile(t *testing.T, text string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("workflow.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("workflow.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func asJSON(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The page on workflows has a row for each key of the language, and none for
// others.
func TestEveryKeyIsExplained(t *testing.T) {
	var schema struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(read(t, "workflow.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	page := read(t, "language.md")
	for heading, has := range map[string]map[string]any{
		"## The workflow": schema.Properties, "## Triggers": schema.Defs["trigger"].Properties, "## Polling": schema.Defs["poll"].Properties,
		"## Steps": schema.Defs["step"].Properties, "## Retry": schema.Defs["retry"].Properties,
	} {
		_, part, ok := strings.Cut(page, heading+"\n")
		part, _, _ = strings.Cut(part, "\n## ")
		rows := rowsOf(part, "key")
		if !ok || len(rows) != len(has) {
			t.Errorf("%s has rows for %d keys of %d", heading, len(rows), len(has))
		}
		for _, r := range rows {
			if _, ok := has[strings.Trim(r[0], "`")]; !ok {
				t.Errorf("%s explains %s, which is no key", heading, r[0])
			}
		}
	}
}

// rowsOf returns the rows of all tables whose first column has this name, cut
// into cells.
func rowsOf(page, first string) [][]string {
	var rows [][]string
	in := false
	for _, line := range strings.Split(page, "\n") {
		if !strings.HasPrefix(line, "|") {
			in = false
			continue
		}
		cells := cellsOf(line)
		switch {
		case cells[0] == first:
			in = true
		case in && !strings.HasPrefix(cells[0], "---"):
			rows = append(rows, cells)
		}
	}
	return rows
}

func cellsOf(line string) []string {
	line = strings.ReplaceAll(strings.Trim(line, "|"), `\|`, "\x00")
	cells := strings.Split(line, "|")
	for i, c := range cells {
		cells[i] = strings.TrimSpace(strings.ReplaceAll(c, "\x00", "|"))
	}
	return cells
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

// Links lead to files that are there.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			if _, err := os.Stat(m[1]); err != nil {
				t.Errorf("%s: there is no %s", page, m[1])
			}
		}
	}
}

// Each condition that the reference of the actions names is one that retry.if
// can have.
func TestErrorConditions(t *testing.T) {
	r := registry(t)
	k := known(t)
	for _, name := range r.Names() {
		for _, e := range r.Get(name).Spec.Errors {
			raw, err := json.Marshal(map[string]any{"name": "x", "on": map[string]any{"zoom": "meeting.ended"},
				"retry": map[string]any{"if": e.If}, "steps": []any{map[string]any{"sleep": "1s"}}})
			if err != nil {
				t.Fatal(err)
			}
			if _, problems := definition.Parse(name, raw, k); len(problems) > 0 {
				t.Error(problems)
			}
		}
	}
}
