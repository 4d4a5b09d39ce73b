package language

import (
	"encoding/json"
	"maps"
	"slices"

	"zflow/actions"
)

// Schema returns the JSON Schema (draft 2020-12) of a workflow file, for
// editors. It is made from the tables that the parser uses.
func Schema(reg *actions.Registry) []byte {
	root := objectOf(Workflow, reg)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "zflow workflow"
	defs := fragment{
		"step":       stepSchema(reg),
		"case":       objectOf(Case, reg),
		"expression": fragment{"type": "string", "pattern": `\$\{\{`},
	}
	for name, table := range objects {
		defs[name] = objectOf(table, reg)
	}
	defs["auth"].(fragment)["oneOf"] = oneKeyOf(Auths)
	defs["email"].(fragment)["oneOf"] = oneKeyOf(Mails)
	defs["trigger"].(fragment)["oneOf"] = oneKeyOf(TriggerKinds)
	root["$defs"] = defs
	out, _ := json.MarshalIndent(root, "", "  ") // maps, lists and texts always marshal
	return out
}

// objects are the parts of a workflow that are objects with keys.
var objects = map[string]map[string]Key{
	"trigger": Trigger, "ended": Ended, "email": Email, "imap": IMAP, "poll": Poll, "once": Once, "http": HTTP, "auth": Auth, "basic": Basic, "hmac": HMAC, "cors": CORS, "request_key": RequestKey, "callable": Callable, "concurrency": Concurrency, "limits": Limits,
	"retry": Retry, "undo": Undo, "sleep": Sleep, "schedule": Schedule, "wait": Wait, "arrival": Arrival,
	"approval": Approval, "field": Answer, "respond": Respond, "stop": Stop, "script": Script,
}

// fragment is a part of a JSON Schema.
type fragment = map[string]any

func ref(name string) fragment { return fragment{"$ref": "#/$defs/" + name} }

// objectOf is the schema of an object with these keys.
func objectOf(table map[string]Key, reg *actions.Registry) fragment {
	properties, required := fragment{}, []string{}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		k := table[name]
		f := maps.Clone(k.Form.schema(reg))
		f["description"] = k.Doc
		properties[name] = f
		if k.Required {
			required = append(required, name)
		}
	}
	return fragment{
		"type": "object", "properties": properties, "required": required,
		"patternProperties":    fragment{"^x-": true},
		"additionalProperties": false,
	}
}

func (f Form) schema(reg *actions.Registry) fragment {
	if name, ok := defined[f]; ok {
		return ref(name)
	}
	switch f {
	case formAction:
		return fragment{"anyOf": []fragment{{"enum": used(reg)}, {"type": "string", "pattern": `^\.\.?/`}}}
	case formTriggers:
		return oneOrList(ref("trigger"))
	case formRun:
		return fragment{"anyOf": []fragment{plain[formName], ref("ended")}}
	case formEmail:
		return fragment{"anyOf": []fragment{plain[formMailbox], ref("email")}}
	case formSleep:
		return orText(ref("sleep"), DurationPattern, ref("expression"))
	case formAuth:
		return fragment{"anyOf": []fragment{{"const": "none"}, ref("auth")}}
	case formCORS:
		return fragment{"anyOf": []fragment{oneOrList(written), ref("cors")}}
	case formStop:
		return fragment{"anyOf": []fragment{{"enum": Ends}, ref("stop")}}
	case formFields:
		return fragment{"type": "object", "additionalProperties": fragment{"anyOf": []fragment{{"enum": AnswerTypes}, ref("field")}}}
	case formUntil:
		return fragment{"anyOf": []fragment{{"type": "string"}, ref("schedule")}}
	}
	return maps.Clone(plain[f])
}

// used returns the actions that uses can name: all but those with a key of their own.
func used(reg *actions.Registry) []string {
	return slices.DeleteFunc(slices.Clone(reg.Names()), func(name string) bool { return slices.Contains(Kinds, name) })
}

// defined are the forms that stand among the definitions.
var defined = map[Form]string{
	formRetry: "retry", formConcurrency: "concurrency", formLimits: "limits", formOnce: "once", formCall: "callable", formPoll: "poll",
	formWait: "wait", formApproval: "approval", formRespond: "respond", formUndo: "undo",
	formIMAP: "imap", formHTTP: "http", formBasic: "basic", formHMAC: "hmac", formRequestKey: "request_key",
}

