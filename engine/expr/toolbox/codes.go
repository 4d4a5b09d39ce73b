package toolbox

import (
	"crypto/md5"  //nolint:gosec // for systems that ask for it, not for security
	"crypto/sha1" //nolint:gosec // the same
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"

	"zflow/engine/expr/jsonvalue"
)

func md5Hex(b []byte) string    { s := md5.Sum(b); return hex.EncodeToString(s[:]) }
func sha1Hex(b []byte) string   { s := sha1.Sum(b); return hex.EncodeToString(s[:]) }
func sha256Hex(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
func sha512Hex(b []byte) string { s := sha512.Sum512(b); return hex.EncodeToString(s[:]) }

// digest makes a function of a hash; its work is charged by the size of the text.
func digest(f func([]byte) string) Function {
	return f1(func(m Meter, s string) (any, error) {
		if err := m.Step(len(s) / 64); err != nil {
			return nil, err
		}
		return f([]byte(s)), nil
	})
}

// toBase64 is toBase64(text), or toBase64(text, 'url'): for URLs, without padding.
func toBase64(m Meter, args []any) (any, error) {
	s, err := Text(args[0])
	if err != nil {
		return nil, err
	}
	kind := base64.StdEncoding
	if len(args) == 2 {
		if args[1] != "url" {
			return nil, &Error{Message: "the second argument of toBase64() is 'url'", Hint: "leave it out for plain Base64"}
		}
		kind = base64.RawURLEncoding
	}
	if err := m.Grow(kind.EncodedLen(len(s))); err != nil {
		return nil, err
	}
	return kind.EncodeToString([]byte(s)), nil
}

// fromBase64 reads both alphabets, with padding or without.
func fromBase64(m Meter, s string) (any, error) {
	if err := m.Grow(len(s)); err != nil {
		return nil, err
	}
	plain := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/", "\r", "", "\n", "").Replace(s), "=")
	b, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return nil, &Error{Message: "the text is no Base64"}
	}
	return string(b), nil
}

func toHex(m Meter, s string) (any, error) {
	if err := m.Grow(2 * len(s)); err != nil {
		return nil, err
	}
	return hex.EncodeToString([]byte(s)), nil
}

func fromHex(m Meter, s string) (any, error) {
	if err := m.Grow(len(s)); err != nil {
		return nil, err
	}
	b, err := hex.DecodeString(strings.TrimSpace(s))
	if err != nil {
		return nil, &Error{Message: short(s) + " is no hex", Hint: "it has two of 0-9 and a-f for each byte"}
	}
	return string(b), nil
}

// toURL escapes a text for any part of a URL.
func toURL(m Meter, s string) (any, error) {
	if err := m.Grow(3 * len(s)); err != nil {
		return nil, err
	}
	return escape(s), nil
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func fromURL(m Meter, s string) (any, error) {
	if err := m.Grow(len(s)); err != nil {
		return nil, err
	}
	out, err := url.PathUnescape(s)
	if err != nil {
		return nil, &Error{Message: short(s) + " has a % that no two hex digits follow", Hint: "%25 is a percent sign"}
	}
	return out, nil
}

// toQuery writes an object as a query: names in their order, lists as a name that
// comes again, null left out.
func toQuery(m Meter, args []any) (any, error) {
	plain, err := jsonvalue.Normalize(args[0])
	if err != nil {
		return nil, err
	}
	o, ok := plain.(map[string]any)
	if !ok {
		return nil, WrongKind("an object", args[0])
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(o)) {
		all, ok := o[name].([]any)
		if !ok {
			all = []any{o[name]}
		}
		if err := m.Step(len(all)); err != nil {
			return nil, err
		}
		for _, v := range all {
			if err := addPair(&b, name, v); err != nil {
				return nil, err
			}
		}
	}
	return b.String(), m.Grow(b.Len())
}

func addPair(b *strings.Builder, name string, v any) error {
	if v == nil {
		return nil
	}
	s, err := jsonvalue.Text(v)
	if err != nil {
		return err
	}
	if b.Len() > 0 {
		b.WriteByte('&')
	}
	b.WriteString(escape(name) + "=" + escape(s))
	if b.Len() > jsonvalue.MaxText {
		return jsonvalue.ErrTooLong
	}
	return nil
}

// fromQuery reads a query or form: text by name, a list where a name comes again.
func fromQuery(m Meter, s string) (any, error) {
	if err := m.Step(len(s)); err != nil {
		return nil, err
	}
	read, err := url.ParseQuery(strings.TrimPrefix(s, "?"))
	if err != nil {
		return nil, &Error{Message: short(s) + " is no query", Hint: "it is name=value&name=value, with % and two hex digits for other characters"}
	}
	out := make(map[string]any, len(read))
	for name, all := range read {
		if len(all) == 1 {
			out[name] = all[0]
			continue
		}
		list := make([]any, len(all))
		for i, v := range all {
			list[i] = v
		}
		out[name] = list
	}
	return out, nil
}
