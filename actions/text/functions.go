package text

import (
	"errors"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"text/template"
	"time"

	"zflow/engine/expr/jsonvalue"
	"zflow/engine/expr/moment"
)

// functions are what templates may call beside and, or, not, eq, ne, lt, le, gt, ge,
// index, slice and len. Those that make texts are bounded.
func (f *filling) functions() template.FuncMap {
	return template.FuncMap{
		"tick": f.tick, "show": f.show,
		"json":     func(v any) (string, error) { b, err := jsonvalue.Encode(v); return string(b), err },
		"join":     join,
		"upper":    strings.ToUpper,
		"lower":    strings.ToLower,
		"time":     moments,
		"html":     func(v any) (string, error) { s, err := textOf(v); return html.EscapeString(s), err },
		"urlquery": func(v any) (string, error) { s, err := textOf(v); return url.QueryEscape(s), err },
		"print":    func(a ...any) (string, error) { return bounded(a, func() string { return fmt.Sprint(a...) }) },
		"println":  func(a ...any) (string, error) { return bounded(a, func() string { return fmt.Sprintln(a...) }) },
		"printf":   printf,
		"js":       func() (string, error) { return "", errors.New("js is not there: json writes a value") },
		"call":     func() (string, error) { return "", errors.New("call is not there") },
	}
}

var errMissing = errors.New(`the value is missing (write {{or … ""}}, or {{if …}} around it)`)

// show is how a value is written: as expressions write it.
func (f *filling) show(v any) (string, error) {
	s, err := textOf(v)
	if err == nil && f.html {
		s = html.EscapeString(s)
	}
	return s, err
}

func textOf(v any) (string, error) {
	if v == nil {
		return "", errMissing
	}
	return jsonvalue.Text(v)
}

func join(v any, glue string) (string, error) {
	list, ok := v.([]any)
	if !ok {
		return "", errors.New("join takes a list")
	}
	var b strings.Builder
	for i, one := range list {
		s, err := textOf(one)
		if err != nil {
			return "", err
		}
		if i > 0 {
			b.WriteString(glue)
		}
		if b.WriteString(s); b.Len() > maxOutput {
			return "", errLong
		}
	}
	return b.String(), nil
}

// moments writes a time: {{time .start_time "%d.%m.%Y" "Europe/Berlin"}}.
func moments(at, pattern string, zone ...string) (string, error) {
	in := time.UTC
	if len(zone) > 0 {
		var err error
		if in, err = moment.Zone(zone[0]); err != nil {
			return "", err
		}
	}
	t, err := moment.Parse(at, in)
	if err != nil {
		return "", err
	}
	return moment.Format(t.In(in), pattern)
}

// wide finds what would pad a text without bound.
var wide = regexp.MustCompile(`%[^a-zA-Z%]*(\*|[0-9]{4,})`)

func printf(format string, a ...any) (string, error) {
	if wide.MatchString(format) {
		return "", errors.New("printf pads to 999 at most")
	}
	return bounded(append([]any{format}, a...), func() string { return fmt.Sprintf(format, a...) })
}

// bounded makes a text of values that are not too large together.
func bounded(values []any, f func() string) (string, error) {
	size := 0
	for _, v := range values {
		b, steps, err := jsonvalue.EncodeWithin(v, maxOutput)
		if err != nil {
			return "", err
		}
		if size += len(b) + steps; size > maxOutput {
			return "", errLong
		}
	}
	s := f()
	if len(s) > maxOutput {
		return "", errLong
	}
	return s, nil
}
