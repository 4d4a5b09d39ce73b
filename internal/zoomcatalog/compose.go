package zoomcatalog

import (
	"encoding/json"
	"strconv"
)

// compose makes the payload of an event that has no sample of its own, in the
// shape that the table gives it.
func compose(name string) []byte {
	e, known := Lookup(name)
	if !known {
		e = Event{Name: name, shape: idText | hasUUID}
	}
	top := newObject().put("event", name)
	switch {
	case e.is(tsText):
		top.put("event_ts", strconv.Itoa(sampleMoment))
	case !e.is(noTS):
		top.put("event_ts", sampleMoment)
	}
	if e.is(token) {
		top.put("download_token", "sample-download-token")
	}
	return top.put("payload", payloadOf(e)).bytes()
}

func payloadOf(e Event) *object {
	p := newObject()
	if !e.is(noAccount) {
		p.put("account_id", SampleAccount)
	}
	if e.is(operator) {
		p.put("operator", SampleHostEmail).put("operator_id", SampleHost)
	}
	if e.is(timeStamp) {
		p.put("time_stamp", sampleMoment)
	}
	if e.is(oldObject) {
		p.put("old_object", subject(e))
	}
	if e.is(noObject) {
		return p.put("meeting_uuid", SampleUUID)
	}
	return p.put("object", subject(e))
}

// subject makes payload.object.
func subject(e Event) *object {
	o := newObject()
	switch {
	case e.is(idNumber):
		o.put("id", SampleMeeting)
	case e.is(idText) && e.is(hasUUID):
		o.put("id", sampleMeeting)
	default:
		o.put("id", sampleMark+"object")
	}
	if !e.is(hasUUID) {
		return o
	}
	o.put("uuid", SampleUUID).put("host_id", SampleHost).put("topic", "Pottery evening").
		put("type", 2).put("start_time", "2026-03-02T09:00:05Z").
		put("timezone", "Europe/Berlin").put("duration", 45)
	if e.is(participant) {
		o.put("participant", newObject().put("user_id", "16778240").
			put("user_name", "Tomas Brandt").put("id", "usrTomasBrandt-3").
			put("email", "tomas.brandt@guest.example").put("participant_uuid", sampleMark+"participant"))
	}
	return o
}

// object writes a JSON object whose fields keep their order.
type object struct{ text []byte }

func newObject() *object { return &object{text: []byte{'{'}} }

func (o *object) put(key string, value any) *object {
	if len(o.text) > 1 {
		o.text = append(o.text, ',')
	}
	o.text = append(strconv.AppendQuote(o.text, key), ':')
	switch v := value.(type) {
	case int:
		o.text = strconv.AppendInt(o.text, int64(v), 10)
	case *object:
		o.text = append(o.text, v.bytes()...)
	case string:
		quoted, err := json.Marshal(v)
		if err == nil { // always: a string can be marshalled
			o.text = append(o.text, quoted...)
		}
	}
	return o
}

func (o *object) bytes() []byte { return append(o.text[:len(o.text):len(o.text)], '}') }
