package zoomsim

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// answer is what a call gets; a nil body is an empty one.
type answer struct {
	status int
	code   int // Zoom's own
	body   any
	header http.Header
}

// apiError is the body of a refused call.
type apiError struct {
	Code    int          `json:"code"`
	Message string       `json:"message"`
	Errors  []fieldError `json:"errors,omitempty"`
}

type fieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

func zoomError(status, code int, format string, args ...any) answer {
	return answer{status: status, code: code, body: apiError{Code: code, Message: fmt.Sprintf(format, args...)}}
}

func noMeeting(id string) answer {
	return zoomError(http.StatusNotFound, 3001, "Meeting does not exist: %s.", id)
}

// invalid refuses fields; each is named with what is wrong.
func invalid(errors ...fieldError) answer {
	return answer{status: http.StatusBadRequest, code: 300, body: apiError{Code: 300, Message: "Validation Failed.", Errors: errors}}
}

// reply enters the answer in the ledger and writes it, in this order: who has
// the answer finds the entry.
func (s *Sim) reply(w http.ResponseWriter, e Entry, a answer) {
	e.Status, e.Code = a.status, a.code
	s.ledger.add(e)
	writeAnswer(w, a)
}

// written returns the answer with its body made into text.
func (a answer) written() answer {
	if _, done := a.body.(rawJSON); done || a.body == nil {
		return a
	}
	text, err := json.Marshal(a.body)
	if err != nil {
		return zoomError(http.StatusInternalServerError, 500, "encoding the answer: %v", err)
	}
	a.body = rawJSON(text)
	return a
}

// rawJSON is a body that is written as it stands, JSON or not.
type rawJSON string

func writeAnswer(w http.ResponseWriter, a answer) {
	a = a.written()
	for key, values := range a.header {
		w.Header()[key] = values
	}
	text, hasBody := a.body.(rawJSON)
	if hasBody && w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	}
	w.WriteHeader(a.status)
	// A client that has gone is no concern of the server's.
	_, _ = w.Write([]byte(text))
}
