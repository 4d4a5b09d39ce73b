package rest

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
)

// DecodeObject reads a JSON object; numbers keep their digits.
func DecodeObject(text []byte) (map[string]any, bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var object map[string]any
	if d.Decode(&object) != nil || object == nil || d.More() {
		return nil, false
	}
	return object, true
}

// Clone copies an object through its text, so that nothing is shared.
func Clone(v map[string]any) map[string]any {
	copied, ok := DecodeObject(Encode(v))
	if !ok {
		return map[string]any{}
	}
	return copied
}

// Encode writes JSON as Zoom does, with <, > and & as they are. Everything that
// comes here was made of JSON values.
func Encode(v any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte(strconv.Quote(err.Error()))
	}
	return bytes.TrimSuffix(out.Bytes(), []byte{'\n'})
}

// Text is a value as words: numbers in their digits, nil empty.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return fmt.Sprint(v)
}

// Overlay lays values over an object, objects inside too.
func Overlay(base, over map[string]any) {
	for key, value := range over {
		inner, isObject := value.(map[string]any)
		under, hasObject := base[key].(map[string]any)
		if isObject && hasObject {
			Overlay(under, inner)
			continue
		}
		base[key] = value
	}
}

// Random returns n random bytes as text that is safe in URLs.
func Random(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
