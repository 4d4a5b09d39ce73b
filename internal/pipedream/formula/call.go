package formula

import (
	"errors"
	"fmt"
	"strings"
)

// method writes a call x.name(arguments).
type method struct {
	least, most int
	arg         sort   // what the first argument must be known to be
	form        string // %[1]s is x, the arguments follow
	gives       sort
}

var methods = map[string]method{
	"toUpperCase": {form: "upper(%[1]s)", gives: aText},
	"toLowerCase": {form: "lower(%[1]s)", gives: aText},
	"toString":    {form: "string(%[1]s)", gives: aText},
	"trim":        {form: "trim(%[1]s)", gives: aText},
	"join":        {least: 1, most: 1, form: "join(%[1]s, %[2]s)", gives: aText},
	"startsWith":  {least: 1, most: 1, form: "hasPrefix(%[1]s, %[2]s)", gives: aBoolean},
	"endsWith":    {least: 1, most: 1, form: "hasSuffix(%[1]s, %[2]s)", gives: aBoolean},
	"replaceAll":  {least: 2, most: 2, arg: aText, form: "replace(%[1]s, %[2]s, %[3]s)", gives: aText},
	"split":       {least: 1, most: 1, arg: aText, form: "split(%[1]s, %[2]s)", gives: aList},
}

// loops are methods whose argument is a function of one element; those that need a
// truth say so.
var loops = map[string]struct {
	name  string
	truth bool
	gives sort
}{
	"map":       {"map", false, aList},
	"filter":    {"filter", true, aList},
	"find":      {"find", true, unknown},
	"findIndex": {"findIndex", true, aNumber},
	"some":      {"any", true, aBoolean},
	"every":     {"all", true, aBoolean},
}

// functions that are called by name, by how many arguments.
var functions = map[string]struct {
	form  string
	args  int
	gives sort
}{
	"JSON.parse":    {"fromJSON(%s)", 1, unknown},
	"Object.keys":   {"keys(%s)", 1, aList},
	"Object.values": {"values(%s)", 1, aList},
	"Math.floor":    {"floor(%s)", 1, aNumber},
	"Math.ceil":     {"ceil(%s)", 1, aNumber},
	"Math.abs":      {"abs(%s)", 1, aNumber},
	"Math.round":    {"floor(%s + 0.5)", 1, aNumber},
	"String":        {"string(%s)", 1, aText},
	"Date.now":      {"now().UnixMilli()", 0, aNumber},
}

// sorted are those that JavaScript gives in the order of insertion.
var sorted = map[string]bool{"Object.keys": true, "Object.values": true}

func (w *writer) call(n *node) (written, error) {
	if n.is == isNew {
		return written{}, errors.New("new is not translated")
	}
	callee, args := n.kids[0], n.kids[1:]
	if n.maybe {
		return written{}, errors.New("?.() is not translated")
	}
	name := strings.Join(constantPath(callee), ".")
	if f, ok := functions[name]; ok {
		if sorted[name] {
			return written{}, fmt.Errorf("%s() has an order of its own", name)
		}
		return w.function(name, f.form, f.args, f.gives, args)
	}
	if callee.is != isMember {
		return written{}, fmt.Errorf("the function %s() is not translated", name)
	}
	of, err := w.write(callee.kids[0])
	switch {
	case err != nil:
		return of, err
	case callee.maybe:
		return of, fmt.Errorf("?.%s() is not translated", callee.value)
	}
	if l, ok := loops[callee.value]; ok {
		return w.loop(of, l.name, l.truth, l.gives, args)
	}
	if callee.value == "includes" && len(args) == 1 {
		return w.includes(of, args[0])
	}
	return w.method(of, callee.value, args)
}

func (w *writer) function(name, form string, takes int, gives sort, args []*node) (written, error) {
	if len(args) != takes {
		return written{}, fmt.Errorf("%s() with %d arguments is not translated", name, len(args))
	}
	if takes == 0 {
		return atom(gives, "%s", form), nil
	}
	v, err := w.write(args[0])
	src := v.src
	if strings.Contains(form, "%s +") {
		src = v.in(bindAdd)
	}
	return atom(gives, form, src), err
}

func (w *writer) method(of written, name string, args []*node) (written, error) {
	m, ok := methods[name]
	if !ok {
		return of, fmt.Errorf("the function .%s() is not translated", name)
	}
	if len(args) < m.least || len(args) > m.most {
		return of, fmt.Errorf(".%s() with %d arguments is not translated", name, len(args))
	}
	all := []any{of.src}
	for i, a := range args {
		v, err := w.write(a)
		switch {
		case err != nil:
			return v, err
		case i == 0 && m.arg != unknown && v.is != m.arg, i == 0 && v.src == "''":
			return v, fmt.Errorf(".%s() of this is not translated", name)
		case name == "replaceAll" && i == 1 && (v.is != aText || strings.Contains(v.src, "$")):
			return v, errors.New(".replaceAll() with what may have a $ in it is not translated")
		}
		all = append(all, v.src)
	}
	return atom(m.gives, m.form, all...), nil
}

// includes is of texts or of lists: which one must be seen.
func (w *writer) includes(of written, arg *node) (written, error) {
	v, err := w.write(arg)
	if err != nil {
		return v, err
	}
	switch of.is {
	case aText:
		return written{fmt.Sprintf("%s contains %s", of.in(bindAdd), v.in(bindAdd)), aBoolean, bindCompare}, nil
	case aList:
		return written{fmt.Sprintf("%s in %s", v.in(bindAdd), of.in(bindNone)), aBoolean, bindCompare}, nil
	}
	return v, errors.New(".includes() is of a text or of a list, and nobody knows of which")
}

func (w *writer) loop(of written, name string, truth bool, gives sort, args []*node) (written, error) {
	switch {
	case w.element != "":
		return of, errors.New("a function in a function is not translated")
	case len(args) != 1 || args[0].is != isArrow || len(args[0].names) != 1:
		return of, errArrow
	}
	inside := &writer{resolve: w.resolve, element: args[0].names[0]}
	body := inside.write
	if truth {
		body = inside.truth
	}
	v, err := body(args[0].kids[0])
	if err != nil {
		return v, err
	}
	src := v.src
	if v.is == anObject {
		src = "(" + src + ")"
	}
	return atom(gives, "%s(%s, %s)", name, of.src, src), nil
}
