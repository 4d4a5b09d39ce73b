package expr

import (
	"reflect"
	"strings"
	"testing"
)

func TestToolbox(t *testing.T) {
	for src, want := range map[string]any{
		`fromCSV("name,mins\nAnna,3\n")`:                               arr{obj{"name": "Anna", "mins": "3"}},
		`fromCSV("Anna;3\n", {header: false, delimiter: ';'})`:         arr{arr{"Anna", "3"}},
		`sum(fromCSV("n\n1\n2"), int(.n))`:                             int64(3),
		`toCSV([{b: 1, a: 'x,y'}])`:                                    "a,b\r\n\"x,y\",1\r\n",
		`toCSV([{b: 1, a: 'x'}], ['b'])`:                               "b\r\n1\r\n",
		`toCSV([{b: 1, a: 'x'}], split('b,a', ','), {delimiter: ';'})`: "b;a\r\n1;x\r\n",
		`toCSV([[1, 2]], null, {header: false})`:                       "1,2\r\n",
		`toCSV([['=1', -1]], null, {guard: true})`:                     "'=1,-1\r\n",
		`toCSV([1..2])`:                               "1,2\r\n",
		`toCSV([])`:                                   "",
		`fromCSV('')`:                                 arr{},
		`md5('hi')`:                                   "49f68a5c8493ec2c0bf489821c21fc3b",
		`sha1('hi')`:                                  "c22b5f9178342609428d6f51b2c5af4c0bde6a42",
		`len(sha512('hi'))`:                           int64(128),
		`toBase64('a?>b', 'url')`:                     "YT8-Yg",
		`toBase64('a?>b')`:                            "YT8+Yg==",
		`fromBase64('YT8-Yg')`:                        "a?>b",
		`fromBase64("YT8+\nYg==")`:                    "a?>b",
		`sha256(fromBase64('/w=='))`:                  "a8100ae6aa1940d0b663bb31cd466142ebbdbd5187131b92d93818987832eb89",
		`toHex('hü')`:                                 "68c3bc",
		`fromHex('68C3BC')`:                           "hü",
		`toURL('a b/c+d?ü')`:                          "a%20b%2Fc%2Bd%3F%C3%BC",
		`fromURL('a%20b%2Fc+d')`:                      "a b/c+d",
		`toQuery({b: [1, 2], a: 'x y', c: null})`:     "a=x%20y&b=1&b=2",
		`fromQuery('?a=x+y&b=1&b=2')`:                 obj{"a": "x y", "b": arr{"1", "2"}},
		`addTime('2026-01-31T12:00:00Z', 1, 'month')`: "2026-02-28T12:00:00Z",
		`addTime('2026-03-28T08:00:00Z', 1, 'day', 'Europe/Berlin')`:                          "2026-03-29T09:00:00+02:00",
		`addTime(date('2026-03-28 09:00', 'Europe/Berlin'), 1, 'day')`:                        "2026-03-29T09:00:00+02:00",
		`addTime(date('2026-03-28 09:00', 'Europe/Berlin'), 24, 'hour')`:                      "2026-03-29T10:00:00+02:00",
		`diffTime('2026-01-31', '2026-03-30', 'month')`:                                       int64(1),
		`diffTime('2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z', 'day', 'America/New_York')`: int64(1),
		`startOf('2026-03-02T23:30:00Z', 'day', 'Europe/Berlin')`:                             "2026-03-03T00:00:00+01:00",
		`endOf('2026-02-02', 'month')`:                                                        "2026-02-28T23:59:59.999999999Z",
		`nextTime('2026-03-06T18:00:00Z', 'mon-fri 09:00', 'America/New_York')`:               "2026-03-09T09:00:00-04:00",
		`map(1..2, addTime('2026-03-02', #, 'week'))`:                                         arr{"2026-03-09T00:00:00Z", "2026-03-16T00:00:00Z"},
		`startOf(now(), 'year') < now()`:                                                      true,
	} {
		got, err := eval(t, src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, want %#v", src, got, want)
		}
	}
}

