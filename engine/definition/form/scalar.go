package form

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"zflow/engine/definition/document"
	"zflow/engine/expr"
)

// OneOf returns a text that is one of a few, or "" after a report.
func (r *Reader) OneOf(n *document.Node, what string, among []string) string {
	s := r.Text(n, what)
	if s == "" || slices.Contains(among, s) {
		return s
	}
	r.Fail(n, Suggestion(s, among), "%s cannot be %s", what, s)
	return ""
}

// Flag returns true or false; what is not there is otherwise.
func (r *Reader) Flag(n *document.Node, what string, otherwise bool) bool {
	switch {
	case n == nil:
		return otherwise
	case n.Kind != document.Scalar || n.Tag != "!!bool":
		r.Fail(n, r.EmptyHint(n, TypeHint(n, "boolean")), "%s is true or false, this is %s", what, n.What())
		return otherwise
	}
	return strings.EqualFold(n.Value, "true")
}

// Count returns a whole number from 1.
func (r *Reader) Count(n *document.Node, what string, most int) int {
	return int(r.Number(n, what, true, 1, float64(most)))
}

// Number returns a number within limits, a whole one if so wanted.
func (r *Reader) Number(n *document.Node, what string, whole bool, least, most float64) float64 {
	f, err := strconv.ParseFloat(n.Value, 64)
	switch {
	case n.Kind != document.Scalar || err != nil || n.Tag != "!!int" && (whole || n.Tag != "!!float"):
		hint := ""
		if n.IsText() && err == nil {
			hint = "leave out the quotes"
		}
		kind := "a number"
		if whole {
			kind = "a whole number"
		}
		r.Fail(n, hint, "%s is %s, this is %s", what, kind, n.What())
	case !(f >= least && f <= most):
		r.Fail(n, "", "%s is from %s to %s", what, plainNumber(least), plainNumber(most))
	}
	return f
}

func plainNumber(f float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', -1, 64), ".0")
}

// Name returns a name such as that of a workflow.
func (r *Reader) Name(n *document.Node, what string) string {
	if n == nil {
		return ""
	}
	s := r.Text(n, "name")
	if s != "" && !validName.MatchString(s) {
		r.Fail(n, "up to 64 of a-z, 0-9 and -", "%q is no name for %s", s, what)
	}
	return s
}

// Text returns a scalar as it is written, whatever YAML takes it for.
func (r *Reader) Text(n *document.Node, what string) string {
	switch {
	case n == nil:
		return ""
	case n.Kind != document.Scalar:
		r.Fail(n, "", "%s is a text, this is %s", what, n.What())
		return ""
	case n.IsNull() || n.Value == "":
		r.Fail(n, r.EmptyHint(n, ""), "%s is empty", what)
		return ""
	}
	return n.Value
}

// Duration returns a duration; it must be more than 0 if positive is set.
func (r *Reader) Duration(n *document.Node, what string, positive bool) time.Duration {
	s := r.Text(n, what)
	if s == "" {
		return 0
	}
	d, err := expr.ParseDuration(s)
	switch {
	case expr.Contains(s):
		r.Fail(n, "write it as 30s, 5m, 2h or 1d", "%s cannot be an expression", what)
	case err != nil:
		r.Fail(n, durationHint(s), "%s is no duration: %q", what, s)
	case d < 0:
		r.Fail(n, "", "%s cannot be negative", what)
	case d == 0 && positive:
		r.Fail(n, "leave it out if there is none", "%s cannot be 0", what)
	}
	return d
}

func durationHint(s string) string {
	if strings.Trim(s, "0123456789.") == "" {
		return "it needs a unit: " + s + "s, " + s + "m, " + s + "h or " + s + "d"
	}
	return "write a number and a unit, such as 30s, 5m, 2h, 1d or 1w"
}
