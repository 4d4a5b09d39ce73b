// Package wording has what people read instead of the messages of the expression
// library, and which name they probably meant.
package wording

import (
	"regexp"
	"strconv"
	"strings"
)

// rewrites are messages of the library and what people read instead: $1 is what
// the pattern found, {1} the name of that type.
var rewrites = []struct {
	said          *regexp.Regexp
	message, hint string
}{
	{regexp.MustCompile(`^invalid argument for (\w+) \(type (.+)\)$`), "$1() does not work with {2}", ""},
	{regexp.MustCompile(`^cannot use (float.+) as argument \(type int\) to call (\w+)`), "$2() needs a whole number here", ""},
	{regexp.MustCompile(`^cannot use (.+) as argument \(type (.+)\) to call (\w+)`), "$3() needs {2} here, this is {1}", ""},
	{regexp.MustCompile(`^cannot (?:take|sort|sum|iterate over|call) (\S+) elements?`), "a whole number is needed here, this is {1}", ""},
	{regexp.MustCompile(`reflect: call of reflect\.Value\.\w+ on (\S+) Value`), "a list is needed here, this is {1}", ""},
	{regexp.MustCompile(`^invalid operation: int\((\S+)\)$`), "a whole number is needed here, this is {1}", ""},
	{regexp.MustCompile(`MapIndex: value of type (\S+) is not assignable to type string`), "a field has a text as its name, this is {1}", "string() makes a text of a number"},
	{regexp.MustCompile(`^invalid integer literal: .*out of range`), "the number is too large for 64 bits", "put quotes around it if it is an id"},
	{regexp.MustCompile(`^invalid float literal: .*out of range`), "the number is too large", ""},
	{regexp.MustCompile(`^unexpected token \w+\("([#.])"\)`), "$1 is not expected here", "# and .name are an element, inside filter(), map() and the like"},
	{regexp.MustCompile(`^unexpected token \w+\("(.*)"\)`), "$1 is not expected here", ""},
	{regexp.MustCompile("^error parsing regexp: (.+?): `"), "the regular expression cannot be read: $1", ""},
	{regexp.MustCompile(`^predicate should has`), "null stands where each element should give a value", ""},
	{regexp.MustCompile(`^invalid pair `), "fromPairs() needs pairs of a name and a value, such as ['a', 1]", ""},
	{regexp.MustCompile(`^reduce of empty array`), "there is nothing to reduce", "say what to begin with, as in reduce(list, #acc + #, 0)"},
	{regexp.MustCompile(`^cannot slice `), "only a text or a list can be cut with [:]", ""},
	{regexp.MustCompile(`^invalid operation: ([-+]) (\S+)$`), "$1 does not work with {2}", ""},
	{regexp.MustCompile(`^illegal base64 data`), "the text is no Base64", ""},
	{regexp.MustCompile(`^invalid operation: cannot call non-function of type (.+)$`), "{1} cannot be called like a function", ""},
	{regexp.MustCompile(`integer divide by zero`), "a division by zero", ""},
	{regexp.MustCompile(`^invalid operation: float64 % |^invalid operation: \S+ % float64$`), "% works with whole numbers only", "int() cuts off a fraction"},
	{regexp.MustCompile(`^array elements can only be selected using an integer`), "a list has no fields", "take one of its elements with [0], or use map() or filter()"},
	{regexp.MustCompile(`^operator "in" not defined on (\S+)$`), "in looks into a list or an object, this is {1}", "contains looks for a part of a text"},
}

// Of returns what people read instead of a message of the library; ok is false for
// one that it does not know. operand is what stands at the place of the message.
func Of(said, operand string) (message, hint string, ok bool) {
	if message, ok = noElement(said, operand); ok {
		return message, "", true
	}
	if message, hint, ok = rewritten(said); ok {
		return message, hint, true
	}
	if message, hint, ok = operands(said); ok {
		return message, hint, true
	}
	message, ok = conversion(said)
	return message, "", ok
}

func rewritten(said string) (message, hint string, ok bool) {
	for _, r := range rewrites {
		m := r.said.FindStringSubmatch(said)
		if m == nil {
			continue
		}
		message = r.message
		for i := len(m) - 1; i > 0; i-- {
			n := strconv.Itoa(i)
			message = strings.NewReplacer("$"+n, m[i], "{"+n+"}", operand(m[i])).Replace(message)
		}
		return message, r.hint, true
	}
	return "", "", false
}

var outOfRange = regexp.MustCompile(`^index out of range: (-?\d+) \(array length is (\d+)\)$`)

// noElement rewrites an index that is out of range.
func noElement(said, of string) (string, bool) {
	found := outOfRange.FindStringSubmatch(said)
	if found == nil {
		return "", false
	}
	at, err := strconv.Atoi(found[1])
	size, err2 := strconv.Atoi(found[2])
	if err != nil || err2 != nil {
		return "", false
	}
	if at < 0 {
		at -= size // the library has added it
	}
	if of == "" {
		of = "the list"
	}
	return of + " has no element " + strconv.Itoa(at) + ": it has " + found[2], true
}
