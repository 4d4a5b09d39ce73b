package http

import (
	"bytes"
	"encoding/json"
	"io"
	nethttp "net/http"
	"strconv"
	"strings"

	"zflow/actions"
)

// Answer is what a run says to who waits for it: by respond, or by its end.
type Answer struct {
	Status  int               `json:"status,omitempty"` // of respond; 0: it is the end
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"` // of an end: the run's output

	End     string `json:"end,omitempty"`     // completed, failed, canceled; empty: it is an answer
	Refused string `json:"refused,omitempty"` // why the run was not begun; "unmatched": no trigger takes the event
}

// Unmatched is why a run was not begun that no trigger wants.
const Unmatched = "unmatched"

// give writes a run's answer. It has no secrets: what is sealed was masked by who
// made it.
func (h *Handler) give(w nethttp.ResponseWriter, r *nethttp.Request, c *call, a *Answer) {
	switch {
	case a.Refused == Unmatched:
		say(w, nethttp.StatusAccepted, map[string]any{"event_id": c.event.ID, "run_id": nil, "status": "not_started"})
	case a.Refused != "":
		say(w, nethttp.StatusConflict, c.with("error", "the run was not begun: "+a.Refused))
	case a.End == "failed":
		say(w, nethttp.StatusInternalServerError, c.with("error", "the run failed"))
	case a.End == "canceled":
		say(w, nethttp.StatusInternalServerError, c.with("error", "the run was canceled"))
	default:
		h.write(w, r, c, a)
	}
}

func (c *call) with(name, text string) map[string]any {
	all := c.ids()
	all[name] = text
	return all
}

// own are headers that only the server itself writes.
var own = []string{"content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "trailer", "te", "date", "proxy-connection"}

// write writes what respond says, or a run's output.
func (h *Handler) write(w nethttp.ResponseWriter, r *nethttp.Request, c *call, a *Answer) {
	status := a.Status
	if status < 200 || status > 599 { // the end of a run; 1xx are no answers
		status = nethttp.StatusOK
	}
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	for name, value := range a.Headers {
		if !oneLine(value) || reserved(name) {
			continue // the server leaves out names that are none
		}
		header.Set(name, value)
	}
	if f, ok := fileIn(a.Body); ok {
		h.stream(w, r, c, status, f)
		return
	}
	body, kind := bodyOf(a.Body)
	if status == nethttp.StatusNoContent || status == nethttp.StatusNotModified {
		body = nil
	}
	if body != nil && header.Get("Content-Type") == "" {
		header.Set("Content-Type", kind)
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // who is gone needs no answer
}

// oneLine tells whether a text can be that of a header.
func oneLine(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

func reserved(name string) bool {
	for _, o := range own {
		if strings.EqualFold(o, name) {
			return true
		}
	}
	return false
}

// bodyOf returns a text as it is, and everything else as JSON.
func bodyOf(raw json.RawMessage) (body []byte, kind string) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil, ""
	}
	var text string
	if raw[0] == '"' && json.Unmarshal(raw, &text) == nil {
		return []byte(text), "text/plain; charset=utf-8"
	}
	return raw, "application/json"
}

// fileIn reads a reference to a file.
func fileIn(raw json.RawMessage) (actions.File, bool) {
	if !bytes.Contains(raw, []byte(`"sha256"`)) {
		return actions.File{}, false
	}
	var f struct {
		File, Name, Type, SHA256 string
		Size                     int64
	}
	if json.Unmarshal(raw, &f) != nil {
		return actions.File{}, false
	}
	return actions.FileOf(map[string]any{"file": f.File, "name": f.Name, "type": f.Type, "size": f.Size, "sha256": f.SHA256})
}

// stream writes a file. One that turns out not to be what was stored is not taken
// for whole.
func (h *Handler) stream(w nethttp.ResponseWriter, r *nethttp.Request, c *call, status int, f actions.File) {
	header := w.Header()
	if header.Get("Content-Type") == "" {
		kind := f.Type
		if kind == "" || !oneLine(kind) {
			kind = "application/octet-stream"
		}
		header.Set("Content-Type", kind)
	}
	to := &late{w: w, control: nethttp.NewResponseController(w), begin: func() {
		header.Set("Content-Length", strconv.FormatInt(f.Size, 10))
		w.WriteHeader(status)
	}}
	err := h.config.Files.Copy(r.Context(), to, f)
	switch {
	case err == nil && f.Size == 0:
		to.begin()
	case err != nil && !to.begun:
		header.Del("Content-Type")
		say(w, nethttp.StatusInternalServerError, c.with("error", "the file that the run answered with cannot be read"))
	}
	// What is written of a file that breaks off is shorter than was said, which ends the
	// connection: the last piece is written only if all are right.
}

// late begins an answer when its first bytes are there, and gives a slow reader as
// long as it takes a piece at a time.
type late struct {
	w       io.Writer
	control *nethttp.ResponseController
	begin   func()
	begun   bool
}

func (l *late) Write(p []byte) (int, error) {
	if !l.begun {
		l.begun = true
		l.begin()
	}
	extend(l.control)
	return l.w.Write(p)
}
