package jsonvalue

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

type obj = map[string]any

type arr = []any

func TestDecode(t *testing.T) {
	for src, want := range map[string]any{
		`null`: nil, ` true `: true, `false`: false, `"x"`: "x", `""`: "", `[]`: arr{}, `{}`: obj{},
		`0`: int64(0), `-0`: int64(0), `-12`: int64(-12), `1.5`: 1.5, `5.0`: int64(5), `1e3`: int64(1000), `-0.0`: int64(0),
		`9223372036854775807`:     int64(math.MaxInt64),
		`-9223372036854775808`:    int64(math.MinInt64),
		`9223372036854775808`:     "9223372036854775808",
		`12345678901234567890123`: "12345678901234567890123",
		`1e19`:                    1e19, `1e999`: "1e999", `5e-324`: 5e-324,
		`"a\u00fc\ud83d\ude00\ud83dx\n\/\""`: "aü😀\uFFFDx\n/\"",
		"\"\xff\"":                           "\uFFFD",
		`{"a": [1, {"b": "c"}], "a": 2}`:     obj{"a": int64(2)},
		"\t[ 1 ,\r\n2 ] ":                    arr{int64(1), int64(2)},
	} {
		got, err := Decode([]byte(src))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v, want %#v", src, got, err, want)
		}
	}
	for _, src := range []string{
		``, ` `, `nul`, `tru`, `+1`, `01`, `1.`, `.5`, `1e`, `-`, `"`, `"\x"`, `"\u12"`, "\"\n\"", `[1,]`, `[1 2]`, `{a:1}`,
		`{"a" 1}`, `{"a":1,}`, `{"a":1`, `[`, `1 2`, `'x'`, `NaN`, strings.Repeat("[", 20_000),
	} {
		if v, err := Decode([]byte(src)); err == nil {
			t.Errorf("%.40q is taken for %#v", src, v)
		}
	}
}

// A value read, written and read again is the same value, of the same types.
func TestRoundTrip(t *testing.T) {
	for _, v := range []any{
		nil, true, int64(5), int64(math.MinInt64), 0.1, 1e19, 1e300, 5e-324, 1e-7, -2.5, float64(1 << 62), "ü\x00\"\\\n\u2028<", arr{}, obj{},
		arr{int64(1), obj{"b": arr{nil}, "a": 1e21}},
	} {
		n, err := Normalize(v)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b)
		if err != nil || !reflect.DeepEqual(got, n) {
			t.Errorf("%#v is written %s and read %#v (%v)", n, b, got, err)
		}
	}
}

func TestEncode(t *testing.T) {
	got, err := Encode(obj{"b": []string{"x"}, "a": map[any]any{1: uint8(2), "k": time.Second}, "t": time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), "f": float32(0.5)})
	if want := `{"a":{"1":2,"k":"1s"},"b":["x"],"f":0.5,"t":"2026-03-02T10:00:00Z"}`; err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	loop := arr{nil}
	loop[0] = loop
	for _, v := range []any{math.NaN(), math.Inf(1), func() {}, make(chan int), struct{}{}, arr{math.NaN()}, loop, map[any]any{1: 1, "1": 2}, map[any]any{nil: 1}} {
		if b, err := Encode(v); err == nil {
			t.Errorf("%T is written as %.40s", v, b)
		}
		if n, err := Normalize(v); err == nil {
			t.Errorf("%T is taken for %T", v, n)
		}
	}
}

func TestNormalizeChangesNothing(t *testing.T) {
	in := obj{"a": arr{1, "x"}, "b": obj{"c": int64(1)}}
	out, err := Normalize(in)
	if err != nil || !reflect.DeepEqual(out, obj{"a": arr{int64(1), "x"}, "b": obj{"c": int64(1)}}) {
		t.Errorf("%#v, %v", out, err)
	}
	if in["a"].(arr)[0] != 1 {
		t.Error("the argument was changed")
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,-0,1e3,"x\u00e9\ud800"],"b":{"c":null}}`, `"\ud83d\ude00"`, `[[[]]]`, `1e999`, `123456789012345678901`, "\"\xff\"", `{"a":1,"a":2}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Decode(data)
		d := json.NewDecoder(bytes.NewReader(data))
		d.UseNumber()
		var want any
		wantErr := d.Decode(&want)
		if wantErr == nil {
			_, more := d.Token()
			if more == nil || more.Error() != "EOF" {
				wantErr = more
				if wantErr == nil {
					wantErr = json.Unmarshal(data, new(any))
				}
			}
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, encoding/json: %v", data, err, wantErr)
		}
		if err != nil {
			return
		}
		if want = fromNumbers(want); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %#v, encoding/json: %#v", data, got, want)
		}
		b, err := Encode(got)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Decode(b); err != nil || !reflect.DeepEqual(again, got) {
			t.Fatalf("%q is written %q and read %#v (%v)", data, b, again, err)
		}
	})
}

// fromNumbers turns what encoding/json reads into our types.
func fromNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		return parseNumber(v.String(), !strings.ContainsAny(v.String(), ".eE"))
	case []any:
		for i := range v {
			v[i] = fromNumbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = fromNumbers(v[k])
		}
	}
	return v
}
