// Package moment reads and writes times, durations and weekly patterns for
// expressions. It never asks what time it is, or where it runs: the zones come with
// the program.
package moment

import "strconv"

// Error is what is wrong with a text, and what to write instead.
type Error struct {
	Message string
	Hint    string // may be empty
}

// Error returns the message and the hint.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + ": " + e.Hint
}

// short returns a text that is safe to show in a message.
func short(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strconv.Quote(s)
}
