package nats

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"zflow/actions"
	"zflow/engine/expr/moment"
)

// message is what a step sends, and the credentials in it.
type message struct {
	nats.Msg
	secrets []string
}

const (
	maxSubject = 256
	maxHeaders = 64
	maxHeader  = 4 << 10
)

func (d *desk) message(input map[string]any) (*message, error) {
	if d.Conn == nil || d.JS == nil {
		return nil, actions.Final("messages cannot be sent from here")
	}
	subject, _ := input["subject"].(string)
	if err := checkSubject(subject); err != nil {
		return nil, err
	}
	m := &message{Msg: nats.Msg{Subject: subject, Header: nats.Header{}}}
	if err := d.body(m, input); err != nil {
		return nil, err
	}
	if err := d.headers(m, input["headers"]); err != nil {
		return nil, err
	}
	if most := d.Conn.MaxPayload(); int64(len(m.Data)) > most-64<<10 {
		return nil, actions.Final("the message has %d bytes: the server takes %d", len(m.Data), most-64<<10).With(0, "too_large")
	}
	return m, nil
}

// checkSubject refuses what no message goes to, and what is not the workflows'.
func checkSubject(s string) error {
	refused := func(why string) error {
		return actions.Final("the subject %.100q %s", s, why).With(0, "bad_subject")
	}
	first, _, _ := strings.Cut(s, ".")
	switch {
	case s == "":
		return actions.Final("subject is missing, or not text").With(0, "bad_subject")
	case len(s) > maxSubject || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return refused("is longer than 256 bytes, or has a space or a control character")
	case strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") || strings.Contains(s, ".."):
		return refused("has an empty part")
	case strings.ContainsAny(s, "*>"):
		return refused("has a * or >: a message goes to one subject")
	case first == "zflow":
		return refused("is zflow's own: a step with emit publishes an event")
	case strings.HasPrefix(s, "$"):
		return refused("is the server's own")
	case strings.HasPrefix(s, "_"):
		return refused("is an inbox, or another one of NATS itself")
	}
	return nil
}

func (d *desk) body(m *message, input map[string]any) error {
	text, isText := input["text"].(string)
	data, isData := input["data"]
	switch {
	case input["text"] != nil && !isText:
		return actions.Final("text is not text: data takes any value")
	case isText && isData && data != nil:
		return actions.Final("text and data are given: choose one")
	case !isText && isData:
		raw, err := json.Marshal(data)
		if err != nil {
			return actions.Final("data is no JSON: %v", err)
		}
		text = string(raw)
	}
	opened, err := d.open(m, text, !isText)
	m.Data = []byte(opened)
	return err
}

// marker is a sealed value in a text.
var marker = regexp.MustCompile(`~zf1\.[A-Za-z0-9_-]{8}\.[A-Za-z0-9_-]+~`)

// open puts credentials into a text, escaped where that is JSON.
func (d *desk) open(m *message, text string, isJSON bool) (string, error) {
	if d.Reveal == nil {
		return text, nil
	}
	var failed error
	out := marker.ReplaceAllStringFunc(text, func(one string) string {
		secret, err := d.Reveal(one)
		if err != nil {
			failed = actions.Final("%v", err)
			return ""
		}
		if secret != "" {
			m.secrets = append(m.secrets, secret)
		}
		if isJSON {
			raw, _ := json.Marshal(secret)
			return string(raw[1 : len(raw)-1])
		}
		return secret
	})
	return out, failed
}

// masked is a text from outside without credentials.
func (m *message) masked(text string) string {
	for _, s := range m.secrets {
		text = strings.ReplaceAll(text, s, "••••")
	}
	return marker.ReplaceAllString(text, "••••")
}

var headerName = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]+$`)

func (d *desk) headers(m *message, v any) error {
	all, ok := v.(map[string]any)
	if v != nil && !ok || len(all) > maxHeaders {
		return actions.Final("headers is an object of at most %d texts by name", maxHeaders)
	}
	for name, v := range all {
		text, ok := v.(string)
		if n, whole := v.(int64); whole {
			text, ok = strconv.FormatInt(n, 10), true
		}
		opened, err := d.open(m, text, false)
		switch {
		case err != nil:
			return err
		case !headerName.MatchString(name) || len(name) > 200:
			return actions.Final("%.60q is no name of a header", name)
		case strings.HasPrefix(strings.ToLower(name), "nats-"):
			return actions.Final("the header %.60s is NATS's own", name)
		case !ok || len(opened) > maxHeader || strings.ContainsAny(opened, "\r\n\x00"):
			return actions.Final("the header %.60s is no text on one line of at most %d bytes", name, maxHeader)
		}
		m.Header.Set(name, opened)
	}
	return nil
}

func waitOf(v any) (time.Duration, error) {
	if v == nil {
		return defaultWait, nil
	}
	s, _ := v.(string)
	wait, err := moment.Duration(s)
	if err != nil || wait <= 0 || wait > maxWait {
		return 0, actions.Final("timeout is a duration such as 30s, at most %s", maxWait)
	}
	return wait, nil
}

// acknowledged reads what a stream says to a message.
func acknowledged(stream string, reply *nats.Msg) (actions.Result, error) {
	var ack struct {
		Stream    string `json:"stream"`
		Sequence  int64  `json:"seq"`
		Duplicate bool   `json:"duplicate"`
		Error     *struct {
			Code        int    `json:"code"`
			Description string `json:"description"`
		} `json:"error"`
	}
	err := json.Unmarshal(reply.Data, &ack)
	switch {
	case err != nil || ack.Error == nil && ack.Stream == "":
		return actions.Result{}, actions.Unknown("what the stream %s said cannot be read", stream)
	case ack.Error != nil && ack.Error.Code == 503:
		return actions.Result{}, actions.Retryable("the stream %s does not take the message now: %s", stream, ack.Error.Description).With(0, "refused")
	case ack.Error != nil:
		return actions.Result{}, actions.Final("the stream %s does not take the message: %s", stream, ack.Error.Description).With(0, "refused")
	}
	return actions.Result{Output: map[string]any{"stream": ack.Stream, "sequence": ack.Sequence, "duplicate": ack.Duplicate}}, nil
}
