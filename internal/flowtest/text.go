package flowtest

import (
	"fmt"
	"strings"
	"time"
)

// Text is a result for people.
func (r Result) Text() string {
	var b strings.Builder
	mark := "✓"
	if !r.Passed {
		mark = "✗"
	}
	fmt.Fprintf(&b, "%s %s: %s (%s)\n", mark, r.Workflow, r.Name, seconds(r.Took))
	if r.Failure != "" {
		fmt.Fprintf(&b, "    %s:%d: %s\n", r.File, r.Line, indented(r.Failure))
	}
	for _, m := range r.Wrong {
		fmt.Fprintf(&b, "    %s:%d: %s\n", r.File, m.Line, wrong(m))
	}
	if !r.Passed && len(r.Timeline) > 0 {
		b.WriteString("    what happened:\n")
		for _, line := range r.Timeline {
			fmt.Fprintf(&b, "      %s\n", line)
		}
	}
	return b.String()
}

// wrong is a mismatch, on lines of their own where it is long.
func wrong(m Mismatch) string {
	if line := m.String(); len(line) < 100 || m.Want == "" {
		return indented(line)
	}
	return fmt.Sprintf("%s\n      expected %s\n      got      %s", m.What, m.Want, m.Got)
}

func indented(text string) string { return strings.ReplaceAll(text, "\n", "\n      ") }

func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d > time.Minute {
		return d.Round(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}

// Text is a coverage for people.
func (c Coverage) Text() string {
	line := fmt.Sprintf("%s: %d of %d steps", c.Workflow, c.Steps-c.NeverIn.Steps, c.Steps)
	if c.Branches > 0 {
		line += fmt.Sprintf(", %d of %d branches", c.Branches-c.NeverIn.Branches, c.Branches)
	}
	if len(c.Never) > 0 {
		line += "; never reached: " + strings.Join(c.Never, ", ")
	}
	return line
}

// Summary counts the tests.
func (r *Report) Summary() string {
	failed := 0
	for _, t := range r.Tests {
		if !t.Passed {
			failed++
		}
	}
	return fmt.Sprintf("%d passed, %d failed", len(r.Tests)-failed, failed)
}
