package email

import "strings"

// automatic returns why a mail is one that a program has sent by itself, to which
// nobody should answer by a program; empty: a person did, as far as can be told.
func automatic(get func(string) string) string {
	lower := func(name string) string { return strings.ToLower(strings.TrimSpace(get(name))) }
	submitted, _, _ := strings.Cut(lower("Auto-Submitted"), ";")
	submitted = strings.TrimSpace(submitted)
	kind := lower("Content-Type")
	switch {
	case strings.HasPrefix(kind, "multipart/report"), lower("X-Failed-Recipients") != "":
		return "bounce"
	case submitted != "" && submitted != "no":
		return submitted // auto-replied, auto-generated, auto-notified
	case lower("X-Autoreply") != "" || lower("X-Autorespond") != "":
		return "auto-replied"
	case lower("List-Id") != "":
		return "list"
	}
	switch p := lower("Precedence"); p {
	case "bulk", "list", "junk", "auto_reply":
		return p
	}
	if lower("Return-Path") == "<>" {
		return "bounce"
	}
	return ""
}
