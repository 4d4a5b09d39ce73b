package pipedream

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"zflow/engine/definition/document"
)

var (
	environment = regexp.MustCompile(`process\.env\.([A-Za-z_$][\w$]*)|process\.env\[\s*["']([A-Za-z_$][\w$]*)["']\s*\]`)
	credential  = regexp.MustCompile(`this\.([A-Za-z_$][\w$]*)\.\$auth\.([A-Za-z_$][\w$]*)`)
	imported    = regexp.MustCompile(`(?:from\s+|import\s+|import\(\s*|require\(\s*)["']([^"'./][^"']*)["']`)
	eventPath   = regexp.MustCompile(`steps\.trigger\.event((?:\??\.[A-Za-z_$][\w$]*)+)`)
	waits       = regexp.MustCompile(`\$\.flow\.(suspend|rerun|refreshTimeout|trigger)\b`)
	sendsMail   = regexp.MustCompile(`\bsend\.email\b`)
	emitting    = regexp.MustCompile(`\bsend\.(emit|sse)\b`)
	stepRead    = regexp.MustCompile(`steps\.([A-Za-z_$][\w$]*)`)
)

// builtin are modules that Node and the shim bring along.
var builtin = []string{"@pipedream/platform", "assert", "buffer", "child_process", "crypto", "dns", "events", "fs", "fs/promises", "http", "https", "net", "os", "path", "process", "querystring", "stream", "string_decoder", "timers", "tls", "url", "util", "zlib"}

// props writes what a code step gets: its props, the credentials of apps that are not
// Zoom's, and the environment variables that it reads.
func (t *translation) props(v *values, src string) object {
	with := newObject()
	if stores := t.stores(v, src); !stores.empty() {
		with.put("$stores", stores)
	}
	for _, p := range v.step.props {
		switch {
		case isStore(p, src):
		case !isAccount(p.Value):
			with.put(p.Key.Value, v.value(labeled(p.Value), p.Key.Value))
		case !usesZoom(step{props: []pair{p}}):
			with.put(p.Key.Value, t.credentials(v, p, src))
		}
	}
	env := newObject()
	for _, m := range environment.FindAllStringSubmatch(src, -1) {
		if variable := m[1] + m[2]; !env.has(variable) {
			env.put(variable, "${{ secrets."+t.secret(variable)+" }}")
		}
	}
	if !env.empty() {
		with.put("$env", env)
	}
	for _, l := range laters {
		if l.calls.MatchString(src) {
			with.put(l.mark, true)
		}
	}
	if emitting.MatchString(src) {
		with.put("$emit", true)
	}
	return with
}

// storeProp finds a prop of code that is a data store.
var storeProp = regexp.MustCompile(`([A-Za-z_$][\w$]*)\s*:\s*\{[^{}]*\btype\s*:\s*["']data_store["']`)

func isStore(p pair, src string) bool {
	for _, m := range storeProp.FindAllStringSubmatch(src, -1) {
		if m[1] == p.Key.Value {
			return true
		}
	}
	return false
}

// stores are the data stores that code uses, by its props. One that the file does not
// name is the workflow's own.
func (t *translation) stores(v *values, src string) object {
	o := newObject()
	for _, m := range storeProp.FindAllStringSubmatch(src, -1) {
		n := v.step.prop(m[1])
		if o.has(m[1]) {
			continue
		}
		if n == nil || n.Kind != document.Scalar || n.Value == "" || hasExpression(n) {
			o.put(m[1], true)
			t.note(v.step.at, true, fmt.Sprintf("which data store this.%s of %s is is not in the file: it is the workflow's own", m[1], v.step.id), "write the name of a shared one instead of true, if others use it too")
			continue
		}
		o.put(m[1], ID(n.Value))
		t.note(n, true, fmt.Sprintf("the data store %s is the shared store %s, which is empty", n.Value, ID(n.Value)), "bring its values over with zflow data set --store "+ID(n.Value))
	}
	return o
}

// credentials are secrets, for an app that zflow has no connection of.
func (t *translation) credentials(v *values, p pair, src string) object {
	o := newObject()
	for _, m := range credential.FindAllStringSubmatch(src, -1) {
		if m[1] != p.Key.Value || o.has(m[2]) {
			continue
		}
		secret := ID(m[1] + "_" + m[2])
		o.put(m[2], "${{ secrets."+secret+" }}")
		t.note(p.Value, true, fmt.Sprintf("%s reads the account's %s from secrets.%s", v.step.id, m[2], secret), "write its value under secrets: in the configuration")
	}
	return o
}

