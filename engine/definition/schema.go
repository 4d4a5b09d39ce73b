package definition

import (
	"encoding/json"
	"maps"
	"slices"

	"zflow/actions"
)

// Schema returns the JSON Schema (draft 2020-12) of a workflow file, for
// editors. It is made from the tables that the parser uses.
func Schema(reg *actions.Registry) []byte {
	root := objectOf(workflowKeys, reg)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "zflow workflow"
	root["$defs"] = fragment{
		"retry":      objectOf(retryKeys, reg),
		"trigger":    objectOf(triggerKeys, reg),
		"step":       stepSchema(reg),
		"expression": fragment{"type": "string", "pattern": `\$\{\{`},
	}
	out, _ := json.MarshalIndent(root, "", "  ") // maps, lists and texts always marshal
	return out
}

// fragment is a part of a JSON Schema.
type fragment = map[string]any

func ref(name string) fragment { return fragment{"$ref": "#/$defs/" + name} }

// objectOf is the schema of an object with these keys.
func objectOf(table map[string]key, reg *actions.Registry) fragment {
	properties, required := fragment{}, []string{}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		k := table[name]
		if k.form == formLater {
			continue
		}
		f := maps.Clone(k.form.schema(reg))
		f["description"] = k.doc
		properties[name] = f
		if k.required {
			required = append(required, name)
		}
	}
	return fragment{
		"type": "object", "properties": properties, "required": required,
		"patternProperties":    fragment{"^x-": true},
		"additionalProperties": false,
	}
}

func (f form) schema(reg *actions.Registry) fragment {
	switch f {
	case formName:
		return fragment{"type": "string", "pattern": namePattern}
	case formID:
		return fragment{"type": "string", "pattern": idPattern}
	case formCondition:
		return fragment{"type": []string{"string", "boolean"}}
	case formDuration:
		return fragment{"type": "string", "pattern": durationPattern}
	case formSleep:
		return fragment{"anyOf": []fragment{{"type": "string", "pattern": durationPattern}, ref("expression")}}
	case formCount:
		return fragment{"type": "integer", "minimum": 1, "maximum": maxAttempts}
	case formFactor:
		return fragment{"type": "number", "minimum": 1, "maximum": maxBackoff}
	case formTriggers:
		return oneOrList(ref("trigger"))
	case formTypes:
		return oneOrList(fragment{"type": "string", "pattern": typePattern})
	case formValues, formWith:
		return fragment{"type": "object"}
	case formSteps:
		return fragment{"type": "array", "minItems": 1, "items": ref("step")}
	case formRetry:
		return ref("retry")
	case formAction:
		return fragment{"enum": reg.Names()}
	case formPolicy:
		return fragment{"enum": policies}
	case formText:
		return fragment{"type": []string{"string", "number", "boolean"}}
	}
	return fragment{}
}

func oneOrList(f fragment) fragment {
	return fragment{"anyOf": []fragment{f, {"type": "array", "minItems": 1, "items": f}}}
}

// stepSchema is a step, and for each action what its with takes.
func stepSchema(reg *actions.Registry) fragment {
	s := objectOf(stepKeys, reg)
	delete(s, "required")
	s["oneOf"] = []fragment{{"required": []string{"uses"}}, {"required": []string{"sleep"}}}
	var cases []fragment
	for _, name := range reg.Names() {
		spec := reg.Get(name).Spec
		then := fragment{"properties": fragment{"with": objectSchema(spec.Input)}}
		if len(spec.Input.Required) > 0 {
			then["required"] = []string{"with"}
		}
		cases = append(cases, fragment{
			"if":   fragment{"properties": fragment{"uses": fragment{"const": name}}, "required": []string{"uses"}},
			"then": then,
		})
	}
	if cases != nil {
		s["allOf"] = cases
	}
	return s
}

// valueSchema is a value of an action's input, which may always be an
// expression instead.
func valueSchema(s actions.Schema) fragment {
	f := fragment{}
	switch s.Type {
	case "":
		return describe(f, s)
	case "object":
		f = objectSchema(s)
	case "array":
		f["type"] = "array"
		if s.Items != nil {
			f["items"] = valueSchema(*s.Items)
		}
		limits(f, s, "minItems", "maxItems")
	case "string":
		f["type"] = []string{"string", "number", "boolean"} // taken as written
		if len(s.Enum) > 0 {
			f["enum"] = s.Enum
		}
		limits(f, s, "minLength", "maxLength")
	default:
		f["type"] = s.Type
		limits(f, s, "minimum", "maximum")
	}
	return describe(fragment{"anyOf": []fragment{f, ref("expression")}}, s)
}

func objectSchema(s actions.Schema) fragment {
	f := fragment{"type": "object"}
	properties := fragment{}
	for name, field := range s.Fields {
		properties[name] = valueSchema(field)
	}
	if len(properties) > 0 {
		f["properties"] = properties
		f["additionalProperties"] = s.Open
	}
	if len(s.Required) > 0 {
		f["required"] = s.Required
	}
	return f
}

func limits(f fragment, s actions.Schema, least, most string) {
	if s.Min != nil {
		f[least] = *s.Min
	}
	if s.Max != nil {
		f[most] = *s.Max
	}
}

func describe(f fragment, s actions.Schema) fragment {
	if s.Doc != "" {
		f["description"] = s.Doc
	}
	if s.Default != nil {
		f["default"] = s.Default
	}
	return f
}
