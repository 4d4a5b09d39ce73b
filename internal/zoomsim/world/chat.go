package world

import (
	"net/http"
	"unicode/utf8"
	"zflow/internal/zoomsim/rest"
)

const mostLetters = 4096 // of a chat message

func (w *World) sendChatMessage(c *rest.Call) rest.Answer {
	if _, refused := w.user(c); refused != nil {
		return *refused
	}
	message, isText := c.Body["message"].(string)
	if !isText || message == "" || utf8.RuneCountInString(message) > mostLetters {
		return rest.Invalid(rest.FieldError{Field: "message", Message: "Invalid field."})
	}
	if rest.Text(c.Body["to_contact"]) == "" && rest.Text(c.Body["to_channel"]) == "" {
		return rest.Invalid(rest.FieldError{Field: "to_contact", Message: "Either to_contact or to_channel is required."})
	}
	return rest.Answer{Status: http.StatusCreated, Body: map[string]any{"id": rest.Random(16)}}
}
