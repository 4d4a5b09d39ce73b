package sealed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep arrays and objects may stand in one another, as in
// encoding/json.
const maxDepth = 10000

// Paths are places in JSON documents. They may be used by many at once.
type Paths struct{ root *want }

// At makes paths ready for use. A path names object members ("download_token",
// "a.b"); "[]" after a name goes into every item of an array ("list[].c"). Every
// member of the name is meant where one stands twice.
func At(paths ...string) Paths {
	root := &want{}
	for _, path := range paths {
		at := root
		for _, part := range strings.Split(path, ".") {
			at = at.step(part)
		}
		at.seal = at != root
	}
	return Paths{root}
}

// SealJSON returns the document with the values at the paths sealed in place; all
// other bytes are as they were. A value that is no string is sealed as its JSON
// text; null, true, false, "" and what is a marker already hold no credential and
// stay. Malformed JSON is an error, and no document.
func (k PublicKey) SealJSON(raw []byte, at Paths) ([]byte, error) {
	if k.id == "" {
		return nil, errors.New("sealing credentials: there is no public key")
	}
	s := scanner{raw: raw}
	if err := s.document(at.root); err != nil {
		return nil, fmt.Errorf("sealing credentials: %w", err)
	}
	if len(s.found) == 0 {
		return raw, nil
	}
	out := make([]byte, 0, len(raw)+len(s.found)*256)
	end := 0
	for _, at := range s.found {
		plain, ok := credential(raw[at.start:at.end])
		if !ok {
			continue
		}
		out = append(out, raw[end:at.start]...)
		out = append(out, '"')
		out = append(out, k.Seal(plain)...)
		out = append(out, '"')
		end = at.end
	}
	return append(out, raw[end:]...), nil
}

// credential returns what is to be sealed of a value, and whether anything is.
func credential(value []byte) (string, bool) {
	switch value[0] {
	case 'n', 't', 'f':
		return "", false
	case '"':
		text := unquote(value)
		m, found := next(text, 0)
		whole := found && m.start == 0 && m.end == len(text)
		return text, text != "" && !whole
	}
	return string(value), true
}

// unquote decodes a JSON string that the scanner has found to be well-formed, as
// whoever reads the document would.
func unquote(quoted []byte) string {
	if bytes.IndexByte(quoted, '\\') >= 0 || !utf8.Valid(quoted) {
		var text string
		if json.Unmarshal(quoted, &text) == nil {
			return text
		}
	}
	return string(quoted[1 : len(quoted)-1])
}

// want is a point on the way to values that are to be sealed.
type want struct {
	seal    bool
	members map[string]*want
	items   *want
}

// step goes down a member, and into the items for each "[]" behind its name.
func (w *want) step(part string) *want {
	name := strings.TrimRight(part, "[]")
	if name != "" {
		w = w.member(name)
	}
	for range strings.Count(part[len(name):], "[]") {
		if w.items == nil {
			w.items = &want{}
		}
		w = w.items
	}
	return w
}

func (w *want) member(name string) *want {
	if w.members == nil {
		w.members = make(map[string]*want)
	}
	if w.members[name] == nil {
		w.members[name] = &want{}
	}
	return w.members[name]
}

// span is the place of a value in the document.
type span struct{ start, end int }

// scanner checks a document by the grammar of RFC 8259 and notes where the wanted
// values stand.
type scanner struct {
	raw   []byte
	at    int
	depth int
	found []span
}

func (s *scanner) document(w *want) error {
	if err := s.value(w); err != nil {
		return err
	}
	if s.space(); s.at < len(s.raw) {
		return s.malformed()
	}
	return nil
}

// malformed names the place, never the text: it may be a credential.
func (s *scanner) malformed() error {
	if s.at >= len(s.raw) {
		return errors.New("the JSON ends early")
	}
	return fmt.Errorf("the JSON is malformed at byte %d", s.at)
}

