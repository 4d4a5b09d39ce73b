package testfile

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"zflow/engine/definition/document"
	"zflow/engine/expr"
)

// Load reads a file of tests from the disk.
func Load(path string) (*File, document.Problems, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("reading tests: %w", err)
	}
	f, problems := Parse(path, src)
	return f, problems, nil
}

// Parse reads a file of tests; it is nil if any problem is an error.
func Parse(path string, src []byte) (*File, document.Problems) {
	doc, root := document.Read(path, src)
	r := &reader{File: doc, path: path}
	var f *File
	if root != nil {
		f = r.file(root)
	}
	if problems := doc.Problems(); problems.Err() != nil {
		return nil, problems
	}
	return f, doc.Problems()
}

type node = document.Node

// reader checks one file and collects what is wrong with it.
type reader struct {
	*document.File
	path string
}

// defaultStart is when a test begins whose file says nothing: a Monday morning.
var defaultStart = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func (r *reader) file(n *node) *File {
	f := &File{Path: r.path, Node: n}
	if !r.keys(n, "a file of tests", "workflow", "start", "event", "secrets", "code", "steps", "tests") {
		return f
	}
	f.Workflow = r.text(r.required(n, "workflow", "the workflow's file, such as x.yaml"), "workflow")
	base := Test{Start: r.start(n.Get("start"), "start", time.Time{}), Event: Event{Line: n.Line}, Steps: map[string][]Outcome{}}
	r.event(n.Get("event"), &base.Event)
	base.Secrets = r.secrets(n.Get("secrets"), nil)
	r.code(n.Get("code"), &base.Code)
	r.outcomes(n.Get("steps"), base.Steps)
	list := r.required(n, "tests", "a list of tests, each with a name and what it expects")
	if list == nil {
		return f
	}
	if list.Kind != document.List || len(list.Items) == 0 {
		r.Fail(list, "write - name: … and expect: below it", "tests is a list of at least one test, this is %s", list.What())
		return f
	}
	for _, item := range list.Items {
		t := base
		r.test(item, &t)
		if slices.ContainsFunc(f.Tests, func(other *Test) bool { return other.Name == t.Name }) {
			r.Fail(item, "give each its own name", "two tests are called %q", t.Name)
		}
		f.Tests = append(f.Tests, &t)
	}
	return f
}

func (r *reader) test(n *node, t *Test) {
	t.Line = n.Line
	if !r.keys(n, "a test", "name", "start", "event", "secrets", "code", "then", "steps", "expect") {
		return
	}
	t.Name = r.text(r.required(n, "name", "say in words what it tests"), "name")
	t.Start = r.start(n.Get("start"), "start", t.Start)
	t.Event.Line = n.Line
	r.event(n.Get("event"), &t.Event)
	if t.Start.IsZero() {
		if t.Start = defaultStart; !t.Event.At.IsZero() {
			t.Start = t.Event.At
		}
	}
	if t.Event.Type == "" {
		r.Fail(n, "write event: { type: meeting.ended }, here or for the whole file", "the test has no event")
	}
	steps := make(map[string][]Outcome, len(t.Steps))
	for name, o := range t.Steps {
		steps[name] = o
	}
	t.Steps = steps
	t.Secrets = r.secrets(n.Get("secrets"), t.Secrets)
	r.code(n.Get("code"), &t.Code)
	r.outcomes(n.Get("steps"), t.Steps)
	t.Then = r.then(n.Get("then"))
	r.expect(r.required(n, "expect", "such as expect: { status: completed }"), &t.Expect)
}

// code reads whether code is run.
func (r *reader) code(n *node, run *bool) {
	if n == nil {
		return
	}
	if *run = n.Value == "run"; !*run {
		r.Fail(n, "write code: run, or leave it out and say under steps what comes of it", "code cannot be %q", n.Value)
	}
}

