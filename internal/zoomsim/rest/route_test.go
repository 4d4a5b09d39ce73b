package rest

import (
	"strings"
	"testing"
)

func FuzzDecodeID(f *testing.F) {
	for _, seed := range []string{"", "abc==", "%2Fabc", "%252Fabc%252F%252F", "%", "%zz", "a%25b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, param string) {
		id, ok := decodeID(param)
		if ok && strings.HasPrefix(id, "/") && !strings.Contains(param, "%25") {
			t.Errorf("%q gives %q though it was not encoded twice", param, id)
		}
	})
}
