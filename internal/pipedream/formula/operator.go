package formula

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// What JavaScript counts as false.
const (
	empty    = " in [null, '', 0, false]"
	notEmpty = " not in [null, '', 0, false]"
)

// truth writes a value as what it counts as.
func (w *writer) truth(n *node) (written, error) {
	if n.is == isBinary && (n.value == "&&" || n.value == "||") {
		left, err := w.truth(n.kids[0])
		if err != nil {
			return left, err
		}
		right, err := w.truth(n.kids[1])
		return logical(n.value, left, right), err
	}
	v, err := w.write(n)
	if err != nil {
		return v, err
	}
	switch v.is {
	case aBoolean:
		return v, nil
	case aList, anObject:
		return atom(aBoolean, "true"), nil
	case aNull:
		return atom(aBoolean, "false"), nil
	}
	return written{v.in(bindAdd) + notEmpty, aBoolean, bindCompare}, nil
}

func logical(op string, left, right written) written {
	bind := bindAnd
	if op == "||" {
		bind = bindOr
	}
	return written{fmt.Sprintf("%s %s %s", left.in(bind), op, right.in(bind+1)), aBoolean, bind}
}

func (w *writer) binary(n *node) (written, error) {
	switch n.value {
	case "&&", "||":
		return w.either(n)
	case "in", "instanceof", "|", "^", "&", "<<", ">>", ">>>":
		return written{}, fmt.Errorf("%s is not translated", n.value)
	}
	left, err := w.write(n.kids[0])
	if err != nil {
		return left, err
	}
	right, err := w.write(n.kids[1])
	if err != nil {
		return right, err
	}
	switch n.value {
	case "??":
		return atom(unknown, "(%s ?? %s)", left.in(bindNone), right.in(bindNone)), nil
	case "===", "!==", "==", "!=":
		return equal(n.value, left, right)
	case "<", ">", "<=", ">=":
		return written{fmt.Sprintf("%s %s %s", left.in(bindAdd), n.value, right.in(bindAdd)), aBoolean, bindCompare}, nil
	case "+":
		return plus(left, right), nil
	case "-":
		return written{fmt.Sprintf("%s - %s", left.in(bindAdd), right.in(bindMultiply)), aNumber, bindAdd}, nil
	case "**":
		return atom(aNumber, "(%s ** %s)", left.in(bindNone), right.in(bindNone)), nil
	}
	return written{fmt.Sprintf("%s %s %s", left.in(bindMultiply), n.value, right.in(bindNone)), aNumber, bindMultiply}, nil
}

// either writes && and ||: of truths as they are; of other values, of which JavaScript
// returns one, as a choice.
func (w *writer) either(n *node) (written, error) {
	if n.value == "||" && n.kids[0].is == isBinary && n.kids[0].value == "||" {
		// (a || b) || c is a || (b || c), in which nothing stands twice
		first := n.kids[0]
		n = &node{is: isBinary, value: "||", kids: []*node{first.kids[0], {is: isBinary, value: "||", kids: []*node{first.kids[1], n.kids[1]}}}}
	}
	left, err := w.write(n.kids[0])
	if err != nil {
		return left, err
	}
	right, err := w.write(n.kids[1])
	if err != nil {
		return right, err
	}
	if left.is == aBoolean && right.is == aBoolean {
		return logical(n.value, left, right), nil
	}
	cond, err := w.truth(n.kids[0])
	if err != nil {
		return cond, err
	}
	if left.bind != bindNone && left.is != aBoolean {
		return left, fmt.Errorf("%s of what is calculated would calculate it twice", n.value)
	}
	yes, no := right, left // &&
	if n.value == "||" {
		yes, no = left, right
	}
	return written{fmt.Sprintf("%s ? %s : %s", cond.in(bindCompare), yes.in(bindOr), no.in(bindOr)), unknown, bindChoice}, nil
}

// equal knows that == of JavaScript converts its operands, and that null and what is
// missing are two things there.
func equal(op string, left, right written) (written, error) {
	sign := strings.TrimSuffix(op, "=")
	if len(op) == 2 {
		sign = op
	}
	both := written{fmt.Sprintf("%s %s %s", left.in(bindAdd), sign, right.in(bindAdd)), aBoolean, bindCompare}
	null := left.is == aNull || right.is == aNull
	switch {
	case len(op) == 3 && null:
		return both, fmt.Errorf("%s tells null from undefined, which are one here", op)
	case left.is == aList || left.is == anObject || right.is == aList || right.is == anObject:
		return both, fmt.Errorf("%s of lists and objects compares which one it is, not what is in it", op)
	case len(op) == 3 || null || left.is != unknown && left.is == right.is || plainText(left) || plainText(right):
		return both, nil
	}
	return both, fmt.Errorf("%s converts what it compares (%s= does not, and is translated)", op, op)
}

// plainText tells whether a text is one that nothing else is converted to.
func plainText(w written) bool {
	if w.is != aText || w.bind != bindNone || !strings.HasPrefix(w.src, "'") {
		return false
	}
	s := strings.TrimSpace(strings.Trim(w.src, "'"))
	_, err := strconv.ParseFloat(s, 64)
	return s != "" && err != nil && !strings.HasPrefix(s, "0")
}

func plus(left, right written) written {
	switch {
	case left.is == aText || right.is == aText:
		return written{asText(left) + " + " + asText(right), aText, bindAdd}
	case left.is == aNumber && right.is == aNumber:
		return written{left.in(bindAdd) + " + " + right.in(bindMultiply), aNumber, bindAdd}
	}
	return written{left.in(bindAdd) + " + " + right.in(bindMultiply), unknown, bindAdd}
}

var errArrow = errors.New("it is a function of more than one value, or of none")
