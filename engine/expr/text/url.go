package text

import (
	"net/url"
	"strings"
)

// EscapeURL returns a value as it stands in a URL between what was before it and
// what comes after; ok is false for one that would lead elsewhere.
func EscapeURL(before, value, after string) (escaped string, ok bool) {
	rest := before
	if _, host, ok := strings.Cut(before, "://"); ok {
		if rest = host; !strings.ContainsAny(host, "/?#") {
			return url.QueryEscape(value), true // no way out of the host's name
		}
	}
	if strings.Contains(rest, "?") && !strings.Contains(rest, "#") {
		return url.QueryEscape(value), true
	}
	if dots(value) && strings.HasSuffix(before, "/") && (after == "" || strings.ContainsRune("/?#", rune(after[0]))) {
		return "", false
	}
	return url.PathEscape(value), true
}

func dots(s string) bool { return s == "." || s == ".." }
