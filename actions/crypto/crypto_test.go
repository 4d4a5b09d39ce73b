package crypto_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"zflow/actions"
	"zflow/actions/actionstest"
	"zflow/actions/crypto"
)

type object = map[string]any

func do(t *testing.T, input object) (object, error) {
	t.Helper()
	return doWith(t, crypto.Actions(actions.Files{})[0], input)
}

func doWith(t *testing.T, a *actions.Action, input object) (object, error) {
	t.Helper()
	got, err := a.Do(t.Context(), actions.Call{Input: input})
	if err != nil {
		return nil, err
	}
	for _, problem := range actionstest.Check(a.Spec.Output, got.Output) {
		t.Error(problem)
	}
	return got.Output.(object), nil
}

// The vectors are those of RFC 4231 and RFC 2202, case 2.
func TestSign(t *testing.T) {
	for algorithm, want := range map[string]string{
		"sha1":   "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
		"sha256": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"sha512": "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
	} {
		for _, input := range []object{
			{"key": "Jefe"}, {"key": "4a656665", "key_encoding": "hex"}, {"key": "SmVmZQ==", "key_encoding": "base64"}, {"key": "SmVmZQ", "key_encoding": "base64"},
			{"key": "whsec_SmVmZQ==", "key_encoding": "base64"},
		} {
			input["text"], input["algorithm"], input["signature"] = "what do ya want for nothing?", algorithm, want
			if got, err := do(t, input); err != nil || got["hex"] != want || got["valid"] != true {
				t.Errorf("%v: %v, %v", input, got, err)
			}
		}
	}
	got, err := do(t, object{"key": "Jefe", "text": "what do ya want for nothing?"})
	if err != nil || !strings.HasPrefix(got["hex"].(string), "5bdcc146") {
		t.Errorf("sha256 is the default: %v, %v", got, err)
	}
	for signature, valid := range map[string]bool{got["base64"].(string): true, "": false, "5bdc": false, "no signature": false} {
		if got, err := do(t, object{"key": "Jefe", "text": "what do ya want for nothing?", "signature": signature}); err != nil || got["valid"] != valid {
			t.Errorf("%q: %v, %v", signature, got, err)
		}
	}
}

func TestWrongInputs(t *testing.T) {
	for want, input := range map[string]object{
		"key is missing or empty: write ${{ secrets.<name> }}": {"text": "x"},
		"key is not text: toJSON() makes one of a value":       {"key": int64(5), "text": "x"},
		"text is missing: it is what is signed":                {"key": "hunter2"},
		"text is not text: toJSON() makes one of a value":      {"key": "hunter2", "text": object{}},
		`algorithm is sha1, sha256 or sha512, not "md5"`:       {"key": "hunter2", "text": "x", "algorithm": "md5"},
		`key_encoding is text, hex or base64, not "utf-7"`:     {"key": "hunter2", "text": "x", "key_encoding": "utf-7"},
		"the key is no hex":    {"key": "hunter2", "text": "x", "key_encoding": "hex"},
		"the key is no base64": {"key": "hunter2!", "text": "x", "key_encoding": "base64"},
	} {
		if got, err := do(t, input); err == nil || err.Error() != want {
			t.Errorf("%v: %v, %v", input, got, err)
		}
	}
}

// TestHash: of a text, and of a file whose bytes are read as they come.
func TestHash(t *testing.T) {
	reference := actions.File{ID: "file-1", Name: "a", SHA256: "00", Size: 2}
	var reading error
	hash := crypto.Actions(actions.Files{Open: func(_ context.Context, f actions.File) (io.ReadCloser, error) {
		if f != reference {
			t.Errorf("opened %v", f)
		}
		if reading != nil {
			return io.NopCloser(iotest.ErrReader(reading)), nil
		}
		return io.NopCloser(strings.NewReader("hi")), nil
	}})[1]
	for algorithm, want := range map[string]string{
		"md5": "49f68a5c8493ec2c0bf489821c21fc3b", "sha1": "c22b5f9178342609428d6f51b2c5af4c0bde6a42",
		"sha256": "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4", "sha512": "150a14ed5bea6cc7",
	} {
		for _, input := range []object{{"text": "hi"}, {"file": reference.Value()}} {
			input["algorithm"] = algorithm
			if got, err := doWith(t, hash, input); err != nil || !strings.HasPrefix(got["hex"].(string), want) || got["size"] != int64(2) {
				t.Errorf("%v: %v, %v", input, got, err)
			}
		}
	}
	for want, input := range map[string]object{
		"text or file is missing: it is what is hashed":       {},
		"text and file are given: choose one":                 {"text": "hi", "file": reference.Value()},
		"text is not text: toJSON() makes one of a value":     {"text": object{}},
		"file is no file that another step gave":              {"file": "a.txt"},
		`algorithm is md5, sha1, sha256 or sha512, not "crc"`: {"text": "hi", "algorithm": "crc"},
	} {
		if _, err := doWith(t, hash, input); err == nil || err.Error() != want {
			t.Errorf("%v: %v", input, err)
		}
	}
	reading = errors.New("it is another file")
	var e *actions.Error
	if _, err := doWith(t, hash, object{"file": reference.Value()}); !errors.As(err, &e) || e.Class != actions.ClassRetryable {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

func TestExamples(t *testing.T) {
	for _, a := range crypto.Actions(actions.Files{}) {
		for _, x := range a.Spec.Examples {
			if got, err := doWith(t, a, x.Input); err != nil || !reflect.DeepEqual(any(got), x.Output) {
				t.Errorf("%s: %v, %v", x.Title, got, err)
			}
		}
	}
}
