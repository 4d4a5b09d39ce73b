package zoomcatalog

import (
	_ "embed"
	"net/url"
	"sort"
	"strings"
)

// Field is what is documented of a value in a webhook body: the body itself, a
// field, or the element of a list.
type Field struct {
	Name     string // of a field; "" for the body and for elements
	Type     string // string, integer, number, boolean, object, array or any
	Format   string // of a string: date-time, date, email; else empty
	Required bool   // always there
	Fields   []Field
	Items    *Field // of an array
	enum     string // x|y
}

// Enum returns what the value may be; none: anything of its type.
func (f Field) Enum() []string {
	if f.enum == "" {
		return nil
	}
	all := strings.Split(f.enum, "|")
	for i, text := range all {
		if plain, err := url.PathUnescape(text); err == nil { // always, as a test shows
			all[i] = plain
		}
	}
	return all
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
	text, ok := tableLine(eventFields, name)
	if !ok {
		return Field{}, false
	}
	r := fieldReader{rest: text}
	body := r.value("")
	return body, r.rest == ""
}

// tableLine finds what stands behind a name in a table, by halving it.
func tableLine(table, name string) (string, bool) {
	lineFrom := func(at int) int { return 1 + strings.LastIndexByte(table[:at], '\n') }
	at := sort.Search(len(table), func(at int) bool {
		line := table[lineFrom(at):]
		end := strings.IndexAny(line, "\t\n")
		return end < 0 || line[:end] >= name
	})
	if at == len(table) {
		return "", false
	}
	line, _, _ := strings.Cut(table[lineFrom(at):], "\n")
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
	f := Field{Name: name, Required: r.pass('!')}
	switch {
	case r.pass('{'):
		f.Type, f.Fields = "object", r.fields()
	case r.pass('['):
		items := r.value("")
		f.Type, f.Items = "array", &items
		r.pass(']')
	case r.pass(':'):
		f.Type, f.Format = scalarOf(r.word())
	default:
		f.Type = "string"
	}
	if r.pass('=') {
		f.enum = r.word()
	}
	return f
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
	end := strings.IndexAny(r.rest, ":{[,]}!=")
	if end < 0 {
		end = len(r.rest)
	}
	word := r.rest[:end]
	r.rest = r.rest[end:]
	return word
}

func scalarOf(code string) (kind, format string) {
	switch code {
	case "i":
		return "integer", ""
	case "n":
		return "number", ""
	case "b":
		return "boolean", ""
	case "t":
		return "string", "date-time"
	case "d":
		return "string", "date"
	case "m":
		return "string", "email"
	}
	return "any", ""
}
