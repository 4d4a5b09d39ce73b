package zoomcatalog

import (
	"encoding/json"
	"strconv"
)

// compose makes the payload of an event that has no sample of its own: all fields
// that are documented, of the event or of the one that it is like, with values such
// as their names promise, in the envelope that the table gives it.
func compose(name string) []byte {
	e, known := Lookup(name)
	if !known {
		return composeUnknown(name)
	}
	body, documented := EventFields(name)
	if like := e.About().Like; like != "" {
		body, documented = EventFields(like)
	}
	if !documented {
		return composeUnknown(name)
	}
	c := composer{event: e}
	c.object(body, place{})
	return c.out
}

// composeUnknown makes the usual envelope around a meeting.
func composeUnknown(name string) []byte {
	e := Event{Name: name, shape: idText | hasUUID}
	c := composer{event: e}
	c.object(Field{Fields: []Field{{Name: "event", Type: "string"}, {Name: "event_ts", Type: "integer"}, {Name: "payload", Type: "object", Fields: []Field{
		{Name: "account_id", Type: "string"}, {Name: "object", Type: "object", Fields: []Field{
			{Name: "id", Type: "string"}, {Name: "uuid", Type: "string"}, {Name: "host_id", Type: "string"}, {Name: "topic", Type: "string"},
			{Name: "type", Type: "integer"}, {Name: "start_time", Type: "string", Format: "date-time"}, {Name: "timezone", Type: "string"},
			{Name: "duration", Type: "integer"}}}}}}}, place{})
	return c.out
}

// composer writes one payload.
type composer struct {
	event Event
	out   []byte
}

// place is where in a payload a value stands.
type place struct {
	parent string // the name of the object around it; of a list's element that of the list
	depth  int    // 0: the body itself
}

func (p place) below(name string) place {
	if name == "" {
		name = p.parent
	}
	return place{name, p.depth + 1}
}

func (c *composer) object(f Field, at place) {
	c.out = append(c.out, '{')
	first := true
	for _, inner := range c.fieldsOf(f, at) {
		if c.leaves(inner, at) {
			continue
		}
		if !first {
			c.out = append(c.out, ',')
		}
		first = false
		c.out = append(strconv.AppendQuote(c.out, inner.Name), ':')
		c.value(inner, at)
	}
	c.out = append(c.out, '}')
}

// leaves tells whether a field is left out: what is said to be missing from the
// event, and what may be anything.
func (c *composer) leaves(f Field, at place) bool {
	switch {
	case at.depth == 0 && f.Name == "event_ts":
		return c.event.is(noTS)
	case at.depth == 1 && at.parent == "payload" && f.Name == "account_id":
		return c.event.is(noAccount)
	}
	return f.Type == "any"
}

// fieldsOf adds to the documented fields those that the table knows of.
func (c *composer) fieldsOf(f Field, at place) []Field {
	switch {
	case at.depth == 0:
		return with(f.Fields, Field{Name: "event_ts", Type: "integer"})
	case at.depth == 1 && at.parent == "payload":
		return with(f.Fields, Field{Name: "account_id", Type: "string"})
	}
	return f.Fields
}

func with(fields []Field, more Field) []Field {
	for _, f := range fields {
		if f.Name == more.Name {
			return fields
		}
	}
	return append(append(make([]Field, 0, len(fields)+1), fields...), more)
}

func (c *composer) value(f Field, at place) {
	switch f.Type {
	case "object":
		c.object(f, at.below(f.Name))
	case "array":
		c.out = append(c.out, '[')
		if f.Items.Type != "any" {
			items := *f.Items
			c.element(items, f.Name, at)
		}
		c.out = append(c.out, ']')
	default:
		c.scalar(f, at)
	}
}

// element writes the only element of a list, which has the list's name.
func (c *composer) element(items Field, list string, at place) {
	if items.Type != "object" && items.Type != "array" {
		items.Name = singular(list)
		c.scalar(items, at)
		return
	}
	c.value(items, at.below(list))
}

func (c *composer) scalar(f Field, at place) {
	switch {
	case at.depth == 0 && f.Name == "event":
		c.text(c.event.Name)
	case at.depth == 0 && f.Name == "event_ts":
		c.moment(c.event.is(tsText))
	case f.Type == "boolean":
		c.out = strconv.AppendBool(c.out, f.enum == "" || f.Enum()[0] != "false")
	case f.Type == "string":
		c.text(c.textOf(f, at))
	default:
		c.out = append(c.out, c.numberOf(f, at)...)
	}
}

func (c *composer) moment(asText bool) {
	if asText {
		c.text(strconv.Itoa(sampleMoment))
		return
	}
	c.out = strconv.AppendInt(c.out, sampleMoment, 10)
}

func (c *composer) text(s string) {
	if quoted, err := json.Marshal(s); err == nil { // always: a string can be marshalled
		c.out = append(c.out, quoted...)
	}
}
