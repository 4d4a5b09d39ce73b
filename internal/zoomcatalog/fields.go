package zoomcatalog

import (
	_ "embed"
	"sort"
	"strings"
)

// Field is what is documented of a value in a webhook body: the body itself, a
// field, or the element of a list.
type Field struct {
	Name   string // of a field; "" for the body and for elements
	Type   string // string, integer, number, boolean, object, array or any
	Fields []Field
	Items  *Field // of an array
}

// eventFields has a line for each event: its name, a tab and its body. The
// lines are in the order of the names, those of the comment first.
//
//go:embed data/event_fields.tsv
var eventFields string

// EventFields returns the body of an event as it is documented, and whether it
// is: of the newest events only the names are known. Zoom adds fields, and writes
// some ids as text here and as a number there.
func EventFields(name string) (Field, bool) {
	text, ok := eventLine(name)
	if !ok {
		return Field{}, false
	}
	r := fieldReader{rest: text}
	body := r.value("")
	return body, r.rest == ""
}

// eventLine finds what stands behind a name by halving the table.
func eventLine(name string) (string, bool) {
	lineFrom := func(at int) int { return 1 + strings.LastIndexByte(eventFields[:at], '\n') }
	at := sort.Search(len(eventFields), func(at int) bool {
		line := eventFields[lineFrom(at):]
		end := strings.IndexAny(line, "\t\n")
		return end < 0 || line[:end] >= name
	})
	if at == len(eventFields) {
		return "", false
	}
	line, _, _ := strings.Cut(eventFields[lineFrom(at):], "\n")
	found, text, _ := strings.Cut(line, "\t")
	return text, found == name && name != ""
}

// Find follows a path such as payload.object.recording_files[].file_type.
func (f Field) Find(path string) (Field, bool) {
	for name := range strings.SplitSeq(path, ".") {
		name, lists := strings.TrimRight(name, "[]"), strings.Count(name, "[]")
		i := 0
		for i < len(f.Fields) && f.Fields[i].Name != name {
			i++
		}
		if i == len(f.Fields) {
			return Field{}, false
		}
		for f = f.Fields[i]; lists > 0; lists-- {
			if f.Items == nil {
				return Field{}, false
			}
			f = *f.Items
		}
	}
	return f, true
}

// fieldReader reads the notation of event_fields.tsv. What it cannot read, it
// leaves.
type fieldReader struct{ rest string }

func (r *fieldReader) pass(c byte) bool {
	if r.rest == "" || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *fieldReader) value(name string) Field {
	switch {
	case r.pass('{'):
		return Field{Name: name, Type: "object", Fields: r.fields()}
	case r.pass('['):
		items := r.value("")
		r.pass(']')
		return Field{Name: name, Type: "array", Items: &items}
	case r.pass(':'):
		return Field{Name: name, Type: r.scalar()}
	}
	return Field{Name: name, Type: "string"}
}

func (r *fieldReader) fields() []Field {
	if r.pass('}') {
		return nil
	}
	fields := make([]Field, 0, r.count())
	for {
		fields = append(fields, r.value(r.word()))
		if !r.pass(',') {
			r.pass('}')
			return fields
		}
	}
}

// count returns how many fields follow, up to the end of their object.
func (r *fieldReader) count() int {
	n, depth := 1, 0
	for i := 0; i < len(r.rest) && depth >= 0; i++ {
		switch r.rest[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',':
			if depth == 0 {
				n++
			}
		}
	}
	return n
}

func (r *fieldReader) word() string {
	end := strings.IndexAny(r.rest, ":{[,]}")
	if end < 0 {
		end = len(r.rest)
	}
	word := r.rest[:end]
	r.rest = r.rest[end:]
	return word
}

func (r *fieldReader) scalar() string {
	switch r.word() {
	case "i":
		return "integer"
	case "n":
		return "number"
	case "b":
		return "boolean"
	}
	return "any"
}
