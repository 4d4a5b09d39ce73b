package jsonvalue

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deeply values nest, as encoding/json does.
const maxDepth = 10_000

// Decode reads one JSON value. Integers are int64, larger ones text; so is
// a number that no float64 can hold. Of two members of one name the last counts.
// Texts share the memory of one copy of data.
func Decode(data []byte) (any, error) {
	s := string(data)
	if !utf8.ValidString(s) {
		s = string([]rune(s)) // each bad byte becomes U+FFFD
	}
	d := decoder{s: s}
	v, err := d.value(0)
	if err != nil {
		return nil, err
	}
	if d.space(); d.i < len(d.s) {
		return nil, d.unexpected("after the value")
	}
	return v, nil
}

type decoder struct {
	s string
	i int
}

func (d *decoder) space() {
	for d.i < len(d.s) {
		switch d.s[d.i] {
		case ' ', '\n', '\t', '\r':
			d.i++
		default:
			return
		}
	}
}

func (d *decoder) unexpected(where string) error {
	if d.i >= len(d.s) {
		return fmt.Errorf("decoding JSON: unexpected end %s", where)
	}
	r, _ := utf8.DecodeRuneInString(d.s[d.i:])
	return fmt.Errorf("decoding JSON: unexpected %q %s at byte %d", r, where, d.i)
}

func (d *decoder) value(depth int) (any, error) {
	d.space()
	if d.i >= len(d.s) {
		return nil, d.unexpected("where a value should begin")
	}
	switch c := d.s[d.i]; c {
	case '{':
		return d.object(depth + 1)
	case '[':
		return d.array(depth + 1)
	case '"':
		return d.text()
	case 't':
		return true, d.word("true")
	case 'f':
		return false, d.word("false")
	case 'n':
		return nil, d.word("null")
	default:
		if c == '-' || digit(c) {
			return d.number()
		}
	}
	return nil, d.unexpected("where a value should begin")
}

func (d *decoder) word(w string) error {
	if len(d.s)-d.i < len(w) || d.s[d.i:d.i+len(w)] != w {
		return d.unexpected("where a value should begin")
	}
	d.i += len(w)
	return nil
}

func (d *decoder) object(depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("decoding JSON: nested more than %d deep", maxDepth)
	}
	d.i++
	m := map[string]any{}
	if d.space(); d.i < len(d.s) && d.s[d.i] == '}' {
		d.i++
		return m, nil
	}
	for {
		if d.space(); d.i >= len(d.s) || d.s[d.i] != '"' {
			return nil, d.unexpected("where a member's name should begin")
		}
		key, err := d.text()
		if err != nil {
			return nil, err
		}
		if d.space(); d.i >= len(d.s) || d.s[d.i] != ':' {
			return nil, d.unexpected("after a member's name")
		}
		d.i++
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		m[key] = v
		if done, err := d.next('}'); done || err != nil {
			return m, err
		}
	}
}

func (d *decoder) array(depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("decoding JSON: nested more than %d deep", maxDepth)
	}
	d.i++
	l := []any{}
	if d.space(); d.i < len(d.s) && d.s[d.i] == ']' {
		d.i++
		return l, nil
	}
	for {
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		l = append(l, v)
		if done, err := d.next(']'); done || err != nil {
			return l, err
		}
	}
}

// next passes the comma before another element, or the end of the collection.
func (d *decoder) next(end byte) (done bool, err error) {
	if d.space(); d.i < len(d.s) {
		switch d.s[d.i] {
		case ',':
			d.i++
			return false, nil
		case end:
			d.i++
			return true, nil
		}
	}
	return false, d.unexpected("after an element")
}

func (d *decoder) text() (string, error) {
	d.i++
	start := d.i
	for d.i < len(d.s) {
		switch c := d.s[d.i]; {
		case c == '"':
			d.i++
			return d.s[start : d.i-1], nil
		case c == '\\':
			return d.escaped(start)
		case c < ' ':
			return "", d.unexpected("in a text")
		}
		d.i++
	}
	return "", d.unexpected("in a text")
}

// escaped goes on with a text that began at start, from its first backslash.
func (d *decoder) escaped(start int) (string, error) {
	b := append(make([]byte, 0, d.i-start+32), d.s[start:d.i]...)
	for d.i < len(d.s) {
		switch c := d.s[d.i]; {
		case c == '"':
			d.i++
			return string(b), nil
		case c == '\\':
			var err error
			if b, err = d.escape(b); err != nil {
				return "", err
			}
		case c < ' ':
			return "", d.unexpected("in a text")
		default:
			b = append(b, c)
			d.i++
		}
	}
	return "", d.unexpected("in a text")
}

func (d *decoder) escape(b []byte) ([]byte, error) {
	d.i++
	if d.i >= len(d.s) {
		return nil, d.unexpected("in a text")
	}
	c := d.s[d.i]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return d.unicode(b)
	default:
		return nil, d.unexpected("after a backslash")
	}
	d.i++
	return append(b, c), nil
}

func (d *decoder) unicode(b []byte) ([]byte, error) {
	r, ok := d.hex(d.i + 1)
	if !ok {
		return nil, d.unexpected("in a \\u escape")
	}
	d.i += 5
	if utf16.IsSurrogate(r) && len(d.s)-d.i >= 6 && d.s[d.i] == '\\' && d.s[d.i+1] == 'u' {
		if low, ok := d.hex(d.i + 2); ok {
			if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
				d.i += 6
				return utf8.AppendRune(b, full), nil
			}
		}
	}
	return utf8.AppendRune(b, r), nil // half a pair becomes U+FFFD
}

func (d *decoder) hex(at int) (rune, bool) {
	if at+4 > len(d.s) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(d.s[at : at+4]) {
		switch {
		case digit(c):
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func (d *decoder) number() (any, error) {
	start, whole := d.i, true
	if d.s[d.i] == '-' {
		d.i++
	}
	if d.i < len(d.s) && d.s[d.i] == '0' {
		d.i++
	} else if !d.digits() {
		return nil, d.unexpected("in a number")
	}
	if d.i < len(d.s) && d.s[d.i] == '.' {
		whole = false
		d.i++
		if !d.digits() {
			return nil, d.unexpected("in a number")
		}
	}
	if d.i < len(d.s) && d.s[d.i]|0x20 == 'e' {
		whole = false
		d.i++
		if d.i < len(d.s) && (d.s[d.i] == '+' || d.s[d.i] == '-') {
			d.i++
		}
		if !d.digits() {
			return nil, d.unexpected("in a number")
		}
	}
	return parseNumber(d.s[start:d.i], whole), nil
}

func (d *decoder) digits() bool {
	start := d.i
	for d.i < len(d.s) && digit(d.s[d.i]) {
		d.i++
	}
	return d.i > start
}

func parseNumber(s string, whole bool) any {
	if whole {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	return canonical(f)
}

// canonical returns a finite float as int64 where it has no fraction and fits.
func canonical(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < 1<<63 {
		return int64(f)
	}
	return f
}
