package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Answer is what a call gets; a nil body is an empty one.
type Answer struct {
	Status int
	Code   int // Zoom's own
	Body   any
	Header http.Header
}

// Problem is the body of a refused call.
type Problem struct {
	Code    int          `json:"code"`
	Message string       `json:"message"`
	Errors  []FieldError `json:"errors,omitempty"`
}

// FieldError is one complaint about the input.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Error refuses a call as Zoom does.
func Error(status, code int, format string, args ...any) Answer {
	return Answer{Status: status, Code: code, Body: Problem{Code: code, Message: fmt.Sprintf(format, args...)}}
}

// Invalid refuses fields; each is named with what is wrong.
func Invalid(errors ...FieldError) Answer {
	return Answer{Status: http.StatusBadRequest, Code: 300, Body: Problem{Code: 300, Message: "Validation Failed.", Errors: errors}}
}

// Written returns the answer with its body made into text.
func (a Answer) Written() Answer {
	if _, done := a.Body.(Raw); done || a.Body == nil {
		return a
	}
	text, err := json.Marshal(a.Body)
	if err != nil {
		return Error(http.StatusInternalServerError, 500, "encoding the answer: %v", err)
	}
	a.Body = Raw(text)
	return a
}

// Raw is a body that is written as it stands, JSON or not.
type Raw string

// Write sends an answer.
func Write(w http.ResponseWriter, a Answer) {
	a = a.Written()
	for key, values := range a.Header {
		w.Header()[key] = values
	}
	text, hasBody := a.Body.(Raw)
	if hasBody && w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	}
	w.WriteHeader(a.Status)
	// A client that has gone is no concern of the server's.
	_, _ = w.Write([]byte(text))
}