func (s *scanner) space() {
	for s.at < len(s.raw) {
		switch s.raw[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// peek returns the next byte that is no space, or 0 at the end.
func (s *scanner) peek() byte {
	if s.space(); s.at < len(s.raw) {
		return s.raw[s.at]
	}
	return 0
}

// value scans a value and notes it if w says so; w is nil off every path.
func (s *scanner) value(w *want) error {
	first := s.peek()
	start := s.at
	wanted := w != nil && w.seal
	if wanted {
		w = nil // it goes as a whole, whatever is wanted inside
	}
	if err := s.anyValue(first, w); err != nil {
		return err
	}
	if wanted {
		s.found = append(s.found, span{start, s.at})
	}
	return nil
}

func (s *scanner) anyValue(first byte, w *want) error {
	switch first {
	case '{', '[':
		if s.depth++; s.depth > maxDepth {
			return fmt.Errorf("the JSON is nested deeper than %d", maxDepth)
		}
		defer func() { s.depth-- }()
		if first == '[' {
			return s.array(w)
		}
		return s.object(w)
	case '"':
		return s.text()
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	return s.number()
}

func (s *scanner) object(w *want) error {
	s.at++
	if s.peek() == '}' {
		s.at++
		return nil
	}
	for {
		next, err := s.name(w)
		if err != nil {
			return err
		}
		if err := s.value(next); err != nil {
			return err
		}
		if done, err := s.more('}'); done || err != nil {
			return err
		}
	}
}

// name scans a member's name and the colon and returns what is wanted below it.
func (s *scanner) name(w *want) (*want, error) {
	if s.peek() != '"' {
		return nil, s.malformed()
	}
	start := s.at
	if err := s.text(); err != nil {
		return nil, err
	}
	end := s.at
	if s.peek() != ':' {
		return nil, s.malformed()
	}
	s.at++
	if w == nil || w.members == nil {
		return nil, nil
	}
	return w.members[unquote(s.raw[start:end])], nil
}

func (s *scanner) array(w *want) error {
	var items *want
	if w != nil {
		items = w.items
	}
	s.at++
	if s.peek() == ']' {
		s.at++
		return nil
	}
	for {
		if err := s.value(items); err != nil {
			return err
		}
		if done, err := s.more(']'); done || err != nil {
			return err
		}
	}
}

// more scans what follows a member or an item.
func (s *scanner) more(last byte) (done bool, err error) {
	switch s.peek() {
	case last:
		s.at++
		return true, nil
	case ',':
		s.at++
		return false, nil
	}
	return false, s.malformed()
}

func (s *scanner) literal(word string) error {
	for i := 0; i < len(word); i++ {
		if s.at >= len(s.raw) || s.raw[s.at] != word[i] {
			return s.malformed()
		}
		s.at++
	}
	return nil
}

func (s *scanner) text() error {
	for s.at++; s.at < len(s.raw); s.at++ {
		switch c := s.raw[s.at]; {
		case c == '"':
			s.at++
			return nil
		case c < ' ':
			return s.malformed()
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		}
	}
	return s.malformed()
}

// escape scans an escape but for its last byte.
func (s *scanner) escape() error {
	if s.at++; s.at >= len(s.raw) {
		return s.malformed()
	}
	if s.raw[s.at] != 'u' {
		if strings.IndexByte(`"\/bfnrt`, s.raw[s.at]) < 0 {
			return s.malformed()
		}
		return nil
	}
	for range 4 {
		if s.at++; s.at >= len(s.raw) || !hexDigit(s.raw[s.at]) {
			return s.malformed()
		}
	}
	return nil
}

func hexDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// number scans -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
func (s *scanner) number() error {
	s.skip("-")
	if zero := s.skip("0"); !zero {
		if err := s.digits(); err != nil {
			return err
		}
	}
	if s.skip(".") {
		if err := s.digits(); err != nil {
			return err
		}
	}
	if s.skip("eE") {
		s.skip("+-")
		return s.digits()
	}
	return nil
}

// skip takes one byte if it is one of those.
func (s *scanner) skip(of string) bool {
	if s.at >= len(s.raw) || strings.IndexByte(of, s.raw[s.at]) < 0 {
		return false
	}
	s.at++
	return true
}

func (s *scanner) digits() error {
	if !s.skip("0123456789") {
		return s.malformed()
	}
	for s.skip("0123456789") {
	}
	return nil
}
