package definition

import (
	"fmt"
	"strings"
	"testing"
)

func TestVars(t *testing.T) {
	v, problems := Vars("vars.prod.yaml", []byte("channel: \"#prod\"\nlimits: { day: 3, list: [1.5, true] }\n"))
	if len(problems) > 0 || fmt.Sprint(v) != "map[channel:#prod limits:map[day:3 list:[1.5 true]]]" {
		t.Errorf("%v, %v", v, problems)
	}
	for src, want := range map[string]string{
		"- a":                  "vars.prod.yaml:1:1: vars are an object, this is a list",
		"a: ${{ event.x }}":    "vars.prod.yaml:1:4: vars are fixed values, without ${{ }}",
		"a: +1555":             "YAML takes +1555 for a number",
		"ok: 1\nchannel: #dev": "vars.prod.yaml:2:",
		"a: 1\na: 2":           "a is there twice",
		"a: [":                 "the YAML cannot be read",
	} {
		if v, problems := Vars("vars.prod.yaml", []byte(src)); v != nil || problems.Err() == nil || !strings.Contains(problems.Err().Error(), want) {
			t.Errorf("%s: %v, %v", src, v, problems)
		}
	}
}
