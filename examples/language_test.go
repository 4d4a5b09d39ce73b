package examples

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zflow/engine/definition/document"
	"zflow/engine/definition/language"
)

// unused are the parts of the language that no example shows, and why.
var unused = map[string]string{
	"workflow connection": "which account it is, only its owner knows",
	"trigger connection":  "which account it is, only its owner knows",
	"step connection":     "which account it is, only its owner knows",
	"undo connection":     "which account it is, only its owner knows",
	"poll connection":     "which account it is, only its owner knows",
	"poll items":          "Zoom's lists are the only ones of their answers",
	"poll first":          "the default fits every example",

	"limits facts": "the default fits every example",
}

// values are the words that a key can have, each of which is shown.
var values = map[string][]string{
	"concurrency when_busy": {"queue", "skip", "replace"},
	"step on_unknown":       {"retry", "probe", "ask", "fail"},
	"step wait":             {"false"},
	"wait on_timeout":       {"fail", "continue"},
	"approval on_timeout":   {"continue"},
	"stop status":           {"completed", "failed", "canceled"},
}

// Somebody who looks for how a part of the language is used finds it in an example.
func TestExamplesShowTheWholeLanguage(t *testing.T) {
	files, err := filepath.Glob("workflows/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	shown := shown{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.yaml") {
			continue
		}
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, n := document.Read(file, src)
		shown.workflow(n)
	}
	want := wanted()
	for _, part := range slices.Sorted(maps.Keys(want)) {
		if why, not := unused[part]; not == shown[part] {
			t.Errorf("%s: shown is %v; %s", part, shown[part], why)
		}
	}
}

// wanted are all parts of the language.
func wanted() map[string]bool {
	all := map[string]bool{"sleep a while": true, "sleep until a time": true, "sleep until a schedule": true, "call that waits": true, "group": true}
	for part, table := range map[string]map[string]language.Key{
		"workflow": language.Workflow, "trigger": language.Trigger, "once": language.Once, "poll": language.Poll, "inputs": language.Callable,
		"concurrency": language.Concurrency, "limits": language.Limits, "step": language.Step, "case": language.Case, "undo": language.Undo,
		"sleep": language.Sleep, "schedule": language.Schedule, "wait": language.Wait, "first_of": language.Arrival,
		"approval": language.Approval, "field": language.Answer, "respond": language.Respond, "stop": language.Stop, "retry": language.Retry,
	} {
		for name := range table {
			all[part+" "+name] = true
		}
	}
	for key, words := range values {
		for _, word := range words {
			all[key+" "+word] = true
		}
	}
	return all
}

// shown are the parts of the language that were seen.
type shown map[string]bool

// keys notes those of a node, and the words that they have.
func (s shown) keys(part string, n *document.Node) {
	if n == nil {
		return
	}
	for _, p := range n.Fields {
		key := part + " " + p.Key.Value
		s[key], s[key+" "+p.Value.Value] = true, true
	}
}

func (s shown) workflow(n *document.Node) {
	s.keys("workflow", n)
	for _, part := range []string{"concurrency", "limits", "retry"} {
		s.keys(part, n.Get(part))
	}
	for _, t := range listed(n.Get("on")) {
		s.keys("trigger", t)
		s.keys("once", t.Get("once"))
		s.keys("poll", t.Get("poll"))
		s.keys("inputs", t.Get("call"))
	}
	for _, part := range []string{"steps", "on_failure", "finally"} {
		s.steps(n.Get(part))
	}
}

func listed(n *document.Node) []*document.Node {
	if n != nil && n.Kind == document.Object {
		return []*document.Node{n}
	}
	return n.Items
}

func (s shown) steps(list *document.Node) {
	if list == nil {
		return
	}
	for _, n := range list.Items {
		s.step(n)
		s.steps(n.Get("steps"))
		if p := n.Get("parallel"); p != nil {
			for _, branch := range p.Fields {
				s.steps(branch.Value)
			}
		}
		if c := n.Get("switch"); c != nil {
			for _, one := range c.Items {
				s.keys("case", one)
				s.steps(one.Get("steps"))
				s.steps(one.Get("else"))
			}
		}
	}
}

func (s shown) step(n *document.Node) {
	s.keys("step", n)
	for key, part := range map[string]string{"undo": "undo", "wait_for": "wait", "approval": "approval", "respond": "respond", "stop": "stop", "retry": "retry"} {
		s.keys(part, n.Get(key))
	}
	s.sleep(n.Get("sleep"))
	if n.Get("steps") != nil && n.Get("for_each") == nil {
		s["group"] = true
	}
	if n.Get("call") != nil && n.Get("wait") == nil {
		s["call that waits"] = true
	}
	if undo := n.Get("undo"); undo != nil {
		s.keys("retry", undo.Get("retry"))
	}
	for _, p := range pairs(n.Get("wait_for"), "first_of") {
		s.keys("first_of", p.Value)
	}
	for _, p := range pairs(n.Get("approval"), "fields") {
		s.keys("field", p.Value)
	}
}

func pairs(n *document.Node, key string) []document.Pair {
	if n == nil || n.Get(key) == nil {
		return nil
	}
	return n.Get(key).Fields
}

func (s shown) sleep(n *document.Node) {
	if n == nil {
		return
	}
	s.keys("sleep", n)
	until := n.Get("until")
	s.keys("schedule", until)
	switch {
	case until == nil:
		s["sleep a while"] = true
	case until.Get("schedule") != nil:
		s["sleep until a schedule"] = true
	default:
		s["sleep until a time"] = true
	}
}
