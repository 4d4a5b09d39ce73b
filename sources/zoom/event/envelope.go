package event

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// firstMillis parts Unix times in seconds from those in milliseconds: as
	// seconds it is the year 5138, as milliseconds 1973.
	firstMillis = 100_000_000_000
	lastMillis  = 253_402_300_800_000 // the year 10000
	// maxName bounds a type and an account, which become part of a subject.
	maxName = 128
)

// Envelope is what the outside of an event's body says.
type Envelope struct {
	Type    string
	Account string
	Subject string    // the object's id
	At      time.Time // event_ts; zero where there is none
	body    map[string]any
	payload map[string]any
}

// Text returns the text or number at a path below payload, such as object.id;
// empty where there is none.
func (e *Envelope) Text(path string) string { return firstOf(e.payload, path) }

// Texts returns all of them at a path through a list, such as
// object.recording_files[].id.
func (e *Envelope) Texts(path string) []string { return lookUp(e.payload, path) }

// ErrNotEvent says that a body is no event at all.
var ErrNotEvent = errors.New("the body is no JSON object with an event name")

// Read reads a body. Zoom's envelopes differ in nearly everything, so all but
// the event's name may be absent or of another shape.
func Read(raw []byte) (Envelope, error) {
	var e Envelope
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&e.body); err != nil || e.body == nil {
		return Envelope{}, ErrNotEvent
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Envelope{}, ErrNotEvent
	}
	name, _ := e.body["event"].(string)
	if e.Type = cleanType(name); e.Type == "" {
		return Envelope{}, ErrNotEvent
	}
	e.payload, _ = e.body["payload"].(map[string]any)
	e.At = eventTime(scalar(e.body["event_ts"]))
	e.Account = clean(firstOf(e.payload, "account_id", "accountId", "object.account_id"))
	e.Subject = clean(firstOf(e.payload, "object.id", "object.uuid"))
	return e, nil
}

// cleanType makes an event's name fit for a subject: documented names differ from
// sent ones by blanks and dots at the ends.
func cleanType(name string) string {
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '.' || unicode.IsSpace(r) || unicode.IsControl(r) })
	return clean(strings.Join(parts, "."))
}

// clean drops what has no place in a header and shortens what is too long, such
// that two long texts stay two.
func clean(text string) string {
	ok := len(text) <= maxName
	for i := 0; i < len(text) && ok; i++ {
		ok = text[i] > ' ' && text[i] < utf8.RuneSelf && text[i] != 0x7f
	}
	if ok {
		return text
	}
	text = strings.TrimSpace(strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text), ""))
	if len(text) <= maxName {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return strings.ToValidUTF8(text[:maxName-17], "") + "-" + hex.EncodeToString(sum[:8])
}

// eventTime reads event_ts; the zero time stands for none.
func eventTime(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		if at, err := time.Parse(time.RFC3339, text); err == nil && at.Unix() > 0 {
			return at // as some documents say
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || !(f > 0 && f < lastMillis) {
			return time.Time{}
		}
		n = int64(f)
	}
	switch {
	case n <= 0 || n >= lastMillis:
		return time.Time{}
	case n < firstMillis:
		return time.Unix(n, 0)
	}
	return time.UnixMilli(n)
}

// scalar returns the text of a string or a number: ids and times come as either.
func scalar(value any) string {
	switch v := value.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	}
	return ""
}

// firstOf returns the first value that is there at one of the paths.
func firstOf(tree map[string]any, paths ...string) string {
	for _, p := range paths {
		for _, v := range lookUp(tree, p) {
			return v
		}
	}
	return ""
}

// lookUp returns the texts at a path ("object.files[].id") that are not empty.
func lookUp(tree any, path string) []string {
	name, rest, deeper := strings.Cut(path, ".")
	name, list := strings.CutSuffix(name, "[]")
	m, _ := tree.(map[string]any)
	value := m[name]
	items := []any{value}
	if list {
		items, _ = value.([]any)
	}
	var found []string
	for _, item := range items {
		if deeper {
			found = append(found, lookUp(item, rest)...)
		} else if text := scalar(item); text != "" {
			found = append(found, text)
		}
	}
	return found
}
