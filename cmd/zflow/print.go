package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// printJSON writes one value.
func (sh *shell) printJSON(v any) error {
	e := json.NewEncoder(sh.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// printLine writes one value on a line of its own, for what has no end.
func (sh *shell) printLine(v any) error {
	e := json.NewEncoder(sh.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func (sh *shell) print(format string, args ...any) error {
	_, err := fmt.Fprintf(sh.out, format, args...)
	return err
}

// colored says whether colors are shown: on a terminal, unless NO_COLOR is set.
func (sh *shell) colored() bool {
	f, ok := sh.out.(*os.File)
	if !ok || sh.env("NO_COLOR") != "" || sh.env("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// paint colors a status by what it means.
func (sh *shell) paint(status string) string {
	color := map[string]string{
		"completed": "32", "active": "32", "created": "32", "accepted": "32", "ok": "32",
		"failed": "31", "refused": "31", "error": "31", "asking": "35",
		"waiting": "33", "sleeping": "33", "retrying": "33", "paused": "33", "warning": "33",
		"running": "36", "updated": "36", "canceled": "90", "skipped": "90", "pending": "90", "not_reached": "90",
	}[status]
	if color == "" || !sh.colored() {
		return status
	}
	return "\x1b[" + color + "m" + status + "\x1b[0m"
}

// table is aligned text; a cell's color does not count for its width.
type table struct {
	rows  [][]string
	paint func(string) string
}

func (sh *shell) table(head ...string) *table { return &table{rows: [][]string{head}, paint: sh.paint} }

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print(w io.Writer) error {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		for i, cell := range row {
			b.WriteString(t.paint(cell))
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// clock is a time for people, in their zone.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// short cuts a text to so many letters.
func short(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// plural is "1 error", "2 errors".
func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
