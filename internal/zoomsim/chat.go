package zoomsim

import (
	"net/http"
	"unicode/utf8"
)

const mostLetters = 4096 // of a chat message

func (s *Sim) sendChatMessage(c *call) answer {
	if _, refused := s.user(c); refused != nil {
		return *refused
	}
	message, isText := c.body["message"].(string)
	if !isText || message == "" || utf8.RuneCountInString(message) > mostLetters {
		return invalid(fieldError{Field: "message", Message: "Invalid field."})
	}
	if text(c.body["to_contact"]) == "" && text(c.body["to_channel"]) == "" {
		return invalid(fieldError{Field: "to_contact", Message: "Either to_contact or to_channel is required."})
	}
	return answer{status: http.StatusCreated, body: map[string]any{"id": randomText(16)}}
}
