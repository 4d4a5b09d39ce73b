package operator

import (
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine/blobs"
	"zflow/engine/catalog"
	"zflow/engine/history"
	"zflow/engine/wakes"
	"zflow/internal/durable"
	"zflow/internal/sealed"
	"zflow/sources"
	"zflow/sources/imap/place"
)

// Access is a connection to a server with what zflow keeps there.
type Access struct {
	NC        *nats.Conn
	JS        jetstream.JetStream
	Catalog   *catalog.Catalog
	History   *history.Store
	Wakes     *wakes.Store
	Blobs     *blobs.Store
	Publisher *sources.Publisher
	Ticks     *durable.Bucket // nil: nothing is told of ticks
	Places    *place.Store    // of mailboxes; nil: nothing is told of them
	Patience  time.Duration   // how long an order waits to be taken; 0: 10 s
}

// Operator asks and orders. It is safe for concurrent use.
type Operator struct {
	Access
	hurry *hurry // nil: each order is waited for
}

// New returns an Operator; the connection stays the caller's.
func New(a Access) *Operator { return &Operator{Access: a} }

// Mask hides sealed values in a text.
func Mask(text string) string { return sealed.Mask(text) }

// Line is a text from elsewhere as it may be shown: without sealed values, in one
// line, and without power over the terminal.
func Line(text string) string { return oneLine(sealed.Mask(text)) }
