// Package form reads the values of a definition: texts, numbers, durations, objects
// with the keys of a table, inputs that must fit a schema. It knows nothing of steps,
// triggers and expressions.
package form

import (
	"regexp"

	"zflow/engine/definition/document"
	"zflow/engine/definition/language"
)

// Reader reads the values of a file, and reports on it what is wrong with them.
type Reader struct{ *document.File }

var validName = regexp.MustCompile(language.NamePattern)
