package proto

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
)

// longToken is above what a name of ours has, and well below what a subject may.
const longToken = 128

// Short is Token for text of any length: a token that would be too long for a
// subject is replaced by "=H" and the text's hash, which Token never makes.
func Short(text string) string {
	if t := Token(text); len(t) <= longToken {
		return t
	}
	return "=H" + Hash(text)
}

// Hash returns one token that stands for a list of texts; no two lists have the
// same, ["a", "b"] and ["ab"] included.
func Hash(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		h.Write(strconv.AppendInt(nil, int64(len(t)), 10))
		h.Write([]byte{':'})
		h.Write([]byte(t))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// Gate names the queue of one concurrency key: one of the workflow's own, or, with
// a name, one that the workflows share which give that name.
func Gate(workflow, name, key string) string {
	if name == "" {
		return "own." + Short(workflow) + "." + Hash(key)
	}
	return "shared." + Short(name) + "." + Hash(key)
}

// HoldersKey is where GATES has who is inside a gate.
func HoldersKey(gate string) string { return gate + ".holders" }

// PlaceKey is where GATES has a run that wants in; the place is the sequence of
// the append in RUNS by which it queues.
func PlaceKey(gate string, place uint64) string {
	return gate + "." + strconv.FormatUint(place, 10)
}

// OnceKey is where ONCE has which event a trigger's once was won by.
func OnceKey(workflow, trigger, key string) string {
	return "once." + Short(workflow) + "." + Short(trigger) + "." + Hash(key)
}

// QuotaKey is where ONCE has how many runs of a workflow began in a minute, given by
// its number since 1970.
func QuotaKey(workflow string, minute int64) string {
	return "quota." + Short(workflow) + "." + strconv.FormatInt(minute, 10)
}

// PathsKey is where WAITERS has the sets of match paths in use for a type of events.
func PathsKey(source, eventType string) string {
	return "paths." + Short(source) + "." + Short(eventType)
}

// PatternsKey is where WAITERS has the same for all patterns of types.
func PatternsKey(source string) string { return "patterns." + Short(source) }

// WaitKey is where WAITERS has who waits for events of a type, or a pattern of
// types, that have these values at these paths.
func WaitKey(source, eventType string, paths, values []string) string {
	return "wait." + Short(source) + "." + Short(eventType) + "." + Hash(paths...) + "." + Hash(values...)
}

// DataStore is the prefix of the keys in DATA of a workflow's own store, or, with a
// name, of one that workflows share.
func DataStore(workflow, name string) string {
	if name == "" {
		return "workflow." + Short(workflow)
	}
	return "shared." + Short(name)
}

// DataKey is where DATA has a key of a store.
func DataKey(store, key string) string { return store + "." + Token(key) }

// DataMarkKey is where DATA has that a step, by the hash of its key, changed a key.
func DataMarkKey(dataKey, step string) string { return "mark." + Hash(dataKey, step) }
