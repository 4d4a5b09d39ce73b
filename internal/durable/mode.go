package durable

import "errors"

// Mode is how an acknowledged message becomes durable.
type Mode string

// The modes.
const (
	Group      Mode = "group"      // the broker's Flusher flushes on request
	Always     Mode = "always"     // the server flushes each message (sync_interval: always)
	Replicated Mode = "replicated" // a majority of at least three servers holds it
)

// ErrChanged says that the server or the connection is not the one the message
// was published on: whether the message lasts is unknown.
var ErrChanged = errors.New("the server or the connection changed since the publish: its outcome is unknown")

// ErrNoRoom says that the broker's disk is filled to its reserve.
var ErrNoRoom = errors.New("the broker's disk is filled to its reserve")

// Mark names a server's life and a connection to it. Marks are comparable.
type Mark struct {
	server     string
	reconnects uint64
}
