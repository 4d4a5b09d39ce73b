// Package jsonvalue is how values of workflows are kept: nil, bool, int64,
// float64, string, []any, map[string]any.
//
// Obligations: a value written and read again is the same value, of the same
// types; so a float64 without fraction that fits is an int64. Digits of an
// integer are never lost. The same value is always written as the same bytes.
// Whatever the bytes or values are, the work is bounded.
package jsonvalue
