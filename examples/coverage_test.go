package examples_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zflow/engine"
	"zflow/engine/definition"
	"zflow/engine/definition/document"
	"zflow/engine/definition/language"
	"zflow/internal/app"
)

// calendar are the functions of expressions for calendars and tables.
var calendar = []string{"addTime", "diffTime", "startOf", "endOf", "nextTime", "fromCSV", "toCSV"}

// example is a workflow that stands among the examples.
type example struct {
	file string
	text string
	root *document.Node
	flow *engine.Workflow
}

// Somebody who looks for how a trigger or an action is used finds it in an example, with
// a test that runs it (internal/flowtest runs them all, and sees to it that they reach
// each step). Of Zoom's operations, those suffice that are there.
func TestEachTriggerAndActionHasAnExample(t *testing.T) {
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, e := range all(t, app.Known(registry, nil)) {
		if _, err := os.Stat(strings.TrimSuffix(e.file, ".yaml") + "_test.yaml"); err != nil {
			t.Errorf("%s has no tests: %v", e.file, err)
		}
		e.triggers(used)
		actionsOf(e.root, used)
		for _, f := range calendar {
			used["function "+f] = used["function "+f] || strings.Contains(e.text, f+"(")
		}
	}
	for _, want := range wantedUses(registry.Names()) {
		if !used[want] {
			t.Errorf("no example has the %s", want)
		}
	}
}

// wantedUses are all that is to be shown.
func wantedUses(actions []string) []string {
	all := []string{"trigger http none", "trigger http hmac preset"}
	for _, name := range language.TriggerKinds {
		all = append(all, "trigger "+name)
	}
	for _, kind := range language.Auths {
		all = append(all, "trigger http "+kind)
	}
	for _, name := range actions {
		if !strings.HasPrefix(name, "zoom.") {
			all = append(all, "action "+name)
		}
	}
	for _, f := range calendar {
		all = append(all, "function "+f)
	}
	return slices.Sorted(slices.Values(all))
}

func all(t *testing.T, known definition.Known) (list []example) {
	t.Helper()
	files, err := filepath.Glob("workflows/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.yaml") {
			continue
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		e := example{file: file, text: string(src)}
		_, e.root = document.Read(file, src)
		var problems document.Problems
		if e.flow, problems = definition.Parse(file, src, known); len(problems) > 0 {
			t.Errorf("%v", problems)
		}
		if e.flow != nil {
			list = append(list, e)
		}
	}
	return list
}

// triggers notes the kinds of triggers, and who may call those that are addresses.
func (e *example) triggers(used map[string]bool) {
	on := e.root.Get("on")
	list := on.Items
	if on.Kind == document.Object {
		list = []*document.Node{on}
	}
	for _, n := range list {
		for _, f := range n.Fields {
			used["trigger "+f.Key.Value] = true
		}
	}
	for _, trigger := range e.flow.Triggers {
		if trigger.HTTP == nil {
			continue
		}
		kind := string(trigger.HTTP.Auth.Kind)
		if kind == "" {
			kind = "none"
		}
		used["trigger http "+kind] = true
		if strings.Contains(e.text, "preset:") {
			used["trigger http hmac preset"] = true
		}
	}
}

// actionsOf notes all actions below a node, those of undos and polls too.
func actionsOf(n *document.Node, used map[string]bool) {
	for _, f := range n.Fields {
		switch key := f.Key.Value; key {
		case "uses":
			used["action "+f.Value.Value] = true
		case "code", "emit", "respond":
			used["action "+key] = true
		}
		actionsOf(f.Value, used)
	}
	for _, item := range n.Items {
		actionsOf(item, used)
	}
}

// The page of recipes lists all examples: a row each, by name.
func TestThePageListsAllExamples(t *testing.T) {
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile("../docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(src)
	for _, e := range all(t, app.Known(registry, nil)) {
		if e.flow.Description == "" {
			t.Errorf("%s has no description", e.file)
		}
		row := e.row()
		if !strings.Contains(page, row+"\n") {
			t.Errorf("docs/recipes.md lacks the row\n%s", row)
		}
		page = strings.Replace(page, row+"\n", "", 1)
	}
	for _, line := range strings.Split(page, "\n") {
		if strings.Contains(line, ".yaml) |") {
			t.Errorf("docs/recipes.md has a row of no example, or of what it was before:\n%s", line)
		}
	}
}

// row is that of an example in docs/recipes.md.
func (e *example) row() string {
	on, services := map[string]bool{}, map[string]bool{}
	for _, trigger := range e.flow.Triggers {
		on[strings.Replace(trigger.Source, "app", "event", 1)] = true
	}
	used := map[string]bool{}
	actionsOf(e.root, used)
	for name := range used {
		name = strings.TrimPrefix(name, "action ")
		family, _, whole := strings.Cut(name, ".")
		if !whole && name != "code" { // respond and emit are of zflow itself
			continue
		}
		services[family] = true
	}
	list := func(m map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(m)), ", ") }
	base := filepath.Base(e.file)
	return fmt.Sprintf("| [%s](../examples/workflows/%s) | %s | %s | %s |", e.flow.Name, base, strings.ReplaceAll(e.flow.Description, "|", "/"), list(on), list(services))
}
