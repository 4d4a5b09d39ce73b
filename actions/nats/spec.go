package nats

import (
	"maps"

	"zflow/actions"
)

var sent = map[string]actions.Schema{
	"subject": {Type: "string", Doc: "Where to, such as orders.paid; not zflow.…, $… or _…."},
	"data":    {Doc: "The message: any value, as JSON."},
	"text":    {Type: "string", Doc: "The message as text, instead of data."},
	"headers": {Type: "object", Doc: "Headers, by name; not Nats-….", Open: true},
}

func with(name string, s actions.Schema) map[string]actions.Schema {
	out := maps.Clone(sent)
	out[name] = s
	return out
}

var known = []actions.Known{
	{If: "error.code == 'denied'", Doc: "The worker's NATS user may not publish there."},
	{If: "error.code == 'bad_subject'", Doc: "It is no subject, or not the workflows'."},
	{If: "error.code == 'too_large'", Doc: "The message is larger than the server takes."},
}

func publishSpec() actions.Spec {
	return actions.Spec{
		Name: "nats.publish", Summary: "Publishes a message on the NATS server that zflow uses; where a stream listens, it has acknowledged it.",
		Effect: actions.Write, Sealed: true,
		Input: actions.Schema{Type: "object", Required: []string{"subject"}, Fields: with("stream",
			actions.Schema{Type: "boolean", Doc: "Whether a stream must take the message: where none listens, nobody knows whether anybody has it.", Default: false})},
		Output: actions.Schema{Type: "object", Required: []string{"stream", "sequence", "duplicate"}, Fields: map[string]actions.Schema{
			"stream":    {Type: "string", Doc: "The stream that has the message; empty where none listens."},
			"sequence":  {Type: "integer", Doc: "Its number in the stream."},
			"duplicate": {Type: "boolean", Doc: "Whether the stream had it, from an earlier attempt of this step."},
		}},
		Errors: append([]actions.Known{
			{If: "error.code == 'no_stream'", Doc: "No stream listens there, and stream is true."},
			{If: "error.code == 'refused'", Doc: "The stream does not take it: it is full, or sealed."},
		}, known...),
		Examples: []actions.Example{{
			Title: "Tell others that a class was held", Input: map[string]any{"subject": "school.class.held", "data": map[string]any{"topic": "Algebra"}},
		}},
	}
}

func requestSpec() actions.Spec {
	return actions.Spec{
		Name: "nats.request", Summary: "Asks a service on the NATS server that zflow uses, and gives its answer.",
		Effect: actions.Write, Sealed: true,
		Input: actions.Schema{Type: "object", Required: []string{"subject"}, Fields: with("timeout",
			actions.Schema{Type: "string", Doc: "How long to wait for the answer, at most 4m.", Format: "duration", Default: "10s"})},
		Output: actions.Schema{Type: "object", Required: []string{"headers"}, Fields: map[string]actions.Schema{
			"data": {Doc: "The answer, where it is JSON."}, "text": {Type: "string", Doc: "The answer, where it is UTF-8. Credentials that were sent are masked."},
			"base64": {Type: "string", Doc: "The answer, where it is not."}, "headers": {Type: "object", Doc: "Its headers, by name.", Open: true},
		}},
		Errors: append([]actions.Known{
			{If: "error.code == 'no_responders'", Doc: "Nobody listens there now.", Again: true},
			{If: "error.code == 'timeout'", Doc: "Nobody answered in time; whether the service did what was asked is not known."},
		}, known...),
		Examples: []actions.Example{{
			Title: "Ask for the price of a course", Input: map[string]any{"subject": "prices.get", "data": map[string]any{"course": "algebra"}, "timeout": "5s"},
		}},
	}
}