func TestToolboxErrors(t *testing.T) {
	for src, want := range map[string]string{
		`fromCSV("a\n1,2")`:                     "1:1 line 2 has 2 fields, and the header 1: is another delimiter meant? header: false gives the lines as lists",
		`fromCSV('a', {delimeter: ';', x: 1})`:  `1:1 there is no option "delimeter": there is header, delimiter`,
		`fromCSV('a', {delimiter: ''})`:         `1:1 "" is no delimiter: write one character, such as ',' or ';' or "\t"`,
		`fromCSV('a', {header: 'no'})`:          "1:1 the option header is true or false",
		`fromCSV('a', true)`:                    "1:1 an object of options is needed here, this is true or false",
		`fromCSV(event.none)`:                   "1:1 event.none is missing, which fromCSV() needs: add ?? with what to use instead",
		`toCSV('x')`:                            "1:1 a list is needed here, this is text",
		`toCSV(['x'])`:                          "1:1 row 0 is no object and no list: map() makes one of each element",
		`toCSV([[1]], 'a')`:                     "1:1 a list of columns is needed here, this is text",
		`toBase64('x', 'urls')`:                 "1:1 the second argument of toBase64() is 'url': leave it out for plain Base64",
		`fromBase64('ä')`:                       "1:1 the text is no Base64",
		`fromHex('0')`:                          `1:1 "0" is no hex: it has two of 0-9 and a-f for each byte`,
		`fromURL('100%')`:                       `1:1 "100%" has a % that no two hex digits follow: %25 is a percent sign`,
		`fromQuery('a=%')`:                      `1:1 "a=%" is no query: it is name=value&name=value, with % and two hex digits for other characters`,
		`toQuery([1])`:                          "1:1 an object is needed here, this is a list",
		`addTime('2026-01-31', 1.5, 'month')`:   "1:1 a whole number is needed here, this is a number",
		`addTime('2026-01-31', 1, 'moon')`:      `1:1 "moon" is no unit of time: there is second, minute, hour, day, week, month, quarter, year`,
		`addTime('2026-01-31', 9000, 'year')`:   "1:1 the time would be outside of the years 0 to 9999",
		`diffTime('2026-01-31', 'soon', 'day')`: `1:1 "soon" is no date or time: write it as 2026-03-02T10:00:00Z, or give its layout`,
		`startOf(event.none, 'day')`:            "1:1 a value is missing where a time is needed: add ?? with what to use instead",
		`startOf(now(), 'day', 'Berlin')`:       `1:1 "Berlin" is no time zone: write one such as 'Europe/Berlin' or 'UTC'`,
		`nextTime(now(), 'someday')`:            `1:1 "someday" is no day or time of day: write it like 'mon', '09:00' or 'mon-fri 09:00,14:30'`,
		`md5(5)`:                                "1:1 text is needed here, this is a number",
	} {
		_, err := eval(t, src)
		if got := describe(err); got != want {
			t.Errorf("%s\n got %q\nwant %q", src, got, want)
		}
	}
}

// Nothing that these functions make is larger than a text may be, and their work counts.
func TestToolboxLimits(t *testing.T) {
	for _, src := range []string{
		`toCSV(map(1..9, repeat('x', 1000000)) | map([#]))`,
		`toHex(repeat('x', 8000000))`,
		`toURL(repeat('x', 8000000))`,
		`map(1..100, sha512(repeat('x', 8000000)))`,
		`map(1..1000, fromCSV(repeat("a,b\n", 10000), {header: false}))`,
		`fromCSV(repeat(',', 20000))`,
	} {
		if _, err := eval(t, src); err == nil || !strings.Contains(err.Error(), "too m") && !strings.Contains(err.Error(), "long") && !strings.Contains(err.Error(), "more than") {
			t.Errorf("%s: %v", src, err)
		}
	}
}