// about notes what code uses that is not there by itself.
func (t *translation) about(v *values, file, src string) {
	at := v.step.at.Get("uses")
	var packages []string
	for _, m := range imported.FindAllStringSubmatch(src, -1) {
		if name := m[1]; !slices.Contains(builtin, strings.TrimPrefix(name, "node:")) && !slices.Contains(packages, name) {
			packages = append(packages, name)
		}
	}
	if len(packages) > 0 {
		slices.Sort(packages)
		t.note(at, true, file+" imports "+strings.Join(packages, ", "), "npm install "+strings.Join(packages, " ")+" beside the workflow, where there is no package.json yet")
	}
	for _, m := range waits.FindAllStringSubmatch(src, -1) {
		t.note(at, false, fmt.Sprintf("%s calls $.flow.%s(), which ends the step with an error here", file, m[1]), waitsDo[m[1]])
	}
	if sendsMail.MatchString(src) {
		t.note(at, true, file+" calls $.send.email(), whose mails went to the owner of the account", "say to whom with: { $email: ADDRESS }")
	}
	for _, m := range stepRead.FindAllStringSubmatch(src, -1) {
		if d := t.done[m[1]]; d == nil && m[1] != "trigger" {
			t.note(at, true, fmt.Sprintf("%s reads steps.%s, which is no step before it", file, m[1]), "")
		}
	}
}

var waitsDo = map[string]string{
	"suspend":        "write a wait_for: or an approval: behind it",
	"rerun":          "let the step throw an error while it is not ready, and give it a retry:",
	"refreshTimeout": "give the step a timeout:",
	"trigger":        "write a call: behind it",
}

// eventFields are the fields of the event that a workflow reads.
func (t *translation) eventFields() []string {
	var all []string
	for _, s := range t.file.steps {
		for _, p := range s.props {
			all = append(all, fieldsIn(p.Value)...)
		}
		if file := s.code(); file != "" {
			if src, err := t.readCode(path.Clean(file)); err == nil {
				all = append(all, fieldsOf(src)...)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func fieldsIn(n *node) []string {
	all := fieldsOf(n.Value)
	for _, i := range n.Items {
		all = append(all, fieldsIn(i)...)
	}
	for _, f := range n.Fields {
		all = append(all, fieldsIn(f.Value)...)
	}
	return all
}

// functions that are called of a field, not fields of it.
var functions = []string{"length", "map", "filter", "find", "some", "every", "forEach", "reduce", "join", "includes", "split", "replace", "replaceAll", "slice", "trim", "toString", "toUpperCase", "toLowerCase", "startsWith", "endsWith", "match", "sort", "flatMap"}

func fieldsOf(src string) []string {
	var all []string
	for _, m := range eventPath.FindAllStringSubmatch(src, -1) {
		names := strings.Split(strings.TrimPrefix(strings.ReplaceAll(m[1], "?", ""), "."), ".")
		if i := slices.IndexFunc(names, func(n string) bool { return slices.Contains(functions, n) }); i >= 0 {
			names = names[:i]
		}
		if len(names) > 0 {
			all = append(all, strings.Join(names, "."))
		}
	}
	return all
}

// later is what code orders that a step behind it does. The mark in the code's input
// says that the step is there.
type later struct {
	mark  string
	calls *regexp.Regexp
	does  func(o object, at string)
}

var laters = []later{
	{"$respond", regexp.MustCompile(`\$\.respond\b|[{,]\s*respond\b`), func(o object, at string) {
		o.put("respond", newObject().put("status", "${{ "+at+".status }}").put("headers", "${{ "+at+".headers }}").put("body", "${{ "+at+".body }}"))
	}},
	{"$delay", regexp.MustCompile(`\bflow\.delay\b`), func(o object, at string) { o.put("sleep", "${{ "+at+" / 1000 }}") }},
	{"$exit", regexp.MustCompile(`\bflow\.exit\b`), func(o object, at string) {
		o.put("stop", newObject().put("status", "completed").put("message", "${{ "+at+" }}"))
	}},
}

// behind are the steps that do what the code of a step orders.
func behind(id, src string) []object {
	var all []object
	for _, l := range laters {
		if l.calls.MatchString(src) {
			at := "steps." + id + ".output." + l.mark
			o := newObject().put("if", at+" != null")
			l.does(o, at)
			all = append(all, o)
		}
	}
	return all
}

// responds tells whether some step answers the request that started the run.
func (t *translation) responds() bool {
	for _, s := range t.file.steps {
		if _, key := s.component(); key == "http-return-http-response" {
			return true
		}
		if file := s.code(); file != "" {
			if src, err := t.readCode(path.Clean(file)); err == nil && laters[0].calls.MatchString(src) {
				return true
			}
		}
	}
	return false
}
