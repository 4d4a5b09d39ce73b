package actions

import (
	"fmt"
	"time"
)

// Class says what an error means for the next attempt.
type Class string

// Classes.
const (
	ClassFinal     Class = "final"     // trying again would not help
	ClassRetryable Class = "retryable" // it did not happen, or may happen again
	ClassUnknown   Class = "unknown"   // it was sent and may have happened
)

// Error is why an attempt failed, fit for the user to read.
type Error struct {
	Class   Class
	Status  int       // HTTP status; 0 when there was no answer
	Code    string    // of the API that was called
	Message string    // without any credential
	RetryAt time.Time // not before; zero: the step's policy decides
}

func (e *Error) Error() string {
	switch {
	case e.Status != 0 && e.Code != "":
		return fmt.Sprintf("%s (status %d, code %s)", e.Message, e.Status, e.Code)
	case e.Status != 0:
		return fmt.Sprintf("%s (status %d)", e.Message, e.Status)
	}
	return e.Message
}

// Final says that trying again would not help.
func Final(format string, args ...any) *Error {
	return &Error{Class: ClassFinal, Message: fmt.Sprintf(format, args...)}
}

// Retryable says that the call did not happen, or may safely happen again.
func Retryable(format string, args ...any) *Error {
	return &Error{Class: ClassRetryable, Message: fmt.Sprintf(format, args...)}
}

// RetryAfter is Retryable, but not before a time.
func RetryAfter(at time.Time, format string, args ...any) *Error {
	return &Error{Class: ClassRetryable, RetryAt: at, Message: fmt.Sprintf(format, args...)}
}

// Unknown says that the call was sent and may have happened.
func Unknown(format string, args ...any) *Error {
	return &Error{Class: ClassUnknown, Message: fmt.Sprintf(format, args...)}
}

// With adds the HTTP status and the API's code.
func (e *Error) With(status int, code string) *Error {
	e.Status, e.Code = status, code
	return e
}
