package data

import "zflow/actions"

func object(doc string, required []string, fields map[string]actions.Schema) actions.Schema {
	return actions.Schema{Type: "object", Doc: doc, Required: required, Fields: fields}
}

// input is what all that work on one key take, and more.
func input(required []string, more map[string]actions.Schema) actions.Schema {
	fields := map[string]actions.Schema{
		"key":   {Type: "string", Doc: "The key: any text up to 256 bytes."},
		"store": {Type: "string", Doc: "The name of a store that workflows share; without it the workflow's own."},
	}
	for name, s := range more {
		fields[name] = s
	}
	return object("", append([]string{"key"}, required...), fields)
}

var (
	revision  = actions.Schema{Type: "integer", Doc: "Of the entry, for if: unchanged; 0 where it is not known."}
	expiresAt = actions.Schema{Type: "string", Doc: "When its life is over.", Format: "date-time"}
	madeTTL   = actions.Schema{Type: "string", Doc: "How long a value lives that this step makes, such as 1h; one that is there keeps its time.", Format: "duration"}
)

var refusals = []actions.Known{
	{If: "error.code == 'full'", Doc: "The store has 100,000 keys, or all stores together fill streams.data_bytes.", Again: true},
	{If: "error.code == 'too_large'", Doc: "The value would have more than 256 KiB, or the number more than 64 bits."},
	{If: "error.code == 'bad_key'", Doc: "The key is empty or longer than 256 bytes, or the store's name has other characters than a-z, 0-9, - and _."},
}

var wrongType = actions.Known{If: "error.code == 'wrong_type'", Doc: "What is kept is not a number, or not a list."}

func getSpec() actions.Spec {
	return actions.Spec{
		Name: "data.get", Summary: "Reads a value that was kept.", Effect: actions.Read, Sealed: true,
		Input: input(nil, map[string]actions.Schema{"default": {Doc: "The value where there is none; null if not given."}}),
		Output: object("", []string{"found", "value", "revision"}, map[string]actions.Schema{
			"found": {Type: "boolean", Doc: "Whether there is a value."}, "value": {Doc: "The value, or the default."},
			"revision": revision, "expires_at": expiresAt,
		}),
		Errors: refusals[2:],
		Examples: []actions.Example{{
			Title: "The last meeting, or none", Input: map[string]any{"key": "last", "default": "none"},
			Output: map[string]any{"found": false, "value": "none", "revision": int64(0)},
		}},
	}
}

func setSpec() actions.Spec {
	return actions.Spec{
		Name: "data.set", Summary: "Keeps a value under a key, until it is set anew, deleted, or its time is over.", Effect: actions.Idempotent, Sealed: true,
		Input: input([]string{"value"}, map[string]actions.Schema{
			"value":    {Doc: "Any value, up to 256 KiB of JSON. Credentials stay sealed."},
			"ttl":      {Type: "string", Doc: "How long it lives, such as 1h or 30d; without it for ever.", Format: "duration"},
			"if":       {Type: "string", Doc: "absent: only where there is no value yet; unchanged: only where the entry is still at revision.", Enum: []string{"absent", "unchanged"}},
			"revision": {Type: "integer", Doc: "With if: unchanged: what data.get gave."},
		}),
		Output: object("", []string{"set", "revision"}, map[string]actions.Schema{
			"set": {Type: "boolean", Doc: "Whether the value was set: false where the condition did not hold."}, "value": {Doc: "Where it was not set: the value that is there, or null."},
			"revision": revision,
		}),
		Errors: refusals,
		Examples: []actions.Example{
			{Title: "Remember a meeting", Input: map[string]any{"key": "last", "value": map[string]any{"id": int64(123), "topic": "Algebra"}}},
			{Title: "Who comes first", Input: map[string]any{"key": "${{ event.payload.object.uuid }}", "value": "taken", "if": "absent", "ttl": "1d"}},
		},
	}
}

