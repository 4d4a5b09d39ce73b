package wording

import "testing"

// What the library says, in the words of the version that is used, is said again
// for people; the tests of package expr show that it still says so.
func TestOf(t *testing.T) {
	for said, want := range map[string]string{
		"index out of range: 5 (array length is 2)":                               "a.b has no element 5: it has 2",
		"index out of range: -6 (array length is 3)":                              "a.b has no element -9: it has 3",
		"invalid operation: string + int64":                                       "+ does not work with text and a number: string() makes a text of a number",
		"invalid operation: < (mismatched types string and int)":                  "< does not work with text and a number: int() makes a number of a text",
		"invalid operation: - (mismatched types interface {} and string)":         "- does not work with text: date() makes a time of a text, duration() a duration",
		"invalid operation: time.Time + int":                                      "+ does not work with a time and a number: duration('1d') is a day",
		"invalid operation: map[string]interface {} * []interface {}":             "* does not work with an object and a list",
		"invalid operation: + (mismatched types unknown and []interface {})":      "+ does not work with a list",
		"interface conversion: interface {} is int64, not string":                 "text is needed here, this is a number",
		"interface conversion: interface {} is map[string]interface {}, not bool": "true or false is needed here, this is an object",
		"interface conversion: something new":                                     "the value is of the wrong type",
		"reflect: call of reflect.Value.Len on int64 Value":                       "a list is needed here, this is a number",
		"cannot use nil as argument (type string) to call lower ":                 "lower() needs text here, this is null",
		"array elements can only be selected using an integer (got string)":       "a list has no fields: take one of its elements with [0], or use map() or filter()",
		"invalid argument for len (type bool)":                                    "len() does not work with true or false",
		"invalid operation: cannot call non-function of type string":              "text cannot be called like a function",
		"something else": "",
	} {
		got, hint, ok := Of(said, "a.b")
		if hint != "" {
			got += ": " + hint
		}
		if got != want || ok != (want != "") {
			t.Errorf("%s\n got %s\nwant %s", said, got, want)
		}
	}
	if got, _, _ := Of("index out of range: 5 (array length is 2)", ""); got != "the list has no element 5: it has 2" {
		t.Error(got)
	}
}

func TestSuggest(t *testing.T) {
	among := []string{"topic", "duration", "id", "uuid", "recording_files"}
	for name, want := range map[string]string{
		"topik": "topic", "tpoic": "topic", "durations": "duration", "recordingfiles": "recording_files", "uid": "id",
		"xyz": "", "": "", "host": "", "recording": "",
	} {
		if got := Suggest(name, among); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
