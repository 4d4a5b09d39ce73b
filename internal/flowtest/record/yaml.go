package record

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"zflow/engine/expr"
)

// object is a YAML object whose keys keep their order.
type object []member

type member struct {
	key   string
	value any
}

func (o *object) add(key string, value any) { *o = append(*o, member{key, value}) }

// bare is written as it is.
type bare string

// span is a duration as people write it.
func span(d time.Duration) bare {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return bare(text)
}

// widest is how wide a value may be to stand in one line.
const widest = 100

// writeYAML writes a value as it stands behind a key or a dash: in the line if it is
// short, else below it, further in.
func writeYAML(b *strings.Builder, v any, indent int) {
	switch line := flow(v); {
	case utf8.RuneCountInString(line)+indent <= widest || !divisible(v):
		b.WriteString(" " + line + "\n")
	default:
		b.WriteByte('\n')
		writeBlock(b, v, indent+2)
	}
}

func divisible(v any) bool {
	switch v := v.(type) {
	case object:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	case []any:
		return len(v) > 0
	}
	return false
}

func writeBlock(b *strings.Builder, v any, indent int) {
	in := strings.Repeat(" ", indent)
	if list, ok := v.([]any); ok {
		for _, item := range list {
			b.WriteString(in + "-")
			writeItem(b, item, indent)
		}
		return
	}
	for _, m := range members(v) {
		b.WriteString(in + key(m.key) + ":")
		writeYAML(b, m.value, indent)
	}
}

// writeItem writes an element behind its dash; an object's first key stands there.
func writeItem(b *strings.Builder, item any, indent int) {
	all := members(item)
	if line := flow(item); len(all) == 0 || utf8.RuneCountInString(line)+indent <= widest {
		writeYAML(b, item, indent)
		return
	}
	var inner strings.Builder
	writeBlock(&inner, item, indent+2)
	b.WriteString(" " + strings.TrimLeft(inner.String(), " "))
}

func members(v any) object {
	switch v := v.(type) {
	case object:
		return v
	case map[string]any:
		all := object{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all.add(name, v[name])
		}
		return all
	}
	return nil
}

// flow writes a value in one line.
func flow(v any) string {
	switch v := v.(type) {
	case object, map[string]any:
		var parts []string
		for _, m := range members(v) {
			parts = append(parts, key(m.key)+": "+flow(m.value))
		}
		if len(parts) == 0 {
			return "{}"
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, flow(item))
		}
		if len(parts) == 0 {
			return "[]"
		}
		return "[ " + strings.Join(parts, ", ") + " ]"
	}
	return scalar(v)
}

func scalar(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bare:
		return string(v)
	case string:
		return quote(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return strconv.FormatFloat(v, 'f', 1, 64)
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case json.Number:
		return string(v)
	}
	return fmt.Sprint(v)
}

var (
	plainText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./@-]*$`)
	plainKey  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)
	taken     = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"}
)

// quote writes a text: as it is where nobody can take it for something else, else
// in double quotes, whose escapes YAML and Go have in common.
func quote(text string) string {
	if plainText.MatchString(text) && !slices.Contains(taken, strings.ToLower(text)) {
		return text
	}
	return strconv.Quote(text)
}

func key(name string) string {
	if plainKey.MatchString(name) && !slices.Contains(taken, strings.ToLower(name)) {
		return name
	}
	return strconv.Quote(name)
}

// decode reads JSON as expressions do: its integers keep their digits.
func decode(raw []byte) (any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	return expr.DecodeJSON(raw)
}
