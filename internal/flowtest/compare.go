package flowtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"zflow/engine"
	"zflow/engine/expr"
	"zflow/engine/steppath"
	"zflow/internal/flowtest/house"
	"zflow/internal/flowtest/testfile"
	v1 "zflow/proto/zflow/v1"
)

// Mismatch is one thing that is not as the test expects.
type Mismatch struct {
	What string `json:"what"`
	Want string `json:"want"`
	Got  string `json:"got"`
	Line int    `json:"line"`
}

func (m Mismatch) String() string {
	if m.Want == "" {
		return m.What
	}
	return fmt.Sprintf("%s: expected %s, got %s", m.What, m.Want, m.Got)
}

// comparison collects what differs.
type comparison struct {
	seen  *Seen
	wrong []Mismatch
}

func (c *comparison) differs(line int, what, want, got string) {
	c.wrong = append(c.wrong, Mismatch{what, want, got, line})
}

// Compare returns what was seen otherwise than expected.
func Compare(e *testfile.Expect, s *Seen) []Mismatch {
	c := &comparison{seen: s}
	for _, p := range s.Problems {
		c.wrong = append(c.wrong, Mismatch{What: p, Line: e.Line})
	}
	if got := s.Status(); e.Status != "" && got != e.Status {
		c.differs(e.Line, "status", e.Status, got+s.why())
	}
	if message := s.failure().GetMessage(); e.Error != "" && !strings.Contains(message, e.Error) {
		c.differs(e.Line, "error", "one with "+quoted(e.Error), quoted(message))
	}
	c.took(e)
	for _, name := range slices.Sorted(maps.Keys(e.Steps)) {
		c.step(name, e.Steps[name])
	}
	calls := c.calls(e)
	if e.Output != nil {
		c.part(e.Output.Place.Line, "output", e.Output.JSON, s.Output())
	}
	c.checks(e, calls)
	return c.wrong
}

// Status is the run's, or not_started, or refused.
func (s *Seen) Status() string {
	switch {
	case s.Refused != "":
		return testfile.Refused
	case s.Run == nil:
		return testfile.NotStarted
	}
	return string(s.Run.State)
}

// why says what is to be known of a run that did not end well.
func (s *Seen) why() string {
	if f := s.failure(); f.GetMessage() != "" {
		at := s.Run.End.GetRunFailed().GetStep()
		if at != "" {
			at = " in " + at
		}
		return at + ": " + f.Message
	}
	if s.Refused != "" {
		return " (" + s.Refused + ")"
	}
	if s.Run == nil || s.Run.State != engine.Waiting {
		return ""
	}
	var open []string
	for path, step := range s.Run.Steps {
		if !step.Status.Ended() && step.Status != "" && step.Status != engine.StepInside {
			open = append(open, path+" is "+string(step.Status))
		}
	}
	slices.Sort(open)
	return " (" + strings.Join(open, ", ") + ")"
}

func (s *Seen) failure() *v1.Error {
	if s.Run == nil {
		return nil
	}
	return s.Run.End.GetRunFailed().GetError()
}

// Output is the run's; nil where it has none.
func (s *Seen) Output() any {
	if s.Run == nil {
		return nil
	}
	return decode(s.Run.End.GetRunCompleted().GetOutput())
}

// Took is how long the run took so far.
func (s *Seen) Took() time.Duration {
	if s.Run == nil {
		return 0
	}
	return s.Run.At.Sub(s.Run.Started)
}

func (c *comparison) took(e *testfile.Expect) {
	if e.Took == (testfile.Span{}) {
		return
	}
	if took := c.seen.Took(); took < e.Took.Least || e.Took.Most != 0 && took > e.Took.Most {
		want := "at least " + e.Took.Least.String()
		if e.Took.Most != 0 {
			want = e.Took.Least.String() + ".." + e.Took.Most.String()
		}
		c.differs(e.Line, "took", want, took.Round(time.Millisecond).String())
	}
}

// find returns the path of a step that a test names: its path, or its id where one
// step has it.
func (s *Seen) find(name string) string {
	if s.Run == nil || s.Run.Steps[name] != nil {
		return name
	}
	for _, path := range slices.Sorted(maps.Keys(s.Run.Steps)) {
		if s.Run.Steps[path].Status != "" && (house.ID(path) == name || steppath.Step(path) == name) {
			return path
		}
	}
	return name
}

func (c *comparison) step(name string, want testfile.Step) {
	what, path := "step "+name, c.seen.find(name)
	got := &engine.StepState{}
	if c.seen.Run != nil && c.seen.Run.Steps[path] != nil {
		got = c.seen.Run.Steps[path]
	}
	status := string(got.Status)
	if status == "" {
		status = "not_reached"
	}
	if want.Status != "" && want.Status != status {
		c.differs(want.Line, what+": status", want.Status, status)
	}
	if want.Outcome != "" && want.Outcome != got.Outcome {
		c.differs(want.Line, what+": outcome", want.Outcome, orNone(got.Outcome, status))
	}
	if want.Attempts != nil && *want.Attempts != int(got.Attempt) {
		c.differs(want.Line, what+": attempts", fmt.Sprint(*want.Attempts), fmt.Sprint(got.Attempt))
	}
	if want.Output != nil {
		c.part(want.Output.Place.Line, what+": output", want.Output.JSON, c.seen.stepOutput(path))
	}
}

func orNone(text, status string) string {
	if text == "" {
		return "none (" + status + ")"
	}
	return text
}

// stepOutput is what a step has brought, as steps.<id>.output has it; of an undo, what
// that brought.
func (s *Seen) stepOutput(path string) any {
	if s.Run == nil || s.Run.Steps[path] == nil {
		return nil
	}
	if v, err := s.Run.Output(s.Flow, path); err == nil && v != nil {
		return v
	}
	return decode(s.Run.Steps[path].Output)
}

// part checks that a value has what is expected of it: an object these fields at
// least, a list these elements, anything else the same.
func (c *comparison) part(line int, at string, want, got any) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			c.differs(line, at, text(want), text(got))
			return
		}
		for _, name := range slices.Sorted(maps.Keys(w)) {
			if v, there := g[name]; there || w[name] == nil {
				c.part(line, at+"."+name, w[name], v)
			} else {
				c.differs(line, at+"."+name, text(w[name]), "nothing")
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			c.differs(line, at, text(want), text(got))
			return
		}
		for i := range w {
			c.part(line, fmt.Sprintf("%s[%d]", at, i), w[i], g[i])
		}
	default:
		if !same(want, got) {
			c.differs(line, at, text(want), text(got))
		}
	}
}

// has tells whether a value has what is expected of it.
func has(want, got any) bool {
	c := &comparison{}
	c.part(0, "", want, got)
	return len(c.wrong) == 0
}

func same(a, b any) bool {
	if i, ok := a.(int64); ok {
		if f, ok := b.(float64); ok {
			return float64(i) == f
		}
	}
	if f, ok := a.(float64); ok {
		if i, ok := b.(int64); ok {
			return float64(i) == f
		}
	}
	return text(a) == text(b)
}

func text(v any) string {
	raw := encode(v)
	if len(raw) > 400 {
		return string(raw[:400]) + "…"
	}
	return string(raw)
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }

func encode(v any) []byte {
	raw, err := expr.EncodeJSON(v)
	if err != nil {
		return fmt.Appendf(nil, "%q", err.Error())
	}
	return raw
}

func decode(v *v1.Value) any {
	if len(v.GetJson()) == 0 {
		return nil
	}
	out, err := expr.DecodeJSON(v.Json)
	if err != nil {
		return string(v.Json)
	}
	return out
}
