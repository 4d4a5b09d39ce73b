package sealed

import (
	"bytes"
	"encoding/json"
)

// MaskForeign returns JSON that came from outside with Masked in place of every
// marker in it: what comes from outside holds none of ours, only a copy that
// somebody made, and a worker would open it. JSON without one, which is all but
// hostile JSON, comes back as it is, to the byte; so does what is no JSON.
func MaskForeign(raw []byte) []byte {
	// The letters of a marker may be written as \u00XX.
	if !bytes.Contains(raw, []byte(opening[1:])) && !bytes.Contains(raw, []byte(`\u00`)) {
		return raw
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return raw
	}
	masked, changed := maskValue(v)
	if !changed {
		return raw
	}
	out, err := json.Marshal(masked)
	if err != nil {
		return raw // what was decoded can be encoded
	}
	return out
}

func maskValue(v any) (any, bool) {
	changed := false
	switch v := v.(type) {
	case string:
		return Mask(v), Contains(v)
	case []any:
		for i := range v {
			m, c := maskValue(v[i])
			v[i], changed = m, changed || c
		}
	case map[string]any:
		for key, value := range v {
			m, c := maskValue(value)
			v[key], changed = m, changed || c
			if Contains(key) {
				delete(v, key)
				v[Mask(key)], changed = m, true
			}
		}
	}
	return v, changed
}