func incrementSpec() actions.Spec {
	return actions.Spec{
		Name: "data.increment", Summary: "Adds to a number that is kept; exactly once for each step, however often it is attempted.", Effect: actions.Write, Sealed: true,
		Input: input(nil, map[string]actions.Schema{
			"by": {Type: "number", Doc: "How much to add; less than 0 subtracts.", Default: int64(1)}, "ttl": madeTTL,
		}),
		Output: object("", []string{"value", "revision"}, map[string]actions.Schema{
			"value": {Type: "number", Doc: "The number with this added."}, "revision": revision,
		}),
		Errors: append([]actions.Known{wrongType}, refusals...),
		Examples: []actions.Example{{
			Title: "Count meetings", Input: map[string]any{"key": "meetings"}, Output: map[string]any{"value": int64(1), "revision": int64(1)},
		}},
	}
}

func appendSpec() actions.Spec {
	return actions.Spec{
		Name: "data.append", Summary: "Puts a value at the end of a list that is kept; exactly once for each step, however often it is attempted.", Effect: actions.Write, Sealed: true,
		Input: input([]string{"value"}, map[string]actions.Schema{
			"value": {Doc: "Any value. The list has at most 256 KiB of JSON."},
			"keep":  {Type: "integer", Doc: "How many values to keep: the oldest go. Without it all."}, "ttl": madeTTL,
		}),
		Output: object("", []string{"length", "revision"}, map[string]actions.Schema{
			"length": {Type: "integer", Doc: "How many values the list has."}, "revision": revision,
		}),
		Errors: append([]actions.Known{wrongType}, refusals...),
		Examples: []actions.Example{{
			Title: "The last 20 topics", Input: map[string]any{"key": "topics", "value": "Algebra", "keep": int64(20)}, Output: map[string]any{"length": int64(1), "revision": int64(1)},
		}},
	}
}

func deleteSpec() actions.Spec {
	return actions.Spec{
		Name: "data.delete", Summary: "Deletes a value that is kept.", Effect: actions.Idempotent, Sealed: true,
		Input: input(nil, map[string]actions.Schema{
			"if":       {Type: "string", Doc: "unchanged: only where the entry is still at revision.", Enum: []string{"unchanged"}},
			"revision": {Type: "integer", Doc: "With if: unchanged: what data.get gave."},
		}),
		Output: object("", []string{"deleted", "revision"}, map[string]actions.Schema{
			"deleted": {Type: "boolean", Doc: "Whether there was a value, and it was deleted."}, "revision": revision,
		}),
		Errors: refusals[2:],
		Examples: []actions.Example{{
			Title: "Forget a meeting", Input: map[string]any{"key": "last"}, Output: map[string]any{"deleted": false, "revision": int64(0)},
		}},
	}
}

func listSpec() actions.Spec {
	in := input(nil, map[string]actions.Schema{
		"prefix": {Type: "string", Doc: "Only keys that begin so."},
		"after":  {Type: "string", Doc: "Only keys behind this one: last of the page before."},
		"limit":  {Type: "integer", Doc: "How many at most, up to 1,000; values of 1 MiB at most together.", Default: int64(100)},
	})
	delete(in.Fields, "key")
	in.Required = nil
	return actions.Spec{
		Name: "data.list", Summary: "Lists values that are kept, in the order of their keys.", Effect: actions.Read, Sealed: true,
		Input: in,
		Output: object("", []string{"items", "more", "last"}, map[string]actions.Schema{
			"items": {Type: "array", Doc: "The entries.", Items: &actions.Schema{
				Type: "object", Required: []string{"key", "value", "revision"},
				Fields: map[string]actions.Schema{"key": {Type: "string", Doc: "The key."}, "value": {Doc: "The value."}, "revision": revision, "expires_at": expiresAt},
			}},
			"more": {Type: "boolean", Doc: "Whether there are more."}, "last": {Type: "string", Doc: "The last key, for after; empty where there is none."},
		}),
		Errors: refusals[2:],
		Examples: []actions.Example{{
			Title: "All rooms", Input: map[string]any{"prefix": "room/"}, Output: map[string]any{"items": []any{}, "more": false, "last": ""},
		}},
	}
}
