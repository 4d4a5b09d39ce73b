package actions

import (
	"reflect"
	"testing"
)

func TestDecodeJSONKeepsDigits(t *testing.T) {
	for in, want := range map[string]any{
		`12345678901234567890`:  "12345678901234567890",
		`-9223372036854775809`:  "-9223372036854775809",
		`9223372036854775807`:   int64(9223372036854775807),
		`9007199254740993`:      int64(9007199254740993),
		`-0`:                    int64(0),
		`1.5`:                   1.5,
		`2e3`:                   2000.0,
		`1e999`:                 "1e999",
		`null`:                  nil,
		` "x" `:                 "x",
		`[1,{"a":[2,3.5,"4"]}]`: []any{int64(1), map[string]any{"a": []any{int64(2), 3.5, "4"}}},
	} {
		got, err := DecodeJSON([]byte(in))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("DecodeJSON(%s) = %#v, %v; want %#v", in, got, err, want)
		}
	}
}

func TestDecodeJSONTakesOneValue(t *testing.T) {
	for _, in := range []string{``, `{`, `{} {}`, `1 2`, `{"a":}`, `nul`, `[1,]`} {
		if v, err := DecodeJSON([]byte(in)); err == nil {
			t.Errorf("DecodeJSON(%q) = %#v, want an error", in, v)
		}
	}
}
