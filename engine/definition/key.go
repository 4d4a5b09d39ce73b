package definition

import (
	"maps"
	"slices"
	"strings"

	"zflow/engine/expr"
)

// form is how a key's value is written.
type form int

const (
	formText form = iota
	formName
	formID
	formCondition
	formDuration
	formSleep
	formCount
	formFactor
	formTriggers
	formTypes
	formValues
	formSteps
	formRetry
	formAction
	formWith
	formPolicy
	formAny
	formLater // of the language, but not yet of this version
)

// key is one key of the language; the parser and the schema are made from it.
type key struct {
	form     form
	doc      string
	required bool
}

var workflowKeys = map[string]key{
	"name":        {formName, "Unique name of the workflow.", true},
	"description": {formText, "What the workflow is for.", false},
	"on":          {formTriggers, "Which events start a run: one trigger or a list.", true},
	"timeout":     {formDuration, "Of the whole run, such as 30h.", false},
	"retry":       {formRetry, "Default of the steps.", false},
	"vars":        {formValues, "Values that expressions read as vars.<name>.", false},
	"steps":       {formSteps, "What a run does, in this order.", true},
	"output":      {formAny, "What the run returns.", false},
	"connection":  {formLater, "", false},
	"concurrency": {formLater, "", false},
	"on_failure":  {formLater, "", false},
	"finally":     {formLater, "", false},
}

var triggerKeys = map[string]key{
	"zoom":       {formTypes, "Zoom event types: one, a list, or a pattern such as recording.*", true},
	"if":         {formCondition, "Start only where this holds; a bare expression.", false},
	"connection": {formLater, "", false},
	"once":       {formLater, "", false},
	"schedule":   {formLater, "", false},
	"http":       {formLater, "", false},
	"email":      {formLater, "", false},
	"poll":       {formLater, "", false},
	"run":        {formLater, "", false},
	"event":      {formLater, "", false},
	"call":       {formLater, "", false},
}

var stepKeys = map[string]key{
	"id":         {formID, "How later steps refer to it: steps.<id>.output", false},
	"name":       {formText, "What people see.", false},
	"if":         {formCondition, "Do it only where this holds; a bare expression.", false},
	"uses":       {formAction, "The action.", false},
	"with":       {formWith, "The action's input.", false},
	"connection": {formText, "Which connected account to use; default: that of the event.", false},
	"sleep":      {formSleep, "Wait this long, such as 30m or 2d.", false},
	"retry":      {formRetry, "How often, and when, a failed attempt is made again.", false},
	"timeout":    {formDuration, "Of one attempt; default 5m.", false},
	"on_unknown": {formPolicy, "What follows an attempt of which nobody knows whether it happened.", false},

	"code": {form: formLater}, "set": {form: formLater}, "steps": {form: formLater}, "parallel": {form: formLater},
	"switch": {form: formLater}, "call": {form: formLater}, "wait_for": {form: formLater},
	"approval": {form: formLater}, "emit": {form: formLater}, "respond": {form: formLater},
	"stop": {form: formLater}, "for_each": {form: formLater}, "as": {form: formLater},
	"at_once": {form: formLater}, "until": {form: formLater}, "continue_on_error": {form: formLater},
	"undo": {form: formLater},
}

var retryKeys = map[string]key{
	"attempts":  {formCount, "In all, the first included.", false},
	"delay":     {formDuration, "Before the second attempt.", false},
	"backoff":   {formFactor, "Factor from one delay to the next.", false},
	"max_delay": {formDuration, "No delay is longer.", false},
	"if":        {formCondition, "Over error: which failures to try again; default: those that may pass.", false},
}

// keys checks the keys of an object against a table.
func (p *parser) keys(n *node, what string, table map[string]key) {
	for _, f := range n.fields {
		name := f.key.value
		if strings.HasPrefix(name, "x-") {
			continue
		}
		k, ok := table[name]
		switch {
		case !ok:
			p.fail(f.key, suggestion(name, usable(table)), "%s has no key %s", what, name)
		case k.form == formLater:
			p.fail(f.key, "", "%s is not in this version of zflow yet", name)
		}
	}
}

// require reports the keys that an object lacks.
func (p *parser) require(n *node, what string, table map[string]key) {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if table[name].required && n.get(name) == nil && !misspelt(n, name, table) {
			p.fail(n, "", "%s needs the key %s", what, name)
		}
	}
}

// misspelt tells whether a key that was reported is most likely this one.
func misspelt(n *node, name string, table map[string]key) bool {
	return slices.ContainsFunc(n.fields, func(f pair) bool {
		_, known := table[f.key.value]
		return !known && expr.Suggest(f.key.value, []string{name}) != ""
	})
}

// hasLater tells whether an object has a key of a later version.
func hasLater(n *node, table map[string]key) bool {
	return slices.ContainsFunc(n.fields, func(f pair) bool {
		return table[f.key.value].form == formLater
	})
}

func usable(table map[string]key) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if table[name].form != formLater {
			names = append(names, name)
		}
	}
	return names
}

// suggestion is a hint with the name that was most likely meant, or with all
// names if they are few.
func suggestion(name string, among []string) string {
	if c := expr.Suggest(name, among); c != "" {
		return "did you mean " + c + "?"
	}
	if len(among) > 0 && len(among) <= 12 {
		return "there is " + strings.Join(among, ", ")
	}
	return ""
}
