package formula

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind int

const (
	end kind = iota
	word
	number
	text
	sign
	template
)

// token is a part of the source; of a text and a template the value is what it
// means, and parts are the expressions in a template.
type token struct {
	kind  kind
	value string
	parts []part
	at    int
}

// part of a template: a text, or the source of an expression.
type part struct {
	text   string
	source string
	is     bool // an expression
}

// signs, the longest first.
var signs = []string{
	">>>=", "...", "===", "!==", "**=", "<<=", ">>=", ">>>", "&&=", "||=", "??=",
	"=>", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "**", "++", "--", "+=", "-=", "*=", "/=", "%=", "<<", ">>", "&=", "|=", "^=",
	"(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "+", "-", "*", "/", "%", "!", "<", ">", "=", "&", "|", "^", "~", ";",
}

type lexer struct {
	src string
	at  int
}

// next returns the token that follows.
func (l *lexer) next() (token, error) {
	l.space()
	t := token{at: l.at}
	if l.at == len(l.src) {
		return t, nil
	}
	rest := l.src[l.at:]
	c, _ := utf8.DecodeRuneInString(rest)
	switch {
	case begins(c):
		t.kind, t.value = word, rest[:wordLength(rest)]
		l.at += len(t.value)
		return t, nil
	case c >= '0' && c <= '9' || c == '.' && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9':
		return l.number(rest)
	case c == '\'' || c == '"':
		return l.text(c)
	case c == '`':
		return l.template()
	}
	for _, s := range signs {
		if strings.HasPrefix(rest, s) {
			if s == "?." && len(rest) > 2 && rest[2] >= '0' && rest[2] <= '9' {
				continue // a ?.5 : b
			}
			l.at += len(s)
			t.kind, t.value = sign, s
			return t, nil
		}
	}
	return t, fmt.Errorf("%q is nothing in an expression", string(c))
}

func (l *lexer) space() {
	for l.at < len(l.src) {
		rest := l.src[l.at:]
		c, n := utf8.DecodeRuneInString(rest)
		switch {
		case unicode.IsSpace(c) || c == '\ufeff':
			l.at += n
		case strings.HasPrefix(rest, "//"):
			l.at = after(l.src, "\n", l.at)
		case strings.HasPrefix(rest, "/*"):
			l.at = after(l.src, "*/", l.at+2)
		default:
			return
		}
	}
}

// after is the place behind the next s.
func after(src, s string, from int) int {
	if from > len(src) {
		return len(src)
	}
	i := strings.Index(src[from:], s)
	if i < 0 {
		return len(src)
	}
	return from + i + len(s)
}

func begins(c rune) bool { return c == '_' || c == '$' || unicode.IsLetter(c) }

func wordLength(s string) int {
	for i, c := range s {
		if !begins(c) && !unicode.IsDigit(c) {
			return i
		}
	}
	return len(s)
}

// number takes decimal numbers only, as both languages write them.
func (l *lexer) number(rest string) (token, error) {
	n := 0
	for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == '.' || letter(rest[n]) || (rest[n] == '-' || rest[n] == '+') && n > 0 && (rest[n-1] == 'e' || rest[n-1] == 'E')) {
		n++
	}
	t := token{kind: number, value: rest[:n], at: l.at}
	l.at += n
	plain := strings.Trim(t.value, "0123456789.")
	if strings.Count(t.value, ".") > 1 || plain != "" || len(t.value) > 1 && t.value[0] == '0' && t.value[1] != '.' {
		return t, fmt.Errorf("the number %s is written in a way that expressions do not have", t.value)
	}
	return t, nil
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

func (l *lexer) text(quote rune) (token, error) {
	t := token{kind: text, at: l.at}
	var b strings.Builder
	for i := l.at + 1; i < len(l.src); {
		c, n := utf8.DecodeRuneInString(l.src[i:])
		switch {
		case c == quote:
			l.at, t.value = i+n, b.String()
			return t, nil
		case c == '\n':
			return t, fmt.Errorf("a text has no end")
		case c == '\\':
			s, length, err := escape(l.src[i:])
			if err != nil {
				return t, err
			}
			b.WriteString(s)
			i += length
		default:
			b.WriteString(l.src[i : i+n])
			i += n
		}
	}
	return t, fmt.Errorf("a text has no end")
}

var escapes = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", 'b': "\b", 'f': "\f", 'v': "\v", '\\': "\\", '\'': "'", '"': "\"", '`': "`", '$': "$", '\n': "", '/': "/", '{': "{", '}': "}"}

// escape reads what begins with a backslash.
func escape(s string) (value string, length int, err error) {
	if len(s) < 2 {
		return "", 0, fmt.Errorf("a text has no end")
	}
	if v, ok := escapes[s[1]]; ok {
		return v, 2, nil
	}
	if s[1] == 'u' && len(s) >= 6 {
		var c rune
		if _, err := fmt.Sscanf(s[2:6], "%04x", &c); err == nil && (c < 0xd800 || c > 0xdfff) {
			return string(c), 6, nil
		}
	}
	return "", 0, fmt.Errorf("\\%c in a text is not translated", s[1])
}

// template reads `text ${expression} text`.
func (l *lexer) template() (token, error) {
	t := token{kind: template, at: l.at}
	var b strings.Builder
	for i := l.at + 1; i < len(l.src); {
		rest := l.src[i:]
		switch {
		case rest[0] == '`':
			t.parts = append(t.parts, part{text: b.String()})
			l.at = i + 1
			return t, nil
		case strings.HasPrefix(rest, "${"):
			n, err := Length(l.src[i+2:], "}")
			if err != nil {
				return t, err
			}
			t.parts = append(t.parts, part{text: b.String()}, part{source: l.src[i+2 : i+2+n], is: true})
			b.Reset()
			i += n + 3
		case rest[0] == '\\':
			s, length, err := escape(rest)
			if err != nil {
				return t, err
			}
			b.WriteString(s)
			i += length
		default:
			b.WriteByte(rest[0])
			i++
		}
	}
	return t, fmt.Errorf("a text has no end")
}

// maxNested is how deep brackets, and templates in templates, may stand in each other.
const maxNested = 100

// Length returns how long the expression is that src begins with and closing ends:
// what stands in texts and brackets does not end it.
func Length(src, closing string) (int, error) {
	l := &lexer{src: src}
	depth := 0
	for l.at < len(src) {
		l.space()
		if depth == 0 && strings.HasPrefix(src[l.at:], closing) {
			return l.at, nil
		}
		t, err := l.next()
		if err != nil {
			return 0, err
		}
		if t.kind != sign {
			continue
		}
		switch t.value {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			depth--
		}
		if depth < 0 || depth > maxNested {
			return 0, fmt.Errorf("its brackets do not match")
		}
	}
	return 0, fmt.Errorf("it has no end: there is no %s", closing)
}
