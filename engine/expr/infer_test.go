package expr

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// guidedScope is a scope with an event whose fields are known, as they are of
// Zoom's, and the names that only some places have.
func guidedScope() *Scope {
	file := Guided(map[string]Type{"file_type": Scalar(Text), "download_url": Scalar(Text), "file_size": Scalar(Number)})
	object := Guided(map[string]Type{
		"id": {}, "uuid": Scalar(Text), "topic": Scalar(Text), "duration": Scalar(Number), "on_prem": Scalar(Bool),
		"recording_files": List(file), "participant": Guided(map[string]Type{"user_name": Scalar(Text), "email": Scalar(Text)}),
	})
	event := Guided(map[string]Type{
		"event": Scalar(Text), "payload": Guided(map[string]Type{"account_id": Scalar(Text), "object": object}),
	})
	return NewScope(map[string]Type{
		"event": event, "arrived": event, "mail": {}, "item": file, "index": Scalar(Number),
		"failure": Object(map[string]Type{"step": Scalar(Text), "error": Object(map[string]Type{"message": {}}, false)}, false),
		"steps":   Object(map[string]Type{"recording": Object(map[string]Type{"output": event, "outcome": {}}, false)}, false),
	}, nil, nil)
}

func warningsOf(es Errors) string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = describe(e)
	}
	return strings.Join(lines, "\n")
}

// A name close to a known one is an error; others are warnings.
func TestGuided(t *testing.T) {
	const o = "event.payload.object"
	for src, want := range map[string]string{
		o + ".topic":                          "",
		o + ".topik":                          "error 1:22 event.payload.object has no field topik: did you mean topic? If topik is a new field, write get(event.payload.object, 'topik')",
		o + "['topik']":                       "error 1:22 event.payload.object has no field topik: did you mean topic? If topik is a new field, write get(event.payload.object, 'topik')",
		"get(" + o + ", 'topik')":             "",
		"1 +\n ü.x":                           "error 2:2 unknown name ü: text stands in quotes: 'ü'",
		"len('ü') + " + o + ".duratoin":       "error 1:33 event.payload.object has no field duratoin: did you mean duration? If duratoin is a new field, write get(event.payload.object, 'duratoin')",
		o + ".waiting_room_mode":              "1:22 event.payload.object has no known field waiting_room_mode: known are duration, id, on_prem, participant, recording_files, topic, uuid",
		o + ".waiting_room_mode.deeper.yet":   "1:22 event.payload.object has no known field waiting_room_mode: known are duration, id, on_prem, participant, recording_files, topic, uuid",
		o + "?.registrant?.email ?? ''":       "1:23 event.payload.object has no known field registrant: known are duration, id, on_prem, participant, recording_files, topic, uuid",
		"event.object.uuid":                   "1:7 event has no known field object: did you mean event.payload.object?",
		o + ".user_name":                      "1:22 event.payload.object has no known field user_name: did you mean event.payload.object.participant.user_name?",
		"(" + o + ".participant ?? {}).emial": "error 1:42 (event.payload.object.participant ?? {}) has no field emial: did you mean email? If emial is a new field, write get((event.payload.object.participant ?? {}), 'emial')",
		o + ".topic.length":                   "1:28 event.payload.object.topic is text and has no field length",
		o + ".recording_files.file_type":      "1:38 event.payload.object.recording_files is a list and has no field file_type: take one with [0], or each with map()",
		o + ".recording_files[0].file_typ":    "error 1:41 event.payload.object.recording_files[0] has no field file_typ: did you mean file_type? If file_typ is a new field, write get(event.payload.object.recording_files[0], 'file_typ')",
		o + ".recording_files[0:2][0].x":      "1:46 event.payload.object.recording_files[0:2][0] has no known field x: known are download_url, file_size, file_type",

		"filter(" + o + ".recording_files, .file_type == 'MP4')":                 "",
		"filter(" + o + ".recording_files, .filetype == 'MP4')":                  "error 1:47 there is no field filetype here: did you mean file_type? If filetype is a new field, write get(#, 'filetype')",
		"map(filter(" + o + ".recording_files, true), .download_ur)":             "error 1:58 there is no field download_ur here: did you mean download_url? If download_ur is a new field, write get(#, 'download_ur')",
		o + ".recording_files | filter(true) | sortBy(.file_size) | map(#.mode)": "1:82 there is no known field mode here: known are download_url, file_size, file_type",
		"find(" + o + ".recording_files, true).mode":                             "1:50 find(event.payload.object.recording_files, true) has no known field mode: known are download_url, file_size, file_type",
		"map(" + o + ".recording_files, {let f = #; f.mode})":                    "1:57 f has no known field mode: known are download_url, file_size, file_type",
		"let f = first(" + o + ".recording_files); f.file_type == f.mode":        "1:71 f has no known field mode: known are download_url, file_size, file_type",
		"map(" + o + ".recording_files, any([1], # == 1) ? .mode : .file_type)":  "1:63 there is no known field mode here: known are download_url, file_size, file_type",
		"map([{a: 1}], .b)":                                                               "error 1:16 there is no field b here: did you mean a?",
		"(index > 1 ? {a: 1} : {}).a":                                                     "",
		"reduce(" + o + ".recording_files, #acc + .file_size, 0)":                         "",
		"(event.event == 'x' ? arrived : event).mode":                                     "1:40 (event.event == \"x\" ? arrived : event) has no known field mode: known are event, payload",
		"(event.event == 'x' ? 1 : event).payload.mode":                                   "",
		"steps.recording.output.payload.object.mode":                                      "1:39 steps.recording.output.payload.object has no known field mode: known are duration, id, on_prem, participant, recording_files, topic, uuid",
		"steps.recording.outptu":                                                          "error 1:17 steps.recording has no field outptu: did you mean output?",
		"format(now(), '%F', event.payload.mode)":                                         "1:35 event.payload has no known field mode: known are account_id, object",
		"-event.payload.mode + [event.payload.mode][event.payload.mode] + date(1).Unix()": "1:16 event.payload has no known field mode: known are account_id, object\n1:38 event.payload has no known field mode: known are account_id, object\n1:58 event.payload has no known field mode: known are account_id, object",

		o + ".duration == '45'":            "1:31 event.payload.object.duration is a number, and is compared with text: leave out the quotes",
		o + ".duration > 45":               "",
		o + ".id == '45'":                  "",
		"45 != " + o + ".topic":            "1:4 event.payload.object.topic is text, and is compared with a number: put quotes around the number",
		o + ".on_prem == 'yes'":            "1:30 event.payload.object.on_prem is true or false, and is compared with text",
		o + ".topic == null":               "",
		o + ".topic == " + o + ".duration": "",

		"filter(" + o + ".topic, true)": "1:1 event.payload.object.topic is text, and filter() goes through a list",
		"any(" + o + ", true)":          "1:1 event.payload.object is an object, and any() goes through a list",

		"mail.anything": "", "arrived.payload.object.uuid": "", "failure.error.message": "",
		"arrived.paylod": "error 1:9 arrived has no field paylod: did you mean payload? If paylod is a new field, write get(arrived, 'paylod')",
		"failure.eror":   "error 1:9 failure has no field eror: did you mean error?",
		"item.file_siz":  "error 1:6 item has no field file_siz: did you mean file_size? If file_siz is a new field, write get(item, 'file_siz')",
		"index.x":        "1:7 index is a number and has no field x",
	} {
		p, err := Compile(src, guidedScope())
		got := ""
		if err != nil {
			got = "error " + describe(err)
		} else {
			got = warningsOf(p.Warnings())
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", src, got, want)
		}
	}
}

