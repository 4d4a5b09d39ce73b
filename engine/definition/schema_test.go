package definition

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"zflow/engine/definition/document"
	"zflow/engine/definition/form"
	"zflow/engine/expr"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema(known(t).Actions)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("workflow.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("workflow.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// instance returns a file as an editor hands it to the schema.
func instance(t *testing.T, file string) any {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, root := document.Read(file, src)
	p := &parser{Reader: form.Reader{File: f}}
	if root == nil {
		return nil
	}
	b, err := expr.EncodeJSON(p.JSON(root))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What the parser takes, the schema takes too.
func TestSchemaTakesTheGood(t *testing.T) {
	s := compileSchema(t)
	files, _ := filepath.Glob("testdata/good/*.yaml")
	for _, file := range files {
		if err := s.Validate(instance(t, file)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// What needs no look into expressions or texts, the schema refuses too.
func TestSchemaRefusesTheBad(t *testing.T) {
	s := compileSchema(t)
	for _, name := range []string{"nothing_in_it", "unknown_keys", "name_pattern", "no_steps", "wrong_kinds", "step_kinds", "code_steps", "ended", "event_types", "durations", "unknown_action", "ids", "with_schema",
		"limits", "limits_form", "concurrency", "once", "trigger_kinds", "call_inputs", "groups", "parallel", "switch", "loops", "sections_form",
		"undo", "waits", "first_of", "approvals", "calls", "emits", "responds", "stops", "sleep_until", "code_steps"} {
		if err := s.Validate(instance(t, filepath.Join("testdata", "bad", name+".yaml"))); err == nil {
			t.Errorf("the schema takes %s", name)
		}
	}
}
