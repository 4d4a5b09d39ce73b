package eavesdrop

import (
	"bytes"
	"encoding/base64"
	"testing"
)

// A secret is found wherever it stands in something in Base64.
func TestForms(t *testing.T) {
	const secret = "s3cret-of-the-app"
	for _, text := range []string{secret, "a" + secret, "ab" + secret + "z", "abc" + secret + "zz", `{"secret":"` + secret + `"}`} {
		coded, found := []byte(base64.StdEncoding.EncodeToString([]byte(text))), false
		for _, form := range forms(secret) {
			found = found || bytes.Contains(coded, form)
		}
		if !found {
			t.Errorf("not found in %q as %s", text, coded)
		}
	}
}
