package actions

import "testing"

func TestInput(t *testing.T) {
	in := map[string]any{"text": "a", "flag": true, "n": int64(7), "none": nil}
	for _, c := range []struct {
		name string
		text string
		flag bool
	}{{"text", "a", false}, {"flag", "", true}, {"n", "", false}, {"none", "", true}, {"missing", "", true}} {
		given := in[c.name] != nil
		if s, err := TextIn(in, c.name); (err == nil) != (!given || c.name == "text") || s != c.text {
			t.Errorf("text %s: %q, %v", c.name, s, err)
		}
		if b, err := FlagIn(in, c.name, true); (err == nil) != (!given || c.name == "flag") || b != c.flag {
			t.Errorf("flag %s: %v, %v", c.name, b, err)
		}
	}
}
