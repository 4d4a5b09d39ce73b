package definition

import (
	"maps"
	"slices"
	"strings"

	"zflow/engine/definition/document"
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
	formFlag
	formTriggers
	formTypes
	formType
	formNames
	formTemplate
	formValues
	formInputs
	formSteps
	formParallel
	formSwitch
	formRetry
	formConcurrency
	formLimits
	formOnce
	formCall
	formCron
	formAction
	formWith
	formPolicy
	formOnTimeout
	formBusy
	formLoop
	formMatch
	formWait
	formFirstOf
	formApproval
	formChoices
	formFields
	formRespond
	formStop
	formEnd
	formAnswer
	formUndo
	formUntil
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
	"connection":  {formText, "Which connected account the steps use; default: that of the event.", false},
	"concurrency": {formConcurrency, "How many runs of one key go at a time.", false},
	"limits":      {formLimits, "Quotas of the workflow.", false},
	"timeout":     {formDuration, "Of the whole run, such as 30h.", false},
	"retry":       {formRetry, "Default of the steps.", false},
	"vars":        {formValues, "Values that expressions read as vars.<name>.", false},
	"steps":       {formSteps, "What a run does, in this order.", true},
	"on_failure":  {formSteps, "What a run does when it has failed; sees failure.", false},
	"finally":     {formSteps, "What a run does in any case at its end.", false},
	"output":      {formAny, "What the run returns.", false},
}

var triggerKeys = map[string]key{
	"zoom":       {formTypes, "Zoom event types: one, a list, or a pattern such as recording.*", false},
	"event":      {formTypes, "Types of events that emit or a NATS client publishes: one, a list, or a pattern.", false},
	"call":       {formCall, "Other workflows start a run by call.", false},
	"if":         {formCondition, "Start only where this holds; a bare expression.", false},
	"connection": {formNames, "Only events of these connected accounts: one or a list.", false},
	"once":       {formOnce, "Of the events with one key, only the first in a while starts a run.", false},
	"schedule":   {form: formLater},
	"http":       {form: formLater},
	"email":      {form: formLater},
	"poll":       {form: formLater},
	"run":        {form: formLater},
}

var onceKeys = map[string]key{
	"key": {formTemplate, "What the events have in common.", true},
	"per": {formDuration, "For how long, such as 1d.", true},
}

var callKeys = map[string]key{
	"inputs": {formInputs, "The inputs, by name: their types. They arrive as event.", false},
}

var concurrencyKeys = map[string]key{
	"key":       {formTemplate, "Runs of one key wait for each other; default: all runs.", false},
	"limit":     {formCount, "How many of them go at a time; default 1.", false},
	"when_busy": {formBusy, "What a run does that finds no place: queue, skip or replace.", false},
	"name":      {formName, "Workflows with one name here share the places.", false},
}

var limitKeys = map[string]key{
	"runs_per_minute": {formCount, "No more runs begin in a minute.", false},
	"fan_out":         {formCount, "No loop has more iterations.", false},
}

var stepKeys = map[string]key{
	"id":                {formID, "How later steps refer to it: steps.<id>.output", false},
	"name":              {formText, "What people see.", false},
	"if":                {formCondition, "Do it only where this holds; a bare expression.", false},
	"uses":              {formAction, "The action.", false},
	"with":              {formWith, "The input of uses, call or emit.", false},
	"set":               {formAny, "A value that is computed once.", false},
	"sleep":             {formSleep, "Wait this long, such as 30m or 2d, or until a time.", false},
	"steps":             {formSteps, "Steps that belong together.", false},
	"parallel":          {formParallel, "Branches by name, each a list of steps; all go at once.", false},
	"switch":            {formSwitch, "Cases, each with if and steps; the first that holds is taken.", false},
	"call":              {formName, "Another workflow, which has the trigger call.", false},
	"wait":              {formFlag, "Whether call waits for the end of the other run; default true.", false},
	"wait_for":          {formWait, "Wait for an event or a signal.", false},
	"approval":          {formApproval, "Ask a person.", false},
	"emit":              {formType, "Publish an event of this type.", false},
	"respond":           {formRespond, "Answer the HTTP request that started the run.", false},
	"stop":              {formStop, "End the run: completed, failed or canceled.", false},
	"for_each":          {formLoop, "Do it for each element of a list.", false},
	"as":                {formID, "The element's name; default item.", false},
	"at_once":           {formCount, "How many iterations go at a time; default 1.", false},
	"until":             {formCondition, "After an iteration: whether the loop ends; a bare expression.", false},
	"continue_on_error": {formFlag, "Whether the run goes on when it has failed.", false},
	"undo":              {formUndo, "What undoes it, when the run fails or is canceled later.", false},
	"connection":        {formText, "Which connected account to use; default: that of the event.", false},
	"retry":             {formRetry, "How often, and when, a failed attempt is made again.", false},
	"timeout":           {formDuration, "Of one attempt of uses, default 5m; else of the whole step.", false},
	"on_unknown":        {formPolicy, "What follows an attempt of which nobody knows whether it happened.", false},
	"code":              {form: formLater},
}

var caseKeys = map[string]key{
	"if":    {formCondition, "Whether this case is taken; a bare expression.", false},
	"steps": {formSteps, "What is done then.", false},
	"else":  {formSteps, "What is done if no case before holds; only as the last.", false},
}

var undoKeys = map[string]key{
	"uses":       {formAction, "The action.", true},
	"with":       {formWith, "The action's input.", false},
	"connection": stepKeys["connection"],
	"retry":      stepKeys["retry"],
	"timeout":    {formDuration, "Of one attempt; default 5m.", false},
	"on_unknown": stepKeys["on_unknown"],
}

