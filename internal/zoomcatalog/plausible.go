package zoomcatalog

import (
	"strconv"
	"strings"
)

// The moments in made-up payloads: what is over began earlier.
const (
	sampleBegin = "2026-03-02T09:12:34Z"
	sampleEnd   = "2026-03-02T10:00:00Z"
)

// textOf returns a text such as a field's name, format and allowed values promise.
func (c *composer) textOf(f Field, at place) string {
	allowed := f.Enum()
	switch {
	case len(allowed) > 0:
		return allowed[0]
	case f.Format == "date-time":
		return momentNamed(f.Name)
	case f.Format == "date":
		return sampleEnd[:len("2026-03-02")]
	case f.Format == "email":
		return mailNamed(f.Name, at)
	}
	if text, ok := c.idOf(f.Name, at); ok {
		return text
	}
	if text, ok := texts[f.Name]; ok {
		return text
	}
	for _, e := range endings {
		if strings.HasSuffix(f.Name, e.end) {
			return e.text
		}
	}
	return strings.ReplaceAll(f.Name, "_", " ")
}

func momentNamed(name string) string {
	for _, early := range [...]string{"start", "begin", "created", "join", "ringing", "answer"} {
		if strings.Contains(name, early) {
			return sampleBegin
		}
	}
	return sampleEnd
}

func mailNamed(name string, at place) string {
	if strings.Contains(name, "host") || name == "operator" || at.parent == "payload" || at.parent == "owner" {
		return SampleHostEmail
	}
	return guestMail
}

const guestMail = "tomas.brandt@guest.example"

// idOf returns an id. Those of the account, of its people and of the meeting are
// the same in all payloads; Fresh renews the meeting's and all that begin with the
// mark.
func (c *composer) idOf(name string, at place) (string, bool) {
	switch name {
	case "account_id", "accountId", "host_account_id":
		return SampleAccount, true
	case "host_id", "operator_id", "owner_id", "userId", "meeting_host_id", "host_user_id":
		return SampleHost, true
	case "uuid", "meeting_uuid", "webinar_uuid":
		return SampleUUID, true
	case "meeting_id", "webinar_id", "meeting_number":
		return sampleMeeting, true
	case "call_id":
		return sampleCall, true
	case "id":
		return c.ownID(at), true
	}
	for _, end := range [...]string{"_id", "_uuid", "_jid", "Jid", "Id", "_key", "_ids"} {
		if stem, ok := strings.CutSuffix(name, end); ok {
			return sampleMark + strings.ReplaceAll(stem, "_", "-"), true
		}
	}
	return "", false
}

// ownID is the id of what the fields around it are about.
func (c *composer) ownID(at place) string {
	about := at.parent
	switch {
	case about == "object" || about == "old_object":
		if c.event.is(hasUUID) {
			return sampleMeeting
		}
		about = "object"
	case about == "payload" || about == "":
		about = "payload"
	}
	return sampleMark + strings.ReplaceAll(singular(about), "_", "-")
}

func singular(name string) string {
	if plain, ok := strings.CutSuffix(name, "ies"); ok {
		return plain + "y"
	}
	if strings.HasSuffix(name, "ss") || strings.HasSuffix(name, "us") {
		return name
	}
	return strings.TrimSuffix(name, "s")
}

// texts are the values of fields of these names.
var texts = map[string]string{
	"operator": SampleHostEmail, "email": guestMail, "user_email": guestMail, "contact_email": guestMail, "host_email": SampleHostEmail,
	"user_name": "Tomas Brandt", "userName": "Noor Haddad", "display_name": "Tomas Brandt", "first_name": "Tomas", "last_name": "Brandt",
	"topic": "Pottery evening", "session_name": "Pottery evening", "meeting_topic": "Pottery evening", "title": "Pottery evening",
	"message": "Is the kiln free on Friday?", "text": "Is the kiln free on Friday?", "content": "Is the kiln free on Friday?",
	"timezone": "Europe/Berlin", "country": "DE", "city": "Hamburg", "zip": "20457", "state": "HH", "language": "en-US",
	"start_time": sampleBegin, "end_time": sampleEnd, "date_time": sampleEnd, "timestamp": strconv.Itoa(sampleMoment),
	"version": "6.4.0", "type": "default", "status": "active", "currency": "EUR", "resolution": "1920x1080", "os": "linux",
	"event_ts": strconv.Itoa(sampleMoment), "file_name": "glazes.pdf", "file_type": "PDF", "file_extension": "PDF",
	"passcode": "481516", "password": "481516", "description": "Throwing, glazing and firing",
}

// endings are the values of fields whose names end so; the first that fits counts.
var endings = [...]struct{ end, text string }{
	{"_time_ms", strconv.Itoa(sampleMoment)}, {"_ms", strconv.Itoa(sampleMoment)}, {"_ts", strconv.Itoa(sampleMoment)},
	{"_email", guestMail}, {"_timezone", "Europe/Berlin"}, {"start_time", sampleBegin}, {"_time", sampleEnd}, {"_date", sampleEnd},
	{"_url", "https://harbor.example/sample-page"}, {"_link", "https://harbor.example/sample-page"}, {"_urls", "https://harbor.example/sample-page"},
	{"_token", "sample-token"}, {"extension_number", "1042"}, {"phone_number", "+12025550143"}, {"_number", "+12025550143"}, {"number", "+12025550143"},
	{"_first_name", "Tomas"}, {"_last_name", "Brandt"}, {"file_name", "glazes.pdf"}, {"user_display_name", "Noor Haddad"}, {"_display_name", "Tomas Brandt"},
	{"host_name", "Noor Haddad"}, {"operator_name", "Noor Haddad"}, {"queue_name", "Workshop"}, {"_ip", "192.0.2.10"}, {"ip_address", "192.0.2.10"}, {"_addr", "00:00:5E:00:53:01"},
	{"_code", "DE"}, {"_percent", "12%"}, {"_usage", "12%"}, {"_size", "1048576"}, {"_version", "6.4.0"},
}

// numberOf returns a number such as a field's name and allowed values promise.
func (c *composer) numberOf(f Field, at place) string {
	if allowed := f.Enum(); len(allowed) > 0 {
		if _, err := strconv.ParseFloat(allowed[0], 64); err == nil {
			return allowed[0]
		}
	}
	switch f.Name {
	case "id", "meeting_id", "webinar_id", "meeting_number":
		return sampleMeeting
	case "timestamp", "time_stamp", "event_ts", "event_timestamp":
		return strconv.Itoa(sampleMoment)
	case "type":
		return "2"
	}
	for _, n := range numbers {
		if strings.HasSuffix(f.Name, n.end) {
			return n.text
		}
	}
	return "1"
}

// numbers are the values of fields whose names end so.
var numbers = [...]struct{ end, text string }{
	{"duration", "45"}, {"size", "1048576"}, {"_ts", strconv.Itoa(sampleMoment)}, {"_ms", strconv.Itoa(sampleMoment)},
	{"phone_number", "12025550143"}, {"from_number", "12025550143"}, {"extension_number", "1042"}, {"_id", "4100000001"},
	{"threshold", "80"}, {"capacity", "100"}, {"_days", "30"}, {"timeout", "30"},
}
