package code

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var errClosed = errors.New("the worker stops")

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// maxExact is the largest integer up to which a JavaScript number has them all.
const maxExact = 1<<53 - 1

// exact puts quotes around the integers of a JSON text that a JavaScript number
// cannot hold.
func exact(raw []byte) []byte {
	var out []byte
	done := 0
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '"':
			i = afterString(raw, i)
		case c == '-' || c >= '0' && c <= '9':
			end := afterNumber(raw, i)
			if end-i >= 16 && !fits(raw[i:end]) {
				out = append(append(append(append(out, raw[done:i]...), '"'), raw[i:end]...), '"')
				done = end
			}
			i = end
		default:
			i++
		}
	}
	if out == nil {
		return raw
	}
	return append(out, raw[done:]...)
}

func afterString(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return i
}

func afterNumber(raw []byte, i int) int {
	for i < len(raw) && strings.IndexByte("+-.eE0123456789", raw[i]) >= 0 {
		i++
	}
	return i
}

// fits tells whether a number loses nothing as one of JavaScript; those with a
// fraction or an exponent are no integers, and are such numbers in zflow too.
func fits(number []byte) bool {
	if bytes.ContainsAny(number, ".eE") {
		return true
	}
	n, err := strconv.ParseInt(string(number), 10, 64)
	return err == nil && n <= maxExact && n >= -maxExact
}

// masked stands where a credential was.
const masked = "••••"

// hidden are credentials that code was given.
type hidden []string

// leastSecret is the length from which on a text is looked for: shorter ones stand
// in much that is no secret.
const leastSecret = 6

func newHidden(secrets []string) hidden {
	var h hidden
	for _, s := range secrets {
		if len(s) >= leastSecret {
			h = append(h, s)
		}
	}
	return h
}

func (h hidden) text(s string) string {
	for _, secret := range h {
		s = strings.ReplaceAll(s, secret, masked)
	}
	return s
}

// value hides credentials in a value.
func (h hidden) value(v any) any {
	if len(h) == 0 {
		return v
	}
	switch v := v.(type) {
	case string:
		return h.text(v)
	case []any:
		for i := range v {
			v[i] = h.value(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			out[h.text(name)] = h.value(member)
		}
		return out
	}
	return v
}

// journal passes on what code prints, up to what a history holds of one step.
type journal struct {
	to          func(line string)
	hide        hidden
	lines, size int
	dropped     int
}

const (
	maxLines = 200
	maxLog   = 32 << 10
	maxLine  = 2 << 10
)

func (j *journal) add(level, line string) {
	if level != "info" {
		line = level + ": " + line
	}
	line = j.hide.text(line)
	if len(line) > maxLine {
		line = strings.ToValidUTF8(line[:maxLine], "") + "…"
	}
	if j.lines++; j.to == nil || j.lines > maxLines || j.size+len(line) > maxLog {
		j.dropped++
		return
	}
	j.size += len(line)
	j.to(line)
}

func (j *journal) close() {
	if j.dropped > 0 && j.to != nil {
		j.to(fmt.Sprintf("… and %d lines more", j.dropped))
	}
}
