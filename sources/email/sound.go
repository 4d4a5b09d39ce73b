package email

import (
	"bytes"
	"errors"
	"strings"
)

// What a mail may have, since reading costs that much.
const (
	mostHeader  = 256 << 10 // bytes of all headers together
	mostFields  = 5000      // lines of them
	mostParts   = 100
	deepest     = 30      // parts within parts
	mostNoise   = 100_000 // bytes that base64 does not have, where it should be
	mostPeople  = 500     // in a field of addresses
	mostProblem = 20
)

var (
	errHeaders = errors.New("its headers are too long")
	errParts   = errors.New("it has too many parts")
	errDeep    = errors.New("its parts are nested too deep")
	errNoise   = errors.New("its base64 is none")
)

// walk goes through a mail as whoever reads it will, without keeping anything.
type walk struct {
	open          []string // boundaries
	header        bool     // within one
	encoded       bool     // the part is base64
	bytes, fields int      // of headers
	parts, noise  int
}

// sound tells whether a mail can be read at little cost.
func sound(raw []byte) error {
	w := walk{header: true}
	for len(raw) > 0 {
		line := raw
		if i := bytes.IndexByte(raw, '\n'); i >= 0 {
			line, raw = raw[:i], raw[i+1:]
		} else {
			raw = nil
		}
		if err := w.line(bytes.TrimSuffix(line, []byte("\r"))); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) line(line []byte) error {
	if w.header {
		return w.field(line)
	}
	if bytes.HasPrefix(line, []byte("--")) && w.boundary(string(bytes.TrimRight(line[2:min(len(line), 200)], " \t"))) {
		if w.parts++; w.parts > mostParts {
			return errParts
		}
		return nil
	}
	if !w.encoded {
		return nil
	}
	for _, c := range line {
		if c >= 0x80 || strings.IndexByte(base64Bytes, c) < 0 {
			w.noise++
		}
	}
	if w.noise > mostNoise {
		return errNoise
	}
	return nil
}

const base64Bytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t"

func (w *walk) field(line []byte) error {
	if len(line) == 0 {
		w.header = false
		return nil
	}
	w.bytes, w.fields = w.bytes+len(line), w.fields+1
	if w.bytes > mostHeader || w.fields > mostFields {
		return errHeaders
	}
	lower := lowered(line)
	if strings.HasPrefix(lower, "content-transfer-encoding:") {
		w.encoded = strings.Contains(lower, "base64")
	}
	if i := strings.Index(lower, "boundary="); i >= 0 {
		name, _, _ := strings.Cut(strings.TrimSpace(string(line[i+len("boundary="):])), ";")
		if w.open = append(w.open, strings.Trim(name, `" `)); len(w.open) > deepest {
			return errDeep
		}
	}
	return nil
}

// lowered is a line in lower case, of the same length, whatever its bytes are.
func lowered(line []byte) string {
	lower := bytes.Clone(line)
	for i, c := range lower {
		if c >= 'A' && c <= 'Z' {
			lower[i] = c + 'a' - 'A'
		}
	}
	return string(lower)
}

// boundary tells whether a line begins or ends a part.
func (w *walk) boundary(name string) bool {
	for i := len(w.open) - 1; i >= 0; i-- {
		switch name {
		case w.open[i]:
			w.open, w.header, w.encoded = w.open[:i+1], true, false
			return true
		case w.open[i] + "--":
			w.open, w.encoded = w.open[:i], false
			return true
		}
	}
	return false
}