// secrets reads values by name over those of the file.
func (r *reader) secrets(n *node, file map[string]string) map[string]string {
	all := make(map[string]string, len(file))
	maps.Copy(all, file)
	for _, f := range r.fields(n, "secrets") {
		all[f.Key.Value] = r.text(f.Value, "the secret "+f.Key.Value)
	}
	return all
}

// keys checks that a node is an object of these keys.
func (r *reader) keys(n *node, what string, known ...string) bool {
	if n.Kind != document.Object {
		r.Fail(n, r.EmptyHint(n, "its keys are "+strings.Join(known, ", ")), "%s is an object, this is %s", what, n.What())
		return false
	}
	for _, f := range n.Fields {
		if name := f.Key.Value; !slices.Contains(known, name) && !strings.HasPrefix(name, "x-") {
			r.Fail(f.Key, meant(name, known), "%s has no key %s", what, name)
		}
	}
	return true
}

// meant suggests a name, or says all there are.
func meant(name string, known []string) string {
	if s := expr.Suggest(name, known); s != "" {
		return "did you mean " + s + "?"
	}
	return "its keys are " + strings.Join(known, ", ")
}

func (r *reader) required(n *node, key, hint string) *node {
	v := n.Get(key)
	if v == nil {
		r.Fail(n, hint, "%s is missing", key)
	}
	return v
}

// text reads a text; a missing one is empty.
func (r *reader) text(n *node, what string) string {
	switch {
	case n == nil:
		return ""
	case !n.IsText():
		r.Fail(n, r.EmptyHint(n, "put quotes around it"), "%s is text, this is %s", what, n.What())
		return ""
	case n.Value == "":
		r.Fail(n, "", "%s is empty", what)
	}
	return n.Value
}

// word reads text, or a number as text: a code may be either.
func (r *reader) word(n *node, what string) string {
	if n != nil && n.Kind == document.Scalar && (n.Tag == "!!int" || n.Tag == "!!float") {
		return n.Value
	}
	return r.text(n, what)
}

func (r *reader) flag(n *node, what string) bool {
	if n == nil {
		return false
	}
	if n.Kind != document.Scalar || n.Tag != "!!bool" {
		r.Fail(n, "", "%s is true or false, this is %s", what, n.What())
	}
	return strings.EqualFold(n.Value, "true")
}

func (r *reader) start(n *node, what string, otherwise time.Time) time.Time {
	if n == nil {
		return otherwise
	}
	t, err := time.Parse(time.RFC3339, n.Value)
	if n.Kind != document.Scalar || err != nil {
		r.Fail(n, `such as "2026-03-02T10:00:00Z"`, "%s is no time", what)
		return otherwise
	}
	if t.Year() < 2001 || t.Year() > 2100 {
		r.Fail(n, "", "%s lies outside of the years 2001 to 2100", what)
		return otherwise
	}
	return t.UTC()
}

var durationText = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w))+$|^0$`)

func (r *reader) duration(n *node, what string) time.Duration {
	if n == nil {
		return 0
	}
	d, err := expr.ParseDuration(n.Value)
	if n.Kind != document.Scalar || err != nil || !durationText.MatchString(n.Value) {
		r.Fail(n, "such as 90s, 2h or 1d", "%s is a duration with a unit", what)
		return 0
	}
	return d
}

// span reads 3h..4h, 3h.., ..4h, or 3h, which allows for a minute more.
func (r *reader) span(n *node) Span {
	if n == nil {
		return Span{}
	}
	least, most, ranged := strings.Cut(n.Value, "..")
	read := func(text string) time.Duration {
		if text == "" && ranged {
			return 0
		}
		part := *n
		part.Value = text
		return r.duration(&part, "took")
	}
	s := Span{Least: read(least)}
	if ranged {
		s.Most = read(most)
	} else {
		s.Most = s.Least + time.Minute
	}
	if s.Most != 0 && s.Most < s.Least {
		r.Fail(n, "the shorter time comes first", "took ends before it begins")
	}
	return s
}
