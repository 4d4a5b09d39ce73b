package described_test

import (
	"strings"
	"testing"

	"zflow/actions/http"
	"zflow/internal/described"
)

const good = `name: crm.add_contact
summary: Adds a contact.
effect: write
connection: crm
inputs:
  email: { type: string, required: true, doc: "The address." }
calls:
  - id: add
    method: POST
    url: https://crm.example.org/contacts
    auth: { bearer: "${{ token }}" }
    json: { email: "${{ inputs.email }}" }
success: answer.json.ok
errors:
  - { if: "answer.json.busy", class: retryable }
output:
  id: { type: string, doc: "Its id.", value: "${{ calls.add.json.id }}" }
`

// Each fault has one message, with its place.
func TestFaults(t *testing.T) {
	c, err := http.New(http.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, problems := described.Read("f", []byte(good), c); len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, f := range []struct{ from, to, want string }{
		{"effect: write", "efect: write", "f:3:1: an action has no key efect (did you mean effect?)"},
		{"effect: write", "effect: writes", `f:3:9: effect cannot be writes`},
		{"crm.add_contact", "AddContact", `f:1:7: "AddContact" is no name of an action (write it as family.verb_noun, such as crm.add_contact)`},
		{"Adds a contact.", "Adds a contact", "f:2:10: summary is a sentence"},
		{"type: string, required", "type: text, required", "f:6:18: type cannot be text"},
		{"inputs.email }}", "inputs.mail }}", `f:12:32: inputs has no field mail (did you mean email?)`},
		{"${{ inputs.email }}", "${{ secrets.x }}", "f:12:25: a description has no secrets: they are given by the step"},
		{"${{ inputs.email }}", "${{ event.x }}", "a description does not see the event"},
		{"${{ inputs.email }}", "${{ calls.add.json.id }}", "f:12:31: calls has no field add"},
		{"${{ inputs.email }}", "${{ inputs.email", "is not closed"},
		{"${{ calls.add.json.id }}", "${{ token }}", "f:17:"},
		{"method: POST", "methd: POST", "f:9:5: a call has no field methd (did you mean method?)"},
		{"- id: add", "- id: Add it", `"Add it" is no id`},
		{"class: retryable", "class: again", "f:15:38: class cannot be again"},
		{`if: "answer.json.busy"`, `if: "answr.json.busy"`, "f:15:"},
		{"success: answer.json.ok", "success: 7", "f:13:10: a condition is an expression in text"},
		{`, value: "${{ calls.add.json.id }}"`, "", "f:17:7: id has no value"},
		{"  email: {", "  token: { type: string, doc: x }\n  email: {", "an action with a connection has an input token of its own"},
	} {
		a, problems := described.Read("f", []byte(strings.Replace(good, f.from, f.to, 1)), c)
		if a != nil || len(problems) == 0 || !strings.Contains(problems.Err().Error(), f.want) {
			t.Errorf("%q: %v\nwant %s", f.to, problems, f.want)
		}
	}
}
