package proto

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Headers of a message of EVENTS: CloudEvents in binary mode, and ours.
const (
	headerSpec        = "ce-specversion"
	headerID          = "ce-id"
	headerSource      = "ce-source"
	headerType        = "ce-type"
	headerTime        = "ce-time"
	headerSubject     = "ce-subject"
	headerContentType = "content-type"
	headerReceivedAt  = "zflow-received-at"
	headerOrigin      = "zflow-origin"
	headerAccount     = "zflow-account"
	headerReplayOf    = "zflow-replay-of"
	headerTrigger     = "zflow-trigger"
	headerMsgID       = "Nats-Msg-Id"
)

// Origins of an event: by which way it came.
const (
	FromWebhook   = "webhook"
	FromWebSocket = "websocket"
	FromReconcile = "reconcile"
	FromPoll      = "poll"
	FromSchedule  = "schedule"
	FromRun       = "run"
	FromSMTP      = "smtp"
	FromIMAP      = "imap"
	FromReplay    = "replay"
	FromSimulator = "simulator"
	FromTest      = "test"
	FromPublish   = "publish"
	FromEmit      = "emit"
	FromHTTP      = "http" // a request to an HTTP trigger
)

// Event is something that happened outside, as received.
type Event struct {
	ID          string // derived from the event's business key: EventID
	Type        string // meeting.ended
	Source      string // zoom/<app>; the kind of source before the slash
	Account     string // empty where the source has none
	Subject     string // what it is about, for people
	Origin      string
	ContentType string
	Time        time.Time // when it happened
	ReceivedAt  time.Time
	ReplayOf    string // the replayed event's id
	Trigger     []byte // a JSON object of what trigger has besides, such as a request's method; nil: nothing
	Body        []byte // as received, but for sealed credentials
	Sequence    uint64 // in EVENTS; not on the wire
}

// SourceApp is the source of events that a program, a person or a run publishes.
const SourceApp = "app"

// SourcePoll is the source of events that zflow finds by polling for a workflow; the
// workflow's name is their type: zflow.event.poll._.<workflow>.
const SourcePoll = "poll"

// SourceEmail is the source of events that mails make; the mailbox, which is the part of
// an address before the @, is their type: zflow.event.email._.<mailbox>.
const SourceEmail = "email"

// SourceHTTP is the source of events that HTTP requests make; their type is the name
// of the workflow that the request was for: zflow.event.http._.<workflow>.
const SourceHTTP = "http"

// PathHTTP begins the paths of HTTP triggers on ingest.
const PathHTTP = "/http/"

// SourceSchedule is the source of the events of schedules; the workflow's name is their
// type: zflow.event.schedule._.<workflow>.
const SourceSchedule = "schedule"

// SourceRun is the source of the events of runs that ended, for workflows that these
// start; their type is the workflow and the run's state:
// zflow.event.run._.<workflow>.<state>.
const SourceRun = "run"

// Kind is the kind of source, the part of Source before the slash.
func (e *Event) Kind() string {
	kind, _, _ := strings.Cut(e.Source, "/")
	return kind
}

// Wire returns the subject and the headers under which the event is published.
func (e *Event) Wire() (subject string, header map[string][]string) {
	header = map[string][]string{
		headerSpec:       {"1.0"},
		headerID:         {e.ID},
		headerSource:     {e.Source},
		headerType:       {e.Type},
		headerTime:       {stamp(e.Time)},
		headerReceivedAt: {stamp(e.ReceivedAt)},
		headerOrigin:     {e.Origin},
		headerMsgID:      {e.ID},
	}
	for name, value := range map[string]string{headerSubject: e.Subject, headerContentType: e.ContentType,
		headerAccount: e.Account, headerReplayOf: e.ReplayOf, headerTrigger: string(e.Trigger)} {
		if value != "" {
			header[name] = []string{value}
		}
	}
	return EventSubject(e.Kind(), e.Account, e.Type), header
}

// ReadEvent is the inverse of Wire. A message that another NATS client published
// on an event subject may lack headers: what is missing is taken from the
// subject, the stream's time and its sequence.
func ReadEvent(subject string, header map[string][]string, body []byte, sequence uint64, stored time.Time) (*Event, error) {
	tokens := strings.SplitN(subject, ".", 5)
	if len(tokens) != 5 || tokens[0] != "zflow" || tokens[1] != "event" {
		return nil, fmt.Errorf("reading event %d: subject %q is not zflow.event.<source>.<account>.<type>", sequence, subject)
	}
	get := func(name, otherwise string) string {
		if v := header[name]; len(v) > 0 && v[0] != "" {
			return v[0]
		}
		return otherwise
	}
	return &Event{
		ID:          get(headerID, get(headerMsgID, "seq-"+strconv.FormatUint(sequence, 10))),
		Type:        get(headerType, textTokens(tokens[4])),
		Source:      get(headerSource, Text(tokens[2])),
		Account:     get(headerAccount, Text(tokens[3])),
		Subject:     get(headerSubject, ""),
		Origin:      get(headerOrigin, FromPublish),
		ContentType: get(headerContentType, ""),
		Time:        when(get(headerTime, ""), stored),
		ReceivedAt:  when(get(headerReceivedAt, ""), stored),
		ReplayOf:    get(headerReplayOf, ""),
		Trigger:     bytesOf(get(headerTrigger, "")),
		Body:        body,
		Sequence:    sequence,
	}, nil
}

// bytesOf is nil for no text.
func bytesOf(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text)
}

func textTokens(tokens string) string {
	parts := strings.Split(tokens, ".")
	for i, p := range parts {
		parts[i] = Text(p)
	}
	return strings.Join(parts, ".")
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func when(text string, otherwise time.Time) time.Time {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t
	}
	return otherwise.UTC()
}

// EventID derives an event's id from the app it came for, its type and the
// values of its business key.
func EventID(app, eventType string, key ...string) string {
	return hash(append([]string{"event", app, eventType}, key...), 26)
}

// ReplayID is the id of the nth replay of an event.
func ReplayID(id string, n int) string { return id + "~" + strconv.Itoa(n) }

// RunReplayID is the id under which the nth run that goes on from another has its
// event: not that of a replay of the event, which starts runs of its own.
func RunReplayID(id string, n int) string { return id + "~r" + strconv.Itoa(n) }

// CallID is the id of the event by which a run's fact calls another workflow.
func CallID(run string, fact uint64) string { return run + "." + strconv.FormatUint(fact, 10) }

// RunID derives the id of the run of a workflow for an event.
func RunID(workflow, event string) string { return hash([]string{"run", workflow, event}, 26) }

var idText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// hash returns n characters of a SHA-256 over the parts, each with its length.
func hash(parts []string, n int) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s,", len(p), p)
	}
	return idText.EncodeToString(h.Sum(nil))[:n]
}
