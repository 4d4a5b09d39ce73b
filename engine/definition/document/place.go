package document

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// FailInText reports an error whose line and column are those of a node's text;
// syntax says that the text could not be read at all, so that YAML may have cut it.
func (f *File) FailInText(n *Node, in Problem, syntax bool) {
	line, column := f.placeInText(n, max(in.Line, 1), max(in.Column, 1))
	if trap := f.textTrap(n); syntax && trap != "" {
		in.Hint = trap
	}
	f.Report(line, column, in.Hint, "%s", in.Message)
}

// WarnInText reports a warning whose line and column are those of a node's text.
func (f *File) WarnInText(n *Node, in Problem) {
	line, column := f.placeInText(n, max(in.Line, 1), max(in.Column, 1))
	f.Report(line, column, in.Hint, "%s", in.Message).Warning = true
}

// Comment returns the comment that follows a plain scalar on its line, or "".
func (f *File) Comment(n *Node) string {
	if !n.Plain() || n.Line < 1 || n.Line > len(f.lines) || strings.Contains(n.Value, "\n") {
		return ""
	}
	line := []rune(f.lines[n.Line-1])
	if n.Column-1 > len(line) {
		return ""
	}
	rest, ok := strings.CutPrefix(string(line[n.Column-1:]), n.Value)
	trimmed := strings.TrimLeft(rest, " \t")
	if !ok || trimmed == rest || !strings.HasPrefix(trimmed, "#") {
		return ""
	}
	return trimmed
}

// EmptyHint is the hint for a value that may be empty because of a #.
func (f *File) EmptyHint(n *Node, otherwise string) string {
	if c := f.Comment(n); n.IsNull() && n.Value == "" && c != "" {
		return "YAML takes what follows a # for a comment: put quotes around \"" + c + "\""
	}
	return otherwise
}

// PlaceInText returns where in the file a line and column of a node's text stand.
func (f *File) PlaceInText(n *Node, line, column int) (int, int) {
	return f.placeInText(n, line, column)
}

// placeInText maps line and column of a scalar's text to the file.
func (f *File) placeInText(n *Node, line, column int) (int, int) {
	switch {
	case n.Kind != Scalar || n.Line < 1 || n.Line > len(f.lines):
		return n.Line, n.Column
	case n.style&yaml.LiteralStyle != 0:
		return f.placeInLiteral(n, line, column)
	}
	c := cursor{lines: f.lines, line: n.Line - 1, column: n.Column - 1, style: n.style}
	c.open()
	for _, r := range textBefore(n.Value, line, column) {
		if !c.pass(r) {
			return n.Line, n.Column
		}
	}
	c.skip()
	return c.line + 1, c.column + 1
}

func (f *File) placeInLiteral(n *Node, line, column int) (int, int) {
	at := n.Line + line - 1 // the text begins on the line after the |
	if at >= len(f.lines) {
		return n.Line, n.Column
	}
	indent := len(n.Value)
	for i := n.Line; i < len(f.lines); i++ {
		if s := strings.TrimLeft(f.lines[i], " "); s != "" {
			indent = len(f.lines[i]) - len(s)
			break
		}
	}
	return at + 1, indent + column
}

// textBefore returns the text up to line and column.
func textBefore(s string, line, column int) []rune {
	runes := []rune(s)
	l, c := 1, 1
	for i, r := range runes {
		if l == line && c == column || l > line {
			return runes[:i]
		}
		c++
		if r == '\n' {
			l, c = l+1, 1
		}
	}
	return runes
}

// textTrap tells what YAML may have done to an expression that does not compile.
func (f *File) textTrap(n *Node) string {
	switch {
	case f.Comment(n) != "":
		return "put quotes around the whole text: YAML takes what follows a # for a comment"
	case n.style&yaml.DoubleQuotedStyle != 0 && strings.ContainsAny(n.Value, "\n\t") && f.rawHas(n, `\n`, `\t`):
		return `YAML turns \n inside double quotes into a line break: put single quotes around the text, or write \\n`
	}
	return ""
}

func (f *File) rawHas(n *Node, any ...string) bool {
	if n.Line < 1 || n.Line > len(f.lines) {
		return false
	}
	for _, s := range any {
		if strings.Contains(f.lines[n.Line-1], s) {
			return true
		}
	}
	return false
}
