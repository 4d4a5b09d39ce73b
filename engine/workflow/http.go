package workflow

import (
	"slices"
	"time"

	"zflow/engine/expr"
	"zflow/proto"
)

// HTTP is a trigger whose events are requests to a path of ingest.
type HTTP struct {
	Path    string   // after /http/: the workflow's name, or what the file says
	Methods []string // in capitals; none: any
	Auth    Auth
	Wait    bool          // respond: when_done
	Timeout time.Duration // for that
	CORS    *CORS         // nil: pages of other origins get no answer
	Key     RequestKey

	Line, Column int // in the file
}

// Takes tells whether a request of this method and path is the trigger's.
func (h *HTTP) Takes(method, path string) bool {
	return path == h.Path && (len(h.Methods) == 0 || slices.Contains(h.Methods, method))
}

// Meets returns a request that two triggers take, such as "POST /http/orders"; empty:
// there is none.
func (h *HTTP) Meets(other *HTTP) string {
	if h.Path != other.Path {
		return ""
	}
	if len(h.Methods) == 0 {
		h, other = other, h
	}
	if len(h.Methods) == 0 {
		return "any " + proto.PathHTTP + h.Path
	}
	for _, m := range h.Methods {
		if other.Takes(m, h.Path) {
			return m + " " + proto.PathHTTP + h.Path
		}
	}
	return ""
}

// Auth is how a caller shows who it is. Its templates see secrets and vars; where
// there are several, one while another is being replaced, each is good.
type Auth struct {
	Kind      AuthKind
	User      *expr.Template   // of basic
	Secrets   []*expr.Template // tokens, passwords or keys of signatures
	Signature *Signature       // of hmac
}

// AuthKind is a way to show who one is.
type AuthKind string

// Kinds.
const (
	AuthNone   AuthKind = "none"
	AuthBearer AuthKind = "bearer"
	AuthBasic  AuthKind = "basic"
	AuthHMAC   AuthKind = "hmac"
)

// Signature is how a request is signed with a shared key.
type Signature struct {
	Preset    string        `json:"preset,omitempty"` // whose form it has; empty: its own
	Header    string        `json:"header"`           // of the signature
	Algorithm string        `json:"algorithm"`        // sha256, sha1, sha512
	Encoding  string        `json:"encoding"`         // hex, base64
	Prefix    string        `json:"prefix,omitempty"` // of the header's value
	Signed    string        `json:"signed"`           // what is signed: {body}, {timestamp} and {id} stand in it
	Timestamp string        `json:"timestamp,omitempty"`
	ID        string        `json:"id,omitempty"`        // the header that is {id}
	Tolerance time.Duration `json:"tolerance,omitempty"` // how far the timestamp may be from now
}

// CORS says which pages of other origins may call, and read the answer.
type CORS struct {
	Origins     []string      `json:"origins"` // "*" is any
	Headers     []string      `json:"headers,omitempty"`
	Expose      []string      `json:"expose,omitempty"`
	Credentials bool          `json:"credentials,omitempty"`
	MaxAge      time.Duration `json:"max_age,omitempty"`
}

// RequestKey is where a request has the key by which it is known when it comes
// again. At most one is set; none: the header Idempotency-Key.
type RequestKey struct {
	Header   string `json:"header,omitempty"`
	Field    string `json:"field,omitempty"` // of the body
	Query    string `json:"query,omitempty"`
	Optional bool   `json:"optional,omitempty"` // a request without is one of its own
}
