package sealed

import (
	"strings"
	"testing"
)

func TestMaskForeign(t *testing.T) {
	keys, err := GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	marker := keys.Public().Seal("secret")
	hidden := strings.Replace(strings.Replace(marker, "~zf", `~z\u0066`, 1), "1.", `\u0031.`, 1)
	for _, c := range []struct{ in, want string }{
		{`{"topic":"` + marker + `"}`, `{"topic":"` + Masked + `"}`},
		{`{"topic":"a ` + hidden + ` b"}`, `{"topic":"a ` + Masked + ` b"}`},
		{`[{"` + marker + `":[1,"` + marker + `"]}]`, `[{"` + Masked + `":[1,"` + Masked + `"]}]`},
		{`{"n":12345678901234567890,"t":"` + marker + `"}`, `{"n":12345678901234567890,"t":"` + Masked + `"}`},
		{`{ "topic" : "caf\u00e9 zf1. ~zf1.x" }`, `{ "topic" : "caf\u00e9 zf1. ~zf1.x" }`},
		{`{"topic": "plain" ,"id":7}`, `{"topic": "plain" ,"id":7}`},
		{`{not json ` + marker, `{not json ` + marker},
	} {
		if got := string(MaskForeign([]byte(c.in))); got != c.want {
			t.Errorf("%s\nbecame %s", c.in, got)
		}
	}
}

func BenchmarkMaskForeignNothing(b *testing.B) {
	raw := []byte(`{"event":"meeting.ended","payload":{"object":{"topic":"` + strings.Repeat("x", 500) + `"}}}`)
	for b.Loop() {
		MaskForeign(raw)
	}
}
