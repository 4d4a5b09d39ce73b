package crypto_test

import (
	"reflect"
	"strings"
	"testing"

	"zflow/actions"
	"zflow/actions/actionstest"
	"zflow/actions/crypto"
)

type object = map[string]any

func do(t *testing.T, input object) (object, error) {
	t.Helper()
	a := crypto.Action()
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

func TestExamples(t *testing.T) {
	for _, x := range crypto.Action().Spec.Examples {
		if got, err := do(t, x.Input); err != nil || !reflect.DeepEqual(any(got), x.Output) {
			t.Errorf("%s: %v, %v", x.Title, got, err)
		}
	}
}
