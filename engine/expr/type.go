package expr

import "zflow/engine/expr/shape"

// Type says what is known about a value before there is one: shape.Type.
type Type = shape.Type

// The kinds of values that have no parts.
const (
	Text   = shape.Text
	Number = shape.Number
	Bool   = shape.Bool
)

// Object is a value with these fields, and others too if open.
func Object(fields map[string]Type, open bool) Type { return shape.Object(fields, open) }

// Guided is a value whose fields are known, though others may come: a name that
// is close to a known one is an error, any other unknown name a warning.
func Guided(fields map[string]Type) Type { return shape.Guided(fields) }

// List is a list of such values.
func List(of Type) Type { return shape.List(of) }

// Scalar is a value without parts.
func Scalar(k shape.Kind) Type { return shape.Scalar(k) }

// TypeOf is what is known of a value that is there.
func TypeOf(v any) Type { return shape.Of(v) }

// Union is a value that is of one of these types: a field that one of them has
// may be there.
func Union(of ...Type) Type { return shape.Union(of...) }
