package house

import (
	"cmp"
	"regexp"
)

// named are the secrets that a workflow's text names: secrets.x, secrets?.x, secrets['x'].
var named = regexp.MustCompile(`\bsecrets\s*(?:\??\.\s*([A-Za-z_][A-Za-z0-9_]*)|\[\s*["']([^"'\]]+)["']\s*\])`)

// StandIn is the value of a secret of which a test says nothing, so that a workflow can
// be tested that needs one: nothing of the machine's own is used.
func StandIn(name string) string { return "test-" + name }

// readable are the secrets of the test and those made up, by name.
func (h *House) readable() map[string]string {
	values := map[string]string{}
	for _, w := range h.Workflows {
		for _, m := range named.FindAllSubmatch(w.Text, -1) {
			name := cmp.Or(string(m[1]), string(m[2]))
			values[name] = StandIn(name)
		}
	}
	for name, value := range h.Secrets {
		values[name] = value
	}
	return values
}

// sealedSecrets are those secrets as runs see them.
func (h *House) sealedSecrets() map[string]any {
	values := h.readable()
	all := make(map[string]any, len(values))
	for name, value := range values {
		all[name] = h.keys.Public().Seal(value)
	}
	return all
}
