package terminal

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// PrintJSON writes one value.
func (sh *Shell) PrintJSON(v any) error {
	e := json.NewEncoder(sh.Out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// PrintLine writes one value on a line of its own, for what has no end.
func (sh *Shell) PrintLine(v any) error {
	e := json.NewEncoder(sh.Out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// Print writes to the output.
func (sh *Shell) Print(format string, args ...any) error {
	_, err := fmt.Fprintf(sh.Out, format, args...)
	return err
}

// colored says whether colors are shown: on a terminal, unless NO_COLOR is set.
func (sh *Shell) colored() bool {
	f, ok := sh.Out.(*os.File)
	if !ok || sh.Env("NO_COLOR") != "" || sh.Env("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Paint colors a status by what it means.
func (sh *Shell) Paint(status string) string {
	color := map[string]string{
		"completed": "32", "active": "32", "created": "32", "new": "32", "accepted": "32", "ok": "32",
		"failed": "31", "refused": "31", "damaged": "31", "aged": "33", "error": "31", "asking": "35",
		"waiting": "33", "sleeping": "33", "retrying": "33", "paused": "33", "warning": "33",
		"running": "36", "updated": "36", "changed": "36", "removed": "33", "canceled": "90", "skipped": "90", "pending": "90", "not_reached": "90",
	}[status]
	if color == "" || !sh.colored() {
		return status
	}
	return "\x1b[" + color + "m" + status + "\x1b[0m"
}

// Table is aligned text; a cell's color does not count for its width.
type Table struct {
	rows  [][]string
	paint func(string) string
}

// Table begins a table.
func (sh *Shell) Table(head ...string) *Table { return &Table{rows: [][]string{head}, paint: sh.Paint} }

// Plain begins a table without a head.
func (sh *Shell) Plain() *Table { return &Table{paint: sh.Paint} }

// Add adds a row.
func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

// Print writes the table.
func (t *Table) Print(w io.Writer) error {
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

// Clock is a time for people, in their zone.
func Clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// Short cuts a text to so many letters.
func Short(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// Plural is "1 error", "2 errors".
func Plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
