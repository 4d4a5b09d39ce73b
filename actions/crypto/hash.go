package crypto

import (
	"context"
	"crypto/md5" //nolint:gosec // for systems that ask for it
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"strings"

	"zflow/actions"
)

// digest is the action crypto.hash.
func digest(files actions.Files) *actions.Action {
	return &actions.Action{Spec: hashSpec(), Do: func(ctx context.Context, c actions.Call) (actions.Result, error) {
		hashing, err := hashOf(c.Input["algorithm"])
		if err != nil {
			return actions.Result{}, err
		}
		from, err := contentOf(ctx, files, c.Input)
		if err != nil {
			return actions.Result{}, err
		}
		defer from.Close()
		h := hashing()
		size, err := io.Copy(h, from)
		if err != nil {
			return actions.Result{}, actions.Retryable("reading the file: %v", err)
		}
		sum := h.Sum(nil)
		return actions.Result{Output: map[string]any{"hex": hex.EncodeToString(sum), "base64": base64.StdEncoding.EncodeToString(sum), "size": size}}, nil
	}}
}

func hashOf(given any) (func() hash.Hash, error) {
	switch name, text := given.(string); {
	case given == nil:
		return hashes["sha256"], nil
	case text && name == "md5":
		return md5.New, nil
	case text && hashes[name] != nil:
		return hashes[name], nil
	}
	return nil, actions.Final("algorithm is md5, sha1, sha256 or sha512, not %.40q", given)
}

// contentOf is what is hashed: a text, or a file however large.
func contentOf(ctx context.Context, files actions.Files, input map[string]any) (io.ReadCloser, error) {
	text, isText := input["text"].(string)
	switch {
	case input["text"] != nil && input["file"] != nil:
		return nil, actions.Final("text and file are given: choose one")
	case isText:
		return io.NopCloser(strings.NewReader(text)), nil
	case input["text"] != nil:
		return nil, actions.Final("text is not text: toJSON() makes one of a value")
	}
	f, ok := actions.FileOf(input["file"])
	switch {
	case input["file"] == nil:
		return nil, actions.Final("text or file is missing: it is what is hashed")
	case !ok:
		return nil, actions.Final("file is no file that another step gave")
	case files.Open == nil:
		return nil, actions.Final("files cannot be read here: there is no store of files")
	}
	from, err := files.Open(ctx, f)
	if err != nil {
		return nil, actions.Retryable("reading the file: %v", err)
	}
	return from, nil
}

func hashSpec() actions.Spec {
	return actions.Spec{
		Name: "crypto.hash", Summary: "Makes the hash of a text or of a file, however large.", Effect: actions.Read,
		Input: actions.Schema{Type: "object", Fields: map[string]actions.Schema{
			"text":      {Type: "string", Doc: "What is hashed, in UTF-8."},
			"file":      actions.FileSchema("Or a file that another step gave."),
			"algorithm": {Type: "string", Doc: "The hash; md5 and sha1 are for systems that ask for them.", Enum: []string{"md5", "sha1", "sha256", "sha512"}, Default: "sha256"},
		}},
		Output: actions.Schema{Type: "object", Required: []string{"hex", "base64", "size"}, Fields: map[string]actions.Schema{
			"hex":    {Type: "string", Doc: "The hash in hex."},
			"base64": {Type: "string", Doc: "The hash in Base64, as Content-MD5 wants it."},
			"size":   {Type: "integer", Doc: "How many bytes were hashed."},
		}},
		Examples: []actions.Example{{
			Title: "Hash a text", Input: map[string]any{"text": "hi", "algorithm": "md5"},
			Output: map[string]any{"hex": "49f68a5c8493ec2c0bf489821c21fc3b", "base64": "SfaKXIST7CwL9ImCHCH8Ow==", "size": int64(2)},
		}},
	}
}
