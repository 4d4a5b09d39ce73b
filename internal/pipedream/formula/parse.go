package formula

import (
	"fmt"
	"slices"
)

// node is an expression as JavaScript has it.
type node struct {
	is    shape
	value string  // name, text, number, sign
	kids  []*node // operands; of a call the callee and the arguments
	names []string
	maybe bool // of a member, an index or a call: with ?.
}

type shape int

const (
	isName shape = iota
	isText
	isNumber
	isWord // true, false, null, undefined
	isMember
	isIndex
	isCall
	isUnary
	isBinary
	isChoice
	isList
	isObject
	isArrow // of one expression: names are its parameters
	isTemplate
	isNew
)

type parser struct {
	lexer lexer
	now   token
	depth int
	ahead []token // what was read to look ahead
}

// parse reads a whole expression.
func parse(src string) (*node, error) {
	return parseAt(src, 0)
}

func parseAt(src string, depth int) (*node, error) {
	p := &parser{lexer: lexer{src: src}, depth: depth}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.now.kind == end {
		return nil, fmt.Errorf("it is empty")
	}
	n, err := p.expression()
	if err != nil {
		return nil, err
	}
	if p.now.kind != end {
		return nil, fmt.Errorf("%s is more than an expression", p.shown())
	}
	return n, nil
}

func (p *parser) advance() (err error) {
	if len(p.ahead) > 0 {
		p.now, p.ahead = p.ahead[0], p.ahead[1:]
		return nil
	}
	p.now, err = p.lexer.next()
	return err
}

func (p *parser) shown() string {
	if p.now.kind == end {
		return "its end"
	}
	if p.now.kind == text || p.now.kind == template {
		return "a text"
	}
	return p.now.value
}

func (p *parser) at(s string) bool { return p.now.kind == sign && p.now.value == s }

