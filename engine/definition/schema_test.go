package definition

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"zflow/engine/definition/document"
	"zflow/engine/definition/language"
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
	p := &parser{File: f}
	if root == nil {
		return nil
	}
	b, err := expr.EncodeJSON(p.json(root))
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
	for _, name := range []string{"nothing_in_it", "unknown_keys", "name_pattern", "no_steps", "wrong_kinds", "step_kinds", "later_keys", "later_triggers", "event_types", "durations", "unknown_action", "ids", "with_schema"} {
		if err := s.Validate(instance(t, filepath.Join("testdata", "bad", name+".yaml"))); err == nil {
			t.Errorf("the schema takes %s", name)
		}
	}
}

// Each key of the language that this version has is in the schema, with a word
// on what it is.
func TestSchemaHasAllKeys(t *testing.T) {
	var schema struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(Schema(known(t).Actions), &schema); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		table map[string]language.Key
		has   map[string]any
	}{
		"workflow": {language.Workflow, schema.Properties}, "step": {language.Step, schema.Defs["step"].Properties},
		"trigger": {language.Trigger, schema.Defs["trigger"].Properties}, "retry": {language.Retry, schema.Defs["retry"].Properties},
	} {
		for name, k := range c.table {
			if _, ok := c.has[name]; ok == (k.Form == language.Later) {
				t.Errorf("%s: key %s in the schema: %v", what, name, ok)
			}
			if k.Form != language.Later && k.Doc == "" {
				t.Errorf("%s: key %s has no doc", what, name)
			}
		}
	}
}
