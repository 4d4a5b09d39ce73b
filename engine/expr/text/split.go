// Package text cuts texts at the ${{ }} in them, and puts values into URLs.
package text

import "strings"

const (
	opening = "${{"
	closing = "}}"
)

// Part is a stretch of a text: plain, or the inside of a ${{ }}.
type Part struct {
	Text   string
	Expr   bool
	Offset int // of Text, in bytes
}

// Contains tells whether an expression stands in the text.
func Contains(s string) bool { return strings.Contains(s, opening) }

// Whole tells whether the parts are one expression and nothing else, but for
// the newline that ends a block of YAML.
func Whole(parts []Part) bool {
	switch len(parts) {
	case 1:
		return parts[0].Expr
	case 2:
		return parts[0].Expr && parts[1].Text == "\n"
	}
	return false
}

// Split cuts a text at its expressions. Where one is not closed, open is the byte
// at which it begins; else open is -1.
func Split(s string) (parts []Part, open int) {
	for at := 0; at < len(s); {
		begin := strings.Index(s[at:], opening)
		if begin < 0 {
			return append(parts, Part{Text: s[at:], Offset: at}), -1
		}
		begin += at
		if begin > at {
			parts = append(parts, Part{Text: s[at:begin], Offset: at})
		}
		inside := begin + len(opening)
		end, ok := endOf(s, inside)
		if !ok {
			return nil, begin
		}
		parts = append(parts, Part{Text: s[inside:end], Expr: true, Offset: inside})
		at = end + len(closing)
	}
	return parts, -1
}

// endOf returns where the }} stands that ends the expression which begins at i:
// outside of strings, comments and brackets.
func endOf(s string, i int) (int, bool) {
	depth := 0
	for i < len(s) {
		switch c := s[i]; c {
		case '\'', '"', '`':
			end := skipString(s, i, c)
			if end < 0 {
				return 0, false
			}
			i = end
		case '/':
			end := skipComment(s, i)
			if end < 0 {
				return 0, false
			}
			i = end
		case '(', '[', '{':
			depth++
			i++
		case ')', ']', '}':
			if depth == 0 && strings.HasPrefix(s[i:], closing) {
				return i, true
			}
			depth = max(depth-1, 0)
			i++
		default:
			i++
		}
	}
	return 0, false
}

// skipString returns the index after the string that begins at i, or -1.
func skipString(s string, i int, quote byte) int {
	for i++; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return i + 1
		case s[i] == '\\' && quote != '`':
			i++
		}
	}
	return -1
}

// skipComment returns the index after the slash at i, or after the comment that
// it begins, or -1.
func skipComment(s string, i int) int {
	rest, after := s[i:], ""
	switch {
	case strings.HasPrefix(rest, "//"):
		after = "\n"
	case strings.HasPrefix(rest, "/*"):
		after = "*/"
	default:
		return i + 1
	}
	end := strings.Index(rest[2:], after)
	if end < 0 {
		return -1
	}
	return i + 2 + end + len(after)
}

// Position returns line and column, from 1, of a byte offset.
func Position(s string, offset int) (line, column int) {
	before := s[:offset]
	line = 1 + strings.Count(before, "\n")
	column = 1 + len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
	return line, column
}