var sleepKeys = map[string]key{
	"until": {formUntil, "A time, or { schedule, timezone }.", true},
}

var scheduleKeys = map[string]key{
	"schedule": {formCron, "When: minute, hour, day of the month, month, day of the week.", true},
	"timezone": {formText, "Of the schedule, such as Europe/Berlin; default UTC.", false},
}

var arrivalKeys = map[string]key{
	"zoom":   {formTypes, "Zoom event types.", false},
	"event":  {formTypes, "Types of published events.", false},
	"signal": {formID, "The name of a signal, which runs signal sends.", false},
	"match":  {formMatch, "Fields of the event and the values that they must have; required for events.", false},
	"if":     {formCondition, "An extra check over arrived; a bare expression.", false},
}

var waitKeys = withKeys(arrivalKeys, map[string]key{
	"first_of":   {formFirstOf, "Alternatives by name; the first to come ends the wait.", false},
	"look_back":  {formDuration, "How far back events count; default: from the trigger's receipt on.", false},
	"timeout":    {formDuration, "How long to wait.", false},
	"on_timeout": {formOnTimeout, "fail or continue; default fail.", false},
})

var approvalKeys = map[string]key{
	"to":         {formAny, "Whom to ask: one or a list.", false},
	"message":    {formTemplate, "What to ask.", true},
	"choices":    {formChoices, "The answers; default approved and rejected.", false},
	"fields":     {formFields, "What else to answer, by name: text, number, boolean or date.", false},
	"timeout":    {formDuration, "How long to wait.", false},
	"remind":     {formDuration, "Ask again after this long, and again.", false},
	"on_timeout": {formOnTimeout, "fail or continue; default fail.", false},
}

var fieldKeys = map[string]key{
	"type":     {formAnswer, "text, number, boolean or date.", true},
	"required": {formFlag, "Whether there is no answer without it.", false},
	"label":    {formText, "What people see.", false},
}

var respondKeys = map[string]key{
	"status":  {formAny, "The HTTP status; default 200.", false},
	"headers": {formValues, "The headers.", false},
	"body":    {formAny, "The body; an object or list becomes JSON.", false},
}

var stopKeys = map[string]key{
	"status":  {formEnd, "completed, failed or canceled.", true},
	"message": {formTemplate, "Why.", false},
}

var retryKeys = map[string]key{
	"attempts":  {formCount, "In all, the first included.", false},
	"delay":     {formDuration, "Before the second attempt.", false},
	"backoff":   {formFactor, "Factor from one delay to the next.", false},
	"max_delay": {formDuration, "No delay is longer.", false},
	"if":        {formCondition, "Over error: which failures to try again; default: those that may pass.", false},
}

func withKeys(table, more map[string]key) map[string]key {
	all := maps.Clone(table)
	maps.Copy(all, more)
	return all
}

// fields checks that a node is an object with keys of a table, all that are
// required included.
func (p *parser) fields(n *node, what string, table map[string]key) bool {
	if n.Kind != document.Object {
		p.Fail(n, p.EmptyHint(n, suggestion("", usable(table))), "%s is an object, this is %s", what, n.What())
		return false
	}
	p.keys(n, what, table)
	p.require(n, what, table)
	return true
}

// keys checks the keys of an object against a table.
func (p *parser) keys(n *node, what string, table map[string]key) {
	for _, f := range n.Fields {
		name := f.Key.Value
		if strings.HasPrefix(name, "x-") {
			continue
		}
		k, ok := table[name]
		switch {
		case !ok:
			p.Fail(f.Key, suggestion(name, usable(table)), "%s has no key %s", what, name)
		case k.form == formLater:
			p.Fail(f.Key, "", "%s is not in this version of zflow yet", name)
		}
	}
}

// require reports the keys that an object lacks.
func (p *parser) require(n *node, what string, table map[string]key) {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		if table[name].required && n.Get(name) == nil && !misspelt(n, name, table) {
			p.Fail(n, "", "%s needs the key %s", what, name)
		}
	}
}

// misspelt tells whether a key that was reported is most likely this one.
func misspelt(n *node, name string, table map[string]key) bool {
	return slices.ContainsFunc(n.Fields, func(f document.Pair) bool {
		_, known := table[f.Key.Value]
		return !known && expr.Suggest(f.Key.Value, []string{name}) != ""
	})
}

// present returns those of the names that are keys of an object, in its order.
func present(n *node, names []string) []string {
	var out []string
	for _, f := range n.Fields {
		if slices.Contains(names, f.Key.Value) {
			out = append(out, f.Key.Value)
		}
	}
	return out
}

// excused tells whether it was reported already why an object has none of the
// names: a key of a later version, or one that was misspelt.
func excused(n *node, names []string, table map[string]key) bool {
	for _, f := range n.Fields {
		if table[f.Key.Value].form == formLater {
			return true
		}
	}
	return slices.ContainsFunc(names, func(name string) bool { return misspelt(n, name, table) })
}

// among returns those of the names that a table has.
func among(table map[string]key, names ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool { _, ok := table[name]; return !ok })
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
	if c := expr.Suggest(name, among); name != "" && c != "" {
		return "did you mean " + c + "?"
	}
	if len(among) > 0 && len(among) <= 12 {
		return "there is " + strings.Join(among, ", ")
	}
	return ""
}

// anyOf joins names to "a, b or c".
func anyOf(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
