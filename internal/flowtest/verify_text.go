package flowtest

import (
	"fmt"
	"strings"
)

// Text is a verified test for people.
func (t VerifiedTest) Text() string {
	var b strings.Builder
	mark := "✓"
	if !t.Passed {
		mark = "✗"
	}
	fmt.Fprintf(&b, "%s %s: %d crashes\n", mark, t.Name, len(t.Points))
	if t.Failure != "" {
		fmt.Fprintf(&b, "    %s\n", indented(t.Failure))
	}
	for _, p := range t.Points {
		if p.Passed {
			continue
		}
		fmt.Fprintf(&b, "    crash of the %s at point %d, %s %s of %s:\n", p.Mode, p.Point, p.When, p.What, p.Of)
		for _, w := range p.Wrong {
			fmt.Fprintf(&b, "      %s\n", indented(w))
		}
		for _, line := range p.Timeline {
			fmt.Fprintf(&b, "        %s\n", line)
		}
	}
	return b.String()
}

// Summary says what crashes can repeat.
func (v *Verified) Summary() string {
	var b strings.Builder
	for i, r := range v.Repeats {
		if i == 0 {
			b.WriteString("what a crash can do:\n")
		}
		step := r.Step
		if r.Workflow != v.Workflow {
			step = r.Workflow + "." + step
		}
		does := "is called again"
		switch r.Policy {
		case "read":
			does += ", which changes nothing"
		case "fail":
			does = "may be lost, or have happened unseen: the step fails"
		case "ask":
			does = "waits for a person, who looks whether it happened"
		case "probe":
			does = "is looked for, and called again only if it did not happen"
		default:
			does += " by on_unknown: " + r.Policy
		}
		fmt.Fprintf(&b, "  %s (%s) %s\n", step, r.Action, does)
	}
	verdict := "passed"
	if !v.Passed {
		verdict = "failed"
	}
	crashes := 0
	for _, t := range v.Tests {
		crashes += len(t.Points)
	}
	tests := "tests"
	if len(v.Tests) == 1 {
		tests = "test"
	}
	fmt.Fprintf(&b, "%s: %s, %d crashes in %d %s\n", v.Workflow, verdict, crashes, len(v.Tests), tests)
	return b.String()
}
