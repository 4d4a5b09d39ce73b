package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"zflow/internal/sealed"
	"zflow/proto"
)

// telling are names of headers and of a query's fields whose values may be credentials:
// no file gets one.
var telling = regexp.MustCompile(`(?i)token|secret|passw|api[-_]?key|signature|(^|[-_])auth|session|credential|cookie`)

// request is how a test says what a request had beside its body, of which its trigger
// tells, without values that may be credentials.
func (h *hidden) request(trigger []byte) (object, error) {
	var q struct {
		Method, Path string
		Query        map[string]any
		Headers      map[string]any
	}
	if err := json.Unmarshal(sealed.MaskBytes(trigger), &q); err != nil {
		return nil, fmt.Errorf("what it had beside its body cannot be read: %w", err)
	}
	o := object{{"method", q.Method}, {"path", strings.TrimPrefix(q.Path, proto.PathHTTP)}}
	for _, part := range []struct {
		name string
		all  map[string]any
	}{{"query", q.Query}, {"headers", q.Headers}} {
		values := object{}
		for _, name := range slices.Sorted(maps.Keys(part.all)) {
			value := part.all[name]
			if telling.MatchString(name) {
				value = h.add(name, value)
			}
			values.add(name, value)
		}
		if len(values) > 0 {
			o.add(part.name, values)
		}
	}
	return o, nil
}

// hidden is what no file gets, since it may be credentials.
type hidden struct {
	names  []string
	values []string // for what else they stand in, such as an input that was made of one
}

// leastHidden is how long a value is that is looked for elsewhere too: a shorter one
// stands in too much that it is not.
const leastHidden = 8

// add hides a value, a text or a list of them, and returns what stands for it.
func (h *hidden) add(name string, value any) any {
	h.names = append(h.names, name)
	all, isList := value.([]any)
	if !isList {
		all = []any{value}
	}
	for _, v := range all {
		text, _ := v.(string)
		for _, word := range strings.Fields(text) { // Bearer x
			if len(word) >= leastHidden {
				h.values = append(h.values, word)
			}
		}
	}
	return sealed.Masked
}

// out returns the text of a file without what is hidden.
func (h *hidden) out(text []byte) []byte {
	for _, v := range h.values {
		text = bytes.ReplaceAll(text, []byte(v), []byte(sealed.Masked))
	}
	return text
}
