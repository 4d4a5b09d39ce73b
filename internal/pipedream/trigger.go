package pipedream

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Trigger is what the user says of a trigger: its YAML, for the trigger of this id, or
// for all of which nothing else is said.
type Trigger struct {
	ID   string
	YAML string
}

// ReadTrigger reads `zoom: meeting.ended`, or `dc_abc=zoom: meeting.ended` for one.
func ReadTrigger(s string) (Trigger, error) {
	t := Trigger{YAML: s}
	if id, rest, ok := strings.Cut(s, "="); ok && !strings.ContainsAny(id, ": {") {
		t.ID, t.YAML = id, rest
	}
	if _, err := t.node(); err != nil {
		return t, fmt.Errorf("reading the trigger %q: %w", s, err)
	}
	return t, nil
}

func (t Trigger) node() (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(t.YAML), &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("it is no trigger, such as zoom: meeting.ended")
	}
	return doc.Content[0], nil
}

// sort of a trigger, by which its event has one shape or another.
type sort string

const (
	ofZoom     sort = "zoom"
	ofHTTP     sort = "http"
	ofSchedule sort = "schedule"
	ofEmail    sort = "email"
	ofSource   sort = "" // of a source that the file does not name
)

// prefixes of the ids of triggers, by what they are there.
var prefixes = map[string]sort{"hi": ofHTTP, "ti": ofSchedule, "ei": ofEmail}

func (t trigger) sort() sort {
	prefix, _, _ := strings.Cut(t.id, "_")
	return prefixes[prefix]
}

// triggers writes `on`.
func (t *translation) triggers(flow object) {
	on := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	var comment []string
	for _, one := range t.file.triggers {
		if chosen := t.chosen(one); chosen != nil {
			on.Content = append(on.Content, chosen)
			continue
		}
		if made := t.known(one); made != nil {
			on.Content = append(on.Content, made)
			continue
		}
		o := newObject().put("event", "pipedream."+orElse(one.id, "none"))
		on.Content = append(on.Content, o.node)
		comment = append(comment, t.candidates(one)...)
		t.note(one.at, false, fmt.Sprintf("what the trigger %s was is not in the file", one.id), "say --trigger '"+one.id+"="+t.likely(one)[0]+"', or choose one of those that stand above on: in the workflow")
	}
	if len(on.Content) == 0 {
		on = newObject().put("event", "pipedream."+t.name).node
		t.note(nil, false, "the workflow has no trigger", "nothing starts it until you write one in its place: "+strings.Join(t.likely(trigger{}), ", "))
	}
	if len(on.Content) == 1 && on.Kind == yaml.SequenceNode {
		on = on.Content[0]
	}
	flow.put("on", on)
	if len(comment) > 0 {
		flow.about(strings.Join(slices.Compact(comment), "\n"))
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// chosen is what the user said of it.
func (t *translation) chosen(of trigger) *yaml.Node {
	var found *yaml.Node
	for _, c := range t.Triggers {
		if c.ID != of.id && c.ID != "" || c.ID == "" && found != nil {
			continue
		}
		if n, err := c.node(); err == nil {
			found = n
		}
	}
	return found
}

// sorts are what the workflow's triggers are: by what the user said, else by their ids.
func (t *translation) sorts() []sort {
	var all []sort
	for _, one := range t.file.triggers {
		s := one.sort()
		if n := t.chosen(one); n != nil {
			s = sortOf(object{n})
		}
		all = append(all, s)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func sortOf(o object) sort {
	for _, s := range []sort{ofZoom, ofHTTP, ofSchedule, ofEmail} {
		if o.has(string(s)) {
			return s
		}
	}
	return ofSource
}

// likely are triggers that it may have been, the likeliest first.
func (t *translation) likely(of trigger) []string {
	switch of.sort() {
	case ofHTTP:
		return []string{"http: { path: /" + t.name + " }"}
	case ofSchedule:
		return []string{"schedule: every 15m", `schedule: "0 9 * * mon-fri"`}
	case ofEmail:
		return []string{"email: " + t.name}
	}
	var all []string
	if t.Likely != nil {
		for _, eventType := range t.Likely(t.read) {
			all = append(all, "zoom: "+eventType)
		}
	}
	if len(all) == 0 {
		all = []string{"zoom: meeting.ended"}
	}
	return append(all, "schedule: every 15m", "event: some.type")
}

func (t *translation) candidates(of trigger) []string {
	lines := []string{"# What started this in Pipedream (" + of.id + ") is not in its file, and nothing publishes", "# the event below. Put in its place what starts the workflow, such as"}
	for _, c := range t.likely(of) {
		lines = append(lines, "#   "+c)
	}
	return lines
}

// known is a trigger that needs no more to be said.
func (t *translation) known(of trigger) *yaml.Node {
	if of.sort() != ofHTTP {
		return nil
	}
	http := newObject().put("method", "any")
	if t.responds() {
		http.put("respond", "when_done")
	}
	t.note(of.at, true, "the address is /http/"+t.name+" of your ingest, for any method and without auth", "tell it to those who call "+of.id)
	return newObject().put("http", http).node
}

// trigger is what a path of the trigger is here.
func (t *translation) trigger(path []string) (string, int, error) {
	if len(path) < 3 {
		return "", 0, fmt.Errorf("the trigger as a whole is not translated")
	}
	if path[2] == "context" {
		return t.context(path)
	}
	if path[2] != "event" {
		return "", 0, &brokenError{"the trigger has no " + path[2]}
	}
	sorts := t.sorts()
	if len(sorts) > 1 {
		return "", 0, fmt.Errorf("the workflow has triggers of different kinds, whose events differ")
	}
	if len(sorts) == 0 || sorts[0] == ofZoom || sorts[0] == ofSource {
		return "event", 3, nil
	}
	if len(path) < 4 {
		return "", 0, fmt.Errorf("the event as a whole has another shape here")
	}
	if s, ok := shapes[sorts[0]][path[3]]; ok {
		return s, 4, nil
	}
	return "", 0, &brokenError{"the event has no " + path[3] + " here"}
}

// shapes are where the fields of an event stand, by what the trigger is.
var shapes = map[sort]map[string]string{
	ofHTTP:     {"body": "event", "headers": "trigger.headers", "query": "trigger.query", "method": "trigger.method", "path": "trigger.path"},
	ofSchedule: {"timestamp": "event.timestamp", "cron": "event.schedule"},
}

// context is what Pipedream says of a run.
func (t *translation) context(path []string) (string, int, error) {
	if len(path) == 4 {
		switch path[3] {
		case "id":
			return "run.id", 4, nil
		case "ts":
			return "trigger.received_at", 4, nil
		case "workflow_name":
			return "run.workflow", 4, nil
		case "trace_id":
			return "trigger.id", 4, nil
		}
	}
	return "", 0, &brokenError{strings.Join(path[1:], ".") + " has nothing that stands for it"}
}
