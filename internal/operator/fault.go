package operator

import "errors"

// Kinds of errors that are the asker's, for errors.Is. An error of another kind is
// the server's or zflow's own.
var (
	ErrNotFound = errors.New("there is none")
	ErrInvalid  = errors.New("what was asked is not right")
	ErrConflict = errors.New("it is not in a state for that")
)

// fault is an error of a kind.
type fault struct {
	error
	kind error
}

// classed says of what kind an error is; its text stays.
func classed(kind, err error) error { return fault{err, kind} }

// Is implements errors.Is.
func (f fault) Is(target error) bool { return target == f.kind }

// Unwrap implements errors.Is and errors.As.
func (f fault) Unwrap() error { return f.error }