// The names that only some places have are names like any other.
func TestRootsOfLoopsWaitsAndFailures(t *testing.T) {
	env := Env{
		"mail": "a@x.org", "item": obj{"file_size": int64(7)}, "index": int64(3),
		"arrived": obj{"payload": obj{"object": obj{"uuid": "u"}}}, "failure": obj{"step": "send", "error": obj{"message": "no"}},
	}
	for src, want := range map[string]any{
		"mail": "a@x.org", "mail + '!'": "a@x.org!", "item.file_size * index": int64(21), "index + 1": int64(4),
		"arrived.payload.object.uuid == 'u'": true, "failure.step + ': ' + failure.error.message": "send: no",
		"map(1..2, # + index)": arr{int64(4), int64(5)}, "{(mail): index}": obj{"a@x.org": int64(3)},
		"map([index], {let n = #; mail + string(n)})": arr{"a@x.org3"},
	} {
		p, err := Compile(src, guidedScope())
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got, err := p.Eval(env, testClock); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", src, got, err)
		}
	}
}

// Warnings of a template have the path and the place of their text.
func TestTemplateWarnings(t *testing.T) {
	tpl, err := ParseTemplate(obj{
		"a": arr{"x", "two\nlines ${{ event.mode }} ${{ event.event }}"}, "b": "${{ event.event == 1 }}",
	}, guidedScope())
	if err != nil {
		t.Fatal(err)
	}
	want := "2:17 a.1: event has no known field mode: known are event, payload\n" +
		"1:17 b: event.event is text, and is compared with a number: put quotes around the number"
	if got := warningsOf(tpl.Warnings()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if tpl, err = ParseTemplate("${{ event.event }}", guidedScope()); err != nil || tpl.Warnings() != nil {
		t.Errorf("%v, %v", tpl.Warnings(), err)
	}
	_, err = ParseTemplate(obj{"a": "${{ event.paylod }}"}, guidedScope())
	var errs Errors
	if !errors.As(err, &errs) || len(errs) != 1 || describe(errs[0]) != "1:11 a: event has no field paylod: did you mean payload? If paylod is a new field, write get(event, 'paylod')" {
		t.Errorf("%v", err)
	}
}

// What an expression gives is known, so that what follows from it can be checked.
func TestTypeOfResults(t *testing.T) {
	const files = "event.payload.object.recording_files"
	for src, want := range map[string]string{
		"${{ " + files + " }}":                                     "[{download_url file_size file_type}?]",
		"${{ map(" + files + ", .download_url) }}":                 "[text]",
		"${{ filter(" + files + ", true)[0] }}":                    "{download_url file_size file_type}?",
		"${{ {a: 1, b: event.event} }}":                            "{a b}",
		"${{ {(event.event): 1} }}":                                "any",
		"${{ map(" + files + ", ({url: .download_url}))[0].url }}": "text",
		"${{ [1, 2] }}":                                            "[a number]",
		"${{ [1, 'a'] }}":                                          "[any]",
		"${{ event.payload ?? null }}":                             "{account_id object}?",
		"${{ keys(event) }}":                                       "any",
		"plain":                                                    "text",
		"a ${{ 1 }}":                                               "text",
	} {
		tpl, err := ParseTemplate(src, guidedScope())
		if err != nil {
			t.Errorf("%s: %v", src, err)
		} else if got := show(tpl.Type()); got != want {
			t.Errorf("%s is %s, want %s", src, got, want)
		}
	}
	tpl, err := ParseTemplate(obj{"a": "${{ event }}", "b": arr{"${{ 1 }}", 2}, "c": arr{true}, "d": nil, "e": arr{}}, guidedScope())
	if err != nil {
		t.Fatal(err)
	}
	all := tpl.Type()
	for name, want := range map[string]string{"a": "{event payload}?", "b": "[a number]", "c": "[true or false]", "d": "any", "e": "[any]"} {
		if f, ok := all.Field(name); !ok || show(f) != want {
			t.Errorf("%s is %s, want %s", name, show(f), want)
		}
	}
	if _, ok := all.Field("f"); ok {
		t.Error("there is a field f")
	}
}

func show(t Type) string {
	switch {
	case t.IsList():
		return "[" + show(t.Element()) + "]"
	case t.Guides():
		return "{" + strings.Join(t.FieldNames(), " ") + "}?"
	case t.IsObject():
		return "{" + strings.Join(t.FieldNames(), " ") + "}"
	case t.Kind() != "":
		return string(t.Kind())
	}
	return "any"
}

func TestUnion(t *testing.T) {
	a := Guided(map[string]Type{"x": Scalar(Text), "l": List(Guided(map[string]Type{"p": {}})), "o": Guided(map[string]Type{"m": {}})})
	b := Guided(map[string]Type{"x": Scalar(Number), "y": {}, "l": List(Guided(map[string]Type{"q": {}})), "o": List(Type{})})
	for name, c := range map[string]struct {
		of   []Type
		want string
	}{
		"none":              {nil, "any"},
		"one":               {[]Type{a}, "{l o x}?"},
		"two":               {[]Type{a, b}, "{l o x y}?"},
		"with anything":     {[]Type{a, {}, b}, "any"},
		"anything first":    {[]Type{{}, a}, "any"},
		"closed":            {[]Type{Object(map[string]Type{"a": {}}, false), Object(map[string]Type{"b": {}}, false)}, "{a b}"},
		"closed and guided": {[]Type{Object(map[string]Type{"a": {}}, false), a}, "{a l o x}?"},
		"same kind":         {[]Type{Scalar(Text), Scalar(Text)}, "text"},
		"other kind":        {[]Type{Scalar(Text), Scalar(Bool)}, "any"},
		"list and object":   {[]Type{List(a), a}, "any"},
	} {
		if got := show(Union(c.of...)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	u := Union(a, b)
	for field, want := range map[string]string{"x": "any", "l": "[{p q}?]", "o": "any"} {
		if f, _ := u.Field(field); show(f) != want {
			t.Errorf("%s is %s, want %s", field, show(f), want)
		}
	}
	if show(a) != "{l o x}?" {
		t.Errorf("a union changed its part: %s", show(a))
	}
	if e := Scalar(Text).Element(); show(e) != "any" {
		t.Errorf("an element of text is %s", show(e))
	}
}
