package world

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
	"zflow/internal/zoomsim/rest"
)

// meetingFields are the fields of a meeting that a caller may set, with what is
// wrong with a value, or "".
var meetingFields = map[string]func(any) string{
	"topic":           atMost(200),
	"agenda":          atMost(2000),
	"password":        atMost(10),
	"schedule_for":    atMost(254),
	"timezone":        isTimezone,
	"start_time":      isMoment,
	"type":            oneOf("1", "2", "3", "8", "10"),
	"duration":        isPositive,
	"settings":        isObject,
	"recurrence":      isObject,
	"tracking_fields": anything,
	"pre_schedule":    anything,
}

// checkMeeting returns what is wrong with the fields of a meeting.
func checkMeeting(body map[string]any, webinar bool) []rest.FieldError {
	var bad []rest.FieldError
	for _, key := range rest.SortedKeys(body) {
		check := meetingFields[key]
		if webinar && key == "type" {
			check = oneOf("5", "6", "9")
		}
		if check == nil || body[key] == nil {
			continue // Zoom takes no notice of fields that it does not know
		}
		if problem := check(body[key]); problem != "" {
			bad = append(bad, rest.FieldError{Field: key, Message: problem})
		}
	}
	return bad
}

// known returns the fields of a body that a meeting has.
func known(body map[string]any) map[string]any {
	fields := make(map[string]any, len(body))
	for key, value := range body {
		if meetingFields[key] != nil && value != nil {
			fields[key] = value
		}
	}
	return fields
}

// setDefaults fills in what a new meeting has without being asked. Every third
// gets no password, as where the account does not ask for one.
func setDefaults(m *meeting) {
	defaults := map[string]any{"topic": "Zoom Meeting", "type": 2, "duration": 60, "timezone": "UTC", "agenda": ""}
	if m.webinar {
		defaults["topic"], defaults["type"] = "Zoom Webinar", 5
	}
	if m.id%3 != 0 {
		defaults["password"] = rest.Random(4)
	}
	settings := map[string]any{"approval_type": 2, "join_before_host": false, "waiting_room": true}
	if given, ok := m.fields["settings"].(map[string]any); ok {
		rest.Overlay(settings, given)
	}
	for key, value := range defaults {
		if _, given := m.fields[key]; !given {
			m.fields[key] = value
		}
	}
	m.fields["settings"] = settings
}

func atMost(letters int) func(any) string {
	return func(v any) string {
		s, ok := v.(string)
		if !ok || utf8.RuneCountInString(s) > letters {
			return fmt.Sprintf("Invalid field. At most %d characters.", letters)
		}
		return ""
	}
}

func oneOf(values ...string) func(any) string {
	return func(v any) string {
		for _, allowed := range values {
			if rest.Text(v) == allowed {
				return ""
			}
		}
		return "Invalid field."
	}
}

func isPositive(v any) string {
	if n, err := strconv.Atoi(rest.Text(v)); err != nil || n < 1 {
		return "Invalid field."
	}
	return ""
}

func isMoment(v any) string {
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04:05"} {
		if _, err := time.Parse(layout, rest.Text(v)); err == nil {
			return ""
		}
	}
	return "Invalid field."
}

func isTimezone(v any) string {
	if name, ok := v.(string); ok && name != "" {
		return ""
	}
	return "Invalid field."
}

func isObject(v any) string {
	if _, ok := v.(map[string]any); !ok {
		return "Invalid field."
	}
	return ""
}

func anything(any) string { return "" }
