package proto

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// None stands where a subject has no account or no run.
const None = "_"

// EventSubject returns zflow.event.<source>.<account>.<type…>. The dots of the
// type separate tokens; an empty account becomes "_".
func EventSubject(source, account, eventType string) string {
	return "zflow.event." + Token(source) + "." + Token(account) + "." + typeTokens(eventType)
}

// EventFilter is EventSubject for any account; in the type a token "*" stands
// for one token and a last ".*" for one or more.
func EventFilter(source, pattern string) string {
	tokens := strings.Split(pattern, ".")
	for i, t := range tokens {
		switch {
		case t == "*" && i == len(tokens)-1:
			tokens[i] = ">"
		case t != "*":
			tokens[i] = Token(t)
		}
	}
	return "zflow.event." + Token(source) + ".*." + strings.Join(tokens, ".")
}

// MatchesType says whether a pattern stands for an event type, token by token: "*"
// stands for one, as the last for one or more.
func MatchesType(pattern, text string) bool {
	for {
		p, morePattern, more := strings.Cut(pattern, ".")
		t, moreText, left := strings.Cut(text, ".")
		switch {
		case p == "*" && !more:
			return t != ""
		case p != "*" && p != t || more != left:
			return false
		case !more:
			return true
		}
		pattern, text = morePattern, moreText
	}
}

func typeTokens(eventType string) string {
	tokens := strings.Split(eventType, ".")
	for i, t := range tokens {
		tokens[i] = Token(t)
	}
	return strings.Join(tokens, ".")
}

// RunSubject returns zflow.run.<workflow>.<run>.<state>.
func RunSubject(workflow, run, state string) string {
	return "zflow.run." + workflow + "." + run + "." + state
}

// RunFilter matches every state of a run.
func RunFilter(workflow, run string) string { return RunSubject(workflow, run, "*") }

// RunsFilter is what the runs of a workflow that come into a state are stored under; "*"
// as the workflow stands for all.
func RunsFilter(workflow, state string) string { return RunSubject(workflow, "*", state) }

// ParseRunSubject is the inverse of RunSubject.
func ParseRunSubject(subject string) (workflow, run, state string, err error) {
	t := strings.Split(subject, ".")
	if len(t) != 5 || t[0] != "zflow" || t[1] != "run" {
		return "", "", "", fmt.Errorf("reading subject %q: not zflow.run.<workflow>.<run>.<state>", subject)
	}
	return t[2], t[3], t[4], nil
}

// WakeSubject is where a run is told that something is due now.
func WakeSubject(workflow, run string) string { return "zflow.wake." + workflow + "." + run }

// CommandSubject is where a run gets orders from outside.
func CommandSubject(workflow, run string) string { return "zflow.command." + workflow + "." + run }

// TimerSubject holds the schedule of the timer that the fact of this number set.
func TimerSubject(workflow, run string, fact uint64) string {
	return "zflow.timer." + workflow + "." + run + "." + strconv.FormatUint(fact, 10)
}

// TickSubject holds the schedule of a workflow's next tick. Its wake is that of no
// run: WakeSubject(workflow, None).
func TickSubject(workflow string) string { return "zflow.timer." + workflow + "." + None + ".tick" }

// ParseWakeSubject returns what a wake or a command is about.
func ParseWakeSubject(subject string) (workflow, run string, command bool, err error) {
	t := strings.Split(subject, ".")
	if len(t) != 4 || t[0] != "zflow" || t[1] != "wake" && t[1] != "command" {
		return "", "", false, fmt.Errorf("reading subject %q: neither a wake nor a command", subject)
	}
	return t[2], t[3], t[1] == "command", nil
}

// WorkerSubject is where a worker is told, as a hint, that one of its runs has news.
func WorkerSubject(worker string) string { return "zflow.worker." + worker }

// ResponseSubject is where a run answers whoever waits for that of an event.
func ResponseSubject(event string) string { return "zflow.response." + Token(event) }

// FlushSubject is where the broker flushes a stream on request.
func FlushSubject(stream string) string { return "zflow.flush." + stream }

// Token makes one subject token of any text: letters, digits, "-" and "_" stay,
// every other byte becomes "=XX"; the empty text is "_", the text "_" is "=5F".
func Token(text string) string {
	if text == "" {
		return None
	}
	if text == None {
		return "=5F"
	}
	plain := true
	for i := 0; i < len(text); i++ {
		plain = plain && plainByte(text[i])
	}
	if plain {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if c := text[i]; plainByte(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return b.String()
}

func plainByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// Text is the inverse of Token; what Token cannot have made is returned as it is.
func Text(token string) string {
	if token == None {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		if token[i] != '=' {
			b.WriteByte(token[i])
			continue
		}
		if i+3 > len(token) {
			return token
		}
		c, err := hex.DecodeString(token[i+1 : i+3])
		if err != nil {
			return token
		}
		b.WriteByte(c[0])
		i += 2
	}
	return b.String()
}
