package formula

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Resolve says what the members of a name are here: the source for the first of them,
// and how many those are.
type Resolve func(path []string) (source string, used int, err error)

// MaxLength is how long an expression may be, in bytes.
const MaxLength = 16 << 10

// Translate writes a JavaScript expression as one of zflow.
func Translate(src string, resolve Resolve) (string, error) {
	w, err := translate(src, resolve)
	return w.src, err
}

// Condition writes it as a condition: what JavaScript counts as true is true.
func Condition(src string, resolve Resolve) (string, error) {
	n, err := read(src)
	if err != nil {
		return "", err
	}
	w, err := (&writer{resolve: resolve}).truth(n)
	return w.src, err
}

func translate(src string, resolve Resolve) (written, error) {
	n, err := read(src)
	if err != nil {
		return written{}, err
	}
	return (&writer{resolve: resolve}).write(n)
}

func read(src string) (*node, error) {
	if len(src) > MaxLength {
		return nil, fmt.Errorf("it is longer than %d KiB", MaxLength>>10)
	}
	return parse(src)
}

// written is an expression of zflow.
type written struct {
	src  string
	is   sort
	bind int // how tightly its outermost operator binds; the tightest: none
}

type sort int

const (
	unknown sort = iota
	aBoolean
	aText
	aNumber
	aList
	anObject
	aNull
)

// How tightly operators bind; between them there are always brackets that are not in
// this list.
const (
	bindChoice = iota
	bindOr
	bindAnd
	bindCompare
	bindAdd
	bindMultiply
	bindNone
)

func (w written) in(least int) string {
	if w.bind < least {
		return "(" + w.src + ")"
	}
	return w.src
}

func atom(is sort, format string, args ...any) written {
	return written{fmt.Sprintf(format, args...), is, bindNone}
}

type writer struct {
	resolve Resolve
	element string // the parameter of the function around
}

func (w *writer) write(n *node) (written, error) {
	switch n.is {
	case isText:
		return atom(aText, "%s", Quote(n.value)), nil
	case isNumber:
		return atom(aNumber, "%s", strings.TrimSuffix(n.value, ".")), nil
	case isWord:
		return constant(n.value), nil
	case isName, isMember, isIndex:
		return w.path(n)
	case isCall:
		return w.call(n)
	case isUnary:
		return w.unary(n)
	case isBinary:
		return w.binary(n)
	case isChoice:
		return w.choice(n)
	case isList:
		kids, err := w.all(n.kids)
		return atom(aList, "[%s]", strings.Join(kids, ", ")), err
	case isObject:
		return w.object(n)
	case isTemplate:
		return w.template(n)
	case isNew:
		return w.call(n)
	}
	return written{}, errors.New("a function stands where a value was to be")
}

func constant(name string) written {
	switch name {
	case "true", "false":
		return atom(aBoolean, "%s", name)
	}
	return atom(aNull, "null")
}

func (w *writer) all(nodes []*node) ([]string, error) {
	all := make([]string, len(nodes))
	for i, n := range nodes {
		one, err := w.write(n)
		if err != nil {
			return nil, err
		}
		all[i] = one.src
	}
	return all, nil
}

