package desk

import (
	"time"

	"zflow/internal/connections"
)

const (
	subjects   = "zflow.connection."
	verbKey    = "key"
	verbJoin   = "connect"
	verbBegin  = "begin"
	verbEnd    = "finish"
	verbPoll   = "poll"
	verbList   = "list"
	verbShow   = "show"
	verbTest   = "test"
	verbDrop   = "revoke"
	verbErase  = "delete"
	verbForget = "forget"
)

// Begin asks for an authorization.
type Begin struct {
	connections.Wanted
	Redirect string `json:"redirect,omitempty"` // empty: the console's call-back
	Device   bool   `json:"device,omitempty"`   // on another machine
}

// Polled is how an authorization on another machine stands.
type Polled struct {
	Record *connections.Record `json:"record,omitempty"` // nil: nobody has answered yet
	Again  float64             `json:"again,omitempty"`  // seconds until the next poll
}

// Ended is what came of revoking or deleting a connection.
type Ended struct {
	Name string `json:"name"`
	Told string `json:"told,omitempty"` // why Zoom could not be told; empty: it was, or need not be
}

// Forget asks for the deletion of what is stored of an account: that of the
// connection, or the one that is named.
type Forget struct {
	Name    string `json:"name,omitempty"`
	Account string `json:"account_id,omitempty"`
}

// page is a part of the list.
type page struct {
	Connections []connections.Record `json:"connections"`
	More        bool                 `json:"more,omitempty"`
}

// name is the request of verbs that need no more.
type name struct {
	Name string `json:"name"`
}

// listed is the request of a page.
type listed struct {
	After string `json:"after"`
}

// pageSize keeps a page well below what a message may have.
const pageSize = 200

// answerWithin is how long a worker may take: it may have to ask Zoom several times.
const answerWithin = 45 * time.Second
