package pipedream

import (
	"fmt"
	"strings"
	"unicode"
)

// ID makes an id of a step's name: getUser and Get-User become get_user. The shim that
// runs code steps finds steps by the same rule.
func ID(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, c := range runes {
		switch {
		case c >= 'A' && c <= 'Z':
			after := i > 0 && (lower(runes[i-1]) || i+1 < len(runes) && lower(runes[i+1]) && upper(runes[i-1]))
			if after {
				b.WriteByte('_')
			}
			b.WriteRune(unicode.ToLower(c))
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b.WriteRune(c)
		default:
			b.WriteByte('_')
		}
	}
	id := b.String()
	if id == "" || id[0] < 'a' || id[0] > 'z' {
		id = "step_" + strings.TrimLeft(id, "_")
	}
	return id
}

func lower(c rune) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }
func upper(c rune) bool { return c >= 'A' && c <= 'Z' }

// maxName is how long a workflow's name may be.
const maxName = 64

// workflowName makes a name for a workflow of what it was called.
func workflowName(name string) string {
	s := strings.Trim(strings.ReplaceAll(ID(name), "_", "-"), "-")
	if rest, ok := strings.CutPrefix(s, "step-"); ok && !strings.HasPrefix(strings.ToLower(name), "step") {
		s = rest
	}
	for strings.Contains(s, "--") {
		s = strings.ReplaceAll(s, "--", "-")
	}
	s = strings.Trim(s[:min(len(s), maxName)], "-")
	if s == "" {
		return "workflow"
	}
	return s
}

// unique returns a name that is not taken, and takes it.
func unique(name string, taken map[string]bool) string {
	for i, s := 2, name; ; i++ {
		if !taken[s] {
			taken[s] = true
			return s
		}
		s = fmt.Sprintf("%s_%d", name, i)
	}
}
