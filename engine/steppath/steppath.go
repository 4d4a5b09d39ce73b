// Package steppath names where a step of a run stands: the names of what encloses
// it and its own, joined by dots, with the index of each loop's iteration:
// each[3].notify. The paths of steps that follow a run's own begin with OnFailure or
// Finally; that of what undoes a step ends with Undo.
package steppath

import (
	"regexp"
	"strconv"
	"strings"
)

// Parts of the paths of what cleans up.
const (
	Undo      = ".undo"
	OnFailure = "on_failure."
	Finally   = "finally."
)

// CleansUp says that a step is none of the run's own, but one that follows them: an
// undo, or one of on_failure or finally.
func CleansUp(path string) bool {
	return strings.HasPrefix(path, OnFailure) || strings.HasPrefix(path, Finally) || strings.HasSuffix(path, Undo)
}

// Iteration is the path of a loop's iteration.
func Iteration(loop string, i int) string { return loop + "[" + strconv.Itoa(i) + "]" }

// Index reads the index that follows a loop's path in a longer one.
func Index(loop, path string) (int, bool) {
	rest, ok := strings.CutPrefix(path[len(loop):], "[")
	digits, _, closed := strings.Cut(rest, "]")
	i, err := strconv.Atoi(digits)
	return i, ok && closed && err == nil
}

// Within says whether a path is another or below it.
func Within(path, above string) bool {
	rest, ok := strings.CutPrefix(path, above)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

var iteration = regexp.MustCompile(`\[[0-9]+\]`)

// Static returns the path without the indexes of iterations.
func Static(path string) string { return iteration.ReplaceAllString(path, "") }

// Step returns the path of the definition's step, of an undo too.
func Step(path string) string { return strings.TrimSuffix(Static(path), Undo) }
