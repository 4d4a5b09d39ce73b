package definition

import (
	"errors"
	"strings"

	"zflow/engine/expr"

	"go.yaml.in/yaml/v4"
)

// condition compiles a bare expression; nil, after a report, if it has errors.
func (b *builder) condition(n *node, at place) *expr.Program {
	if n == nil {
		return nil
	}
	p := b.p
	if n.kind == scalar && n.tag == "!!bool" {
		n.tag = "!!str" // true and false are expressions
	}
	if !n.isText() {
		p.fail(n, p.emptyHint(n, "put quotes around the expression"), "a condition is an expression in text, this is %s", n.what())
		return nil
	}
	src := bare(n.value)
	if src == n.value && expr.Contains(src) {
		p.fail(n, "leave out ${{ and }}: a condition is an expression as a whole", "a condition cannot have text around ${{ }}")
		return nil
	}
	program, err := expr.CompileCondition(src, b.scopeAt(at))
	if err != nil {
		p.expression(n, strings.Index(n.value, src), err)
		return nil
	}
	if p.comment(n) != "" {
		p.warn(n, "put quotes around the condition if the # belongs to it", "what follows the # is a comment, not part of the condition")
	}
	return program
}

// expression reports the errors of an expression that begins at this byte of
// the node's text.
func (p *parser) expression(n *node, offset int, err error) {
	var e *expr.Error
	if !errors.As(err, &e) {
		p.fail(n, "", "%v", err)
		return
	}
	before := n.value[:max(offset, 0)]
	line, column := e.Line, e.Column
	if line <= 1 {
		column += len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
	}
	line += strings.Count(before, "\n")
	p.inText(n, line, column, e)
}

// inText reports an error at line and column of the node's text.
func (p *parser) inText(n *node, line, column int, e *expr.Error) {
	l, c := p.placeInText(n, line, column)
	hint := e.Hint
	if trap := p.textTrap(n); e.Syntax && trap != "" {
		hint = trap
	}
	p.report(l, c, hint, "%s", e.Message)
}

// textTrap tells what YAML may have done to an expression that does not compile.
func (p *parser) textTrap(n *node) string {
	switch {
	case p.comment(n) != "":
		return "put quotes around the whole text: YAML takes what follows a # for a comment"
	case n.style&yaml.DoubleQuotedStyle != 0 && strings.ContainsAny(n.value, "\n\t") && p.rawHas(n, `\n`, `\t`):
		return `YAML turns \n inside double quotes into a line break: put single quotes around the text, or write \\n`
	}
	return ""
}

func (p *parser) rawHas(n *node, any ...string) bool {
	if n.line < 1 || n.line > len(p.lines) {
		return false
	}
	for _, s := range any {
		if strings.Contains(p.lines[n.line-1], s) {
			return true
		}
	}
	return false
}

// template compiles a tree of values; nil, after a report, if it has errors.
// at gives the node of each text by its path.
func (b *builder) template(v value, at place, options ...expr.TemplateOption) *expr.Template {
	t, err := expr.ParseTemplate(v.json, b.scopeAt(at), options...)
	if err == nil {
		return t
	}
	var errs expr.Errors
	if !errors.As(err, &errs) {
		b.p.fail(v.node, "", "%v", err)
		return nil
	}
	for _, e := range errs {
		b.p.inText(v.node.find(e.Path), max(e.Line, 1), max(e.Column, 1), e)
	}
	return nil
}

// find follows a path of names and positions as far as it goes.
func (n *node) find(path []string) *node {
	for _, name := range path {
		next := n.child(name)
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

func (n *node) child(name string) *node {
	if n.kind == list {
		i := 0
		for _, c := range name {
			if c < '0' || c > '9' || i > len(n.items) {
				return nil
			}
			i = i*10 + int(c-'0')
		}
		if i < len(n.items) {
			return n.items[i]
		}
		return nil
	}
	return n.get(name)
}

// comment returns the comment that follows a plain scalar on its line, or "".
func (p *parser) comment(n *node) string {
	if !n.plain() || n.line < 1 || n.line > len(p.lines) || strings.Contains(n.value, "\n") {
		return ""
	}
	line := []rune(p.lines[n.line-1])
	if n.column-1 > len(line) {
		return ""
	}
	rest, ok := strings.CutPrefix(string(line[n.column-1:]), n.value)
	trimmed := strings.TrimLeft(rest, " \t")
	if !ok || trimmed == rest || !strings.HasPrefix(trimmed, "#") {
		return ""
	}
	return trimmed
}

// emptyHint is the hint for a value that may be empty because of a #.
func (p *parser) emptyHint(n *node, otherwise string) string {
	if c := p.comment(n); n.isNull() && n.value == "" && c != "" {
		return "YAML takes what follows a # for a comment: put quotes around \"" + c + "\""
	}
	return otherwise
}

// placeInText maps line and column of a scalar's text to the file.
func (p *parser) placeInText(n *node, line, column int) (int, int) {
	switch {
	case n.kind != scalar || n.line < 1 || n.line > len(p.lines):
		return n.line, n.column
	case n.style&yaml.LiteralStyle != 0:
		return p.placeInLiteral(n, line, column)
	}
	c := cursor{lines: p.lines, line: n.line - 1, column: n.column - 1, style: n.style}
	c.open()
	for _, r := range textBefore(n.value, line, column) {
		if !c.pass(r) {
			return n.line, n.column
		}
	}
	c.skip()
	return c.line + 1, c.column + 1
}

func (p *parser) placeInLiteral(n *node, line, column int) (int, int) {
	at := n.line + line - 1 // the text begins on the line after the |
	if at >= len(p.lines) {
		return n.line, n.column
	}
	indent := len(n.value)
	for i := n.line; i < len(p.lines); i++ {
		if s := strings.TrimLeft(p.lines[i], " "); s != "" {
			indent = len(p.lines[i]) - len(s)
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
