package attempt

import (
	"bytes"
	"slices"
	"strings"

	"zflow/engine"
	"zflow/engine/expr"
	"zflow/internal/sealed"
)

// leastSecret is the length from which on a text is looked for: shorter ones stand in
// much that is no secret.
const leastSecret = 6

// hidden are the credentials that a call was given, opened. Servers and programs repeat
// what they were sent, in errors above all.
type hidden []string

// hide returns the credentials that are sealed in an input.
func hide(keys *sealed.Keys, input []byte) (hidden, error) {
	text := string(input)
	if !sealed.Contains(text) {
		return nil, nil
	}
	all, err := keys.Plain(text)
	if err != nil {
		return nil, err
	}
	var h hidden
	for _, secret := range all {
		if len(secret) >= leastSecret {
			h = append(h, secret)
		}
	}
	// Of two, one of which stands in the other, the longer is looked for first.
	slices.SortStableFunc(h, func(a, b string) int { return len(b) - len(a) })
	return h, nil
}

// text is one that is shown.
func (h hidden) text(s string) string {
	for _, secret := range h {
		s = strings.ReplaceAll(s, secret, sealed.Masked)
	}
	return s
}

// hidden masks them in the error of an outcome.
func (h hidden) hidden(out *engine.Outcome) *engine.Outcome {
	out.Error.Message, out.Error.Code = h.text(out.Error.Message), h.text(out.Error.Code)
	return out
}

// seal returns an output with the credentials sealed where it repeats them: it can be
// handed on as it was, and nobody can read them.
func (h hidden) seal(raw []byte, key sealed.PublicKey) ([]byte, error) {
	with := map[string]string{}
	for _, secret := range h {
		quoted, err := expr.EncodeJSON(secret)
		if err != nil {
			return nil, err
		}
		if _, done := with[secret]; !done && bytes.Contains(raw, quoted[1:len(quoted)-1]) {
			with[secret] = key.Seal(secret)
		}
	}
	if len(with) == 0 {
		return raw, nil
	}
	v, err := expr.DecodeJSON(raw)
	if err != nil {
		return nil, err
	}
	return expr.EncodeJSON(h.value(v, with))
}

func (h hidden) value(v any, with map[string]string) any {
	switch v := v.(type) {
	case string:
		for _, secret := range h {
			if marker := with[secret]; marker != "" {
				v = strings.ReplaceAll(v, secret, marker)
			}
		}
		return v
	case []any:
		for i := range v {
			v[i] = h.value(v[i], with)
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			out[h.text(name)] = h.value(member, with)
		}
		return out
	}
	return v
}
