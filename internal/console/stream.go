package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"zflow/engine"
	"zflow/internal/operator"
	"zflow/internal/operator/live"
	"zflow/internal/tokens"
	wire "zflow/proto"
)

// mostStreams is how many streams a console has at a time.
const mostStreams = 4096

// lastEvent is the parameter for clients that cannot set the header Last-Event-ID.
const lastEvent = "last_event_id"

func (a *api) streamEvents(c *call) (any, error) {
	if err := c.parameters([]string{"type"}, "workflow", lastEvent); err != nil {
		return nil, err
	}
	query := c.r.URL.Query()
	var triggers []engine.Trigger
	var err error
	if workflow := query.Get("workflow"); query.Has("workflow") {
		if triggers, err = live.Triggers(c.ctx, c.backend.Operator, workflow); err != nil {
			return nil, asInvalid(err)
		}
	}
	filter, err := live.Events(query["type"], triggers)
	if err != nil {
		return nil, asInvalid(err)
	}
	return nil, a.stream(c, feed{wire.Events, a.events, eventFrame}, filter)
}

func (a *api) streamRuns(c *call) (any, error) {
	if err := c.parameters([]string{"workflow", "status"}, lastEvent); err != nil {
		return nil, err
	}
	query := c.r.URL.Query()
	filter, err := live.Runs(query["workflow"], query["status"])
	if err != nil {
		return nil, asInvalid(err)
	}
	return nil, a.stream(c, feed{wire.Runs, a.runs, runFrame}, filter)
}

// asInvalid is 400 for an error that has no status of its own.
func asInvalid(err error) error {
	if statusOf(err) == http.StatusInternalServerError {
		return answer{http.StatusBadRequest, err}
	}
	return err
}

// place reads where a client was.
func (c *call) place() (*uint64, error) {
	text := c.r.Header.Get("Last-Event-ID")
	if text == "" {
		text = c.r.URL.Query().Get(lastEvent)
	}
	if text == "" {
		return nil, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return nil, invalid("Last-Event-ID is %.40q: it is to be the id of what came last, a number", text)
	}
	return &n, nil
}

// feed is what is streamed.
type feed struct {
	name   string // of the stream
	hub    *live.Hub
	render func(*live.Message) []byte
}

// stream sends what a filter lets through until the client, the token or the
// console ends.
func (a *api) stream(c *call, f feed, filter live.Filter) error {
	defer a.open.Add(-1)
	if a.open.Add(1) > mostStreams {
		return answer{http.StatusServiceUnavailable, fmt.Errorf("there are %d streams already: close some, or run another console", mostStreams)}
	}
	after, err := c.place()
	if err != nil {
		return err
	}
	follower, err := f.hub.Open(c.ctx, live.Query{Filter: filter, After: after})
	if err != nil {
		return err
	}
	defer follower.Close()
	open := a.numbers.streams.WithLabelValues(f.name)
	open.Inc()
	defer open.Dec()
	s := &sse{api: a, call: c, feed: f, out: http.NewResponseController(c.w), checked: time.Now()}
	a.numbers.ended.WithLabelValues(f.name, s.run(follower)).Inc()
	return nil
}

// sse is a stream of Server-Sent Events.
type sse struct {
	*api
	*call
	feed
	out     *http.ResponseController
	checked time.Time // when the token was
}

// Reasons why a stream ends.
const (
	endClient = "client"
	endSlow   = "slow"
	endToken  = "token"
	endReset  = "reset"
	endStop   = "stop"
)

// run returns why it ended.
func (s *sse) run(f *live.Follower) string {
	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx passes on what comes, at once
	_ = s.out.SetReadDeadline(time.Time{})
	s.w.WriteHeader(http.StatusOK)
	begin := ": from here on\nretry: 2000\n\n"
	if gap := f.Gap(); gap != nil {
		begin += fmt.Sprintf(": %d to %d are no longer kept\nevent: zflow.gap\ndata: {\"after\":%d,\"first\":%d}\n\n", gap.After+1, gap.First-1, gap.After, gap.First)
	}
	if err := s.send([]byte(begin)); err != nil {
		return why(err)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	defer context.AfterFunc(s.ending, cancel)()
	for {
		reason, err := s.turn(ctx, f)
		switch {
		case err != nil:
			return why(err)
		case reason != "":
			return reason
		}
	}
}

// turn sends what comes next, or a comment when nothing did for a while. A reason
// says that it was the last.
func (s *sse) turn(ctx context.Context, f *live.Follower) (reason string, err error) {
	wait, cancel := context.WithTimeout(ctx, s.config.ping)
	got, err := f.Next(wait)
	cancel()
	switch {
	case s.ending.Err() != nil:
		return endStop, s.send([]byte(": the console stops: come back\n\n"))
	case ctx.Err() != nil:
		return endClient, nil
	case err != nil:
		return endReset, s.send([]byte(": " + err.Error() + "\n\n"))
	}
	if time.Since(s.checked) >= s.config.ping {
		if s.checked = time.Now(); !s.allowed(ctx) {
			return endToken, s.send([]byte(": the token has expired or was revoked\n\n"))
		}
	}
	if len(got) == 0 {
		return "", s.send([]byte(": still here\n\n"))
	}
	frames := make([][]byte, len(got))
	for i, m := range got {
		frames[i] = m.Rendered(s.render)
	}
	s.numbers.sent.WithLabelValues(s.name).Add(float64(len(got)))
	return "", s.send(frames...)
}

// allowed asks whether the token is still valid. That it cannot be found out is not
// the client's fault, and nothing new comes meanwhile.
func (s *sse) allowed(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, s.config.ping/3)
	defer cancel()
	_, err := s.guard.check(ctx, s.call.backend.Tokens, s.text)
	return !errors.Is(err, tokens.ErrUnknown) && !errors.Is(err, tokens.ErrExpired)
}

// send writes and flushes, within what a client may take to read.
func (s *sse) send(frames ...[]byte) error {
	if err := s.out.SetWriteDeadline(time.Now().Add(s.config.writeLimit)); err != nil {
		return err
	}
	for _, frame := range frames {
		if _, err := s.w.Write(frame); err != nil {
			return err
		}
	}
	return s.out.Flush()
}

func why(err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return endSlow
	}
	return endClient
}

// frame is one message as Server-Sent Events have it. JSON without line breaks is
// one line.
func frame(sequence uint64, kind string, v any) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "id: %d\nevent: %s\ndata: ", sequence, operator.Line(kind))
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return damaged(sequence, err)
	}
	b.WriteByte('\n') // after that of the encoder
	return b.Bytes()
}

// damaged is what is sent of a message that cannot be read, such as one that another
// program published: its place, so that the client comes past it.
func damaged(sequence uint64, err error) []byte {
	return frame(sequence, "zflow.damaged", map[string]any{"seq": sequence, "error": operator.Line(err.Error())})
}

func eventFrame(m *live.Message) []byte {
	e, err := live.ReadEvent(m)
	if err != nil {
		return damaged(m.Sequence, err)
	}
	return frame(m.Sequence, e.Type, e)
}

func runFrame(m *live.Message) []byte {
	r, err := live.ReadAppend(m)
	if err != nil {
		return damaged(m.Sequence, err)
	}
	return frame(m.Sequence, r.Status, r)
}
