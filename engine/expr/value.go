package expr

import (
	"time"

	"zflow/engine/expr/jsonvalue"
	"zflow/engine/expr/toolbox"
)

// KindOf names the type of a value for people, such as a list or text.
func KindOf(v any) string { return kindOf(v) }

// TimeOf reads a value as a time: one in text, or Unix seconds or milliseconds. A
// text without a zone is in UTC.
func TimeOf(v any) (time.Time, error) {
	t, err := toolbox.TimeOf(v, time.UTC)
	return t, told(err)
}

// AsText returns a value as it stands in a text: JSON where it is an object or a list.
func AsText(v any) (string, error) { return jsonvalue.Text(v) }
