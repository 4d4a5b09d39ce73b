package document

import (
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// cursor walks over the source of a scalar along with the text that YAML made
// of it, to find where in the file a place of the text is.
type cursor struct {
	lines        []string
	line, column int // from 0
	style        yaml.Style
	current      []rune
	read         int // the line that current holds, plus one
}

func (c *cursor) row() []rune {
	if c.read != c.line+1 {
		c.current, c.read = []rune(c.lines[c.line]), c.line+1
	}
	return c.current
}

// open passes the quote, or the header of a folded block.
func (c *cursor) open() {
	switch {
	case c.style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		c.column++
	case c.style&yaml.FoldedStyle != 0:
		c.line, c.column = c.line+1, 0
	}
}

// skip passes line ends and indentation, up to the next rune of the text.
func (c *cursor) skip() bool {
	for c.line < len(c.lines) {
		if c.column < len(c.row()) {
			return true
		}
		if c.line+1 >= len(c.lines) {
			return false
		}
		c.line++
		c.column = len(c.row()) - len([]rune(strings.TrimLeft(string(c.row()), " \t")))
	}
	return false
}

// pass goes over one rune of the text.
func (c *cursor) pass(r rune) bool {
	if !c.skip() {
		return false
	}
	row := c.row()
	if c.style&yaml.FoldedStyle != 0 && c.column == 0 {
		c.column = len(row) - len([]rune(strings.TrimLeft(string(row), " ")))
		if !c.skip() {
			return false
		}
		row = c.row()
	}
	got := row[c.column]
	switch {
	case got == '\\' && c.style&yaml.DoubleQuotedStyle != 0:
		c.column += 1 + escapeLength(row[c.column:])
	case got == '\'' && c.style&yaml.SingleQuotedStyle != 0:
		c.column += 2
	case unicode.IsSpace(r) && !unicode.IsSpace(got):
		return true // a folded line end: skip has passed it
	default:
		c.column++
	}
	return true
}

func escapeLength(s []rune) int {
	if len(s) > 1 {
		switch s[1] {
		case 'x':
			return 3
		case 'u':
			return 5
		case 'U':
			return 9
		}
	}
	return 1
}