// plain are the forms that are the same whatever actions there are.
var plain = map[Form]fragment{
	formName:      {"type": "string", "pattern": NamePattern},
	formID:        {"type": "string", "pattern": IDPattern},
	formText:      written,
	formTemplate:  written,
	formCondition: {"type": []string{"string", "boolean"}},
	formDuration:  {"type": "string", "pattern": DurationPattern},
	formCount:     {"type": "integer", "minimum": 1},
	formFactor:    {"type": "number", "minimum": 1, "maximum": MaxBackoff},
	formFlag:      {"type": "boolean"},
	formType:      {"type": "string", "pattern": TypePattern},
	formTypes:     oneOrList(fragment{"type": "string", "pattern": TypePattern}),
	formNames:     oneOrList(written),
	formValues:    {"type": "object"},
	formWith:      {"anyOf": []fragment{{"type": "object"}, ref("expression")}},
	formInputs:    {"type": "object", "additionalProperties": fragment{"enum": optional(append([]string{"string"}, InputTypes...))}},
	formSteps:     steps,
	formParallel:  {"type": "object", "minProperties": 1, "propertyNames": fragment{"pattern": IDPattern}, "additionalProperties": steps},
	formSwitch:    {"type": "array", "minItems": 1, "items": ref("case")},
	formCron:      {"type": "string"},
	formPolicy:    {"enum": Policies},
	formOnTimeout: {"enum": OnTimeouts},
	formBusy:      {"enum": Busy},
	formFirst:     {"enum": Firsts},
	formPaths:     oneOrList(written),
	formCatchUp:   {"enum": CatchUps},
	formMailbox:   {"type": "string", "pattern": MailboxPattern},
	formPort:      {"type": "integer", "minimum": 1, "maximum": MostPort},
	formSecure:    {"enum": Secures},
	formMark:      {"enum": Marks},
	formEnd:       {"enum": Ends},
	formEnds:      oneOrList(fragment{"enum": Ends}),
	formFlows:     oneOrList(fragment{"type": "string", "pattern": FlowPattern}),
	formAnswer:    {"enum": AnswerTypes},
	formLoop:      {"anyOf": []fragment{{"type": "array"}, ref("expression")}},
	formMatch:     {"type": "object", "minProperties": 1, "additionalProperties": written},
	formFirstOf:   {"type": "object", "minProperties": 1, "propertyNames": fragment{"pattern": IDPattern}, "additionalProperties": ref("arrival")},
	formChoices:   {"type": "array", "minItems": 1, "items": written},
	formRoute:     {"type": "string", "pattern": PathPattern},
	formMethods:   oneOrList(fragment{"type": "string"}),
	formSecret:    oneOrList(ref("expression")),
	formWhen:      {"enum": Responds},
	formPreset:    {"enum": Presets},
	formAlgorithm: {"enum": Algorithms},
	formEncoding:  {"enum": Encodings},
	formCode:      {"anyOf": []fragment{{"type": "string"}, ref("script")}},
	formEffect:    {"enum": Effects},
	formAny:       {},
}

var (
	written = fragment{"type": []string{"string", "number", "boolean"}} // taken as it is written
	steps   = fragment{"type": "array", "minItems": 1, "items": ref("step")}
)

func optional(types []string) []string {
	out := types
	for _, t := range types {
		out = append(out, t+"?")
	}
	return out
}

func orText(f fragment, pattern string, more ...fragment) fragment {
	return fragment{"anyOf": append([]fragment{f, {"type": "string", "pattern": pattern}}, more...)}
}

// oneKeyOf says that exactly one of the keys is there.
func oneKeyOf(names []string) []fragment {
	var out []fragment
	for _, name := range names {
		out = append(out, fragment{"required": []string{name}})
	}
	return out
}

func oneOrList(f fragment) fragment {
	return fragment{"anyOf": []fragment{f, {"type": "array", "minItems": 1, "items": f}}}
}

// stepSchema is a step, and for each action what its with takes.
func stepSchema(reg *actions.Registry) fragment {
	s := objectOf(Step, reg)
	delete(s, "required")
	s["oneOf"] = oneKeyOf(Kinds)
	s["dependentRequired"] = fragment{
		"as": []string{"for_each"}, "at_once": []string{"for_each"}, "until": []string{"for_each"}, "wait": []string{"call"},
	}
	var cases []fragment
	for _, name := range used(reg) {
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
