// Package crypto has the action crypto.hmac, which signs a text with a secret key, since no
// expression can look at one, and crypto.hash, which makes the hash of a file.
//
// The key is opened for the call alone. Neither the output nor an error has it.
package crypto

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // for systems that ask for it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strings"

	"zflow/actions"
)

var hashes = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

// Actions returns crypto.hmac and crypto.hash.
func Actions(files actions.Files) []*actions.Action {
	return []*actions.Action{{Spec: spec(), Do: sign}, digest(files)}
}

func sign(_ context.Context, c actions.Call) (actions.Result, error) {
	var given [5]string
	for i, name := range []string{"key", "text", "algorithm", "key_encoding", "signature"} {
		s, ok := c.Input[name].(string)
		if !ok && c.Input[name] != nil {
			return actions.Result{}, actions.Final("%s is not text: toJSON() makes one of a value", name)
		}
		given[i] = s
	}
	key, err := keyOf(given[0], given[3])
	if err != nil {
		return actions.Result{}, err
	}
	hashing := hashes[cmp.Or(given[2], "sha256")]
	switch {
	case hashing == nil:
		return actions.Result{}, actions.Final("algorithm is sha1, sha256 or sha512, not %.40q", given[2])
	case c.Input["text"] == nil:
		return actions.Result{}, actions.Final("text is missing: it is what is signed")
	}
	h := hmac.New(hashing, key)
	h.Write([]byte(given[1]))
	sum := h.Sum(nil)
	out := map[string]any{"hex": hex.EncodeToString(sum), "base64": base64.StdEncoding.EncodeToString(sum)}
	if c.Input["signature"] != nil {
		out["valid"] = matches(given[4], sum)
	}
	return actions.Result{Output: out}, nil
}

// keyOf never says what the key is.
func keyOf(s, encoding string) (key []byte, err error) {
	switch encoding {
	case "", "text":
		key = []byte(s)
	case "hex":
		key, err = hex.DecodeString(s)
	case "base64":
		s = strings.TrimPrefix(s, "whsec_") // as Standard Webhooks write theirs
		plain := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(s), "=")
		key, err = base64.RawStdEncoding.DecodeString(plain)
	default:
		return nil, actions.Final("key_encoding is text, hex or base64, not %.40q", encoding)
	}
	if err != nil {
		return nil, actions.Final("the key is no %s", encoding)
	}
	if len(key) == 0 {
		return nil, actions.Final("key is missing or empty: write ${{ secrets.<name> }}")
	}
	return key, nil
}

// matches compares in a time that does not tell where the difference is.
func matches(signature string, sum []byte) bool {
	if b, err := hex.DecodeString(signature); err == nil && hmac.Equal(b, sum) {
		return true
	}
	b, err := base64.StdEncoding.DecodeString(signature)
	return err == nil && hmac.Equal(b, sum)
}

func spec() actions.Spec {
	return actions.Spec{
		Name: "crypto.hmac", Summary: "Signs a text with a secret key (HMAC), or checks a signature.", Effect: actions.Read,
		Input: actions.Schema{Type: "object", Required: []string{"key", "text"}, Fields: map[string]actions.Schema{
			"key":          {Type: "string", Doc: "The key: a secret."},
			"key_encoding": {Type: "string", Doc: "How the key is written; a whsec_ before Base64 is no part of it.", Enum: []string{"text", "hex", "base64"}, Default: "text"},
			"text":         {Type: "string", Doc: "What is signed."},
			"algorithm":    {Type: "string", Doc: "The hash.", Enum: []string{"sha1", "sha256", "sha512"}, Default: "sha256"},
			"signature":    {Type: "string", Doc: "A signature to compare with, in hex or Base64."},
		}},
		Output: actions.Schema{Type: "object", Required: []string{"hex", "base64"}, Fields: map[string]actions.Schema{
			"hex":    {Type: "string", Doc: "The signature in hex."},
			"base64": {Type: "string", Doc: "The signature in Base64."},
			"valid":  {Type: "boolean", Doc: "Whether the given signature is this; only where one was given."},
		}},
		Examples: []actions.Example{{
			Title: "Sign a text", Input: map[string]any{"key": "key", "text": "The quick brown fox jumps over the lazy dog"},
			Output: map[string]any{"hex": "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8", "base64": "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg="},
		}},
	}
}
