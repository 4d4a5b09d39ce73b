package expr

import (
	"fmt"
	"strconv"

	"zflow/engine/expr/jsonvalue"
	"zflow/engine/expr/text"
)

// mixed is a text with expressions in it.
type mixed struct {
	parts []textPart
	path  []string
	url   bool
}

// textPart is plain text, or an expression if it has a program.
type textPart struct {
	plain string
	hole
}

func (m mixed) eval(ev *evaluation) (any, *Error) {
	var room [256]byte
	b := room[:0]
	for i := range m.parts {
		p := &m.parts[i]
		if p.program == nil {
			b = append(b, p.plain...)
			continue
		}
		s, err := p.text(ev)
		if err == nil && m.url && i > 0 {
			s, err = escaped(string(b), s, m.rest(i))
		}
		if err != nil {
			return nil, err.shift(p.line, p.column).at(m.path)
		}
		if b = append(b, s...); len(b) > jsonvalue.MaxText {
			return nil, (&Error{Message: jsonvalue.ErrTooLong.Error()}).at(m.path)
		}
	}
	return string(b), nil
}

func (m mixed) result() Type { return Scalar(Text) }

// rest returns the plain text that follows part i.
func (m mixed) rest(i int) string {
	if i+1 < len(m.parts) {
		return m.parts[i+1].plain
	}
	return ""
}

func (p *textPart) text(ev *evaluation) (string, *Error) {
	v, err := ev.run(p.program)
	if err != nil {
		return "", err
	}
	if v == nil {
		return "", &Error{Message: p.program.String() + " is missing", Hint: "add ?? '' if it may be"}
	}
	s, failed := jsonvalue.Text(v)
	if failed != nil {
		return "", &Error{Message: failed.Error()}
	}
	return s, nil
}

func escaped(before, value, after string) (string, *Error) {
	s, ok := text.EscapeURL(before, value, after)
	if !ok {
		return "", &Error{Message: fmt.Sprintf("%q would change the path of the URL", value)}
	}
	return s, nil
}

func itoa(n int) string { return strconv.Itoa(n) }