// Quote writes a text as expressions have it.
func Quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`, "\v", `\v`).Replace(s) + "'"
}

// constantPath returns the names of a chain of fixed members; those of its head that
// are fixed, if not all are. Nil: it begins with something else than a name.
func constantPath(n *node) []string {
	switch n.is {
	case isName:
		return []string{n.value}
	case isMember:
		if above := constantPath(n.kids[0]); above != nil {
			return append(above, n.value)
		}
	case isIndex:
		if n.kids[1].is == isText {
			if above := constantPath(n.kids[0]); above != nil {
				return append(above, n.kids[1].value)
			}
		}
	}
	return nil
}

// path writes a name with what is read from it.
func (w *writer) path(n *node) (written, error) {
	if n.is == isName && n.value == w.element && w.element != "" {
		return atom(unknown, "#"), nil
	}
	if path := constantPath(n); path != nil && path[0] != w.element {
		source, used, err := w.resolve(path)
		if err != nil {
			return written{}, err
		}
		if used == len(path) {
			return atom(unknown, "%s", source), nil
		}
	}
	if n.is == isName {
		return written{}, fmt.Errorf("nobody knows what %s is", n.value)
	}
	of, err := w.write(n.kids[0])
	if err != nil {
		return written{}, err
	}
	if n.is == isMember {
		return member(of, n.value, n.maybe), nil
	}
	return w.index(of, n)
}

// odd are names that would be read as operators.
var odd = []string{"in", "not", "and", "or", "matches", "contains", "startsWith", "endsWith", "let", "if", "else", "true", "false", "nil", "null"}

func member(of written, name string, maybe bool) written {
	base := of.in(bindNone)
	switch {
	case name == "length":
		if maybe {
			return atom(aNumber, "(%s == null ? null : len(%s))", base, of.src)
		}
		return atom(aNumber, "len(%s)", of.src)
	case slices.Contains(odd, name) && maybe:
		return atom(unknown, "%s?.[%s]", base, Quote(name))
	case slices.Contains(odd, name):
		return atom(unknown, "%s[%s]", base, Quote(name))
	case maybe:
		return atom(unknown, "%s?.%s", base, name)
	}
	return atom(unknown, "%s.%s", base, name)
}

func (w *writer) index(of written, n *node) (written, error) {
	at := n.kids[1]
	if at.is == isUnary || at.is == isBinary && at.value != "+" && !fromEnd(at) || at.is == isChoice {
		return written{}, errors.New("an index that is calculated may be negative, which means something else here")
	}
	index, err := w.write(at)
	if err != nil {
		return written{}, err
	}
	mark := ""
	if n.maybe {
		mark = "?."
	}
	return atom(unknown, "%s%s[%s]", of.in(bindNone), mark, index.src), nil
}

// fromEnd tells whether it is x.length - 1.
func fromEnd(n *node) bool {
	return n.value == "-" && n.kids[0].is == isMember && n.kids[0].value == "length" && n.kids[1].is == isNumber
}

func (w *writer) unary(n *node) (written, error) {
	switch n.value {
	case "!":
		t, err := w.truth(n.kids[0])
		if err != nil {
			return t, err
		}
		if path, ok := strings.CutSuffix(t.src, notEmpty); ok && t.bind == bindCompare && n.kids[0].is != isBinary {
			return written{path + empty, aBoolean, bindCompare}, nil
		}
		return atom(aBoolean, "not (%s)", t.src), nil
	case "-":
		of, err := w.write(n.kids[0])
		return atom(aNumber, "-%s", of.in(bindNone)), err
	case "+":
		of, err := w.write(n.kids[0])
		if err == nil && of.is != aNumber {
			err = errors.New("+ before a value makes a number of it in a way of its own")
		}
		return of, err
	}
	return written{}, fmt.Errorf("%s is not translated", n.value)
}

func (w *writer) choice(n *node) (written, error) {
	cond, err := w.truth(n.kids[0])
	if err != nil {
		return written{}, err
	}
	yes, err := w.write(n.kids[1])
	if err != nil {
		return written{}, err
	}
	no, err := w.write(n.kids[2])
	is := unknown
	if yes.is == no.is {
		is = yes.is
	}
	return written{fmt.Sprintf("%s ? %s : %s", cond.in(bindOr), yes.in(bindOr), no.in(bindOr)), is, bindChoice}, err
}

func (w *writer) object(n *node) (written, error) {
	fields := make([]string, len(n.kids))
	for i, kid := range n.kids {
		v, err := w.write(kid)
		if err != nil {
			return v, err
		}
		name := n.names[i]
		if name == "__proto__" {
			return v, errors.New("__proto__ is not translated")
		}
		if wordLength(name) != len(name) || name == "" || slices.Contains(odd, name) {
			name = Quote(name)
		}
		fields[i] = name + ": " + v.src
	}
	return atom(anObject, "{%s}", strings.Join(fields, ", ")), nil
}

func (w *writer) template(n *node) (written, error) {
	var parts []string
	for _, kid := range n.kids {
		if kid.is == isText && kid.value == "" {
			continue
		}
		v, err := w.write(kid)
		if err != nil {
			return v, err
		}
		parts = append(parts, asText(v))
	}
	if len(parts) == 0 {
		return atom(aText, "''"), nil
	}
	bind := bindAdd
	if len(parts) == 1 {
		bind = bindNone
	}
	return written{strings.Join(parts, " + "), aText, bind}, nil
}

// asText is a value as an operand of a + that joins texts.
func asText(v written) string {
	if v.is == aText {
		return v.in(bindMultiply)
	}
	return "string(" + v.src + ")"
}
