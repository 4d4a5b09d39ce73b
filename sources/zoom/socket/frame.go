package socket

import (
	"encoding/json"
	"strings"
)

// Modules of Zoom's frames.
const (
	moduleBuild     = "build_connection"
	moduleHeartbeat = "heartbeat"
	moduleMessage   = "message"
)

// heartbeat is what Zoom wants to hear every 30 seconds.
const heartbeat = `{"module":"heartbeat"}`

// frame is a message of Zoom's.
type frame struct {
	Module  string          `json:"module"`
	Success *bool           `json:"success"`
	Content json.RawMessage `json:"content"` // a text; of an event its body, written as a text
}

func readFrame(data []byte) (f frame, ok bool) {
	if json.Unmarshal(data, &f) != nil {
		return frame{}, false
	}
	return f, f.Module != "" || f.Content != nil
}

// text is the content as text, or its JSON where it is none.
func (f frame) text() string {
	var s string
	if json.Unmarshal(f.Content, &s) == nil {
		return s
	}
	return string(f.Content)
}

// refusesToken tells that Zoom wants another token, which it says in several ways
// and modules.
func (f frame) refusesToken() bool {
	if f.Module == moduleMessage || f.Success != nil && *f.Success && f.Module == moduleBuild {
		return false
	}
	said := strings.ToLower(f.text())
	return strings.Contains(said, "token") && (strings.Contains(said, "invalid") || strings.Contains(said, "expired"))
}

// refused tells that Zoom does not let us in, for whatever reason.
func (f frame) refused() bool { return f.Module == moduleBuild && f.Success != nil && !*f.Success }
