package jsonvalue

import (
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Encode writes a value as compact JSON with sorted names. Decode reads
// it back as Normalize would have returned it.
func Encode(v any) ([]byte, error) {
	e := encoder{values: MaxValues, text: math.MaxInt}
	if err := e.value(v, 0); err != nil {
		return nil, err
	}
	return e.b, nil
}

// MaxText bounds the length of one text.
const MaxText = 8 << 20

// ErrTooLong says that a text would be longer than MaxText.
var ErrTooLong = errors.New("the text would be longer than 8 MiB")

type encoder struct {
	b      []byte
	values int // how many more values may be written
	text   int // how long the result may be
}

func (e *encoder) value(v any, depth int) error {
	if e.values--; e.values < 0 || depth > maxDepth {
		return ErrTooMany
	}
	if len(e.b) > e.text {
		return ErrTooLong
	}
	switch v := v.(type) {
	case nil:
		e.b = append(e.b, "null"...)
	case bool:
		e.b = strconv.AppendBool(e.b, v)
	case int64:
		e.b = strconv.AppendInt(e.b, v, 10)
	case float64:
		return e.float(v)
	case string:
		e.b = appendText(e.b, v)
	case []any:
		return e.list(v, depth)
	case map[string]any:
		return e.object(v, depth)
	default:
		n, err := Normalize(v)
		if err != nil {
			return err
		}
		return e.value(n, depth)
	}
	return nil
}

func (e *encoder) float(f float64) error {
	switch n := canonical(f).(type) {
	case int64:
		e.b = strconv.AppendInt(e.b, n, 10)
	case float64:
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return errNotFinite
		}
		e.b = appendFloat(e.b, f)
	}
	return nil
}

// appendFloat writes an exponent where digits alone would read as an integer.
func appendFloat(b []byte, f float64) []byte {
	if a := math.Abs(f); a >= 1<<63 || a < 1e-6 {
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

func (e *encoder) list(l []any, depth int) error {
	e.b = append(e.b, '[')
	for i, v := range l {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		if err := e.value(v, depth+1); err != nil {
			return err
		}
	}
	e.b = append(e.b, ']')
	return nil
}

func (e *encoder) object(m map[string]any, depth int) error {
	var few [16]string
	keys := slices.AppendSeq(few[:0], maps.Keys(m))
	slices.Sort(keys)
	e.b = append(e.b, '{')
	for i, k := range keys {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.b = append(appendText(e.b, k), ':')
		if err := e.value(m[k], depth+1); err != nil {
			return err
		}
	}
	e.b = append(e.b, '}')
	return nil
}

func appendText(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// EncodeWithin is Encode for a text of at most limit bytes. It also tells how
// many values were written.
func EncodeWithin(v any, limit int) (b []byte, values int, err error) {
	e := encoder{values: MaxValues, text: limit}
	if err := e.value(v, 0); err != nil {
		return nil, 0, err
	}
	if len(e.b) > limit {
		return nil, 0, ErrTooLong
	}
	return e.b, MaxValues - e.values, nil
}

// Text returns a value as it stands inside a text: a text as it is, objects and
// lists as JSON. Null has none.
func Text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case int:
		return strconv.Itoa(v), nil
	case bool:
		return strconv.FormatBool(v), nil
	case nil:
		return "", errors.New("null has no text")
	}
	n, err := Normalize(v)
	if err != nil {
		return "", err
	}
	if s, ok := n.(string); ok { // a time, a duration, bytes
		return s, nil
	}
	b, _, err := EncodeWithin(n, MaxText)
	return string(b), err
}
