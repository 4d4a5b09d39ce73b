package sealed

import (
	"encoding/base64"
	"strings"
)

// A marker is ~zf1.<key id>.<base64url of the sealed box>~ . None of its bytes
// needs escaping in JSON or in a URL, and "~" is in neither alphabet inside.
const (
	opening  = "~zf1."
	closing  = '~'
	idLength = 8
	overhead = 48 // of an anonymous box: the sender's key and the authenticator
)

// Masked is shown where a sealed value stands.
const Masked = "••••"

var boxText = base64.RawURLEncoding.Strict()

// marker is one marker found in a text.
type marker struct {
	start, end int // text[start:end] is all of it
	key, box   string
}

// next finds the first well-formed marker of a text at or after from.
func next(text string, from int) (marker, bool) {
	for from < len(text) {
		i := strings.Index(text[from:], opening)
		if i < 0 {
			return marker{}, false
		}
		if m, ok := at(text, from+i); ok {
			return m, true
		}
		from += i + 1
	}
	return marker{}, false
}

// at reads the marker that begins at start.
func at(text string, start int) (marker, bool) {
	body := start + len(opening)
	box := body + idLength + 1
	if box > len(text) || text[box-1] != '.' || !plain(text[body:box-1]) {
		return marker{}, false
	}
	n := strings.IndexByte(text[box:], closing)
	if n < boxText.EncodedLen(overhead) || !plain(text[box:box+n]) {
		return marker{}, false
	}
	return marker{start: start, end: box + n + 1, key: text[body : box-1], box: text[box : box+n]}, true
}

func plain(text string) bool {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// Contains tells whether a marker stands in the text.
func Contains(text string) bool {
	_, found := next(text, 0)
	return found
}

// Mask returns the text with Masked in place of every marker.
func Mask(text string) string {
	masked, _ := replace(text, func(marker) (string, error) { return Masked, nil })
	return masked
}

// MaskBytes is Mask for bytes. Where there is no marker it returns what it got.
func MaskBytes(text []byte) []byte {
	s := string(text)
	if !Contains(s) {
		return text
	}
	return []byte(Mask(s))
}

// replace puts the result of by in place of every marker; without one it returns
// the very text.
func replace(text string, by func(marker) (string, error)) (string, error) {
	m, found := next(text, 0)
	if !found {
		return text, nil
	}
	var b strings.Builder
	end := 0
	for found {
		with, err := by(m)
		if err != nil {
			return "", err
		}
		b.WriteString(text[end:m.start])
		b.WriteString(with)
		end = m.end
		m, found = next(text, end)
	}
	b.WriteString(text[end:])
	return b.String(), nil
}
