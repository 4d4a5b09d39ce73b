package zoomapi

import (
	"net/url"
	"strings"
)

// Path fills the {names} of a template with values, in order, each escaped so
// that Zoom reads it back. An empty value is an error: it would name another
// resource.
func Path(template string, values ...string) (string, error) {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(template, "{")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok || len(values) == 0 {
			return "", refuse("the path %q needs a value for %s", template, name)
		}
		switch values[0] {
		case "":
			return "", refuse("%s is empty", name)
		case ".", "..":
			return "", refuse("%s is %q", name, values[0])
		}
		b.WriteString(Escape(values[0]))
		values, template = values[1:], after
	}
}

// Escape makes an id safe for a path. Zoom decodes UUIDs that begin with a slash
// or have two in a row twice, so those are escaped twice.
func Escape(id string) string {
	escaped := url.PathEscape(id)
	if strings.HasPrefix(id, "/") || strings.Contains(id, "//") {
		return url.PathEscape(escaped)
	}
	return escaped
}
