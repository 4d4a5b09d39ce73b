package zoomcatalog

import (
	"sort"
	"strings"
)

// Event is a kind of webhook event. What is rarely asked for, About reads.
type Event struct {
	Name    string // meeting.ended
	Product string // meetings
	shape   shape
	key     uint8 // in keys
}

// shape tells how the payload of an event differs from the usual one.
type shape uint16

const (
	idText      shape = 1 << iota // payload.object.id is a string
	idNumber                      // payload.object.id is a number
	hasUUID                       // payload.object.uuid
	participant                   // payload.object.participant
	operator                      // payload.operator and operator_id
	oldObject                     // payload.old_object
	timeStamp                     // payload.time_stamp
	token                         // a download_token at the top level
	tsText                        // event_ts is a string
	noTS                          // no event_ts
	noAccount                     // no payload.account_id
	noObject                      // no payload.object
	objectList                    // payload.object is a list
)

func (e Event) is(s shape) bool { return e.shape&s != 0 }

// irregular says in words what a reader of payloads does not expect.
var irregular = [...]struct {
	shape shape
	words string
}{
	{noTS, "event_ts is missing"},
	{tsText, "event_ts is a string"},
	{noAccount, "payload.account_id is missing"},
	{noObject, "payload.object is missing"},
	{objectList, "payload.object is a list"},
	{idNumber, "payload.object.id is a number"},
	{token, "download_token stands at the top level"},
}

// Irregularities says how the envelope of the event differs from the usual one:
// event, event_ts in milliseconds, payload with account_id and object, whose id is
// text.
func (e Event) Irregularities() []string {
	var all []string
	for _, i := range irregular {
		if e.is(i.shape) {
			all = append(all, i.words)
		}
	}
	return all
}

// ObjectPath is where what the event is about stands in its body.
func (e Event) ObjectPath() string {
	switch {
	case e.is(noObject):
		return "payload"
	case e.is(objectList):
		return "payload.object[]"
	}
	return "payload.object"
}

// Lookup finds an event by its exact name.
func Lookup(name string) (Event, bool) {
	i := sort.Search(len(events), func(i int) bool { return events[i].Name >= name })
	if i < len(events) && events[i].Name == name {
		return events[i], true
	}
	return Event{}, false
}

// Events returns all events, sorted by name.
func Events() []Event { return append([]Event(nil), events[:]...) }

// Names returns the names of all events, sorted.
func Names() []string {
	names := make([]string, len(events))
	for i := range events {
		names[i] = events[i].Name
	}
	return names
}

// Known tells whether an event has this name or, for a pattern, matches it.
func Known(pattern string) bool {
	if !strings.Contains(pattern, "*") {
		_, ok := Lookup(pattern)
		return ok
	}
	for i := range events {
		if Match(pattern, events[i].Name) {
			return true
		}
	}
	return false
}

// Match tells whether a pattern covers a name. Both are tokens joined by dots; a
// token * stands for any one token, and at the end for one or more.
func Match(pattern, name string) bool {
	for {
		p, morePattern, inPattern := strings.Cut(pattern, ".")
		n, moreName, inName := strings.Cut(name, ".")
		switch {
		case n == "":
			return false
		case p == "*" && !inPattern:
			return true
		case p != "*" && p != n, inPattern != inName:
			return false
		case !inPattern:
			return true
		}
		pattern, name = morePattern, moreName
	}
}