// take goes on behind a sign, if it is there.
func (p *parser) take(s string) (bool, error) {
	if !p.at(s) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expect(s string) error {
	ok, err := p.take(s)
	if err == nil && !ok {
		err = fmt.Errorf("%s stands where %s was to be", p.shown(), s)
	}
	return err
}

// expression reads up to a comma or what closes it.
func (p *parser) expression() (*node, error) {
	if p.depth++; p.depth > maxNested {
		return nil, fmt.Errorf("it is nested too deep")
	}
	defer func() { p.depth-- }()
	if n, err := p.arrow(); n != nil || err != nil {
		return n, err
	}
	cond, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if ok, err := p.take("?"); !ok {
		return cond, err
	}
	yes, err := p.expression()
	if err != nil {
		return nil, err
	}
	if err := p.expect(":"); err != nil {
		return nil, err
	}
	no, err := p.expression()
	return &node{is: isChoice, kids: []*node{cond, yes, no}}, err
}

// arrow reads x => y and (x, i) => y; nil where it is something else.
func (p *parser) arrow() (*node, error) {
	names, tokens, err := p.parameters()
	if err != nil {
		return nil, err
	}
	if names == nil {
		p.ahead = append(tokens[1:], p.ahead...)
		p.now = tokens[0]
		return nil, nil
	}
	if p.at("{") {
		return nil, fmt.Errorf("a function with statements is no expression")
	}
	body, err := p.expression()
	return &node{is: isArrow, names: names, kids: []*node{body}}, err
}

// parameters reads them with their =>, or returns the tokens that it read.
func (p *parser) parameters() (names []string, read []token, err error) {
	step := func() bool {
		read = append(read, p.now)
		err = p.advance()
		return err == nil
	}
	if p.now.kind == word {
		name := p.now.value
		if step() && p.at("=>") {
			return []string{name}, nil, p.advance()
		}
		return nil, append(read, p.now), err
	}
	if !p.at("(") || !step() {
		return nil, append(read, p.now), err
	}
	names = []string{}
	for p.now.kind == word {
		names = append(names, p.now.value)
		if !step() || !p.at(",") || !step() {
			break
		}
	}
	if err == nil && p.at(")") && step() && p.at("=>") {
		return names, nil, p.advance()
	}
	return nil, append(read, p.now), err
}

// levels are the operators of two operands, those that bind least first.
var levels = [][]string{
	{"??"}, {"||"}, {"&&"}, {"|"}, {"^"}, {"&"}, {"===", "!==", "==", "!="}, {"<", ">", "<=", ">=", "in", "instanceof"}, {"<<", ">>", ">>>"}, {"+", "-"}, {"*", "/", "%"},
}

func (p *parser) binary(level int) (*node, error) {
	if level == len(levels) {
		return p.power()
	}
	left, err := p.binary(level + 1)
	for err == nil && (p.now.kind == sign || p.now.kind == word) && slices.Contains(levels[level], p.now.value) {
		op := p.now.value
		if err = p.advance(); err != nil {
			break
		}
		var right *node
		right, err = p.binary(level + 1)
		left = &node{is: isBinary, value: op, kids: []*node{left, right}}
	}
	return left, err
}

// power is of the right: 2 ** 3 ** 2.
func (p *parser) power() (*node, error) {
	base, err := p.unary()
	if err != nil || !p.at("**") {
		return base, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.depth++; p.depth > maxNested {
		return nil, fmt.Errorf("it is nested too deep")
	}
	exponent, err := p.power()
	p.depth--
	return &node{is: isBinary, value: "**", kids: []*node{base, exponent}}, err
}

func (p *parser) unary() (*node, error) {
	op := p.now.value
	switch {
	case p.now.kind == sign && (op == "!" || op == "-" || op == "+"), p.now.kind == word && op == "typeof":
	case p.now.kind == word && (op == "await" || op == "void" || op == "delete" || op == "yield"):
		return nil, fmt.Errorf("%s is not translated", op)
	default:
		return p.postfix()
	}
	if p.depth++; p.depth > maxNested {
		return nil, fmt.Errorf("it is nested too deep")
	}
	defer func() { p.depth-- }()
	if err := p.advance(); err != nil {
		return nil, err
	}
	of, err := p.unary()
	return &node{is: isUnary, value: op, kids: []*node{of}}, err
}

// postfix reads a value with the members, indexes and calls behind it.
func (p *parser) postfix() (*node, error) {
	n, err := p.primary()
	for err == nil && p.now.kind == sign {
		maybe := p.now.value == "?."
		switch p.now.value {
		case ".", "?.":
			if err = p.advance(); err != nil {
				return nil, err
			}
			if maybe && (p.at("[") || p.at("(")) {
				n, err = p.bracket(n, true)
				continue
			}
			if p.now.kind != word {
				return nil, fmt.Errorf("%s is no name of a field", p.shown())
			}
			n = &node{is: isMember, value: p.now.value, kids: []*node{n}, maybe: maybe}
			err = p.advance()
		case "[", "(":
			n, err = p.bracket(n, false)
		default:
			return n, nil
		}
	}
	if err == nil && p.now.kind == template {
		return nil, fmt.Errorf("a text with a function before it is not translated")
	}
	return n, err
}

func (p *parser) bracket(of *node, maybe bool) (*node, error) {
	if p.at("(") {
		args, err := p.list(")")
		return &node{is: isCall, kids: append([]*node{of}, args...), maybe: maybe}, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	index, err := p.expression()
	if err == nil {
		err = p.expect("]")
	}
	return &node{is: isIndex, kids: []*node{of, index}, maybe: maybe}, err
}

// list reads what stands between brackets, the opening one included.
func (p *parser) list(closing string) (all []*node, err error) {
	for err = p.advance(); err == nil && !p.at(closing); {
		if p.at("...") {
			return nil, fmt.Errorf("... is not translated")
		}
		var n *node
		if n, err = p.expression(); err != nil {
			return nil, err
		}
		all = append(all, n)
		if ok, failed := p.take(","); !ok || failed != nil {
			err = failed
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return all, p.expect(closing)
}

func (p *parser) primary() (*node, error) {
	t := p.now
	switch t.kind {
	case number:
		return &node{is: isNumber, value: t.value}, p.advance()
	case text:
		return &node{is: isText, value: t.value}, p.advance()
	case template:
		return p.template()
	case word:
		return p.word()
	case sign:
		switch t.value {
		case "(":
			return p.inner()
		case "[":
			kids, err := p.list("]")
			return &node{is: isList, kids: kids}, err
		case "{":
			return p.object()
		}
	}
	return nil, fmt.Errorf("%s stands where a value was to be", p.shown())
}

func (p *parser) inner() (*node, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	n, err := p.expression()
	if err != nil {
		return nil, err
	}
	return n, p.expect(")")
}

func (p *parser) word() (*node, error) {
	name := p.now.value
	if err := p.advance(); err != nil {
		return nil, err
	}
	switch name {
	case "true", "false", "null", "undefined":
		return &node{is: isWord, value: name}, nil
	case "new":
		made, err := p.postfix()
		return &node{is: isNew, kids: []*node{made}}, err
	case "function", "async", "class", "this", "super", "import", "let", "const", "var", "return", "if", "for", "while", "throw", "try", "switch":
		return nil, fmt.Errorf("%s is not translated", name)
	}
	return &node{is: isName, value: name}, nil
}

func (p *parser) template() (*node, error) {
	n := &node{is: isTemplate}
	for _, part := range p.now.parts {
		if !part.is {
			n.kids = append(n.kids, &node{is: isText, value: part.text})
			continue
		}
		inside, err := parseAt(part.source, p.depth+1)
		if err != nil {
			return nil, err
		}
		n.kids = append(n.kids, inside)
	}
	return n, p.advance()
}

// object reads {a: 1, "b": 2, c}.
func (p *parser) object() (*node, error) {
	n := &node{is: isObject}
	err := p.advance()
	for err == nil && !p.at("}") {
		key := p.now
		if key.kind != word && key.kind != text && key.kind != number {
			return nil, fmt.Errorf("%s is no name of a field", p.shown())
		}
		if err = p.advance(); err != nil {
			break
		}
		var v *node
		colon, failed := p.take(":")
		switch {
		case failed != nil:
			return nil, failed
		case colon:
			v, err = p.expression()
		case key.kind == word:
			v = &node{is: isName, value: key.value}
		default:
			err = p.expect(":")
		}
		if err != nil {
			break
		}
		n.names, n.kids = append(n.names, key.value), append(n.kids, v)
		if ok, failed := p.take(","); !ok || failed != nil {
			err = failed
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return n, p.expect("}")
}
